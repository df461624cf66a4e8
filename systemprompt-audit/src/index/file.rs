//! The file that the index lives in.

use std::path::Path;

use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnection;
use systemprompt_core::database::{DatabaseError, DatabaseOptions, SqliteDatabase};

/// What an index is made of; another number is another index.
const VERSION: i64 = 2;

const TABLES: &str = include_str!("../../schema/sqlite-index/index.sql");

const DROP: &str = "DROP TABLE IF EXISTS audit_index_logs;
    DROP TABLE IF EXISTS audit_index_segments;
    DROP TABLE IF EXISTS audit_index_postings;";

/// The index of `database`, which must exist; `None` when it does not, or is of another version.
pub(super) async fn open(database: &Path) -> Option<SqliteDatabase> {
    let pool = SqliteDatabase::open(&options(database)).await.ok()?;
    let mut connection = pool.pool().acquire().await.ok()?;
    (version(&mut connection).await.ok()? == VERSION).then_some(pool)
}

/// The index of `database`, made when it does not exist, with a connection that writes it.
pub(super) async fn create(database: &Path) -> Result<SqliteConnection, DatabaseError> {
    let mut options = options(database).create(true);
    options.max_connections = 1;
    let pool = match SqliteDatabase::open(&options).await {
        Err(DatabaseError::Leftover { files, .. }) => {
            // Of an index that somebody deleted; nothing in them is wanted.
            files.iter().for_each(|file| drop(std::fs::remove_file(file)));
            SqliteDatabase::open(&options).await?
        }
        pool => pool?,
    };
    let mut connection = pool.connect().await?;
    pool.close().await;
    // What a crash loses is found in the events again: a commit need not reach the disk at once.
    sqlx::query!("PRAGMA synchronous = NORMAL").execute(&mut connection).await?;
    if version(&mut connection).await? != VERSION {
        make(&mut connection).await?;
    }
    Ok(connection)
}

/// Empties the index.
pub(super) async fn make(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    sqlx::raw_sql(DROP).execute(&mut *transaction).await?;
    sqlx::raw_sql(TABLES).execute(&mut *transaction).await?;
    sqlx::query!("PRAGMA user_version = 2").execute(&mut *transaction).await?;
    transaction.commit().await
}

async fn version(connection: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    // The macros know no type for what a pragma answers.
    sqlx::query_scalar("PRAGMA user_version").fetch_one(connection).await
}

fn options(database: &Path) -> DatabaseOptions {
    DatabaseOptions::new(format!("sqlite://{}-index", database.display()))
}
