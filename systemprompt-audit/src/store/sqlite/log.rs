//! The queries that writing a log needs.

use sqlx::sqlite::SqliteConnection;
use systemprompt_core::clock::Timestamp;

use crate::Origin;
use crate::store::{Granted, status};

/// The id of this installation; made the first time.
pub(crate) async fn installation(
    connection: &mut SqliteConnection,
    fresh: &str,
    now: Timestamp,
) -> Result<String, sqlx::Error> {
    let created_at = now.as_micros();
    sqlx::query!(
        "INSERT INTO audit_installation (one, id, created_at) VALUES (1, ?, ?) ON CONFLICT DO NOTHING",
        fresh,
        created_at
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query_scalar!("SELECT id FROM audit_installation").fetch_one(connection).await
}

/// The id of the log `origin`; made the first time.
pub(crate) async fn log_id(
    connection: &mut SqliteConnection,
    origin: &Origin,
    now: Timestamp,
) -> Result<i64, sqlx::Error> {
    let (origin, created_at) = (origin.as_str(), now.as_micros());
    sqlx::query!(
        "INSERT INTO audit_logs (origin, created_at) VALUES (?, ?) ON CONFLICT DO NOTHING",
        origin,
        created_at
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query_scalar!(r#"SELECT id AS "id!: i64" FROM audit_logs WHERE origin = ?"#, origin)
        .fetch_one(connection)
        .await
}

/// The id of the log `origin`, if there is one.
pub(crate) async fn find(
    connection: &mut SqliteConnection,
    origin: &Origin,
) -> Result<Option<i64>, sqlx::Error> {
    let origin = origin.as_str();
    sqlx::query_scalar!(r#"SELECT id AS "log_id!: i64" FROM audit_logs WHERE origin = ?"#, origin)
        .fetch_optional(connection)
        .await
}

/// The place of the last event of a log, also when retention has removed it.
pub(crate) async fn tail(
    connection: &mut SqliteConnection,
    log_id: i64,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT max(size, coalesce((SELECT max(seq) FROM audit_events WHERE log_id = ?), 0))
           AS "tail!: i64" FROM audit_logs WHERE id = ?"#,
        log_id,
        log_id
    )
    .fetch_one(connection)
    .await
}

/// The permits among `permits`, a JSON array of ids in hex, that were granted.
pub(crate) async fn granted(
    connection: &mut SqliteConnection,
    permits: &str,
) -> Result<Vec<Granted>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT d.id AS "id!", d.trace_id AS "trace_id!", d.call_id, d.tenant_id, d.user_id, d.expires_at,
                  s.user_id AS "owner?", o.status AS "settled?"
           FROM json_each(?) AS wanted
           CROSS JOIN audit_events AS d ON d.id = unhex(wanted.value)
           LEFT JOIN audit_subjects AS s ON s.pseudonym = d.user_id AND s.tenant_id = d.tenant_id
           LEFT JOIN audit_events AS o ON o.permit_id = d.id AND o.kind = 'outcome'
           WHERE d.kind = 'decision' AND d.decision = 'allow' AND d.permit_id IS NULL"#,
        permits
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
