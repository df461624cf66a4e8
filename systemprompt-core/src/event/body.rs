use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use serde::de::{self, IntoDeserializer as _};
use serde::{Deserialize, Serialize};

use crate::call::Digest;
use crate::clock::Timestamp;
use crate::decision::{Evaluation, Outcome};
use crate::id::PermitId;

/// What happened.
#[derive(Debug, Clone)]
pub enum AuditBody {
    /// A tool call was decided.
    Decision(Box<DecisionBody>),
    /// A permit was settled or abandoned.
    Outcome(Box<OutcomeBody>),
    /// Anything else.
    Other {
        /// Which kind; neither `Decision` nor `Outcome`.
        kind: EventKind,
        /// Its details, an object.
        detail: serde_json::Value,
    },
}

/// Permissions: the third point of the trace.
#[derive(Debug, Clone)]
pub struct DecisionBody {
    /// The server of the tool.
    pub server: Option<Arc<str>>,
    /// The tool's own name, redacted; what the caller sent when that is no tool name.
    pub tool: Arc<str>,
    /// SHA-256 of the argument bytes; `None` when there were none to read.
    pub arguments_digest: Option<Digest>,
    /// Size of the arguments in bytes.
    pub arguments_bytes: u64,
    /// The digest of the call, which the permit is bound to; `None` when it could not be read.
    pub call_digest: Option<Digest>,
    /// Allowed, denied or pending.
    pub verdict: Verdict,
    /// The code of the reason, if denied.
    pub reason_code: Option<&'static str>,
    /// The sentence of the reason, if denied.
    pub reason: Option<String>,
    /// The data of the reason, if denied.
    pub reason_data: Option<serde_json::Value>,
    /// Every check with its outcome.
    pub evaluation: Arc<Evaluation>,
    /// How long the decision took, without the append.
    pub duration: Duration,
    /// The permit that was granted: the event's own id, or an earlier one when the call is a repeat.
    pub permit: Option<PermitId>,
    /// Until when an outcome is accepted.
    pub expires_at: Option<Timestamp>,
    /// What it takes to decide the call again: the text of a
    /// [`DecisionFeatures`](super::DecisionFeatures). `None` for what is no tool call.
    pub features: Option<Arc<str>>,
}

/// The verdict of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Allowed.
    Allow,
    /// Denied.
    Deny,
    /// Waiting for approval.
    Pending,
}

impl Verdict {
    /// The verdict's stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Pending => "pending",
        }
    }
}

/// Tool execution and result: the fourth and fifth points of the trace.
#[derive(Debug, Clone)]
pub struct OutcomeBody {
    /// The permit that was spent.
    pub permit: PermitId,
    /// How it ended.
    pub outcome: Outcome,
}

/// The kinds of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EventKind {
    /// A tool call was decided.
    Decision,
    /// A permit was settled or abandoned.
    Outcome,
    /// Requests without a valid credential were refused; one event per second and cause.
    AuthRefused,
    /// A client reported something that decides nothing (a hook event other than a tool call).
    Tracked,
    /// Secrets were found in something that is no tool call: a result, an answer, a description.
    SecretFound,
    /// A model was asked; the details are an [`AiRequest`](super::AiRequest).
    AiRequest,
    /// What a model was asked and answered; the details are [`AiRequestBodies`](super::AiRequestBodies).
    AiRequestBodies,
    /// A server started.
    ServerStarted,
    /// A server stopped in an orderly way.
    ServerStopped,
    /// A policy was loaded.
    PolicyLoaded,
    /// A policy could not be loaded; the last good one stays.
    PolicyRejected,
    /// Governance was turned off in the configuration.
    GovernanceDisabled,
    /// A tenant was created.
    TenantCreated,
    /// A user was created.
    UserCreated,
    /// An API key was created.
    KeyCreated,
    /// An API key was revoked.
    KeyRevoked,
    /// A token was revoked by its `jti`.
    TokenRevoked,
    /// Schemas or migrations were applied.
    SchemaMigrated,
    /// The audit log is signed with a new key from here on.
    AuditKeyAdded,
    /// The audit log is not signed with a key any more from here on.
    AuditKeyRetired,
    /// The audit log holds rows that its writer has not written.
    ForeignRows,
    /// The data keys of a person were destroyed, and with them what events say about it.
    SubjectErased,
    /// Events of a log are removed because they have been kept long enough.
    Pruned,
    /// A secret was taken into custody.
    SecretCreated,
    /// A secret has a new version, or an old one was retired; the details say which.
    SecretRotated,
    /// A secret was handed out for a use.
    SecretUsed,
    /// A secret was not handed out.
    SecretDenied,
    /// A secret was granted to a server.
    SecretGranted,
    /// A secret, or a grant of one, was revoked; the details say which.
    SecretRevoked,
    /// Data keys of secrets were encrypted anew.
    SecretRewrapped,
}

impl EventKind {
    /// The kind's stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Decision => "decision",
            Self::Outcome => "outcome",
            Self::AuthRefused => "auth_refused",
            Self::Tracked => "tracked",
            Self::SecretFound => "secret_found",
            Self::AiRequest => "ai_request",
            Self::AiRequestBodies => "ai_request_bodies",
            Self::ServerStarted => "server_started",
            Self::ServerStopped => "server_stopped",
            Self::PolicyLoaded => "policy_loaded",
            Self::PolicyRejected => "policy_rejected",
            Self::GovernanceDisabled => "governance_disabled",
            Self::TenantCreated => "tenant_created",
            Self::UserCreated => "user_created",
            Self::KeyCreated => "key_created",
            Self::KeyRevoked => "key_revoked",
            Self::TokenRevoked => "token_revoked",
            Self::SchemaMigrated => "schema_migrated",
            Self::AuditKeyAdded => "audit_key_added",
            Self::AuditKeyRetired => "audit_key_retired",
            Self::ForeignRows => "foreign_rows",
            Self::SubjectErased => "subject_erased",
            Self::Pruned => "pruned",
            Self::SecretCreated => "secret_created",
            Self::SecretRotated => "secret_rotated",
            Self::SecretUsed => "secret_used",
            Self::SecretDenied => "secret_denied",
            Self::SecretGranted => "secret_granted",
            Self::SecretRevoked => "secret_revoked",
            Self::SecretRewrapped => "secret_rewrapped",
        }
    }
}

/// A name that no kind of event has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a kind of event")]
pub struct EventKindError;

impl FromStr for EventKind {
    type Err = EventKindError;
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let name: de::value::StrDeserializer<'_, de::value::Error> = name.into_deserializer();
        Self::deserialize(name).map_err(|_| EventKindError)
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
