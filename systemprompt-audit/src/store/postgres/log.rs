//! The queries that writing a log needs.

use sqlx::PgConnection;
use systemprompt_core::clock::Timestamp;

use crate::Origin;
use crate::store::{Granted, status};

/// The id of this installation; made the first time.
pub(super) async fn installation(
    connection: &mut PgConnection,
    fresh: &str,
    now: Timestamp,
) -> Result<String, sqlx::Error> {
    sqlx::query!(
        "INSERT INTO audit_installation (one, id, created_at) VALUES (1, $1, $2) ON CONFLICT DO NOTHING",
        fresh,
        now.as_micros()
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query_scalar!("SELECT i.id FROM audit_installation AS i").fetch_one(connection).await
}

/// The id of the log `origin`; made the first time.
pub(super) async fn log_id(
    connection: &mut PgConnection,
    origin: &Origin,
    now: Timestamp,
) -> Result<i64, sqlx::Error> {
    if let Some(id) = find(connection, origin).await? {
        return Ok(id);
    }
    sqlx::query!(
        "INSERT INTO audit_logs (origin, created_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        origin.as_str(),
        now.as_micros()
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query_scalar!("SELECT id FROM audit_logs WHERE origin = $1", origin.as_str())
        .fetch_one(connection)
        .await
}

/// The id of the log `origin`, if there is one.
pub(crate) async fn find(
    connection: &mut PgConnection,
    origin: &Origin,
) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar!("SELECT id FROM audit_logs WHERE origin = $1", origin.as_str())
        .fetch_optional(connection)
        .await
}

/// Waits until no other transaction appends to the log.
pub(super) async fn lock(connection: &mut PgConnection, log_id: i64) -> Result<(), sqlx::Error> {
    sqlx::query!("SELECT id FROM audit_logs WHERE id = $1 FOR NO KEY UPDATE", log_id)
        .fetch_one(connection)
        .await
        .map(|_| ())
}

/// The place of the last event of a log, also when retention has removed it.
pub(crate) async fn tail(connection: &mut PgConnection, log_id: i64) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT greatest(size, coalesce((SELECT max(seq) FROM audit_events WHERE log_id = $1), 0))
           AS "tail!" FROM audit_logs WHERE id = $1"#,
        log_id
    )
    .fetch_one(connection)
    .await
}

/// Whether the event `id` stands at place `seq`.
pub(super) async fn holds(
    connection: &mut PgConnection,
    log_id: i64,
    seq: i64,
    id: &[u8],
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM audit_events WHERE log_id = $1 AND seq = $2 AND id = $3)
           AS "holds!""#,
        log_id,
        seq,
        id
    )
    .fetch_one(connection)
    .await
}

/// Begins a transaction that writes.
pub(super) async fn begin(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!("BEGIN ISOLATION LEVEL READ COMMITTED").execute(connection).await.map(|_| ())
}

/// Begins a transaction and looks up which of `permits` were granted.
pub(super) async fn begin_with(
    connection: &mut PgConnection,
    permits: &[[u8; 16]],
) -> Result<Vec<Granted>, sqlx::Error> {
    begin(connection).await?;
    let permits: Vec<Vec<u8>> = permits.iter().map(|permit| permit.to_vec()).collect();
    let rows = sqlx::query!(
        r#"SELECT d.id AS "id!", d.trace_id AS "trace_id!", d.call_id, d.tenant_id, d.user_id, d.expires_at,
                  s.user_id AS "owner?", o.status AS "settled?"
           FROM audit_events AS d
           LEFT JOIN audit_subjects AS s ON s.pseudonym = d.user_id AND s.tenant_id = d.tenant_id
           LEFT JOIN audit_events AS o ON o.permit_id = d.id AND o.kind = 'outcome'
           WHERE d.id = ANY ($1) AND d.kind = 'decision' AND d.decision = 'allow'
             AND d.permit_id IS NULL"#,
        &permits
    )
    .fetch_all(connection)
    .await?;
    let grants = rows.into_iter().filter_map(|row| {
        Some(Granted {
            permit: row.id.try_into().ok()?,
            trace_id: row.trace_id.try_into().ok()?,
            call_id: row.call_id.map(Into::into),
            tenant_id: row.tenant_id.map(Into::into),
            user_id: row.user_id.map(Into::into),
            owner: row.owner.map(Into::into),
            expires_at: row.expires_at.unwrap_or(0),
            settled: row.settled.as_deref().map(status),
        })
    });
    Ok(grants.collect())
}

/// Notes how far the log has come.
pub(super) async fn note(
    connection: &mut PgConnection,
    log_id: i64,
    size: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query!("UPDATE audit_logs SET size = greatest(size, $1) WHERE id = $2", size, log_id)
        .execute(connection)
        .await
        .map(|_| ())
}
