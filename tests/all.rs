//! The tests that see the whole house: its structure, and the product over its real doors.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::single_element_loop,
    reason = "a test that cannot go on panics"
)]

mod dependencies;
mod examples;
mod gateway;
mod harness;
mod layering;
mod linking;
