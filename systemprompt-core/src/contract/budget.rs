mod cap;
mod error;
mod key;

use std::time::Duration;

use async_trait::async_trait;

pub use cap::{BudgetCap, BudgetState, BudgetUse, BudgetWindow};
pub use error::{BudgetError, BudgetRefusal, BudgetUnit};
pub use key::BudgetKey;

use crate::clock::Timestamp;
use crate::id::ReservationId;
use crate::money::Microdollars;

/// Where the state of budgets lives. Object-safe.
///
/// A budget is a hard cap on microdollars, tokens or both over a window. What a request may use at most
/// is **reserved** before it is sent, in the same atomic step that looks whether all of its caps allow
/// it; what it did use is **settled** after it. Between the two the reservation is *held*: at no instant
/// is what is settled and held in a window above a cap by a reservation's doing, however many tasks
/// and processes share the store. Only a settlement above its reservation can exceed a cap, because
/// what was spent was spent.
///
/// - **Windows** are fixed and aligned to the Unix epoch: a window of 86,400 s is a UTC day (see
///   [`BudgetWindow`]). A request counts in the windows it began in, with all it is extended by and
///   settled for, even when it ends in the next one. A wall clock that steps back counts in the
///   earlier window again, whose state is kept for at least an hour after its end.
/// - **Units** are apart: a cap refuses a request for a unit of which the request asks for anything. A
///   request that asks for no money passes a cap on money that is used up.
/// - **Time** comes from the store's [`Clock`](crate::clock::Clock). Processes that share a store need
///   clocks that agree to within minutes.
/// - A reservation that is neither settled nor released before its deadline is **abandoned**:
///   [`expire`](Self::expire) returns what it holds, and so does any request that would be refused
///   otherwise. A settlement that comes after that is recorded all the same.
#[async_trait]
pub trait BudgetStore: Send + Sync + 'static {
    /// Charges all caps of the request, or none of them if one does not allow it, in one atomic step.
    ///
    /// A future that is dropped has reserved nothing, or a reservation that is returned at its deadline.
    ///
    /// # Errors
    /// [`BudgetError::Refused`] when a cap does not allow it, [`BudgetError::Amount`] for an amount that
    /// is none, and [`BudgetError::Unavailable`] when the store cannot be asked. In each case nothing is
    /// reserved and the caller must deny.
    async fn reserve(&self, request: &BudgetRequest) -> Result<Reservation, BudgetError>;

    /// Puts what was used in the place of what was reserved, in full, also when it is more.
    ///
    /// The first settlement stands; further ones change nothing, so it is safe to try again. It is
    /// recorded as well when the reservation was returned before, by its deadline or by a release.
    ///
    /// # Errors
    /// [`BudgetError::Unknown`] when there is no such reservation (any more), [`BudgetError::Amount`] for
    /// negative money, and [`BudgetError::Unavailable`] when the store cannot be asked: then it should
    /// be tried again, else the reservation is returned at its deadline.
    async fn settle(
        &self,
        reservation: ReservationId,
        microdollars: Microdollars,
        tokens: u64,
    ) -> Result<Settlement, BudgetError>;

    /// Returns what is held, for a request that was not sent or used nothing. Nothing happens to a
    /// reservation that is not open any more.
    ///
    /// # Errors
    /// [`BudgetError::Unknown`] or [`BudgetError::Unavailable`], as for [`settle`](Self::settle).
    async fn release(&self, reservation: ReservationId) -> Result<(), BudgetError>;

    /// Adds to an open reservation, for a stream that outgrows its estimate, and sets its deadline anew
    /// at its timeout from now. Amounts of zero only do the latter.
    ///
    /// The limits are those that the reservation was made with.
    ///
    /// # Errors
    /// [`BudgetError::Refused`] when a cap does not allow it, [`BudgetError::NotOpen`] when the
    /// reservation was returned or settled, and the others of [`settle`](Self::settle). The reservation
    /// stays as it was and the stream must be cut.
    async fn extend(
        &self,
        reservation: ReservationId,
        microdollars: Microdollars,
        tokens: u64,
    ) -> Result<(), BudgetError>;

    /// What is left of each cap in its current window, in the order of `caps`.
    ///
    /// # Errors
    /// [`BudgetError::Unavailable`] when the store cannot be asked.
    async fn remaining(&self, caps: &[BudgetCap]) -> Result<Vec<BudgetState>, BudgetError>;

    /// Returns what reservations hold whose deadline is at or before `now`, and names them; forgets
    /// windows and closed reservations that are of no use any more.
    ///
    /// A host calls it every few seconds, or minutes; more than one process may.
    ///
    /// # Errors
    /// [`BudgetError::Unavailable`] when the store cannot be asked; what was returned until then stays
    /// returned.
    async fn expire(&self, now: Timestamp) -> Result<Vec<ReservationId>, BudgetError>;
}

/// What is to be reserved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetRequest {
    /// The caps that apply. Those of the same key and window share one counter, which is charged once.
    pub caps: Vec<BudgetCap>,
    /// What the request costs at most; zero or more.
    pub microdollars: Microdollars,
    /// The tokens it uses at most: its estimated input and its `max_tokens`.
    pub tokens: u64,
    /// After how long without a settlement, a release or an extension it counts as abandoned.
    pub timeout: Duration,
}

/// What was reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reservation {
    /// Its id.
    pub id: ReservationId,
    /// When it counts as abandoned.
    pub deadline: Timestamp,
}

/// What a settlement did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settlement {
    /// The reservation was open, and what it held was replaced.
    Settled,
    /// The reservation had been returned; what was used was recorded on top of what others hold.
    Late,
    /// It was settled before, and that stands.
    AlreadySettled,
}
