use sqlx::{Connection as _, Sqlite, SqliteConnection, Transaction};

use super::Row;
use crate::clock::Timestamp;
use crate::database::installer::step::Script;

pub(super) async fn lock(
    connection: &mut SqliteConnection,
) -> Result<Transaction<'_, Sqlite>, sqlx::Error> {
    // Another process may be installing, which may take longer than an ordinary write.
    sqlx::raw_sql("PRAGMA busy_timeout = 30000").execute(&mut *connection).await?;
    connection.begin_with("BEGIN IMMEDIATE").await
}

pub(super) async fn create(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(include_str!("../../../../schema/sqlite/systemprompt_schema.sql"))
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn read(connection: &mut SqliteConnection) -> Result<Vec<Row>, sqlx::Error> {
    sqlx::query_as!(
        Row,
        "SELECT owner, kind, name, position, checksum, applied_at
         FROM systemprompt_schema ORDER BY position"
    )
    .fetch_all(connection)
    .await
}

pub(super) async fn record(
    connection: &mut SqliteConnection,
    script: &Script,
    position: i64,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let (kind, applied_at) = (script.kind.as_str(), now.as_micros());
    sqlx::query!(
        "INSERT INTO systemprompt_schema (owner, kind, name, position, checksum, applied_at)
         VALUES (?, ?, ?, ?, ?, ?)",
        script.owner,
        kind,
        script.name,
        position,
        script.checksum,
        applied_at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn remove(
    connection: &mut SqliteConnection,
    script: &Script,
) -> Result<(), sqlx::Error> {
    let kind = script.kind.as_str();
    sqlx::query!(
        "DELETE FROM systemprompt_schema WHERE owner = ? AND kind = ? AND name = ?",
        script.owner,
        kind,
        script.name,
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn has_relation(
    connection: &mut SqliteConnection,
    name: &str,
) -> Result<bool, sqlx::Error> {
    let found = sqlx::query_scalar!(
        r#"SELECT count(*) AS "found: i64" FROM sqlite_schema
           WHERE type IN ('table', 'view') AND lower(name) = lower(?)"#,
        name,
    )
    .fetch_one(connection)
    .await?;
    Ok(found > 0)
}
