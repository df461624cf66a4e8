//! The queries of the reading end.

use serde_json::Value as Json;
use sqlx::SqliteConnection;

use crate::query::{LogSize, StoredEvent};

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

/// The outcomes of `permits`.
pub(crate) async fn outcomes(
    connection: &mut SqliteConnection,
    permits: &[[u8; 16]],
) -> Result<Vec<StoredEvent>, sqlx::Error> {
    let permits = Json::from_iter(permits.iter().map(hex::encode)).to_string();
    sqlx::query_as!(
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
    .fetch_all(connection)
    .await
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
