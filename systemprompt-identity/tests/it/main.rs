//! Integration tests: real SQLite files, real signatures, a real HTTP server for keys.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test that cannot go on panics"
)]

mod cache;
mod gate;
mod jwks;
mod keys;
mod mutation;
mod revocation;
mod store;
mod support;
mod tokens;
