//! The audit log against a real database.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test that cannot go on panics"
)]

mod contract;
mod crash;
mod failure;
mod fixture;
#[cfg(feature = "http")]
mod http;
mod lease;
mod plans;
#[cfg(feature = "postgres")]
mod postgres;
mod reading;
mod settling;
mod views;
