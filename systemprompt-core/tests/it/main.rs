//! What the core shows to the outside.

#![cfg_attr(
    any(feature = "config", feature = "transit"),
    expect(
        clippy::unwrap_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "a test fails by panicking"
    )
)]

#[cfg(feature = "config")]
mod configuration;
mod linked;
mod macros;
#[cfg(feature = "transit")]
mod transit;
