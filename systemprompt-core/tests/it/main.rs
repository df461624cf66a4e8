//! What the core shows to the outside.

#[cfg(feature = "config")]
mod configuration;
mod linked;
mod macros;
