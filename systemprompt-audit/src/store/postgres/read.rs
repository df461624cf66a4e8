//! The queries of the reading end.

use sqlx::PgConnection;

use super::text;
use crate::query::{LogSize, StoredEvent};

/// The newest 10,001 events of a trace, the newest first.
pub(crate) async fn trace(
    connection: &mut PgConnection,
    id: [u8; 16],
    tenant: Option<&str>,
) -> Result<Vec<StoredEvent>, sqlx::Error> {
    let id = id.as_slice();
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
         WHERE e.trace_id = $1 AND ($2::text IS NULL OR e.tenant_id = $2)
         ORDER BY e.occurred_at DESC, e.id DESC LIMIT 10001",
        id,
        tenant
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(decoded).collect())
}

/// The outcomes of `permits`.
pub(crate) async fn outcomes(
    connection: &mut PgConnection,
    permits: &[[u8; 16]],
) -> Result<Vec<StoredEvent>, sqlx::Error> {
    let permits: Vec<Vec<u8>> = permits.iter().map(|permit| permit.to_vec()).collect();
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
         WHERE e.permit_id = ANY ($1) AND e.kind = 'outcome'",
        &permits
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(decoded).collect())
}

/// The events of a log after a place.
pub(crate) async fn tail(
    connection: &mut PgConnection,
    origin: &str,
    after: i64,
    tenant: Option<&str>,
    limit: i64,
) -> Result<Vec<StoredEvent>, sqlx::Error> {
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
         WHERE l.origin = $1 AND e.seq > $2 AND ($3::text IS NULL OR e.tenant_id = $3)
         ORDER BY e.seq LIMIT $4",
        origin,
        after,
        tenant,
        limit
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(decoded).collect())
}

/// The logs of the database.
pub(crate) async fn logs(connection: &mut PgConnection) -> Result<Vec<LogSize>, sqlx::Error> {
    sqlx::query_as!(
        LogSize,
        r#"SELECT l.origin, greatest(size, coalesce((SELECT max(seq) FROM audit_events WHERE log_id = l.id), 0))
                  AS "last_seq!" FROM audit_logs AS l ORDER BY id"#
    )
    .fetch_all(connection)
    .await
}

/// The event with its texts as they were before they were stored.
pub(crate) fn decoded(event: StoredEvent) -> StoredEvent {
    let decode = |value: Option<String>| value.map(text::decode);
    StoredEvent {
        call_id: decode(event.call_id),
        session_id: decode(event.session_id),
        context_id: decode(event.context_id),
        task_id: decode(event.task_id),
        tenant_id: decode(event.tenant_id),
        user_id: decode(event.user_id),
        department: decode(event.department),
        credential_id: decode(event.credential_id),
        actor_chain: decode(event.actor_chain),
        agent_id: decode(event.agent_id),
        plugin_id: decode(event.plugin_id),
        user_agent: decode(event.user_agent),
        client_addr: decode(event.client_addr),
        server: decode(event.server),
        tool: decode(event.tool),
        reason: decode(event.reason),
        reason_data: decode(event.reason_data),
        evaluation: decode(event.evaluation),
        policy_version: decode(event.policy_version),
        error: decode(event.error),
        detail: decode(event.detail),
        ..event
    }
}
