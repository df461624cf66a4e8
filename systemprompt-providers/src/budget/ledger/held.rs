use std::time::Duration;

use systemprompt_core::clock::Timestamp;
use systemprompt_core::contract::{BudgetError, BudgetRequest, Settlement};
use systemprompt_core::id::ReservationId;

use super::charge::{self, Amounts, Charge};
use super::counter::Counters;

/// How long a reservation is remembered after it was settled or released, so that a second settlement
/// is told from one that is unknown.
const CLOSED_KEPT: Duration = Duration::from_secs(600);

/// How long an abandoned one is remembered, for a settlement that comes late.
const ABANDONED_KEPT: Duration = Duration::from_secs(86_400);

/// What has become of a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::budget) enum State {
    Open,
    Settled,
    Released,
    Expired,
}

/// A reservation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::budget) struct Held {
    pub(in crate::budget) state: State,
    /// What it holds, or held.
    pub(in crate::budget) amounts: Amounts,
    pub(in crate::budget) charges: Vec<Charge>,
    /// Microseconds.
    pub(in crate::budget) timeout: i64,
    /// When it counts as abandoned, in microseconds since the Unix epoch.
    pub(in crate::budget) deadline: i64,
    /// Until when it is remembered; of no meaning while it is open.
    pub(in crate::budget) keep_until: i64,
}

impl Held {
    /// Reserves in `counters`.
    pub(in crate::budget) fn reserve(
        request: &BudgetRequest,
        counters: &mut Counters,
        now: Timestamp,
    ) -> Result<Self, BudgetError> {
        let amounts = Amounts::asked(request.microdollars, request.tokens)?;
        let charges: Vec<_> = request.caps.iter().map(|cap| Charge::of(cap, now)).collect();
        charge::take(&charges, amounts, counters, now)?;
        let timeout = i64::try_from(request.timeout.as_micros()).unwrap_or(i64::MAX);
        let deadline = now.as_micros().saturating_add(timeout);
        Ok(Self { state: State::Open, amounts, charges, timeout, deadline, keep_until: deadline })
    }

    pub(in crate::budget) fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// Puts what was used in the place of what is held.
    pub(in crate::budget) fn settle(
        &mut self,
        used: Amounts,
        counters: &mut Counters,
        now: Timestamp,
    ) -> Settlement {
        let settlement = match self.state {
            State::Settled => return Settlement::AlreadySettled,
            State::Open => Settlement::Settled,
            State::Released | State::Expired => Settlement::Late,
        };
        self.close(State::Settled, counters, now);
        // It is never charged again, so it need not remember where.
        charge::settle(&std::mem::take(&mut self.charges), used, counters);
        settlement
    }

    /// Gives back what is held.
    pub(in crate::budget) fn release(&mut self, counters: &mut Counters, now: Timestamp) {
        if self.is_open() {
            self.close(State::Released, counters, now);
        }
    }

    /// Gives back what is held by a reservation that was abandoned.
    pub(in crate::budget) fn expire(&mut self, counters: &mut Counters, now: Timestamp) {
        if self.is_open() {
            self.close(State::Expired, counters, now);
        }
    }

    /// Holds more, and sets the deadline anew.
    pub(in crate::budget) fn extend(
        &mut self,
        id: ReservationId,
        more: Amounts,
        counters: &mut Counters,
        now: Timestamp,
    ) -> Result<(), BudgetError> {
        if !self.is_open() {
            return Err(BudgetError::NotOpen(id));
        }
        charge::take(&self.charges, more, counters, now)?;
        self.amounts = self.amounts.plus(more);
        self.deadline = self.deadline.max(now.as_micros().saturating_add(self.timeout));
        Ok(())
    }

    fn close(&mut self, state: State, counters: &mut Counters, now: Timestamp) {
        if self.is_open() {
            charge::give_back(&self.charges, self.amounts, counters);
        }
        let kept = if state == State::Expired { ABANDONED_KEPT } else { CLOSED_KEPT };
        self.keep_until = now.after(kept).as_micros();
        self.state = state;
    }
}
