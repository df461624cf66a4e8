use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Connection as _, Sqlite, Transaction};

use super::{DatabaseError, file};

/// How often, and how long apart, closing looks for connections that are still on their way out.
const CLOSE_ATTEMPTS: u32 = 10;
const CLOSE_PAUSE: Duration = Duration::from_millis(20);

/// How to open a database.
#[derive(Debug, Clone)]
pub struct DatabaseOptions {
    /// `sqlite://` followed by a plain path.
    pub url: String,
    /// Whether a missing file is created.
    pub create: bool,
    /// Most pooled connections.
    pub max_connections: u32,
    /// How long a statement waits for another writer's lock.
    pub busy_timeout: Duration,
}

impl DatabaseOptions {
    /// Options for `url` with 4 connections, a lock wait of 1 s and no creation.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            create: false,
            max_connections: 4,
            busy_timeout: Duration::from_secs(1),
        }
    }

    /// Creates the file when it is missing.
    #[must_use]
    pub fn create(mut self, create: bool) -> Self {
        self.create = create;
        self
    }

    fn path(&self) -> Result<&Path, DatabaseError> {
        self.url
            .strip_prefix("sqlite://")
            .filter(|path| !path.is_empty())
            .map(Path::new)
            .ok_or_else(|| DatabaseError::Url { url: self.url.clone() })
    }
}

/// A pool of connections to the host's database. Cloning is a reference count.
#[derive(Debug, Clone)]
pub struct DbPool {
    pool: SqlitePool,
    path: Arc<PathBuf>,
    connect: SqliteConnectOptions,
}

impl DbPool {
    /// Opens the database: WAL, `synchronous=FULL`, foreign keys on. A file that is created is for its
    /// owner alone, and so is what the database keeps beside it.
    ///
    /// # Errors
    /// [`DatabaseError`] when the URL is not understood, the file is missing or cannot be opened, or
    /// would be created beside files that another database has left.
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
            .connect_with(connect.clone())
            .await?;
        Ok(Self { pool, path: Arc::new(path.to_owned()), connect })
    }

    /// The pool, for a host's own queries.
    #[must_use]
    pub fn sqlite(&self) -> &SqlitePool {
        &self.pool
    }

    /// The database file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A connection outside the pool, for a task that keeps one warm.
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

    /// Whether the database answers.
    ///
    /// # Errors
    /// [`DatabaseError`] when it does not.
    pub async fn ping(&self) -> Result<(), DatabaseError> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        Ok(())
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
