//! What is written to the audit log.
//!
//! A call costs two rows: a *decision* carries the first three points of the trace (identity, agent
//! context, permissions), an *outcome* the last two (tool execution, result). Everything else that an
//! auditor wants to see shares the log as a kind of its own.

mod actor;
mod ai_request;
mod ai_request_bodies;
mod body;
mod features;

pub use actor::{EventContext, EventSubject};
pub use ai_request::{AiRequest, AiRequestDetail, AiRequestStatus, TokenUsage};
pub use ai_request_bodies::{AiRequestBodies, RecordedBody};
pub use body::{AuditBody, DecisionBody, EventKind, EventKindError, OutcomeBody, Verdict};
pub use features::{DecisionFeatures, FeaturesError, SecretScan, ShadowVerdict};

use crate::clock::Timestamp;
use crate::id::{EventId, TraceId};

/// One event, ready to be appended. Every caller-supplied text in it has been redacted.
#[derive(Debug, Clone)]
pub struct AuditEvent {
    /// The event's id; for an allowing decision also the permit's.
    pub id: EventId,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// The trace it belongs to.
    pub trace_id: TraceId,
    /// On whose behalf; `None` for events of the system itself.
    pub subject: Option<EventSubject>,
    /// In which circumstances.
    pub context: EventContext,
    /// What happened.
    pub body: AuditBody,
}

impl AuditEvent {
    /// An event of the system itself, with free details.
    #[must_use]
    pub fn system(occurred_at: Timestamp, kind: EventKind, detail: serde_json::Value) -> Self {
        Self {
            id: EventId::generate(),
            occurred_at,
            trace_id: TraceId::generate(),
            subject: None,
            context: EventContext::default(),
            body: AuditBody::Other { kind, detail },
        }
    }

    /// The kind of the event.
    #[must_use]
    pub fn kind(&self) -> EventKind {
        match &self.body {
            AuditBody::Decision(_) => EventKind::Decision,
            AuditBody::Outcome(_) => EventKind::Outcome,
            AuditBody::Other { kind, .. } => *kind,
        }
    }
}
