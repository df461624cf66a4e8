use systemprompt_core::clock::Timestamp;
use systemprompt_core::database::DbPool;
use systemprompt_core::id::TraceId;

use super::named::{self, Named};
use super::search::{Found, Hit, Search, decisions};
use super::share::{Reading, Share};
use super::stored::StoredEvent;
use super::{
    Cursor, EventFilter, EventRecord, FivePointTrace, Page, PageSize, ReadLimits, ReadScope,
    TracedCall,
};
use crate::index::Index;
use crate::place::Place;
use crate::{Origin, QueryError};

/// Reads the logs of a database. Cloning is a reference count.
#[derive(Debug, Clone)]
pub struct AuditReader {
    pool: DbPool,
    share: Option<Share>,
    index: Index,
}

impl AuditReader {
    /// A reader of the logs in `pool`, which takes what time it needs.
    #[must_use]
    pub fn new(pool: DbPool) -> Self {
        Self { index: Index::of(pool.path()), pool, share: None }
    }

    /// Bounds what this reader and its clones may take of the database together. A query over its
    /// time is interrupted in the database, which frees its connection.
    #[must_use]
    pub fn limited(mut self, limits: ReadLimits) -> Self {
        self.share = Some(Share::new(limits));
        self
    }

    /// Whether limits were set.
    #[cfg(feature = "http")]
    pub(crate) fn is_limited(&self) -> bool {
        self.share.is_some()
    }

    pub(crate) async fn begin(&self) -> Result<Reading, QueryError> {
        match &self.share {
            Some(share) => share.enter(self.pool.sqlite()).await,
            None => Reading::unlimited(self.pool.sqlite()).await,
        }
    }

    /// What is known of a trace, the newest 10,000 events at most; `None` when nothing is, or nothing in
    /// `scope`.
    ///
    /// # Errors
    /// [`QueryError`] when the log cannot be read, or not within the limits.
    pub async fn trace(
        &self,
        scope: &ReadScope,
        trace: TraceId,
    ) -> Result<Option<FivePointTrace>, QueryError> {
        let (id, tenant) = (trace.as_bytes().as_slice(), scope.tenant());
        let mut reading = self.begin().await?;
        let rows = sqlx::query_as!(
            StoredEvent,
            "SELECT l.origin, e.seq, e.id, e.kind, e.occurred_at, e.trace_id, e.call_id, e.session_id,
                    e.context_id, e.task_id, e.tenant_id, e.user_id, e.department, e.credential_id,
                    e.actor_chain, e.agent_id, e.plugin_id, e.door, e.user_agent, e.client_addr,
                    e.server, e.tool, e.arguments_digest, e.arguments_bytes, e.call_digest,
                    e.decision, e.reason_code, e.reason, e.reason_data, e.evaluation,
                    e.policy_version, e.duration_us, e.permit_id, e.expires_at, e.status,
                    e.duration_ms, e.result_bytes, e.result_digest, e.error, e.detail, e.leaf_hash
             FROM audit_events AS e JOIN audit_logs AS l ON l.id = e.log_id
             WHERE e.trace_id = ? AND (? IS NULL OR e.tenant_id = ?)
             ORDER BY e.occurred_at DESC, e.id DESC LIMIT 10001",
            id,
            tenant,
            tenant
        )
        .fetch_all(reading.connection())
        .await;
        let rows = reading.finish(rows).await?;
        let mut events = records(rows)?;
        let truncated = events.len() > FivePointTrace::MOST_EVENTS;
        events.truncate(FivePointTrace::MOST_EVENTS);
        events.reverse();
        let known = !events.is_empty();
        Ok(known.then(|| FivePointTrace::new(trace, events, truncated)))
    }

    /// The decisions that `filter` describes, newest first, one page of them.
    ///
    /// As [`events`](Self::events), with the kind given.
    ///
    /// # Errors
    /// [`QueryError`] when the log cannot be read, or not within the limits.
    pub async fn decisions(
        &self,
        scope: &ReadScope,
        filter: &EventFilter,
        cursor: Option<&Cursor>,
        size: PageSize,
    ) -> Result<Page<EventRecord>, QueryError> {
        self.events(scope, &decisions(filter), cursor, size).await
    }

    /// The events that `filter` describes, newest first, one page of them.
    ///
    /// Rows that are there when the first page is read appear exactly once, whatever is written
    /// meanwhile. A page reads at most 200,000 rows; one that has read so many before it was full says
    /// how far it came, and its cursor goes on from there.
    ///
    /// # Errors
    /// [`QueryError`] when the log cannot be read, or not within the limits.
    pub async fn events(
        &self,
        scope: &ReadScope,
        filter: &EventFilter,
        cursor: Option<&Cursor>,
        size: PageSize,
    ) -> Result<Page<EventRecord>, QueryError> {
        let before = cursor.map_or(Place::END, |cursor| cursor.0);
        let most = self.share.as_ref().map_or(ReadLimits::ROWS, Share::rows);
        let search = Search { filter, scope, before, rows: usize::from(size.rows()), most };
        let mut reading = self.begin().await?;
        let found = search.run(reading.connection(), &self.index).await;
        let Found { events, next, cut } = reading.finish(found).await?;
        Ok(Page {
            items: events.into_iter().map(Hit::into_record).collect::<Result<_, _>>()?,
            next_cursor: next.map(Cursor),
            scanned_to: next.filter(|_| cut).map(|at| Timestamp::from_micros(at.occurred_at)),
        })
    }

    /// The calls whose decisions `filter` describes, the oldest first, each with its five points: the
    /// newest `size` of them.
    ///
    /// # Errors
    /// [`QueryError`] when the log cannot be read, or not within the limits.
    pub async fn calls(
        &self,
        scope: &ReadScope,
        filter: &EventFilter,
        size: PageSize,
    ) -> Result<Page<TracedCall>, QueryError> {
        let page = self.decisions(scope, filter, None, size).await?;
        let permits = page.items.iter().filter_map(|event| event.permit_id);
        let permits: Vec<_> = permits.map(|permit| hex::encode(permit.as_bytes())).collect();
        let permits = serde_json::Value::from(permits).to_string();
        let mut reading = self.begin().await?;
        let rows = sqlx::query_as!(
            StoredEvent,
            "SELECT l.origin, e.seq, e.id, e.kind, e.occurred_at, e.trace_id, e.call_id, e.session_id,
                    e.context_id, e.task_id, e.tenant_id, e.user_id, e.department, e.credential_id,
                    e.actor_chain, e.agent_id, e.plugin_id, e.door, e.user_agent, e.client_addr,
                    e.server, e.tool, e.arguments_digest, e.arguments_bytes, e.call_digest,
                    e.decision, e.reason_code, e.reason, e.reason_data, e.evaluation,
                    e.policy_version, e.duration_us, e.permit_id, e.expires_at, e.status,
                    e.duration_ms, e.result_bytes, e.result_digest, e.error, e.detail, e.leaf_hash
             FROM json_each(?) AS wanted
             CROSS JOIN audit_events AS e ON e.permit_id = unhex(wanted.value) AND e.kind = 'outcome'
             CROSS JOIN audit_logs AS l ON l.id = e.log_id",
            permits
        )
        .fetch_all(reading.connection())
        .await;
        let mut events = records(reading.finish(rows).await?)?;
        events.extend(page.items.into_iter().rev());
        let Page { next_cursor, scanned_to, .. } = page;
        Ok(Page { items: TracedCall::all(&events), next_cursor, scanned_to })
    }

    /// The events of a log after the place `after`, in order.
    ///
    /// # Errors
    /// [`QueryError`] when the log cannot be read, or not within the limits.
    pub async fn tail(
        &self,
        scope: &ReadScope,
        origin: &Origin,
        after: i64,
        size: PageSize,
    ) -> Result<Vec<EventRecord>, QueryError> {
        let (origin, tenant, limit) = (origin.as_str(), scope.tenant(), size.rows());
        let mut reading = self.begin().await?;
        let rows = sqlx::query_as!(
            StoredEvent,
            "SELECT l.origin, e.seq, e.id, e.kind, e.occurred_at, e.trace_id, e.call_id, e.session_id,
                    e.context_id, e.task_id, e.tenant_id, e.user_id, e.department, e.credential_id,
                    e.actor_chain, e.agent_id, e.plugin_id, e.door, e.user_agent, e.client_addr,
                    e.server, e.tool, e.arguments_digest, e.arguments_bytes, e.call_digest,
                    e.decision, e.reason_code, e.reason, e.reason_data, e.evaluation,
                    e.policy_version, e.duration_us, e.permit_id, e.expires_at, e.status,
                    e.duration_ms, e.result_bytes, e.result_digest, e.error, e.detail, e.leaf_hash
             FROM audit_events AS e JOIN audit_logs AS l ON l.id = e.log_id
             WHERE l.origin = ? AND e.seq > ? AND (? IS NULL OR e.tenant_id = ?)
             ORDER BY e.seq LIMIT ?",
            origin,
            after,
            tenant,
            tenant,
            limit
        )
        .fetch_all(reading.connection())
        .await;
        let rows = reading.finish(rows).await?;
        records(rows)
    }

    /// The logs of the database, each with the place of its last event.
    ///
    /// # Errors
    /// [`QueryError`] when the log cannot be read, or not within the limits.
    pub async fn logs(&self) -> Result<Vec<(String, i64)>, QueryError> {
        let mut reading = self.begin().await?;
        let rows = sqlx::query!(
            r#"SELECT origin, max(size, coalesce((SELECT max(seq) FROM audit_events WHERE log_id = l.id), 0))
                      AS "last_seq!: i64" FROM audit_logs AS l ORDER BY id"#
        )
        .fetch_all(reading.connection())
        .await;
        let rows = reading.finish(rows).await?;
        Ok(rows.into_iter().map(|row| (row.origin, row.last_seq)).collect())
    }

    /// The traces, calls and sessions whose id starts with `prefix`, each kind with the newest first, up
    /// to `size` of each. Looks at every event, unless it has found traces enough.
    ///
    /// # Errors
    /// [`QueryError`] when the log cannot be read, or not within the limits.
    pub async fn named(
        &self,
        scope: &ReadScope,
        prefix: &str,
        size: PageSize,
    ) -> Result<Vec<Named>, QueryError> {
        let mut reading = self.begin().await?;
        let named = named::starting_with(reading.connection(), scope, prefix, size).await;
        reading.finish(named).await
    }
}

fn records(rows: Vec<StoredEvent>) -> Result<Vec<EventRecord>, QueryError> {
    rows.into_iter().map(StoredEvent::into_record).collect()
}
