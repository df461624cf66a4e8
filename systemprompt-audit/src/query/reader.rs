use systemprompt_core::database::DbPool;
use systemprompt_core::id::TraceId;

use super::share::{Reading, Share};
use super::stored::StoredEvent;
use super::{
    Cursor, DecisionFilter, EventRecord, FivePointTrace, Page, PageSize, ReadLimits, ReadScope,
};
use crate::{Origin, QueryError};

/// Reads the logs of a database. Cloning is a reference count.
#[derive(Debug, Clone)]
pub struct AuditReader {
    pool: DbPool,
    share: Option<Share>,
}

impl AuditReader {
    /// A reader of the logs in `pool`, which takes what time it needs.
    #[must_use]
    pub fn new(pool: DbPool) -> Self {
        Self { pool, share: None }
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

    async fn begin(&self) -> Result<Reading, QueryError> {
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
    /// Rows that are there when the first page is read appear exactly once, whatever is written
    /// meanwhile.
    ///
    /// # Errors
    /// [`QueryError`] when the log cannot be read, or not within the limits.
    pub async fn decisions(
        &self,
        scope: &ReadScope,
        filter: &DecisionFilter,
        cursor: Option<&Cursor>,
        size: PageSize,
    ) -> Result<Page<EventRecord>, QueryError> {
        let mut query = filter.query(scope, cursor, size);
        let mut reading = self.begin().await?;
        let rows = query.build_query_as().fetch_all(reading.connection()).await;
        let rows: Vec<StoredEvent> = reading.finish(rows).await?;
        let mut items = records(rows)?;
        let more = items.len() > usize::from(size.rows());
        items.truncate(usize::from(size.rows()));
        let last = items.last().filter(|_| more);
        let next_cursor = last.map(|event| Cursor { occurred_at: event.occurred_at, id: event.id });
        Ok(Page { items, next_cursor })
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

    /// The traces of calls or sessions whose id starts with `prefix`, newest first.
    ///
    /// # Errors
    /// [`QueryError`] when the log cannot be read, or not within the limits.
    pub async fn traces_by_prefix(
        &self,
        scope: &ReadScope,
        prefix: &str,
        size: PageSize,
    ) -> Result<Vec<TraceId>, QueryError> {
        let (tenant, limit) = (scope.tenant(), size.rows());
        let mut reading = self.begin().await?;
        let rows = sqlx::query!(
            r#"SELECT lower(hex(trace_id)) AS "trace!: String", max(occurred_at) AS "at!: i64"
               FROM audit_events
               WHERE (substr(call_id, 1, length(?)) = ? OR substr(session_id, 1, length(?)) = ?
                      OR substr(lower(hex(trace_id)), 1, length(?)) = ?)
                 AND (? IS NULL OR tenant_id = ?)
               GROUP BY trace_id ORDER BY max(occurred_at) DESC LIMIT ?"#,
            prefix,
            prefix,
            prefix,
            prefix,
            prefix,
            prefix,
            tenant,
            tenant,
            limit
        )
        .fetch_all(reading.connection())
        .await;
        let rows = reading.finish(rows).await?;
        Ok(rows.into_iter().filter_map(|row| row.trace.parse().ok()).collect())
    }
}

fn records(rows: Vec<StoredEvent>) -> Result<Vec<EventRecord>, QueryError> {
    rows.into_iter().map(StoredEvent::into_record).collect()
}
