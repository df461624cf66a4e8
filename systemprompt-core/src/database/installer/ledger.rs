//! The table `systemprompt_schema`: what has been installed.

#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

use super::SchemaError;
use super::step::{Script, StepKind};
use crate::clock::Timestamp;
use crate::database::{ConnectionMut, DbConnection, DbTransaction};

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

/// A row as it is stored.
struct Row {
    owner: String,
    kind: String,
    name: String,
    position: i64,
    checksum: String,
    applied_at: i64,
}

/// Begins the transaction in which everything is installed; one process at a time has it.
pub(super) async fn lock(connection: &mut DbConnection) -> Result<DbTransaction<'_>, SchemaError> {
    match connection.driver() {
        #[cfg(feature = "sqlite")]
        ConnectionMut::Sqlite(connection) => Ok(sqlite::lock(connection).await?.into()),
        #[cfg(feature = "postgres")]
        ConnectionMut::Postgres(connection) => Ok(postgres::lock(connection).await?.into()),
    }
}

/// Makes the table where it is missing.
pub(super) async fn create(mut connection: ConnectionMut<'_>) -> Result<(), SchemaError> {
    if has_relation(lend(&mut connection), TABLE).await? {
        return Ok(());
    }
    match connection {
        #[cfg(feature = "sqlite")]
        ConnectionMut::Sqlite(connection) => sqlite::create(connection).await?,
        #[cfg(feature = "postgres")]
        ConnectionMut::Postgres(connection) => postgres::create(connection).await?,
    }
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    Ok(())
}

const TABLE: &str = "systemprompt_schema";

/// Everything installed, in the order in which it was; empty where the table is missing.
pub(super) async fn read(mut connection: ConnectionMut<'_>) -> Result<Vec<Installed>, SchemaError> {
    if !has_relation(lend(&mut connection), TABLE).await? {
        return Ok(Vec::new());
    }
    let rows: Vec<Row> = match connection {
        #[cfg(feature = "sqlite")]
        ConnectionMut::Sqlite(connection) => sqlite::read(connection).await?,
        #[cfg(feature = "postgres")]
        ConnectionMut::Postgres(connection) => postgres::read(connection).await?,
    };
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
    connection: ConnectionMut<'_>,
    script: &Script,
    position: i64,
    now: Timestamp,
) -> Result<(), SchemaError> {
    match connection {
        #[cfg(feature = "sqlite")]
        ConnectionMut::Sqlite(connection) => {
            sqlite::record(connection, script, position, now).await?;
        }
        #[cfg(feature = "postgres")]
        ConnectionMut::Postgres(connection) => {
            postgres::record(connection, script, position, now).await?;
        }
    }
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    Ok(())
}

/// Forgets that `script` was installed.
pub(super) async fn remove(
    connection: ConnectionMut<'_>,
    script: &Script,
) -> Result<(), SchemaError> {
    match connection {
        #[cfg(feature = "sqlite")]
        ConnectionMut::Sqlite(connection) => sqlite::remove(connection, script).await?,
        #[cfg(feature = "postgres")]
        ConnectionMut::Postgres(connection) => postgres::remove(connection, script).await?,
    }
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    Ok(())
}

/// Whether there is a table or view of this name, without regard to case.
pub(super) async fn has_relation(
    connection: ConnectionMut<'_>,
    name: &str,
) -> Result<bool, SchemaError> {
    match connection {
        #[cfg(feature = "sqlite")]
        ConnectionMut::Sqlite(connection) => Ok(sqlite::has_relation(connection, name).await?),
        #[cfg(feature = "postgres")]
        ConnectionMut::Postgres(connection) => Ok(postgres::has_relation(connection, name).await?),
    }
}

/// Runs a text of several statements.
pub(super) async fn run(connection: ConnectionMut<'_>, sql: &str) -> Result<(), sqlx::Error> {
    let sql = sqlx::raw_sql(sqlx::AssertSqlSafe(sql));
    match connection {
        #[cfg(feature = "sqlite")]
        ConnectionMut::Sqlite(connection) => {
            sql.execute(connection).await?;
        }
        #[cfg(feature = "postgres")]
        ConnectionMut::Postgres(connection) => {
            sql.execute(connection).await?;
        }
    }
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    Ok(())
}

/// Lends a connection on.
fn lend<'c>(connection: &'c mut ConnectionMut<'_>) -> ConnectionMut<'c> {
    match connection {
        #[cfg(feature = "sqlite")]
        ConnectionMut::Sqlite(connection) => ConnectionMut::Sqlite(connection),
        #[cfg(feature = "postgres")]
        ConnectionMut::Postgres(connection) => ConnectionMut::Postgres(connection),
        #[cfg(not(any(feature = "sqlite", feature = "postgres")))]
        ConnectionMut::Never(never, _) => match *never {},
    }
}
