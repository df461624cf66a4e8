//! `systemprompt secrets`, by running the binary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on panics"
)]

mod commands;
mod hygiene;
mod installation;
#[cfg(target_os = "linux")]
mod prompt;
