use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sqlx::FromRow;
use systemprompt_core::call::Digest;
use systemprompt_core::clock::Timestamp;
use systemprompt_core::id::{EventId, PermitId, TraceId};

use super::EventRecord;
use crate::QueryError;

/// A row of `audit_events` with the origin of its log.
#[derive(Debug, FromRow)]
pub(super) struct StoredEvent {
    pub(super) origin: String,
    pub(super) seq: i64,
    pub(super) id: Vec<u8>,
    pub(super) kind: String,
    pub(super) occurred_at: i64,
    pub(super) trace_id: Vec<u8>,
    pub(super) call_id: Option<String>,
    pub(super) session_id: Option<String>,
    pub(super) context_id: Option<String>,
    pub(super) task_id: Option<String>,
    pub(super) tenant_id: Option<String>,
    pub(super) user_id: Option<String>,
    pub(super) department: Option<String>,
    pub(super) credential_id: Option<String>,
    pub(super) actor_chain: Option<String>,
    pub(super) agent_id: Option<String>,
    pub(super) plugin_id: Option<String>,
    pub(super) door: Option<String>,
    pub(super) user_agent: Option<String>,
    pub(super) client_addr: Option<String>,
    pub(super) server: Option<String>,
    pub(super) tool: Option<String>,
    pub(super) arguments_digest: Option<Vec<u8>>,
    pub(super) arguments_bytes: Option<i64>,
    pub(super) call_digest: Option<Vec<u8>>,
    pub(super) decision: Option<String>,
    pub(super) reason_code: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) reason_data: Option<String>,
    pub(super) evaluation: Option<String>,
    pub(super) policy_version: Option<String>,
    pub(super) duration_us: Option<i64>,
    pub(super) permit_id: Option<Vec<u8>>,
    pub(super) expires_at: Option<i64>,
    pub(super) status: Option<String>,
    pub(super) duration_ms: Option<i64>,
    pub(super) result_bytes: Option<i64>,
    pub(super) result_digest: Option<Vec<u8>>,
    pub(super) error: Option<String>,
    pub(super) detail: Option<String>,
    pub(super) leaf_hash: Vec<u8>,
}

impl StoredEvent {
    /// The row in the forms that people and programs read.
    pub(super) fn into_record(self) -> Result<EventRecord, QueryError> {
        let (origin, seq) = (self.origin, self.seq);
        let corrupt = |column| QueryError::Corrupt { origin: origin.clone(), seq, column };
        let json = |column, text: Option<String>| parse(text).ok_or_else(|| corrupt(column));
        let actors = parse(self.actor_chain).ok_or_else(|| corrupt("actor_chain"))?;
        let evaluation = json("evaluation", self.evaluation)?
            .map(|stored| evaluation(&stored, self.policy_version.as_deref()))
            .transpose()
            .map_err(|Unreadable| corrupt("evaluation"))?;
        let digest = |column, bytes: Option<Vec<u8>>| match bytes {
            None => Ok(None),
            Some(bytes) => {
                bytes.try_into().map(Digest::from_bytes).map(Some).map_err(|_| corrupt(column))
            }
        };
        let id = |column, bytes: Vec<u8>| <[u8; 16]>::try_from(bytes).map_err(|_| corrupt(column));
        let event = EventId::from_bytes(id("id", self.id)?);
        let permit = match self.permit_id {
            Some(permit) => Some(PermitId::from_bytes(id("permit_id", permit)?)),
            None if self.decision.as_deref() == Some("allow") => Some(event.into()),
            None => None,
        };
        Ok(EventRecord {
            id: event,
            kind: self.kind,
            occurred_at: Timestamp::from_micros(self.occurred_at),
            trace_id: hex::encode(self.trace_id)
                .parse::<TraceId>()
                .map_err(|_| corrupt("trace_id"))?,
            call_id: self.call_id,
            session_id: self.session_id,
            context_id: self.context_id,
            task_id: self.task_id,
            tenant_id: self.tenant_id,
            user_id: self.user_id,
            department: self.department,
            credential_id: self.credential_id,
            actor_chain: actors,
            agent_id: self.agent_id,
            plugin_id: self.plugin_id,
            door: self.door,
            user_agent: self.user_agent,
            client_addr: self.client_addr,
            server: self.server,
            tool: self.tool,
            arguments_digest: digest("arguments_digest", self.arguments_digest)?,
            arguments_bytes: self.arguments_bytes,
            call_digest: digest("call_digest", self.call_digest)?,
            decision: self.decision,
            reason_code: self.reason_code,
            reason: self.reason,
            reason_data: json("reason_data", self.reason_data)?,
            evaluation,
            policy_version: self.policy_version,
            duration_us: self.duration_us,
            permit_id: permit,
            expires_at: self.expires_at.map(Timestamp::from_micros),
            status: self.status,
            duration_ms: self.duration_ms,
            result_bytes: self.result_bytes,
            result_digest: digest("result_digest", self.result_digest)?,
            error: self.error,
            detail: json("detail", self.detail)?,
            leaf_hash: hex::encode(self.leaf_hash),
            origin,
            seq,
        })
    }
}

/// The JSON in a column; `None` when it is none.
fn parse<T: DeserializeOwned>(text: Option<String>) -> Option<Option<T>> {
    text.map(|text| serde_json::from_str(&text)).transpose().ok()
}

struct Unreadable;

/// The stored evaluation in the form of [`Evaluation`](systemprompt_core::decision::Evaluation).
fn evaluation(stored: &Value, policy_version: Option<&str>) -> Result<Value, Unreadable> {
    let rows = |at: usize, names: &[(&str, usize)]| {
        let rows = stored.get(at).and_then(Value::as_array).ok_or(Unreadable)?;
        let row = |row: &Value| {
            let member = |(name, at): &(&str, usize)| {
                ((*name).to_owned(), row.get(at).cloned().unwrap_or_default())
            };
            Value::Object(names.iter().map(member).collect())
        };
        Ok(rows.iter().map(row).collect::<Value>())
    };
    let checks = [("check", 0), ("outcome", 1), ("detail", 3), ("duration_ns", 2)];
    let limits = [("name", 0), ("remaining", 1), ("reset_ms", 2)];
    Ok(json!({
        "policy_version": policy_version,
        "checks": rows(0, &checks)?,
        "limits": rows(1, &limits)?,
    }))
}
