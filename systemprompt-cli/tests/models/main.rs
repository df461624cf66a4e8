//! `systemprompt providers` and `routes`, by running the binary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on panics"
)]

mod asking;
mod listing;
mod profile;
mod routes;
