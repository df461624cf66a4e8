//! The audit log: every decision is durable before it is answered, in the customer's own database.
//!
//! - [`AuditLog`] is the writing end: one task per log takes whatever is waiting and commits it
//!   together. It is the [`AuditSink`](systemprompt_core::contract::AuditSink) and the
//!   [`PermitLedger`](systemprompt_core::contract::PermitLedger) of a governor.
//! - [`append_in`] appends to the command line's own log inside a transaction of the caller.
//! - [`ChangeLog`] is that log as a [`ChangeSink`](systemprompt_core::contract::ChangeSink), for those who know
//!   the contract alone.
//! - [`AuditReader`] is the reading end: five-point traces, events by filter, page by page.
//! - [`Follower`] reads the logs onwards as they grow.
//! - [`analytics`] says what was used, what it cost and what was denied.
//! - [`subject`] encrypts what events say about persons, so that they can be erased; [`retention`] removes
//!   events that have been kept long enough.
//! - [`schema`] is what the log keeps in the database, with the views `governance_decisions`,
//!   `tool_executions`, `ai_requests` and `five_point_trace`.
//!
//! Every event has a place (`seq`, gap-free in its log) and a `leaf_hash` over all of its columns, which
//! is a leaf of the log's Merkle tree ([`merkle`]). The root of the tree is signed again and again
//! ([`checkpoint`], [`note`]), and what was signed is kept outside of the database, too.
//!
//! # Features
//!
//! | feature | brings | default |
//! |---|---|---|
//! | `sqlite` | the SQLite store | yes |
//! | `postgres` | the PostgreSQL store | no |
//! | `http` | an axum router over [`AuditReader`] | no |
//! | `export` | [`export`]: the log in the formats of SIEMs, and the sinks that take it there | no |
//! | `witness` | checkpoints over HTTP | no |

#![cfg_attr(
    not(any(feature = "sqlite", feature = "postgres")),
    allow(dead_code, unused, reason = "without a backend there is no store to use it")
)]

pub mod analytics;
mod append_in;
mod change_log;
pub mod checkpoint;
mod column;
mod error;
#[cfg(feature = "export")]
pub mod export;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "sqlite")]
mod index;
mod installation;
mod leaf;
mod log;
pub mod merkle;
pub mod note;
mod open_permit;
mod options;
mod origin;
mod pending;
mod place;
#[cfg(any(feature = "sqlite", feature = "export"))]
mod priority;
pub mod proof;
mod query;
pub mod retention;
mod row;
mod scanned_row;
mod schema;
mod signing;
mod stats;
mod store;
pub mod subject;
mod sweep;
mod tree_source;
pub mod verify;
mod writer;

pub use append_in::{append_in, append_sealed_in};
pub use change_log::ChangeLog;
pub use error::{OpenError, QueryError, StoreError};
pub use log::AuditLog;
pub use open_permit::OpenPermit;
pub use options::AuditOptions;
pub use origin::{Origin, OriginError};
#[cfg(feature = "http")]
pub(crate) use query::INSTANT;
pub use query::{
    AuditReader, Cursor, CursorError, EvaluatedCheck, EvaluatedLimit, EventFilter, EventRecord,
    FilterError, FivePointTrace, Followed, FollowedEvent, Follower, FoundBodies, InstantError,
    LogHeads, LogPosition, Named, NumberRange, Page, PageSize, Point, PositionError, ReadLimits,
    ReadScope, RecordedEvaluation, TracePoints, TracedCall, UnreadableBodies, parse_instant,
};
pub use schema::schema;
pub use stats::{AuditStats, LATENCY_BOUNDS_US, LatencyHistogram};
