//! The audit log against a real database.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on panics")]

mod contract;
mod failure;
mod fixture;
#[cfg(feature = "http")]
mod http;
mod lease;
mod reading;
mod settling;
mod views;
