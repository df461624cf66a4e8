//! What retention asks of the database.

use serde_json::Value as Json;
use sqlx::SqliteConnection;

use crate::retention::{LogExtent, PrunedRow, SaidOfOther, Stretch};
use crate::verify::KeyEvent;

/// The logs, and how far each may be pruned as far as others go: `sinks` have to have their events first.
pub(crate) async fn extents(
    connection: &mut SqliteConnection,
    sinks: &[String],
) -> Result<Vec<LogExtent>, sqlx::Error> {
    let sinks = Json::from(sinks).to_string();
    sqlx::query_as!(
        LogExtent,
        r#"SELECT l.id AS "log_id!: i64", l.origin, l.swept_to,
                  coalesce((SELECT min(seq) FROM audit_events WHERE log_id = l.id), 0) AS "first!: i64",
                  coalesce((SELECT max(seq) FROM audit_events WHERE log_id = l.id), 0) AS "last!: i64",
                  coalesce((SELECT max(size) FROM audit_checkpoints WHERE log_id = l.id), 0)
                      AS "signed!: i64",
                  coalesce((SELECT up_to FROM audit_pruned WHERE log_id = l.id), 0) AS "pruned_to!: i64",
                  (SELECT min(coalesce(x.seq, 0)) FROM json_each(?) AS wanted
                   LEFT JOIN audit_exports AS x ON x.sink = wanted.value AND x.log_id = l.id)
                      AS "exported: i64"
           FROM audit_logs AS l ORDER BY l.id"#,
        sinks
    )
    .fetch_all(connection)
    .await
}

/// What is known of the events after one place up to another.
pub(crate) async fn stretch(
    connection: &mut SqliteConnection,
    log_id: i64,
    after: i64,
    to: i64,
) -> Result<Stretch, sqlx::Error> {
    sqlx::query_as!(
        Stretch,
        r#"SELECT count(*) AS "rows!: i64", max(occurred_at) AS "newest: i64",
                  coalesce(sum(octet_length(coalesce(reason, '') || coalesce(reason_data, '')
                      || coalesce(evaluation, '') || coalesce(error, '') || coalesce(detail, ''))), 0)
                      AS "bytes!: i64"
           FROM audit_events WHERE log_id = ? AND seq > ? AND seq <= ?"#,
        log_id,
        after,
        to
    )
    .fetch_one(connection)
    .await
}

/// The id of the event at a place.
pub(crate) async fn id_at(
    connection: &mut SqliteConnection,
    log_id: i64,
    seq: i64,
) -> Result<Option<Vec<u8>>, sqlx::Error> {
    sqlx::query_scalar!("SELECT id FROM audit_events WHERE log_id = ? AND seq = ?", log_id, seq)
        .fetch_optional(connection)
        .await
}

/// The events about keys up to a place.
pub(crate) async fn key_events(
    connection: &mut SqliteConnection,
    log_id: i64,
    to: i64,
) -> Result<Vec<KeyEvent>, sqlx::Error> {
    sqlx::query_as!(
        KeyEvent,
        r#"SELECT seq, kind, coalesce(detail, '') AS "detail!: String" FROM audit_events
           WHERE log_id = ? AND seq <= ? AND kind IN ('audit_key_added', 'audit_key_retired')
           ORDER BY seq"#,
        log_id,
        to
    )
    .fetch_all(connection)
    .await
}

/// Up to where a log was pruned, with the event that says so.
pub(crate) async fn pruned(
    connection: &mut SqliteConnection,
    log_id: i64,
) -> Result<Option<PrunedRow>, sqlx::Error> {
    // A database from before there was retention.
    let there = sqlx::query_scalar!(
        r#"SELECT count(*) AS "n!: i64" FROM sqlite_master WHERE name = 'audit_pruned'"#
    );
    if there.fetch_one(&mut *connection).await? == 0 {
        return Ok(None);
    }
    sqlx::query_as!(
        PrunedRow,
        r#"SELECT p.up_to, e.detail
           FROM audit_pruned AS p
           LEFT JOIN audit_events AS e ON e.id = p.event AND e.kind = 'pruned'
           WHERE p.log_id = ?"#,
        log_id
    )
    .fetch_optional(connection)
    .await
}

/// What the events of a log up to a place say about the pruning of other logs, as far as it is still needed.
pub(crate) async fn said_of_others(
    connection: &mut SqliteConnection,
    log_id: i64,
    to: i64,
) -> Result<Vec<SaidOfOther>, sqlx::Error> {
    sqlx::query_as!(
        SaidOfOther,
        r#"SELECT p.log_id, p.up_to, coalesce(e.detail, '') AS "detail!: String"
           FROM audit_pruned AS p JOIN audit_events AS e ON e.id = p.event AND e.kind = 'pruned'
           WHERE e.log_id = ? AND e.seq <= ? AND p.log_id <> ?"#,
        log_id,
        to,
        log_id
    )
    .fetch_all(connection)
    .await
}

/// Notes up to where a log was pruned.
pub(crate) async fn mark(
    connection: &mut SqliteConnection,
    log_id: i64,
    up_to: i64,
    event: &[u8],
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO audit_pruned (log_id, up_to, event) VALUES (?, ?, ?)
         ON CONFLICT (log_id) DO UPDATE SET up_to = excluded.up_to, event = excluded.event
         WHERE excluded.up_to >= audit_pruned.up_to",
        log_id,
        up_to,
        event
    )
    .execute(connection)
    .await
    .map(|_| ())
}

/// Deletes the events up to a place.
pub(crate) async fn delete(
    connection: &mut SqliteConnection,
    log_id: i64,
    to: i64,
) -> Result<u64, sqlx::Error> {
    sqlx::query!("DELETE FROM audit_events WHERE log_id = ? AND seq <= ?", log_id, to)
        .execute(connection)
        .await
        .map(|done| done.rows_affected())
}
