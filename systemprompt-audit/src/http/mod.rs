//! The audit queries over HTTP.
//!
//! - `GET /api/v1/audit/traces/{trace_id}`: the five points of a trace and its events.
//! - `GET /api/v1/audit/decisions`: decisions by filter, newest first, one page at a time, as
//!   `{"decisions": [..], "next_cursor": ".." | null, "scanned_to": ".." | null}`. Parameters are those
//!   of [`EventFilter`](crate::EventFilter) by name (a range as `<name>_min` and `<name>_max`, the text as
//!   `q`), `limit` (1 to 1,000, 100 unless given) and `cursor`.
//! - `GET /api/v1/audit/events`: the same for events of every kind, as `{"events": [..], ..}`.
//! - `GET /api/v1/stream/audit`: the same events as they come, as server-sent events; the filters of
//!   `events`, and `after`, a position to go on from.
//! - `GET /api/v1/analytics/{subject}`: sums, as a [`UsageReport`](crate::analytics::UsageReport).
//!   Parameters are `from` (30 days ago unless given), `to`, `by`, `limit` (1 to 10,000) and `format`
//!   (`json` or `csv`).
//!
//! An instant is RFC 3339, or a time before now such as `2h`.
//!
//! All need a credential for the audience `api` with the scope `audit:read`, and show the events of
//! the credential's tenant. The server must put the peer's address in the request's
//! [`ConnectInfo`](axum::extract::ConnectInfo) extension.

mod access;
mod analytics;
mod events;
mod parameters;
mod stream;
mod streams;
mod traces;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use systemprompt_core::api::{Authenticate, with_trace};
use systemprompt_core::clock::{Clock, SystemClock};
use systemprompt_core::id::Audience;
use systemprompt_core::secret::Redact;

pub use streams::{AuditStreams, StreamLimits};

use crate::{AuditReader, ReadLimits};

/// The routes of [`router`], as `(method, path)`.
pub const ROUTES: &[(&str, &str)] =
    &[("GET", TRACE), ("GET", DECISIONS), ("GET", EVENTS), ("GET", STREAM), ("GET", ANALYTICS)];

const TRACE: &str = "/api/v1/audit/traces/{trace_id}";
const DECISIONS: &str = "/api/v1/audit/decisions";
const EVENTS: &str = "/api/v1/audit/events";
const STREAM: &str = "/api/v1/stream/audit";
const ANALYTICS: &str = "/api/v1/analytics/{subject}";

/// What the handlers share.
#[derive(Clone)]
struct Door {
    reader: AuditReader,
    /// The same log within limits of its own, so that streams and queries do not wait for each other.
    stream_reader: AuditReader,
    streams: AuditStreams,
    authenticate: Arc<dyn Authenticate>,
    redact: Arc<dyn Redact>,
    /// What "two hours ago" is counted from.
    clock: Arc<dyn Clock>,
    /// `None` would mean that `api` is no audience; then nobody gets in.
    audience: Option<Audience>,
}

/// The router of the audit queries, to be merged at the root.
///
/// A `reader` without limits gets those of [`ReadLimits::default`]: questions must not take the
/// database from the decisions. A query whose turn does not come, or that takes too long, is answered
/// 503 with the code `busy`.
///
/// What a caller wrote appears in a problem document only as far as `redact` lets it through.
///
/// Streams end with the program alone; [`router_with_streams`] takes what ends them earlier.
pub fn router(
    reader: AuditReader,
    authenticate: Arc<dyn Authenticate>,
    redact: Arc<dyn Redact>,
) -> Router {
    router_with_streams(reader, authenticate, redact, AuditStreams::default())
}

/// [`router`], with the streams of the log among `streams`.
pub fn router_with_streams(
    reader: AuditReader,
    authenticate: Arc<dyn Authenticate>,
    redact: Arc<dyn Redact>,
    streams: AuditStreams,
) -> Router {
    let audience = Audience::parse("api").ok();
    let stream_reader = reader.clone().limited(stream::READS);
    let reader = if reader.is_limited() { reader } else { reader.limited(ReadLimits::default()) };
    let clock = SystemClock::shared();
    let door = Door { reader, stream_reader, streams, authenticate, redact, clock, audience };
    let router = Router::new()
        .route(TRACE, get(traces::show))
        .route(DECISIONS, get(events::decisions))
        .route(EVENTS, get(events::events))
        .route(STREAM, get(stream::open))
        .route(ANALYTICS, get(analytics::show))
        .with_state(door);
    with_trace(router)
}
