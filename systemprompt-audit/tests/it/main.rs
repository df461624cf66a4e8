//! The audit log against a real database.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test that cannot go on panics"
)]

mod analytics;
mod attacks;
mod bodies;
mod checkpoints;
mod contract;
mod crash;
mod erasing;
#[cfg(feature = "export")]
mod export;
mod failure;
mod fixture;
mod following;
mod hostile;
#[cfg(feature = "http")]
mod http;
mod lease;
mod leftovers;
mod plans;
#[cfg(feature = "postgres")]
mod postgres;
mod proofs;
mod pruning;
mod reading;
mod rotation;
mod searching;
mod settling;
mod signed;
#[cfg(feature = "http")]
mod streaming;
mod unfinished;
mod views;
#[cfg(feature = "witness")]
mod witness;
