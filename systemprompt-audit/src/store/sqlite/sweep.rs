//! What the sweep asks of the database.

use systemprompt_core::database::SqliteDatabase;

use super::lease::Lease;
use crate::Origin;
use crate::sweep::{Grant, Mark};

/// How far each log has been swept.
pub(crate) async fn marks(database: &SqliteDatabase) -> Result<Vec<Mark>, sqlx::Error> {
    sqlx::query_as!(
        Mark,
        r#"SELECT l.id AS "log_id!: i64", l.origin, l.swept_to,
                  coalesce((SELECT max(seq) FROM audit_events WHERE log_id = l.id), 0)
                      AS "tail!: i64"
           FROM audit_logs AS l ORDER BY l.id"#
    )
    .fetch_all(database.pool())
    .await
}

/// The permits that were granted at the places after `from` up to `to`.
pub(crate) async fn grants(
    database: &SqliteDatabase,
    log_id: i64,
    from: i64,
    to: i64,
) -> Result<Vec<Grant>, sqlx::Error> {
    sqlx::query_as!(
        Grant,
        r#"SELECT d.seq, d.id, d.expires_at AS "expires_at!",
                  EXISTS (SELECT 1 FROM audit_events AS o
                          WHERE o.permit_id = d.id AND o.kind = 'outcome') AS "settled!: bool"
           FROM audit_events AS d
           WHERE d.log_id = ? AND d.seq > ? AND d.seq <= ?
             AND d.kind = 'decision' AND d.decision = 'allow' AND d.permit_id IS NULL
             AND d.expires_at IS NOT NULL
           ORDER BY d.seq"#,
        log_id,
        from,
        to
    )
    .fetch_all(database.pool())
    .await
}

/// Notes that a log has been swept up to a place.
pub(crate) async fn advance(
    database: &SqliteDatabase,
    log_id: i64,
    swept_to: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query!("UPDATE audit_logs SET swept_to = max(swept_to, ?) WHERE id = ?", swept_to, log_id)
        .execute(database.pool())
        .await
        .map(|_| ())
}

/// Whether nobody writes the log.
pub(crate) async fn is_free(
    database: &SqliteDatabase,
    _installation: &str,
    origin: &Origin,
) -> Result<bool, sqlx::Error> {
    Ok(Lease::is_free(database.path(), origin))
}
