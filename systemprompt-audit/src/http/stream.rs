use std::convert::Infallible;
use std::fmt::Write as _;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use http::request::Parts;
use http::{StatusCode, header};
use serde_json::json;
use systemprompt_core::api::Problem;
use systemprompt_core::id::TraceId;
use tokio::time::Instant;

use super::parameters::Parameters;
use super::streams::{NoStream, OpenStream};
use super::{Door, access};
use crate::{
    EventFilter, FilterError, Followed, Follower, LogPosition, QueryError, ReadLimits, ReadScope,
};

/// The header in which a client says how far it came.
const LAST_EVENT_ID: &str = "last-event-id";

/// After how many milliseconds a client that lost the stream comes again.
const RETRY_MS: u32 = 2_000;

/// What streams may take of the database together. Short, so that credentials are looked at in time.
pub(super) const READS: ReadLimits = ReadLimits {
    concurrent: 2,
    wait: Duration::from_millis(250),
    time: Duration::from_millis(750),
    rows: ReadLimits::ROWS,
};

/// `GET /api/v1/stream/audit`
///
/// A stream is asked for its next piece when the client has taken the last one: whoever does not read
/// costs one piece of memory and no query, and what was written meanwhile is read from the database.
pub(super) async fn open(State(door): State<Door>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let trace_id = access::trace(&parts);
    let principal = access::principal(&door, &parts).await?;
    let parameters = Parameters::of(&parts, trace_id)?;
    let (filter, after) = wanted(&parameters, &door)?;
    // A client that has received no event yet may send an empty one.
    let after = match parts.headers.get(LAST_EVENT_ID).filter(|id| !id.is_empty()) {
        None => after,
        Some(id) => Some(resumed(id, trace_id)?),
    };
    let place = door.streams.enter(&principal).map_err(|refused| no_stream(refused, trace_id))?;
    let position = match start(&door, &filter, after).await {
        Ok(Some(position)) => position,
        Ok(None) => return Err(unknown_position(trace_id)),
        Err(error) => return Err(access::unreadable(&error, trace_id)),
    };
    let scope = ReadScope::from(&principal);
    let reader = door.stream_reader.clone();
    let follower = Follower::new(reader, scope.clone(), filter, position);
    let now = Instant::now();
    let session = Session {
        door,
        parts,
        place,
        scope,
        follower,
        more: true,
        state: Streaming::Opened,
        verified_at: now,
        spoke_at: now,
    };
    let body = Body::from_stream(stream::unfold(session, |mut session| async {
        let piece = session.next().await?;
        Some((Ok::<_, Infallible>(Bytes::from(piece)), session))
    }));
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        // Proxies that collect answers would hold events back.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, body).into_response())
}

/// The filter, and the position after which to begin.
fn wanted(
    parameters: &Parameters,
    door: &Door,
) -> Result<(EventFilter, Option<LogPosition>), Problem> {
    let (mut filter, mut after) = (EventFilter::default(), None);
    let now = door.clock.now();
    for (name, value) in parameters.pairs() {
        let bad = |expected: &str| parameters.bad(name, expected);
        match name {
            "after" => {
                let position = value.parse().map_err(|_| bad("the id of an event of a stream"))?;
                after = Some(position);
            }
            // The credential says which tenant it is.
            "tenant_id" => return Err(parameters.unknown(name, &*door.redact)),
            _ => filter.set(name, value, now).map_err(|error| match error {
                FilterError::Unknown => parameters.unknown(name, &*door.redact),
                FilterError::Value { expected } => bad(expected),
            })?,
        }
    }
    filter.split_tool();
    Ok((filter, after))
}

fn resumed(id: &header::HeaderValue, trace_id: TraceId) -> Result<LogPosition, Problem> {
    id.to_str().ok().and_then(|id| id.trim().parse().ok()).ok_or_else(|| {
        Problem::bad_request("`Last-Event-ID` is not the id of an event of a stream", trace_id)
            .with("parameter", "Last-Event-ID")
    })
}

/// Where to begin: where the client came to, at the time it asks for, or now. `None` when the client
/// cannot have come there.
async fn start(
    door: &Door,
    filter: &EventFilter,
    after: Option<LogPosition>,
) -> Result<Option<LogPosition>, QueryError> {
    let reader = &door.reader;
    match (after, filter.from) {
        (Some(after), _) => Ok(reader.heads().await?.have_reached(&after).then(|| after.begun())),
        (None, Some(from)) => reader.position_before(from).await.map(Some),
        (None, None) => Ok(Some(reader.heads().await?.position())),
    }
}

fn no_stream(refused: NoStream, trace_id: TraceId) -> Problem {
    match refused {
        NoStream::User(limit) => {
            let detail = format!(
                "you have {limit} streams of the audit log open, which is as many as a user may have; \
                 close one"
            );
            Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_streams", detail, trace_id)
                .with("limit", limit)
                .retry_after(access::RETRY_AFTER)
        }
        NoStream::Total => {
            let detail = "as many streams of the audit log are open as the server serves";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail, trace_id)
                .retry_after(access::RETRY_AFTER)
        }
        NoStream::Closing => {
            let detail = "the server is shutting down";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "shutting_down", detail, trace_id)
                .retry_after(access::RETRY_AFTER)
        }
    }
}

fn unknown_position(trace_id: TraceId) -> Problem {
    let detail = "the log has not come to this position: it belongs to another database, or to a \
                  later state of this one. Begin without a position";
    Problem::new(StatusCode::CONFLICT, "unknown_position", detail, trace_id)
}

/// A stream on its way.
struct Session {
    door: Door,
    /// The request, whose credential is verified again and again.
    parts: Parts,
    place: OpenStream,
    scope: ReadScope,
    follower: Follower,
    /// Whether there is more to read already.
    more: bool,
    state: Streaming,
    verified_at: Instant,
    spoke_at: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Streaming {
    Opened,
    Running,
    Ended,
}

impl Session {
    /// The next piece, when there is one; `None` at the end.
    async fn next(&mut self) -> Option<String> {
        match self.state {
            Streaming::Ended => return None,
            Streaming::Running => {}
            Streaming::Opened => {
                self.state = Streaming::Running;
                let id = self.follower.position();
                return Some(format!("retry: {RETRY_MS}\n: following\nid: {id}\n\n"));
            }
        }
        let limits = *self.place.streams().limits();
        loop {
            if self.place.streams().is_closing() {
                return Some(self.end("shutting_down"));
            }
            if self.verified_at.elapsed() >= limits.verify {
                if let Err(code) = self.verify().await {
                    return Some(self.end(code));
                }
                self.verified_at = Instant::now();
            }
            let before = self.follower.position().clone();
            match self.read().await {
                Ok(piece) if !piece.is_empty() => {
                    // Reading may have taken long.
                    if self.verified_at.elapsed() >= limits.verify {
                        if let Err(code) = self.verify().await {
                            return Some(self.end_at(&before, code));
                        }
                        self.verified_at = Instant::now();
                    }
                    self.spoke_at = Instant::now();
                    return Some(piece);
                }
                // Its turn will come.
                Ok(_) | Err(QueryError::Busy | QueryError::TooSlow) => {}
                Err(error) => {
                    tracing::error!(%error, "a stream of the audit log ends");
                    return Some(self.end("audit_unavailable"));
                }
            }
            if self.spoke_at.elapsed() >= limits.heartbeat {
                self.spoke_at = Instant::now();
                let id = self.follower.position();
                return Some(format!(": heartbeat\nid: {id}\n\n"));
            }
            if !self.more {
                self.place.pause(limits.poll).await;
            }
        }
    }

    /// The next events, if there are any.
    async fn read(&mut self) -> Result<String, QueryError> {
        if !self.more {
            let heads = self.place.streams().heads(&self.door.stream_reader).await?;
            if !heads.are_after(self.follower.position()) {
                return Ok(String::new());
            }
        }
        let mut position = self.follower.position().clone();
        self.more = false;
        let followed = self.follower.next().await?;
        self.more = followed.more;
        Ok(piece(&followed, &mut position))
    }

    /// Whether whoever opened the stream may still read it.
    async fn verify(&self) -> Result<(), &'static str> {
        let principal = access::principal(&self.door, &self.parts).await;
        let principal = principal.map_err(|problem| problem.code())?;
        // A stream of one tenant does not become one of another.
        if ReadScope::from(&principal) == self.scope { Ok(()) } else { Err("unauthenticated") }
    }

    /// The last piece.
    fn end(&mut self, code: &str) -> String {
        let id = self.follower.position().clone();
        self.end_at(&id, code)
    }

    /// The last piece for a client that has come to `id`.
    fn end_at(&mut self, id: &LogPosition, code: &str) -> String {
        self.state = Streaming::Ended;
        format!("event: end\nid: {id}\ndata: {}\n\n", json!({ "code": code }))
    }
}

/// The events as they are sent; `position` goes with them.
fn piece(followed: &Followed, position: &mut LogPosition) -> String {
    let mut piece = String::new();
    for event in &followed.events {
        position.advance(event.log_id, event.seq);
        let data = event.event.as_ref().and_then(|record| serde_json::to_string(record).ok());
        // Writing to a text does not fail.
        let _ = match data {
            Some(data) => write!(piece, "id: {position}\ndata: {data}\n\n"),
            None => {
                let data = json!({ "origin": event.origin, "seq": event.seq });
                write!(piece, "event: unreadable\nid: {position}\ndata: {data}\n\n")
            }
        };
    }
    piece
}
