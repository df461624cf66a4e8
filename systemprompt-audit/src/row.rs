//! An event as the columns of its row.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::ser::Serializer;
use systemprompt_core::call::Digest;
use systemprompt_core::decision::{CheckRecord, Evaluation, LimitState, Outcome};
use systemprompt_core::event::{
    AuditBody, AuditEvent, DecisionBody, EventContext, EventSubject, Verdict,
};
use systemprompt_core::id::PermitId;

use crate::column::{Column, Columns, Field, Value};

/// The columns of one event, before it has its place in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    values: Box<[Value]>,
}

impl Row {
    /// A row without values.
    pub(crate) fn new() -> Self {
        Self { values: vec![Value::Null; Column::ALL.len()].into_boxed_slice() }
    }

    /// The value of `column`.
    pub(crate) fn value(&self, column: Column) -> &Value {
        self.values.get(column as usize).unwrap_or(&Value::Null)
    }

    /// All values, in the order of the table.
    #[cfg(feature = "sqlite")]
    pub(crate) fn values(&self) -> &[Value] {
        &self.values
    }

    /// The event's id.
    pub(crate) fn id(&self) -> Option<[u8; 16]> {
        match self.value(Column::Id) {
            Value::Id(id) => Some(*id),
            _ => None,
        }
    }

    /// The permit that this event grants, if it is the first to do so.
    pub(crate) fn granted(&self) -> Option<PermitId> {
        let allowed = *self.value(Column::Decision) == Value::Static(Verdict::Allow.as_str());
        let first = *self.value(Column::PermitId) == Value::Null;
        (allowed && first).then(|| self.id().map(PermitId::from_bytes)).flatten()
    }

    /// Sets a column.
    pub(crate) fn set(&mut self, column: Column, value: impl Into<Value>) {
        if let Some(slot) = self.values.get_mut(column as usize) {
            *slot = value.into();
        }
    }

    /// Sets the columns of an outcome.
    pub(crate) fn set_outcome(&mut self, outcome: Outcome) {
        self.set(Column::Status, outcome.status.as_str());
        self.set(Column::DurationMs, millis(outcome.duration));
        self.set(Column::ResultBytes, outcome.result_bytes.map(integer));
        self.set(Column::ResultDigest, outcome.result_digest);
        self.set(Column::Error, outcome.error);
    }

    fn set_subject(&mut self, subject: EventSubject) {
        self.set(Column::TenantId, text(subject.tenant));
        self.set(Column::UserId, text(subject.user));
        self.set(Column::Department, subject.department.map(text));
        self.set(Column::CredentialId, subject.credential.map(text));
        if !subject.actors.is_empty() {
            self.set(Column::ActorChain, json(&subject.actors));
        }
    }

    fn set_context(&mut self, context: EventContext) {
        self.set(Column::CallId, context.call_id.map(text));
        self.set(Column::SessionId, context.session.map(text));
        self.set(Column::ContextId, context.context.map(text));
        self.set(Column::TaskId, context.task.map(text));
        self.set(Column::AgentId, context.agent.map(text));
        self.set(Column::PluginId, context.plugin.map(text));
        self.set(Column::Door, context.door.map(|door| Value::Static(door.as_str())));
        self.set(Column::UserAgent, context.user_agent.map(Value::Text));
        self.set(Column::ClientAddr, context.client_addr.map(|addr| text(addr.to_string())));
    }

    fn set_decision(&mut self, body: DecisionBody) {
        self.set(Column::Server, body.server.map(Value::Text));
        self.set(Column::Tool, body.tool);
        self.set(Column::ArgumentsDigest, body.arguments_digest);
        self.set(Column::ArgumentsBytes, integer(body.arguments_bytes));
        self.set(Column::CallDigest, body.call_digest);
        self.set(Column::Decision, body.verdict.as_str());
        self.set(Column::ReasonCode, body.reason_code.map(Value::Static));
        self.set(Column::Reason, body.reason);
        self.set(Column::ReasonData, body.reason_data.map(|data| text(data.to_string())));
        self.set(Column::Evaluation, json(&StoredEvaluation(&body.evaluation)));
        self.set(Column::PolicyVersion, text(body.evaluation.policy_version.clone()));
        self.set(Column::DurationUs, micros(body.duration));
        self.set(Column::ExpiresAt, body.expires_at.map(|at| Value::Integer(at.as_micros())));
        self.set(Column::Detail, body.features);
    }
}

impl Columns for Row {
    fn field(&self, column: Column) -> Field<'_> {
        self.value(column).into()
    }
}

impl From<AuditEvent> for Row {
    fn from(event: AuditEvent) -> Self {
        let mut row = Self::new();
        row.set(Column::Id, Value::Id(*event.id.as_bytes()));
        row.set(Column::Kind, event.kind().as_str());
        row.set(Column::OccurredAt, event.occurred_at.as_micros());
        row.set(Column::TraceId, Value::Id(*event.trace_id.as_bytes()));
        if let Some(subject) = event.subject {
            row.set_subject(subject);
        }
        row.set_context(event.context);
        match event.body {
            AuditBody::Decision(body) => {
                // The event's own id goes without saying.
                let repeat = body.permit.filter(|permit| permit.as_bytes() != event.id.as_bytes());
                row.set(Column::PermitId, repeat.map(|permit| Value::Id(*permit.as_bytes())));
                row.set_decision(*body);
            }
            AuditBody::Outcome(body) => {
                row.set(Column::PermitId, Value::Id(*body.permit.as_bytes()));
                row.set_outcome(body.outcome);
            }
            AuditBody::Other { kind, detail } => {
                row.set(Column::Kind, kind.as_str());
                row.set(Column::Detail, text(detail.to_string()));
            }
        }
        row
    }
}

fn text(text: impl Into<Arc<str>>) -> Value {
    Value::Text(text.into())
}

fn json(value: &impl Serialize) -> Value {
    // Structures of ours without maps: there is nothing that could fail.
    serde_json::to_string(value).map_or(Value::Null, text)
}

fn integer(number: u64) -> Value {
    Value::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}

fn millis(duration: Duration) -> Value {
    Value::Integer(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX))
}

fn micros(duration: Duration) -> Value {
    Value::Integer(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX))
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Self::Static(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<Arc<str>> for Value {
    fn from(text: Arc<str>) -> Self {
        Self::Text(text)
    }
}

impl From<Digest> for Value {
    fn from(digest: Digest) -> Self {
        Self::Digest(*digest.as_bytes())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// The evaluation as it is stored: `[[[check, outcome, nanoseconds, detail?], ..], [[limit, remaining,
/// milliseconds], ..]]`. It is the largest part of a decision's row, so names and what other columns
/// say are left to whoever shows it.
struct StoredEvaluation<'e>(&'e Evaluation);

impl Serialize for StoredEvaluation<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (StoredChecks(self.0), StoredLimits(self.0)).serialize(serializer)
    }
}

struct StoredChecks<'e>(&'e Evaluation);

impl Serialize for StoredChecks<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.checks.iter().map(StoredCheck))
    }
}

struct StoredCheck<'e>(&'e CheckRecord);

impl Serialize for StoredCheck<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let CheckRecord { check, outcome, detail, duration_ns } = self.0;
        match detail {
            None => (check, outcome, duration_ns).serialize(serializer),
            Some(detail) => (check, outcome, duration_ns, detail).serialize(serializer),
        }
    }
}

struct StoredLimits<'e>(&'e Evaluation);

impl Serialize for StoredLimits<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let limit = |limit: &'_ LimitState| (limit.name.clone(), limit.remaining, limit.reset_ms);
        serializer.collect_seq(self.0.limits.iter().map(limit))
    }
}
