//! The embedded backend: a file.

mod file;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use file::{is_installed, refuse_leftovers};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Sqlite, Transaction};

use super::{DatabaseError, DatabaseOptions};

/// A SQLite database that is open. Cloning is a reference count.
#[derive(Debug, Clone)]
pub struct SqliteDatabase {
    pool: SqlitePool,
    path: Arc<PathBuf>,
    connect: SqliteConnectOptions,
}

impl SqliteDatabase {
    pub(super) async fn open(options: &DatabaseOptions) -> Result<Self, DatabaseError> {
        let path = options.path()?;
        if options.create {
            file::create_if_missing(path)?;
        } else if !path.exists() {
            return Err(DatabaseError::Missing { path: path.to_owned() });
        }
        // The file exists by now; no connection makes one in its place.
        let connect = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(false)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(options.busy_timeout);
        let pool = SqlitePoolOptions::new()
            .max_connections(options.max_connections)
            .acquire_timeout(options.acquire_timeout)
            .connect_with(connect.clone())
            .await?;
        Ok(Self { pool, path: Arc::new(path.to_owned()), connect })
    }

    /// The pool.
    #[must_use]
    pub fn pool(&self) -> &SqlitePool {
        &self.pool
    }

    /// The database file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A connection outside the pool.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database cannot be opened.
    pub async fn connect(&self) -> Result<SqliteConnection, DatabaseError> {
        Ok(self.connect.clone().connect().await?)
    }

    /// Begins a transaction that holds the write lock from its first statement.
    ///
    /// # Errors
    /// [`DatabaseError`] when the lock cannot be had in time.
    pub async fn begin_write(&self) -> Result<Transaction<'static, Sqlite>, DatabaseError> {
        Ok(self.pool.begin_with("BEGIN IMMEDIATE").await?)
    }
}
