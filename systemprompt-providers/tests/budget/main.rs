//! One suite for every store of budgets: in memory, in a SQLite file, in a PostgreSQL database.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on panics"
)]

mod caps;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod database;
mod extend;
mod hostile;
mod model;
mod parallel;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod processes;
mod settle;
mod support;
mod time;
