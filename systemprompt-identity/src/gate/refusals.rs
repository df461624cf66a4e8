use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::json;
use systemprompt_core::api::AuthRefusal;
use systemprompt_core::clock::{Clock, Timestamp};
use systemprompt_core::contract::{AuditSink, TokenError};
use systemprompt_core::event::{AuditEvent, EventContext, EventKind};
use systemprompt_core::id::{Audience, TraceId};
use systemprompt_core::secret::Redact;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::failures::network;
use crate::verify::Background;

/// Most (cause, surface, address) that are counted apart until they are written; more addresses share
/// one event per cause and surface.
const MAX_APART: usize = 64;
/// Most events at once, whatever there is.
const MAX_EVENTS: usize = 256;
/// Longest user agent that is written down, in bytes.
const MAX_USER_AGENT: usize = 200;
/// Time for a burst to gather before its event is written.
const GATHER: Duration = Duration::from_millis(100);
/// Shortest time between two writes.
const SPACING: Duration = Duration::from_millis(900);

/// A refused request.
pub(super) struct Refusal<'r> {
    pub(super) refusal: &'r AuthRefusal,
    pub(super) surface: &'r Audience,
    pub(super) client: Option<IpAddr>,
    pub(super) trace_id: TraceId,
    pub(super) user_agent: Option<String>,
}

/// Refusals that wait to be written to the audit log, aggregated.
pub(super) struct Refusals {
    sink: Arc<dyn AuditSink>,
    redact: Arc<dyn Redact>,
    clock: Arc<dyn Clock>,
    waiting: Mutex<HashMap<Key, Count>>,
    arrived: Notify,
    /// Held while something is being written.
    writing: tokio::sync::Mutex<()>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    code: &'static str,
    cause: &'static str,
    surface: Audience,
    /// The client's network; `None` for all that are not counted apart.
    network: Option<u128>,
}

#[derive(Clone)]
struct Count {
    count: u64,
    first_at: Timestamp,
    last_at: Timestamp,
    client: Option<IpAddr>,
    trace_id: TraceId,
    user_agent: Option<String>,
}

impl Refusals {
    pub(super) fn new(
        sink: Arc<dyn AuditSink>,
        redact: Arc<dyn Redact>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            sink,
            redact,
            clock,
            waiting: Mutex::default(),
            arrived: Notify::new(),
            writing: tokio::sync::Mutex::default(),
        }
    }

    /// Counts a refusal; nobody waits for it to be written.
    pub(super) fn note(&self, refusal: Refusal<'_>) {
        let key = Key {
            code: refusal.refusal.code(),
            cause: cause(refusal.refusal),
            surface: refusal.surface.clone(),
            network: refusal.client.map(network),
        };
        let now = self.clock.now();
        let count = Count {
            count: 1,
            first_at: now,
            last_at: now,
            client: refusal.client,
            trace_id: refusal.trace_id,
            user_agent: refusal.user_agent,
        };
        add(&mut self.waiting.lock(), key, count);
        self.arrived.notify_one();
    }

    pub(super) fn unwritten(&self) -> u64 {
        self.waiting.lock().values().map(|count| count.count).sum()
    }

    /// Writes what arrives, at most once a second.
    pub(super) async fn write_forever(&self) {
        let mut written_at: Option<Instant> = None;
        loop {
            self.arrived.notified().await;
            let gathered = Instant::now() + GATHER;
            sleep_until(written_at.map_or(gathered, |at| gathered.max(at + SPACING))).await;
            self.write().await;
            written_at = Some(Instant::now());
        }
    }

    async fn write(&self) {
        let _writing = self.writing.lock().await;
        self.write_waiting().await;
    }

    /// Stops the task that writes, but not in the middle of it, and writes what is left.
    pub(super) async fn close(&self, task: Option<Background>) {
        let _writing = self.writing.lock().await;
        drop(task);
        self.write_waiting().await;
    }

    /// Writes what waits. What the log does not take waits on.
    async fn write_waiting(&self) {
        let taken = std::mem::take(&mut *self.waiting.lock());
        if taken.is_empty() {
            return;
        }
        let events = taken.iter().map(|(key, count)| self.event(key, count)).collect();
        if let Err(error) = self.sink.append_all(events).await {
            tracing::warn!(%error, "refused requests could not be written to the audit log yet");
            let mut waiting = self.waiting.lock();
            for (key, count) in taken {
                add(&mut waiting, key, count);
            }
            drop(waiting);
            self.arrived.notify_one();
        }
    }

    /// A user agent as it is written down: cleaned as a whole, because a part of a secret may not be
    /// recognised, and then cut.
    fn shown(&self, user_agent: &str) -> String {
        let clean = self.redact.redact(user_agent);
        clean.get(..clean.floor_char_boundary(MAX_USER_AGENT)).unwrap_or_default().to_owned()
    }

    fn event(&self, key: &Key, count: &Count) -> AuditEvent {
        let detail = json!({
            "code": key.code,
            "cause": key.cause,
            "surface": key.surface,
            "count": count.count,
            "first_at": count.first_at,
            "last_at": count.last_at,
        });
        let user_agent = count.user_agent.as_deref().map(|text| self.shown(text).into());
        let context =
            EventContext { user_agent, client_addr: count.client, ..EventContext::default() };
        let event = AuditEvent::system(count.last_at, EventKind::AuthRefused, detail);
        // A single refusal belongs to its request's trace, many belong to none.
        let trace_id = if count.count == 1 { count.trace_id } else { event.trace_id };
        AuditEvent { trace_id, context, ..event }
    }
}

/// Adds to a count, or to a shared one when there are too many of them.
fn add(waiting: &mut HashMap<Key, Count>, key: Key, count: Count) {
    let apart = waiting.len() < MAX_APART || waiting.contains_key(&key);
    let (key, count) = if apart {
        (key, count)
    } else {
        (Key { network: None, ..key }, Count { client: None, user_agent: None, ..count })
    };
    if waiting.len() >= MAX_EVENTS && !waiting.contains_key(&key) {
        // Only a host with very many surfaces gets here: add to any of the counts, lose none.
        if let Some(any) = waiting.values_mut().next() {
            any.join(&count);
        }
        return;
    }
    match waiting.get_mut(&key) {
        Some(there) => there.join(&count),
        None => {
            waiting.insert(key, count);
        }
    }
}

impl Count {
    fn join(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        self.first_at = self.first_at.min(other.first_at);
        self.last_at = self.last_at.max(other.last_at);
    }
}

/// The exact cause, for those who read the log; callers are told less.
fn cause(refusal: &AuthRefusal) -> &'static str {
    match refusal {
        AuthRefusal::Missing => "missing",
        AuthRefusal::Ambiguous => "ambiguous",
        AuthRefusal::TooManyFailures { .. } => "too_many_failures",
        AuthRefusal::Token(TokenError::Malformed) => "malformed",
        AuthRefusal::Token(TokenError::Expired) => "expired",
        AuthRefusal::Token(TokenError::Revoked) => "revoked",
        AuthRefusal::Token(TokenError::Audience) => "audience",
        AuthRefusal::Token(TokenError::Issuer) => "issuer",
        AuthRefusal::Token(TokenError::Unavailable) => "unavailable",
        _ => "invalid",
    }
}
