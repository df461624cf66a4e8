//! The governance layer between AI agents and everything they touch.
//!
//! Every tool call is authenticated, scoped, scanned for secrets, rate-limited and audited before it
//! runs, whatever door it comes through, and the answer leaves only after its audit row is durable.
//!
//! # A tour
//!
//! - **A call.** Whatever the door (a hook, the API, your own code), a call becomes one canonical
//!   [`ToolCall`](models::ToolCall): who, in which session, which tool, which arguments.
//! - **A decision.** The governor answers with a [`Decision`](models::Decision): a
//!   [`Permit`](models::Permit) to run the tool once with exactly these arguments, a
//!   [`Denial`](models::Denial) with its reason, or an [`Approval`](models::Approval) to wait for;
//!   always with every check and its outcome. It never fails: what cannot be decided is denied.
//! - **A record.** The decision, and later the outcome of the tool, are events of one append-only log,
//!   linked by a [`TraceId`](identifiers::TraceId).
//! - **A policy.** Who may use what, which words are blocked and how often a call may come is one
//!   [document](models::PolicyDocument), compiled as a whole and swapped as a whole.
//! - **A model.** Requests to models come through the same door: in the dialect a client speaks, to the
//!   provider that a route names, priced, capped and recorded; each tool call in the answer is decided before
//!   the client sees it (`ai`).
//! - **Your own part.** Tables, routes, jobs, model providers, settings and checks join as
//!   [extensions](extension), compiled into your binary.
//!
//! # Features
//!
//! A feature adds modules and never changes what others do. What keeps something in the database needs
//! `sqlite`, `postgres` or both.
//!
//! | feature | brings | default |
//! |---|---|---|
//! | `core` | [`identifiers`], [`models`], [`traits`], [`llm`], [`extension`] | yes |
//! | `database` | `database`: the pool, schemas, migrations | no |
//! | `sqlite` | the embedded SQLite backend of whatever keeps something in the database | no |
//! | `postgres` | the PostgreSQL backend of whatever keeps something in the database | no |
//! | `config` | `config`: `profile.yaml` | no |
//! | `events` | `events`: the in-process event bus | no |
//! | `governance` | `governance`: the governor and its policy | no |
//! | `security` | `security::scan`: the secret scanner | no |
//! | `custody` | `security::custody`: secrets kept encrypted for the servers that need them | no |
//! | `audit` | `audit`, `analytics`: the log, and sums over it | no |
//! | `export` | `audit::export`: the log in the formats of SIEMs, and the sinks that take it there | no |
//! | `providers` | `ai`: the model gateway, its dialects, routes, prices and budgets | no |
//! | `identity` | `users`, `oauth`: identities and the verification of credentials | no |
//! | `api` | `api`: what HTTP doors share, with the application | no |
//! | `runtime` | `runtime`: the whole application | no |
//! | `logging` | `logging`: the log of a binary's process | no |
//! | `cli` | `cli`: the command line for your own binary | no |
//! | `full` | all of them | no |
//! | `genai-prices` | prices of the crate of that name (780 KB), by `models.genai_prices`; `full` leaves it out | no |
//! | `test-utils` | `ai::scripted`: a provider of models for tests, which `full` leaves out | no |

pub mod extension;
pub mod identifiers;
pub mod llm;
pub mod models;
pub mod prelude;
pub mod traits;

#[cfg(feature = "providers")]
pub mod ai;
#[cfg(feature = "audit")]
pub mod analytics;
#[cfg(feature = "api")]
pub mod api;
#[cfg(feature = "audit")]
pub mod audit;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "config")]
pub mod config;
#[cfg(feature = "database")]
pub mod database;
#[cfg(feature = "events")]
pub mod events;
#[cfg(feature = "governance")]
pub mod governance;
#[cfg(feature = "logging")]
pub mod logging;
#[cfg(feature = "identity")]
pub mod oauth;
#[cfg(feature = "runtime")]
pub mod runtime;
#[cfg(any(feature = "security", feature = "custody"))]
pub mod security;
#[cfg(feature = "identity")]
pub mod users;

#[doc(inline)]
pub use systemprompt_core::{extension_entry, register_extension};

#[cfg(all(doctest, feature = "full"))]
#[doc = include_str!("../../docs/extensions.md")]
mod guide_to_extensions {}

#[cfg(all(doctest, feature = "full"))]
#[doc = include_str!("../../docs/getting-started.md")]
#[doc = include_str!("../../README.md")]
mod readme {}
