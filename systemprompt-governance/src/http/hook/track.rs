use serde_json::json;
use systemprompt_core::call::Door;
use systemprompt_core::event::{AuditBody, AuditEvent, EventContext, EventKind};
use systemprompt_core::id::{AgentId, CallId, EventId, SessionId};

use super::HookAnswer;
use super::event::{Event, plugin};

impl Event<'_> {
    /// Records the event and says nothing. `obstacle` is why it did not settle a permit, if it should
    /// have.
    pub(super) async fn track(&self, obstacle: Option<&'static str>) -> HookAnswer {
        let doors = &self.door.doors;
        let tool = self.envelope.tool_name().ok().map(|tool| doors.safe_text(&tool));
        let detail = json!({
            "event": doors.safe_text(self.envelope.event_name()),
            "tool": tool,
            "bytes": self.body.len(),
            "unsettled": obstacle,
        });
        let event = AuditEvent {
            id: EventId::generate(),
            occurred_at: doors.clock.now(),
            trace_id: self.incoming.trace_id(),
            subject: Some((&self.principal).into()),
            context: self.recorded_context(),
            body: AuditBody::Other { kind: EventKind::Tracked, detail },
        };
        if let Err(error) = doors.audit.append(event).await {
            let trace_id = self.incoming.trace_id();
            tracing::warn!(%error, %trace_id, "a hook event was not recorded");
        }
        HookAnswer::Nothing
    }

    /// The circumstances, as far as they can be read, without secrets.
    fn recorded_context(&self) -> EventContext {
        let doors = &self.door.doors;
        let (envelope, request) = (&self.envelope, self.incoming.context(doors));
        let safe = |text: Option<&str>| text.map(|text| doors.safe_text(text));
        let session = safe(envelope.session_id().ok().flatten().as_deref());
        let call_id = safe(envelope.tool_use_id().ok().flatten().as_deref());
        let agent_type = envelope.agent_type().ok().flatten();
        let agent = safe(agent_type.or_else(|| envelope.agent_id().ok().flatten()).as_deref());
        let plugin = plugin(self.incoming).ok().flatten();
        EventContext {
            call_id: call_id.and_then(|text| CallId::parse(&text).ok()),
            session: session.and_then(|text| SessionId::parse(&text).ok()),
            agent: agent.and_then(|text| AgentId::parse(&text).ok()),
            plugin: safe(plugin.as_ref().map(|id| id.as_str())).and_then(|text| text.parse().ok()),
            door: Some(Door::Hook),
            user_agent: safe(request.user_agent.as_deref()).map(Into::into),
            client_addr: request.client_addr,
            ..EventContext::default()
        }
    }
}
