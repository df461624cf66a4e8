//! What every store does with its counters and reservations; the stores only keep them.

mod charge;
mod counter;
mod held;

pub(super) use charge::Amounts;
pub(super) use counter::{Counters, WindowKey};
pub(super) use held::Held;

/// What a database keeps in columns.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(super) use {
    charge::Charge,
    counter::{Counter, Tally},
    held::State,
};
