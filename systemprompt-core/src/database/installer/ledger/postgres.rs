use sqlx::{Connection as _, PgConnection, Postgres, Transaction};

use super::Row;
use crate::clock::Timestamp;
use crate::database::installer::step::Script;

/// The advisory lock of those who install: `systempr` in ASCII.
const INSTALLING: i64 = 0x7379_7374_656d_7072;

pub(super) async fn lock(
    connection: &mut PgConnection,
) -> Result<Transaction<'_, Postgres>, sqlx::Error> {
    let begin = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
    let mut transaction = connection.begin_with(begin).await?;
    // Another process may be installing, which may take longer than an ordinary statement.
    sqlx::raw_sql("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '120s'")
        .execute(&mut *transaction)
        .await?;
    sqlx::query!("SELECT pg_advisory_xact_lock($1)", INSTALLING)
        .fetch_one(&mut *transaction)
        .await?;
    Ok(transaction)
}

pub(super) async fn create(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(include_str!("../../../../schema/postgres/systemprompt_schema.sql"))
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn read(connection: &mut PgConnection) -> Result<Vec<Row>, sqlx::Error> {
    sqlx::query_as!(
        Row,
        "SELECT owner, kind, name, position, checksum, applied_at
         FROM systemprompt_schema ORDER BY position, name"
    )
    .fetch_all(connection)
    .await
}

pub(super) async fn record(
    connection: &mut PgConnection,
    script: &Script,
    position: i64,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO systemprompt_schema (owner, kind, name, position, checksum, applied_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        script.owner,
        script.kind.as_str(),
        script.name,
        position,
        script.checksum,
        now.as_micros(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn remove(
    connection: &mut PgConnection,
    script: &Script,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "DELETE FROM systemprompt_schema WHERE owner = $1 AND kind = $2 AND name = $3",
        script.owner,
        script.kind.as_str(),
        script.name,
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn has_relation(
    connection: &mut PgConnection,
    name: &str,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (
               SELECT 1 FROM pg_catalog.pg_class AS c
               JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
               WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p', 'v', 'm')
                 AND lower(c.relname) = lower($1)) AS "found!""#,
        name,
    )
    .fetch_one(connection)
    .await
}
