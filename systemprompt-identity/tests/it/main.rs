//! Integration tests: real SQLite files, real signatures, a real HTTP server for keys.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
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
