//! The embedded backend: a file.

mod file;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub use file::{is_installed, refuse_leftovers};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Connection as _, Sqlite, Transaction};

use super::{DatabaseError, DatabaseOptions};

/// How often, and how long apart, closing looks for connections that are still on their way out.
const CLOSE_ATTEMPTS: u32 = 10;
const CLOSE_PAUSE: Duration = Duration::from_millis(20);

/// A SQLite database that is open. Cloning is a reference count.
#[derive(Debug, Clone)]
pub struct SqliteDatabase {
    pool: SqlitePool,
    path: Arc<PathBuf>,
    connect: SqliteConnectOptions,
}

impl SqliteDatabase {
    /// Opens the file, as [`DbPool::open`](super::DbPool::open) does.
    ///
    /// # Errors
    /// [`DatabaseError`] when the URL is not of SQLite, the file is missing, or it cannot be opened.
    pub async fn open(options: &DatabaseOptions) -> Result<Self, DatabaseError> {
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

    /// Closes all pooled connections. The write-ahead log goes with the last connection there is.
    pub async fn close(&self) {
        self.pool.close().await;
        // Connections that close at the same moment each take the other one for the last, and both leave
        // the log behind. One more is alone, unless one that was dropped is still on its way out.
        for _ in 0..CLOSE_ATTEMPTS {
            if let Err(error) = self.close_last().await {
                tracing::debug!(%error, "the last connection did not close cleanly");
            }
            if !self.has_log() {
                return;
            }
            tokio::time::sleep(CLOSE_PAUSE).await;
        }
        tracing::debug!("another process has the database open; the write-ahead log stays with it");
    }

    /// Opens and closes a connection, writing what the write-ahead log holds into the database.
    async fn close_last(&self) -> Result<(), DatabaseError> {
        // A reader in another process is not waited for.
        let mut last = self.connect.clone().busy_timeout(CLOSE_PAUSE).connect().await?;
        // Even where the log stays, because somebody else reads, the file alone is then complete.
        sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut last).await?;
        Ok(last.close().await?)
    }

    fn has_log(&self) -> bool {
        let mut log = self.path.as_os_str().to_owned();
        log.push("-wal");
        Path::new(&log).exists()
    }
}
