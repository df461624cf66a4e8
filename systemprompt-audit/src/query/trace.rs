use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Map, Value, json};
use systemprompt_core::clock::Timestamp;
use systemprompt_core::id::{PermitId, TraceId};

use super::EventRecord;

/// The five points of a trace, and the events they were read from.
#[derive(Debug, Clone, Serialize)]
pub struct FivePointTrace {
    /// The trace.
    pub trace_id: TraceId,
    /// The points of the newest call.
    pub points: TracePoints,
    /// Which points no event of the trace speaks of, for any of its calls.
    pub missing: Vec<Point>,
    /// Every call of the trace, in order.
    pub calls: Vec<TracedCall>,
    /// The events of the trace, in order.
    pub events: Vec<EventRecord>,
    /// Whether there are older events, which were left out of all of this.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
}

/// One call of a trace.
#[derive(Debug, Clone, Serialize)]
pub struct TracedCall {
    /// The call.
    pub call_id: Option<String>,
    /// The trace it belongs to.
    pub trace_id: TraceId,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// Its points.
    pub points: TracePoints,
    /// Those that no event speaks of.
    pub missing: Vec<Point>,
}

/// What the log knows at each of the five points; `None` where no event speaks of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct TracePoints {
    /// Who.
    pub identity: Option<Value>,
    /// Which agent, in which circumstances.
    pub agent_context: Option<Value>,
    /// What was decided, and why.
    pub permissions: Option<Value>,
    /// What ran, and how it ended.
    pub tool_execution: Option<Value>,
    /// What came out.
    pub result: Option<Value>,
}

/// A point of the trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Point {
    /// Who.
    Identity,
    /// Which agent, in which circumstances.
    AgentContext,
    /// What was decided, and why.
    Permissions,
    /// What ran, and how it ended.
    ToolExecution,
    /// What came out.
    Result,
}

impl TracePoints {
    fn of(decision: &EventRecord, outcome: Option<&EventRecord>) -> Self {
        Self {
            identity: decision.user_id.as_ref().map(|_| identity(decision)),
            agent_context: Some(agent_context(decision)),
            permissions: Some(permissions(decision)),
            tool_execution: outcome.map(|outcome| tool_execution(decision, outcome)),
            result: outcome.map(result),
        }
    }

    /// The points that no event speaks of.
    #[must_use]
    pub fn missing(&self) -> Vec<Point> {
        let points = [
            (Point::Identity, &self.identity),
            (Point::AgentContext, &self.agent_context),
            (Point::Permissions, &self.permissions),
            (Point::ToolExecution, &self.tool_execution),
            (Point::Result, &self.result),
        ];
        let absent = points.into_iter().filter(|(_, value)| value.is_none());
        absent.map(|(point, _)| point).collect()
    }
}

impl TracedCall {
    /// The calls that were decided by `events`, in the order of these, with those of their outcomes that
    /// are among them.
    pub(crate) fn all(events: &[EventRecord]) -> Vec<Self> {
        let outcomes = events.iter().filter(|event| event.kind == "outcome");
        let outcomes: HashMap<PermitId, &EventRecord> =
            outcomes.filter_map(|event| Some((event.permit_id?, event))).collect();
        let decisions = events.iter().filter(|event| event.kind == "decision");
        let call = |decision: &EventRecord| {
            let permit = decision.permit_id;
            let outcome = permit.and_then(|permit| outcomes.get(&permit).copied());
            let points = TracePoints::of(decision, outcome);
            Self {
                call_id: decision.call_id.clone(),
                trace_id: decision.trace_id,
                decided_at: decision.occurred_at,
                missing: points.missing(),
                points,
            }
        };
        decisions.map(call).collect()
    }
}

impl FivePointTrace {
    /// Most events that are read of a trace; the query asks for one more.
    pub(crate) const MOST_EVENTS: usize = 10_000;

    /// The trace that `events`, in order, tell of.
    pub(crate) fn new(trace_id: TraceId, events: Vec<EventRecord>, truncated: bool) -> Self {
        let calls = TracedCall::all(&events);
        let points = calls.last().map(|call| call.points.clone()).unwrap_or_default();
        let mut missing: Vec<_> = calls.iter().flat_map(|call| call.missing.clone()).collect();
        if calls.is_empty() {
            missing = points.missing();
        }
        missing.sort_unstable();
        missing.dedup();
        Self { trace_id, points, missing, calls, events, truncated }
    }
}

fn identity(event: &EventRecord) -> Value {
    object(json!({
        "tenant_id": event.tenant_id,
        "user_id": event.user_id,
        "department": event.department,
        "credential_id": event.credential_id,
        "actor_chain": event.actor_chain.clone().unwrap_or_default(),
    }))
}

fn agent_context(event: &EventRecord) -> Value {
    object(json!({
        "agent_id": event.agent_id,
        "session_id": event.session_id,
        "context_id": event.context_id,
        "task_id": event.task_id,
        "call_id": event.call_id,
        "plugin_id": event.plugin_id,
        "door": event.door,
        "user_agent": event.user_agent,
        "client_addr": event.client_addr,
    }))
}

fn permissions(event: &EventRecord) -> Value {
    object(json!({
        "decision": event.decision,
        "reason_code": event.reason_code,
        "reason": event.reason,
        "reason_data": event.reason_data,
        "server": event.server,
        "tool": event.tool,
        "permit_id": event.permit_id,
        "expires_at": event.expires_at,
        "policy_version": event.policy_version,
        "evaluation": event.evaluation,
        "shadow": event.detail.as_ref().and_then(|detail| detail.get("shadow")),
        "duration_us": event.duration_us,
        "decided_at": event.occurred_at,
    }))
}

fn tool_execution(decision: &EventRecord, outcome: &EventRecord) -> Value {
    object(json!({
        "server": decision.server,
        "tool": decision.tool,
        "arguments_digest": decision.arguments_digest,
        "status": outcome.status,
        "duration_ms": outcome.duration_ms,
        "reported_at": outcome.occurred_at,
    }))
}

fn result(outcome: &EventRecord) -> Value {
    object(json!({
        "status": outcome.status,
        "result_bytes": outcome.result_bytes,
        "result_digest": outcome.result_digest,
        "error": outcome.error,
    }))
}

/// Leaves out what is absent.
fn object(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            members.into_iter().filter(|(_, value)| !value.is_null()).collect::<Map<_, _>>().into()
        }
        other => other,
    }
}
