//! Integration tests: real databases, real keys, real ciphertexts.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on panics"
)]

mod changes;
mod failures;
mod forgery;
mod grants;
mod keys;
#[cfg(feature = "sops")]
mod sops;
mod support;
mod tampering;
mod uses;
