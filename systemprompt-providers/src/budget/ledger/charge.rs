use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use systemprompt_core::clock::Timestamp;
use systemprompt_core::contract::{BudgetCap, BudgetError, BudgetRefusal, BudgetUnit};
use systemprompt_core::money::Microdollars;

use super::counter::{Counters, Tally, WindowKey};

/// A cap with the window that a reservation counts in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::budget) struct Charge {
    pub(in crate::budget) name: Arc<str>,
    pub(in crate::budget) window: WindowKey,
    pub(in crate::budget) limit_microdollars: Option<u64>,
    pub(in crate::budget) limit_tokens: Option<u64>,
}

impl Charge {
    pub(in crate::budget) fn of(cap: &BudgetCap, now: Timestamp) -> Self {
        Self {
            name: cap.name.clone(),
            window: WindowKey::of(cap, now),
            limit_microdollars: cap
                .limit_microdollars
                .map(|limit| limit.get().max(0).unsigned_abs()),
            limit_tokens: cap.limit_tokens,
        }
    }

    /// Why it does not allow `asked`, for each unit.
    fn refusals(
        &self,
        asked: Amounts,
        counters: &Counters,
        now: Timestamp,
    ) -> impl Iterator<Item = BudgetRefusal> {
        let counter = counters.get(&self.window).copied().unwrap_or_default();
        let Amounts { microdollars, tokens } = asked;
        [
            (BudgetUnit::Microdollars, self.limit_microdollars, counter.microdollars, microdollars),
            (BudgetUnit::Tokens, self.limit_tokens, counter.tokens, tokens),
        ]
        .into_iter()
        .filter_map(move |(unit, limit, tally, asked)| {
            let left = left(limit, tally);
            (asked > left).then(|| self.refusal(unit, limit, left, asked, now))
        })
    }

    fn refusal(
        &self,
        unit: BudgetUnit,
        limit: Option<u64>,
        left: i64,
        asked: i64,
        now: Timestamp,
    ) -> BudgetRefusal {
        let frees_at = self.window.ends_at();
        let wait = frees_at.saturating_sub(now.as_micros()).max(0).unsigned_abs();
        BudgetRefusal {
            name: self.name.clone(),
            key: self.window.key.clone(),
            unit,
            limit: limit.unwrap_or(i64::MAX.unsigned_abs()),
            left: left.unsigned_abs(),
            asked: asked.unsigned_abs(),
            frees_at: Timestamp::from_micros(frees_at),
            retry_after: Duration::from_micros(wait),
        }
    }
}

/// What can still be reserved; zero or more. What is held is kept in 63 bits, whatever the limit.
fn left(limit: Option<u64>, tally: Tally) -> i64 {
    let room = i64::MAX.saturating_sub(tally.held);
    let Some(limit) = limit else { return room };
    let left = i128::from(limit) - i128::from(tally.settled) - i128::from(tally.held);
    i64::try_from(left.max(0)).unwrap_or(i64::MAX).min(room)
}

/// Adds `amounts` to what is held in all windows of `charges`, or to none if one does not allow it.
pub(super) fn take(
    charges: &[Charge],
    amounts: Amounts,
    counters: &mut Counters,
    now: Timestamp,
) -> Result<(), BudgetRefusal> {
    let refusal = charges
        .iter()
        .flat_map(|charge| charge.refusals(amounts, counters, now))
        .reduce(|last, next| if next.frees_at > last.frees_at { next } else { last });
    if let Some(refusal) = refusal {
        return Err(refusal);
    }
    change(charges, amounts, counters, Tally::hold);
    Ok(())
}

pub(super) fn give_back(charges: &[Charge], amounts: Amounts, counters: &mut Counters) {
    change(charges, amounts, counters, Tally::give_back);
}

pub(super) fn settle(charges: &[Charge], amounts: Amounts, counters: &mut Counters) {
    change(charges, amounts, counters, Tally::settle);
}

/// Changes the counter of each window once, however many charges share it.
fn change(
    charges: &[Charge],
    amounts: Amounts,
    counters: &mut Counters,
    change: fn(&mut Tally, i64),
) {
    let windows: BTreeSet<_> = charges.iter().map(|charge| &charge.window).collect();
    for window in windows {
        let counter = counters.entry(window.clone()).or_default();
        change(&mut counter.microdollars, amounts.microdollars);
        change(&mut counter.tokens, amounts.tokens);
    }
}

/// An amount of each unit, none of them negative.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::budget) struct Amounts {
    pub(in crate::budget) microdollars: i64,
    pub(in crate::budget) tokens: i64,
}

impl Amounts {
    /// What is to be reserved.
    pub(in crate::budget) fn asked(
        microdollars: Microdollars,
        tokens: u64,
    ) -> Result<Self, BudgetError> {
        let tokens =
            i64::try_from(tokens).map_err(|_| BudgetError::Amount { unit: BudgetUnit::Tokens })?;
        Self::new(microdollars, tokens)
    }

    /// What was used. More tokens than there can be count as the most there can be: nothing that was
    /// used goes unrecorded.
    pub(in crate::budget) fn used(
        microdollars: Microdollars,
        tokens: u64,
    ) -> Result<Self, BudgetError> {
        Self::new(microdollars, i64::try_from(tokens).unwrap_or(i64::MAX))
    }

    fn new(microdollars: Microdollars, tokens: i64) -> Result<Self, BudgetError> {
        if microdollars < Microdollars::ZERO {
            return Err(BudgetError::Amount { unit: BudgetUnit::Microdollars });
        }
        Ok(Self { microdollars: microdollars.get(), tokens })
    }

    pub(super) fn plus(self, more: Self) -> Self {
        Self {
            microdollars: self.microdollars.saturating_add(more.microdollars),
            tokens: self.tokens.saturating_add(more.tokens),
        }
    }
}
