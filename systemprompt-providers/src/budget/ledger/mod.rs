//! What every store does with its counters and reservations; the stores only keep them.

mod charge;
mod counter;
mod held;

pub(super) use charge::{Amounts, Charge};
pub(super) use counter::{Counter, Counters, Tally, WindowKey};
pub(super) use held::{Held, State};
