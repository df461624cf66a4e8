use serde::Serialize;
use serde_json::Value;
use systemprompt_core::call::Digest;
use systemprompt_core::clock::Timestamp;
use systemprompt_core::id::{EventId, PermitId, TraceId};

use super::RecordedEvaluation;

/// One event as it is shown: ids and digests as text, instants in RFC 3339, what is absent left out.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct EventRecord {
    /// The event.
    pub id: EventId,
    /// The log it stands in.
    pub origin: String,
    /// Its place there.
    pub seq: i64,
    /// What happened; a name of [`EventKind`](systemprompt_core::event::EventKind).
    pub kind: String,
    /// When.
    pub occurred_at: Timestamp,
    /// The trace.
    pub trace_id: TraceId,
    /// The call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_id: Option<String>,
    /// The session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The host or A2A context.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_id: Option<String>,
    /// The task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_id: Option<String>,
    /// The tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<String>,
    /// The user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The user's department.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// The key id or `jti` of the credential.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential_id: Option<String>,
    /// Who acted on the user's behalf, outermost first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor_chain: Option<Vec<String>>,
    /// The agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    /// The client plugin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugin_id: Option<String>,
    /// The door.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub door: Option<String>,
    /// The client software.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// The client's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_addr: Option<String>,
    /// The server of the tool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// The tool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// SHA-256 of the argument bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arguments_digest: Option<Digest>,
    /// Size of the arguments in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arguments_bytes: Option<i64>,
    /// The digest of the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_digest: Option<Digest>,
    /// `allow`, `deny` or `pending`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
    /// The code of the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason_code: Option<String>,
    /// The sentence of the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The data of the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason_data: Option<Value>,
    /// Every check with its outcome, and the limits that applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluation: Option<RecordedEvaluation>,
    /// The policy that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_version: Option<String>,
    /// How long the decision took, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_us: Option<i64>,
    /// The permit that was granted or spent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permit_id: Option<PermitId>,
    /// Until when an outcome is accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// How the execution ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// How long the tool ran, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<i64>,
    /// Size of the result in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result_bytes: Option<i64>,
    /// SHA-256 of the result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result_digest: Option<Digest>,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The details of an event of another kind; of a decision what it depended on, a
    /// [`DecisionFeatures`](systemprompt_core::event::DecisionFeatures).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<Value>,
    /// The hash of the event's leaf, in hex.
    pub leaf_hash: String,
}
