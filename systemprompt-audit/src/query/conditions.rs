//! The filter builder: the one place where the text of a query is put together. Values are always bound.

use sqlx::{Database, Encode, QueryBuilder, Type};
use systemprompt_core::call::Digest;
use systemprompt_core::event::{EventKind, Verdict};

use super::{EventFilter, NumberRange, ReadScope};
use crate::place::{Place, Window};

/// How a backend says what the filter builder needs.
pub(crate) trait Dialect: Database + Sized {
    /// How the log of an event is joined to it.
    const JOIN: &'static str;

    /// The name of the function that finds one text in another.
    const FIND: &'static str;

    /// The letters of `column` as small ones, as far as they are of ASCII.
    fn lower(column: &str) -> String;

    /// A text in the form in which it is stored.
    fn stored(text: &str) -> String;

    /// Where the events of `lead` come from, as `e`.
    fn source(query: &mut QueryBuilder<Self>, lead: &Lead<'_>);

    /// The elements of the actor chain of `e`, as `a.value`.
    const ACTORS: &'static str;
}

/// A query over the events, as far as it has been put together.
pub(crate) struct EventQuery<D: Dialect>(QueryBuilder<D>);

/// What leads to the events of a query.
#[derive(Debug, Clone)]
pub(crate) enum Lead<'l> {
    /// Their time.
    Time,
    /// Their trace.
    Trace(&'l [u8; 16]),
    /// What they are called.
    Id(&'l [u8; 16]),
    /// A column that has an index, with its value.
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "SQLite has other indexes"))]
    Column(&'static str, &'l str),
    /// Their places: a JSON array of arrays of a log and a place in it.
    #[cfg(feature = "sqlite")]
    Places(&'l str),
    /// Their log, after a place.
    Log(i64, i64),
}

impl<D: Dialect> EventQuery<D>
where
    i64: for<'q> Encode<'q, D> + Type<D>,
    String: for<'q> Encode<'q, D> + Type<D>,
    Vec<u8>: for<'q> Encode<'q, D> + Type<D>,
{
    /// Whole events by `lead`.
    pub(crate) fn events(lead: &Lead<'_>) -> Self {
        Self::select("SELECT l.origin, e.* ", lead)
    }

    /// The places of events by `lead`.
    pub(crate) fn places(lead: &Lead<'_>) -> Self {
        Self::select("SELECT e.occurred_at, e.log_id, e.seq ", lead)
    }

    fn select(columns: &str, lead: &Lead<'_>) -> Self {
        let mut query = QueryBuilder::new(columns);
        D::source(&mut query, lead);
        query.push(D::JOIN).push(" audit_logs AS l ON l.id = e.log_id WHERE true");
        match lead {
            Lead::Trace(trace) => {
                query.push(" AND e.trace_id = ").push_bind(trace.to_vec());
            }
            Lead::Column(column, value) => {
                query.push(" AND ").push(column).push(" = ").push_bind(D::stored(value));
            }
            Lead::Log(log_id, after) => {
                query.push(" AND e.log_id = ").push_bind(*log_id);
                query.push(" AND e.seq > ").push_bind(*after);
            }
            Lead::Id(id) => {
                query.push(" AND e.id = ").push_bind(id.to_vec());
            }
            Lead::Time => {}
            #[cfg(feature = "sqlite")]
            Lead::Places(_) => {}
        }
        Self(query)
    }

    /// Only those in `window`.
    pub(crate) fn within(mut self, window: Window) -> Self {
        let query = &mut self.0;
        if window.from != i64::MIN {
            query.push(" AND e.occurred_at >= ").push_bind(window.from);
        }
        if window.before != Place::END {
            let Place { occurred_at, log_id, seq } = window.before;
            query.push(" AND (e.occurred_at, e.log_id, e.seq) < (").push_bind(occurred_at);
            query.push(", ").push_bind(log_id).push(", ").push_bind(seq).push(")");
        }
        self
    }

    /// Only those not before `place`.
    pub(crate) fn not_before(mut self, place: Place) -> Self {
        let Place { occurred_at, log_id, seq } = place;
        let query = &mut self.0;
        query.push(" AND (e.occurred_at, e.log_id, e.seq) >= (").push_bind(occurred_at);
        query.push(", ").push_bind(log_id).push(", ").push_bind(seq).push(")");
        self
    }

    /// Only those up to the place `last` of their log.
    pub(crate) fn up_to(mut self, last: i64) -> Self {
        self.0.push(" AND e.seq <= ").push_bind(last);
        self
    }

    /// Only those that `filter` describes, its time set aside.
    pub(crate) fn matching(mut self, filter: &EventFilter, scope: &ReadScope) -> Self {
        let query = &mut self.0;
        for (column, text) in texts(filter, scope) {
            if let Some(text) = text {
                query.push(column).push_bind(D::stored(text));
            }
        }
        if let Some(user) = &filter.user_id {
            // Where events are encrypted they name the user by a pseudonym.
            query.push(" AND (e.user_id = ").push_bind(D::stored(user));
            query.push(" OR e.user_id IN (SELECT pseudonym FROM audit_subjects WHERE user_id = ");
            query.push_bind(D::stored(user)).push("))");
        }
        for (column, bytes) in bytes(filter) {
            if let Some(bytes) = bytes {
                query.push(column).push_bind(bytes);
            }
        }
        for (column, range) in numbers(filter) {
            if let Some(min) = range.min {
                query.push(column).push(" >= ").push_bind(min);
            }
            if let Some(max) = range.max {
                query.push(column).push(" <= ").push_bind(max);
            }
        }
        if let Some(permit) = filter.permit_id {
            let permit = permit.as_bytes().to_vec();
            query.push(" AND (e.permit_id = ").push_bind(permit.clone());
            query.push(" OR e.decision = 'allow' AND e.permit_id IS NULL AND e.id = ");
            query.push_bind(permit).push(")");
        }
        if let Some(actor) = &filter.actor {
            query.push(" AND EXISTS (SELECT 1 FROM ").push(D::ACTORS).push(" WHERE a.value = ");
            query.push_bind(D::stored(actor)).push(")");
        }
        if let Some(text) = &filter.text {
            let text = text.to_ascii_lowercase();
            let mut either = " AND (";
            for column in ["e.reason", "e.reason_data", "e.error", "e.detail"] {
                query.push(either).push(D::FIND).push("(").push(D::lower(column)).push(", ");
                query.push_bind(D::stored(&text)).push(") > 0");
                either = " OR ";
            }
            query.push(")");
        }
        self
    }

    /// In the order of their log, `limit` of them.
    pub(crate) fn oldest(mut self, limit: usize) -> QueryBuilder<D> {
        self.0.push(" ORDER BY e.seq LIMIT ");
        self.0.push_bind(i64::try_from(limit).unwrap_or(i64::MAX));
        self.0
    }

    /// Newest first, `limit` of them after the first `offset`.
    pub(crate) fn newest(mut self, limit: usize, offset: usize) -> QueryBuilder<D> {
        let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let query = &mut self.0;
        query.push(" ORDER BY e.occurred_at DESC, e.log_id DESC, e.seq DESC LIMIT ");
        query.push_bind(number(limit));
        if offset > 0 {
            query.push(" OFFSET ").push_bind(number(offset));
        }
        self.0
    }
}

fn texts<'f>(
    filter: &'f EventFilter,
    scope: &'f ReadScope,
) -> [(&'static str, Option<&'f str>); 21] {
    [
        (" AND e.tenant_id = ", scope.tenant()),
        (" AND e.kind = ", filter.kind.map(EventKind::as_str)),
        (" AND e.tenant_id = ", filter.tenant_id.as_deref()),
        (" AND e.agent_id = ", filter.agent_id.as_deref()),
        (" AND e.tool = ", filter.tool.as_deref()),
        (" AND e.server = ", filter.server.as_deref()),
        (" AND e.decision = ", filter.decision.map(Verdict::as_str)),
        (" AND e.reason_code = ", filter.reason_code.as_deref()),
        (" AND e.call_id = ", filter.call_id.as_deref()),
        (" AND e.session_id = ", filter.session_id.as_deref()),
        (" AND e.context_id = ", filter.context_id.as_deref()),
        (" AND e.task_id = ", filter.task_id.as_deref()),
        (" AND e.department = ", filter.department.as_deref()),
        (" AND e.credential_id = ", filter.credential_id.as_deref()),
        (" AND e.plugin_id = ", filter.plugin_id.as_deref()),
        (" AND e.door = ", filter.door.as_deref()),
        (" AND e.user_agent = ", filter.user_agent.as_deref()),
        (" AND e.client_addr = ", filter.client_addr.as_deref()),
        (" AND e.policy_version = ", filter.policy_version.as_deref()),
        (" AND e.status = ", filter.status.as_deref()),
        (" AND l.origin = ", filter.origin.as_deref()),
    ]
}

fn bytes(filter: &EventFilter) -> [(&'static str, Option<Vec<u8>>); 5] {
    let digest = |digest: &Option<Digest>| digest.map(|digest| digest.as_bytes().to_vec());
    [
        (" AND e.id = ", filter.id.map(|id| id.as_bytes().to_vec())),
        (" AND e.trace_id = ", filter.trace_id.map(|id| id.as_bytes().to_vec())),
        (" AND e.arguments_digest = ", digest(&filter.arguments_digest)),
        (" AND e.call_digest = ", digest(&filter.call_digest)),
        (" AND e.result_digest = ", digest(&filter.result_digest)),
    ]
}

fn numbers(filter: &EventFilter) -> [(&'static str, NumberRange); 4] {
    [
        (" AND e.arguments_bytes", filter.arguments_bytes),
        (" AND e.duration_us", filter.duration_us),
        (" AND e.duration_ms", filter.duration_ms),
        (" AND e.result_bytes", filter.result_bytes),
    ]
}
