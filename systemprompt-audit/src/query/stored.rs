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
pub(crate) struct StoredEvent {
    pub(crate) origin: String,
    pub(crate) seq: i64,
    pub(crate) id: Vec<u8>,
    pub(crate) kind: String,
    pub(crate) occurred_at: i64,
    pub(crate) trace_id: Vec<u8>,
    pub(crate) call_id: Option<String>,
    pub(crate) session_id: Option<String>,
    pub(crate) context_id: Option<String>,
    pub(crate) task_id: Option<String>,
    pub(crate) tenant_id: Option<String>,
    pub(crate) user_id: Option<String>,
    pub(crate) department: Option<String>,
    pub(crate) credential_id: Option<String>,
    pub(crate) actor_chain: Option<String>,
    pub(crate) agent_id: Option<String>,
    pub(crate) plugin_id: Option<String>,
    pub(crate) door: Option<String>,
    pub(crate) user_agent: Option<String>,
    pub(crate) client_addr: Option<String>,
    pub(crate) server: Option<String>,
    pub(crate) tool: Option<String>,
    pub(crate) arguments_digest: Option<Vec<u8>>,
    pub(crate) arguments_bytes: Option<i64>,
    pub(crate) call_digest: Option<Vec<u8>>,
    pub(crate) decision: Option<String>,
    pub(crate) reason_code: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) reason_data: Option<String>,
    pub(crate) evaluation: Option<String>,
    pub(crate) policy_version: Option<String>,
    pub(crate) duration_us: Option<i64>,
    pub(crate) permit_id: Option<Vec<u8>>,
    pub(crate) expires_at: Option<i64>,
    pub(crate) status: Option<String>,
    pub(crate) duration_ms: Option<i64>,
    pub(crate) result_bytes: Option<i64>,
    pub(crate) result_digest: Option<Vec<u8>>,
    pub(crate) error: Option<String>,
    pub(crate) detail: Option<String>,
    pub(crate) leaf_hash: Vec<u8>,
}

impl StoredEvent {
    /// The bytes of the texts that may be long.
    pub(crate) fn long_texts(&self) -> usize {
        let texts = [&self.reason, &self.reason_data, &self.evaluation, &self.error, &self.detail];
        texts.into_iter().flatten().map(String::len).sum()
    }

    /// The row in the forms that people and programs read.
    pub(crate) fn into_record(self) -> Result<EventRecord, QueryError> {
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
