//! The filter builder: the one query whose text is not fixed. Values are always bound.

use sqlx::{Database, Encode, QueryBuilder, Type};
use systemprompt_core::clock::Timestamp;
use systemprompt_core::event::Verdict;
use systemprompt_core::id::TraceId;

use super::{Cursor, PageSize, ReadScope};

/// Which decisions are wanted; what is `None` does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DecisionFilter {
    /// Of this trace.
    pub trace_id: Option<TraceId>,
    /// At or after this instant.
    pub from: Option<Timestamp>,
    /// Before this instant.
    pub to: Option<Timestamp>,
    /// Of this user.
    pub user_id: Option<String>,
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
    /// Through this door, by its name.
    pub door: Option<String>,
    /// By this version of the policy.
    pub policy_version: Option<String>,
}

impl DecisionFilter {
    /// The query for a page after `cursor`, newest first, with one row more than the page holds.
    /// `stored` gives the form in which the backend keeps a text.
    pub(crate) fn query<DB>(
        &self,
        scope: &ReadScope,
        cursor: Option<&Cursor>,
        size: PageSize,
        stored: fn(&str) -> String,
    ) -> QueryBuilder<DB>
    where
        DB: Database,
        i64: for<'q> Encode<'q, DB> + Type<DB>,
        String: for<'q> Encode<'q, DB> + Type<DB>,
        Vec<u8>: for<'q> Encode<'q, DB> + Type<DB>,
    {
        let mut query = QueryBuilder::new(
            "SELECT l.origin, e.* FROM audit_events AS e JOIN audit_logs AS l ON l.id = e.log_id \
             WHERE e.kind = 'decision'",
        );
        if let Some(trace) = self.trace_id {
            query.push(" AND e.trace_id = ").push_bind(trace.as_bytes().to_vec());
        }
        if let Some(from) = self.from {
            query.push(" AND e.occurred_at >= ").push_bind(from.as_micros());
        }
        if let Some(to) = self.to {
            query.push(" AND e.occurred_at < ").push_bind(to.as_micros());
        }
        for (column, value) in self.texts(scope) {
            if let Some(value) = value {
                query.push(column).push_bind(stored(value));
            }
        }
        if let Some(cursor) = cursor {
            let at = cursor.occurred_at.as_micros();
            query.push(" AND e.occurred_at <= ").push_bind(at);
            query.push(" AND (e.occurred_at < ").push_bind(at);
            query.push(" OR e.id < ").push_bind(cursor.id.as_bytes().to_vec()).push(")");
        }
        let limit = i64::from(size.rows()) + 1;
        query.push(" ORDER BY e.occurred_at DESC, e.id DESC LIMIT ").push_bind(limit);
        query
    }

    fn texts<'f>(&'f self, scope: &'f ReadScope) -> [(&'static str, Option<&'f str>); 15] {
        [
            (" AND e.tenant_id = ", scope.tenant()),
            (" AND e.user_id = ", self.user_id.as_deref()),
            (" AND e.agent_id = ", self.agent_id.as_deref()),
            (" AND e.tool = ", self.tool.as_deref()),
            (" AND e.server = ", self.server.as_deref()),
            (" AND e.decision = ", self.decision.map(Verdict::as_str)),
            (" AND e.reason_code = ", self.reason_code.as_deref()),
            (" AND e.call_id = ", self.call_id.as_deref()),
            (" AND e.session_id = ", self.session_id.as_deref()),
            (" AND e.context_id = ", self.context_id.as_deref()),
            (" AND e.task_id = ", self.task_id.as_deref()),
            (" AND e.department = ", self.department.as_deref()),
            (" AND e.credential_id = ", self.credential_id.as_deref()),
            (" AND e.door = ", self.door.as_deref()),
            (" AND e.policy_version = ", self.policy_version.as_deref()),
        ]
    }
}
