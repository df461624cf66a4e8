use systemprompt_core::call::Digest;
use systemprompt_core::clock::Timestamp;
use systemprompt_core::event::{EventKind, Verdict};
use systemprompt_core::id::{EventId, PermitId, TraceId};

#[cfg(feature = "sqlite")]
use super::ReadScope;
#[cfg(feature = "sqlite")]
use crate::index::{Facet, Term, is_rare};

/// Which events are wanted; what is `None` does not matter.
///
/// A page by trace, call, session, user, agent, tool, tenant, decision, reason code or kind, each with a
/// time or without, is found by an index. The other members are looked at event by event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Of this kind.
    pub kind: Option<EventKind>,
    /// This event.
    pub id: Option<EventId>,
    /// Of this trace.
    pub trace_id: Option<TraceId>,
    /// Granting this permit, or spending it.
    pub permit_id: Option<PermitId>,
    /// At or after this instant.
    pub from: Option<Timestamp>,
    /// Before this instant.
    pub to: Option<Timestamp>,
    /// In the log of this name.
    pub origin: Option<String>,
    /// Of this tenant.
    pub tenant_id: Option<String>,
    /// Of this user.
    pub user_id: Option<String>,
    /// With this user among those who acted on behalf of another.
    pub actor: Option<String>,
    /// By this agent.
    pub agent_id: Option<String>,
    /// Of the tool with this name, without its server.
    pub tool: Option<String>,
    /// Of a tool of this server.
    pub server: Option<String>,
    /// Decided this way.
    pub decision: Option<Verdict>,
    /// Denied for this reason, by its code.
    pub reason_code: Option<String>,
    /// Of this call.
    pub call_id: Option<String>,
    /// In this session.
    pub session_id: Option<String>,
    /// In this context.
    pub context_id: Option<String>,
    /// For this task.
    pub task_id: Option<String>,
    /// From this department.
    pub department: Option<String>,
    /// With this credential.
    pub credential_id: Option<String>,
    /// Through this client plugin.
    pub plugin_id: Option<String>,
    /// Through this door, by its name.
    pub door: Option<String>,
    /// With this client software.
    pub user_agent: Option<String>,
    /// From this address.
    pub client_addr: Option<String>,
    /// By this version of the policy.
    pub policy_version: Option<String>,
    /// Ended this way, by the name of the status.
    pub status: Option<String>,
    /// With arguments of this SHA-256.
    pub arguments_digest: Option<Digest>,
    /// Of the call with this digest.
    pub call_digest: Option<Digest>,
    /// With a result of this SHA-256.
    pub result_digest: Option<Digest>,
    /// With arguments of so many bytes.
    pub arguments_bytes: NumberRange,
    /// Decided in so many microseconds.
    pub duration_us: NumberRange,
    /// Run for so many milliseconds.
    pub duration_ms: NumberRange,
    /// With a result of so many bytes.
    pub result_bytes: NumberRange,
    /// With this text in the reason, its data, the error or the details, whatever the case of ASCII
    /// letters.
    pub text: Option<String>,
}

/// A range of numbers, both ends included; open where an end is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NumberRange {
    /// The smallest.
    pub min: Option<i64>,
    /// The largest.
    pub max: Option<i64>,
}

impl EventFilter {
    /// The plain text members, by the name of their column.
    pub(crate) fn texts_mut(&mut self) -> [(&'static str, &mut Option<String>); 20] {
        [
            ("origin", &mut self.origin),
            ("tenant_id", &mut self.tenant_id),
            ("user_id", &mut self.user_id),
            ("actor", &mut self.actor),
            ("agent_id", &mut self.agent_id),
            ("tool", &mut self.tool),
            ("server", &mut self.server),
            ("reason_code", &mut self.reason_code),
            ("call_id", &mut self.call_id),
            ("session_id", &mut self.session_id),
            ("context_id", &mut self.context_id),
            ("task_id", &mut self.task_id),
            ("department", &mut self.department),
            ("credential_id", &mut self.credential_id),
            ("plugin_id", &mut self.plugin_id),
            ("door", &mut self.door),
            ("user_agent", &mut self.user_agent),
            ("client_addr", &mut self.client_addr),
            ("policy_version", &mut self.policy_version),
            ("status", &mut self.status),
        ]
    }

    /// The number members, by the name of their column.
    pub(crate) fn numbers_mut(&mut self) -> [(&'static str, &mut NumberRange); 4] {
        [
            ("arguments_bytes", &mut self.arguments_bytes),
            ("duration_us", &mut self.duration_us),
            ("duration_ms", &mut self.duration_ms),
            ("result_bytes", &mut self.result_bytes),
        ]
    }

    /// The digest members, by the name of their column.
    pub(crate) fn digests_mut(&mut self) -> [(&'static str, &mut Option<Digest>); 3] {
        [
            ("arguments_digest", &mut self.arguments_digest),
            ("call_digest", &mut self.call_digest),
            ("result_digest", &mut self.result_digest),
        ]
    }

    /// The properties among those wanted that the index knows.
    #[cfg(feature = "sqlite")]
    pub(crate) fn terms(&self, scope: &ReadScope) -> Vec<Term> {
        let kind = self.kind.map(EventKind::as_str).filter(|kind| is_rare(kind));
        let texts = [
            (Facet::Call, self.call_id.as_deref()),
            (Facet::Session, self.session_id.as_deref()),
            (Facet::User, self.user_id.as_deref()),
            (Facet::Reason, self.reason_code.as_deref()),
            (Facet::Agent, self.agent_id.as_deref()),
            (Facet::Tool, self.tool.as_deref()),
            (Facet::Decision, self.decision.map(Verdict::as_str)),
            (Facet::Kind, kind),
            (Facet::Tenant, self.tenant_id.as_deref()),
            (Facet::Tenant, scope.tenant()),
        ];
        texts.into_iter().filter_map(|(facet, text)| Some(Term::of(facet, text?))).collect()
    }
}
