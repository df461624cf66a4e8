use serde::de::DeserializeOwned;
use sqlx::FromRow;
use systemprompt_core::call::Digest;
use systemprompt_core::clock::Timestamp;
use systemprompt_core::id::{EventId, PermitId, TraceId};

use super::bodies::listed;
use super::{EventRecord, RecordedEvaluation};
use crate::QueryError;
#[cfg(feature = "sqlite")]
use crate::column::{Column, Field};
#[cfg(feature = "sqlite")]
use crate::scanned_row::ScannedRow;

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
    /// The row `row` of the log `origin`; `None` when the log has not written it.
    #[cfg(feature = "sqlite")]
    pub(crate) fn of(origin: &str, row: &ScannedRow<'_>) -> Option<Self> {
        if !row.fits() {
            return None;
        }
        let text = |column| match row.value(column) {
            Field::Text(text) => Some(text.to_owned()),
            _ => None,
        };
        let bytes = |column| match row.value(column) {
            Field::Bytes(bytes) => Some(bytes.to_vec()),
            _ => None,
        };
        let number = |column| row.number(column);
        Some(Self {
            origin: origin.to_owned(),
            seq: row.seq(),
            id: bytes(Column::Id)?,
            kind: text(Column::Kind)?,
            occurred_at: number(Column::OccurredAt)?,
            trace_id: bytes(Column::TraceId)?,
            call_id: text(Column::CallId),
            session_id: text(Column::SessionId),
            context_id: text(Column::ContextId),
            task_id: text(Column::TaskId),
            tenant_id: text(Column::TenantId),
            user_id: text(Column::UserId),
            department: text(Column::Department),
            credential_id: text(Column::CredentialId),
            actor_chain: text(Column::ActorChain),
            agent_id: text(Column::AgentId),
            plugin_id: text(Column::PluginId),
            door: text(Column::Door),
            user_agent: text(Column::UserAgent),
            client_addr: text(Column::ClientAddr),
            server: text(Column::Server),
            tool: text(Column::Tool),
            arguments_digest: bytes(Column::ArgumentsDigest),
            arguments_bytes: number(Column::ArgumentsBytes),
            call_digest: bytes(Column::CallDigest),
            decision: text(Column::Decision),
            reason_code: text(Column::ReasonCode),
            reason: text(Column::Reason),
            reason_data: text(Column::ReasonData),
            evaluation: text(Column::Evaluation),
            policy_version: text(Column::PolicyVersion),
            duration_us: number(Column::DurationUs),
            permit_id: bytes(Column::PermitId),
            expires_at: number(Column::ExpiresAt),
            status: text(Column::Status),
            duration_ms: number(Column::DurationMs),
            result_bytes: number(Column::ResultBytes),
            result_digest: bytes(Column::ResultDigest),
            error: text(Column::Error),
            detail: text(Column::Detail),
            leaf_hash: row.leaf_hash().to_vec(),
        })
    }

    /// The bytes of the texts that may be long.
    pub(crate) fn long_texts(&self) -> usize {
        let texts = [&self.reason, &self.reason_data, &self.evaluation, &self.error, &self.detail];
        texts.into_iter().flatten().map(String::len).sum()
    }

    /// The row in the forms that people and programs read.
    pub(crate) fn into_record(self) -> Result<EventRecord, QueryError> {
        let (origin, seq, kind) = (self.origin, self.seq, self.kind);
        let corrupt = |column| QueryError::Corrupt { origin: origin.clone(), seq, column };
        let json = |column, text: Option<String>| parse(text).ok_or_else(|| corrupt(column));
        let actors = parse(self.actor_chain).ok_or_else(|| corrupt("actor_chain"))?;
        let evaluation = match &self.evaluation {
            Some(stored) => Some(
                RecordedEvaluation::of(stored, self.policy_version.as_deref())
                    .ok_or_else(|| corrupt("evaluation"))?,
            ),
            None => None,
        };
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
            kind: kind.clone(),
            occurred_at: Timestamp::from_micros(self.occurred_at),
            trace_id: TraceId::from_bytes(id("trace_id", self.trace_id)?)
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
            detail: listed(&kind, json("detail", self.detail)?),
            leaf_hash: in_hex(&self.leaf_hash),
            origin,
            seq,
        })
    }
}

/// The JSON in a column; `None` when it is none.
fn parse<T: DeserializeOwned>(text: Option<String>) -> Option<Option<T>> {
    text.map(|text| serde_json::from_str(&text)).transpose().ok()
}

/// As `hex::encode`, which goes character by character.
fn in_hex(bytes: &[u8]) -> String {
    let mut text = vec![0; bytes.len() * 2];
    // There is room for all of it.
    let _ = hex::encode_to_slice(bytes, &mut text);
    String::from_utf8(text).unwrap_or_default()
}
