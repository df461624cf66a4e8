//! The table `systemprompt_schema`: what has been installed.

use sqlx::SqliteConnection;

use super::SchemaError;
use super::step::{Script, StepKind};
use crate::clock::Timestamp;

/// One row of the table.
#[derive(Debug, Clone)]
pub(super) struct Installed {
    pub(super) owner: String,
    pub(super) kind: StepKind,
    pub(super) name: String,
    pub(super) position: i64,
    pub(super) checksum: String,
    pub(super) applied_at: Timestamp,
}

impl Installed {
    pub(super) fn is(&self, script: &Script) -> bool {
        self.kind == script.kind && self.owner == script.owner && self.name == script.name
    }
}

/// Makes the table where it is missing.
pub(super) async fn create(connection: &mut SqliteConnection) -> Result<(), SchemaError> {
    sqlx::raw_sql(include_str!("../../../schema/systemprompt_schema.sql"))
        .execute(connection)
        .await?;
    Ok(())
}

/// Everything installed, in the order in which it was; empty where the table is missing.
pub(super) async fn read(connection: &mut SqliteConnection) -> Result<Vec<Installed>, SchemaError> {
    if !has_relation(connection, "systemprompt_schema").await? {
        return Ok(Vec::new());
    }
    let rows = sqlx::query!(
        "SELECT owner, kind, name, position, checksum, applied_at
         FROM systemprompt_schema ORDER BY position"
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| match StepKind::parse(&row.kind) {
            Some(kind) => Ok(Installed {
                owner: row.owner,
                kind,
                name: row.name,
                position: row.position,
                checksum: row.checksum,
                applied_at: Timestamp::from_micros(row.applied_at),
            }),
            None => Err(SchemaError::Ledger { owner: row.owner, kind: row.kind }),
        })
        .collect()
}

/// Records that `script` was installed.
pub(super) async fn record(
    connection: &mut SqliteConnection,
    script: &Script,
    position: i64,
    now: Timestamp,
) -> Result<(), SchemaError> {
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

/// Whether there is a table or view of this name, without regard to case.
pub(super) async fn has_relation(
    connection: &mut SqliteConnection,
    name: &str,
) -> Result<bool, SchemaError> {
    let found = sqlx::query_scalar!(
        r#"SELECT count(*) AS "found: i64" FROM sqlite_schema
           WHERE type IN ('table', 'view') AND lower(name) = lower(?)"#,
        name,
    )
    .fetch_one(connection)
    .await?;
    Ok(found > 0)
}
