//! The audit log: every decision is durable before it is answered, in the customer's own database.
//!
//! - [`AuditLog`] is the writing end: one task per log takes whatever is waiting and commits it
//!   together. It is the [`AuditSink`](systemprompt_core::contract::AuditSink) and the
//!   [`PermitLedger`](systemprompt_core::contract::PermitLedger) of a governor.
//! - [`append_in`] appends to the command line's own log inside a transaction of the caller.
//! - [`AuditReader`] is the reading end: five-point traces, decisions by filter, page by page.
//! - [`schema`] is what the log keeps in the database, with the views `governance_decisions`,
//!   `tool_executions` and `five_point_trace`.
//!
//! Every event has a place (`seq`, gap-free in its log) and a `leaf_hash` over all of its columns.
//!
//! # Features
//!
//! | feature | brings | default |
//! |---|---|---|
//! | `sqlite` | the SQLite store | yes |
//! | `postgres` | the PostgreSQL store | no |
//! | `http` | an axum router over [`AuditReader`] | no |

#![cfg_attr(
    not(any(feature = "sqlite", feature = "postgres")),
    allow(dead_code, unused, reason = "without a backend there is no store to use it")
)]

mod append_in;
mod column;
mod error;
#[cfg(feature = "http")]
pub mod http;
mod installation;
mod leaf;
mod log;
mod open_permit;
mod options;
mod origin;
mod pending;
mod query;
mod row;
mod schema;
mod stats;
mod store;
mod sweep;
mod writer;

pub use append_in::append_in;
pub use error::{OpenError, QueryError, StoreError};
pub use log::AuditLog;
pub use open_permit::OpenPermit;
pub use options::AuditOptions;
pub use origin::{Origin, OriginError};
pub use query::{
    AuditReader, Cursor, CursorError, DecisionFilter, EventRecord, FivePointTrace, Page, PageSize,
    Point, ReadLimits, ReadScope, TracePoints, TracedCall,
};
pub use schema::schema;
pub use stats::{AuditStats, LATENCY_BOUNDS_US, LatencyHistogram};
