//! The queries of the reading end.

use sqlx::SqliteConnection;

use crate::query::{Cursor, DecisionFilter, LogSize, PageSize, ReadScope, StoredEvent};

/// The newest 10,001 events of a trace, the newest first.
pub(crate) async fn trace(
    connection: &mut SqliteConnection,
    id: [u8; 16],
    tenant: Option<&str>,
) -> Result<Vec<StoredEvent>, sqlx::Error> {
    let id = id.as_slice();
    sqlx::query_as!(
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
    .fetch_all(connection)
    .await
}

/// A page of decisions and one more.
pub(crate) async fn decisions(
    connection: &mut SqliteConnection,
    filter: &DecisionFilter,
    scope: &ReadScope,
    cursor: Option<&Cursor>,
    size: PageSize,
) -> Result<Vec<StoredEvent>, sqlx::Error> {
    let mut query = filter.query(scope, cursor, size, str::to_owned);
    query.build_query_as().fetch_all(connection).await
}

/// The events of a log after a place.
pub(crate) async fn tail(
    connection: &mut SqliteConnection,
    origin: &str,
    after: i64,
    tenant: Option<&str>,
    limit: i64,
) -> Result<Vec<StoredEvent>, sqlx::Error> {
    sqlx::query_as!(
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
    .fetch_all(connection)
    .await
}

/// The logs of the database.
pub(crate) async fn logs(connection: &mut SqliteConnection) -> Result<Vec<LogSize>, sqlx::Error> {
    sqlx::query_as!(
        LogSize,
        r#"SELECT l.origin, max(size, coalesce((SELECT max(seq) FROM audit_events WHERE log_id = l.id), 0))
                  AS "last_seq!: i64" FROM audit_logs AS l ORDER BY id"#
    )
    .fetch_all(connection)
    .await
}

/// The traces, in hex, of calls or sessions whose id starts with `prefix`.
pub(crate) async fn traces_by_prefix(
    connection: &mut SqliteConnection,
    prefix: &str,
    tenant: Option<&str>,
    limit: i64,
) -> Result<Vec<String>, sqlx::Error> {
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
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| row.trace).collect())
}
