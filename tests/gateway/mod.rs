//! The gateway example over its real doors.

mod attacks;
mod decisions;
mod durability;
mod erasure;
#[cfg(target_os = "linux")]
mod hardening;
mod integrity;
mod kills;
mod outcomes;
mod policies;
mod postgres;
mod providers;
mod reload;
mod secrets;
mod start;
mod streaming;
mod transport;
