//! Vocabulary and contracts of `systemprompt`.
//!
//! The other crates of the family speak to each other only through what is here: identifiers, the
//! canonical [`call::ToolCall`], the [`decision::Decision`] with its [`decision::Permit`], the events
//! of the audit log, and the [`contract`]s that one crate implements and another calls.
//!
//! # Features
//!
//! | feature | brings | default |
//! |---|---|---|
//! | `database` | `DbPool`, schema installation, migrations | no |
//! | `sqlite` | the embedded SQLite backend of `database` | no |
//! | `config` | `profile.yaml`: parsing, validation, JSON Schema, bootstrap | no |
//! | `encryption` | data keys, and the keys that encrypt them | no |
//! | `transit` | a key encryption key in the transit engine of Vault or OpenBao | no |
//! | `events` | the in-process event bus | no |
//! | `api` | problem documents, the HTTP authentication contract, `From<axum::Router>` | no |

pub mod address;
#[cfg(feature = "api")]
pub mod api;
#[cfg(feature = "config")]
pub mod bootstrap;
pub mod call;
pub mod clock;
#[cfg(feature = "config")]
pub mod config;
pub mod content;
pub mod contract;
#[cfg(feature = "database")]
pub mod database;
pub mod decision;
pub mod durable;
#[cfg(feature = "encryption")]
pub mod encryption;
pub mod event;
#[cfg(feature = "events")]
pub mod event_bus;
pub mod extension;
pub mod id;
pub mod injection;
pub mod llm;
pub mod money;
pub mod policy;
pub mod principal;
pub mod secret;
mod sha256;
pub mod wildcard;

pub use sha256::sha256;
