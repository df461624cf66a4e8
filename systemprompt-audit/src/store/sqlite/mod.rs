//! The log in SQLite.

mod backfill;
pub(crate) mod event_rows;
mod events;
mod failure;
mod file_identity;
mod follow;
pub(crate) mod insert;
mod installed;
mod lease;
pub(crate) mod log;
pub(crate) mod named;
mod pen;
pub(crate) mod permits;
pub(crate) mod read;
mod reading;
pub(crate) mod retention;
pub(crate) mod scan;
pub(crate) mod subjects;
pub(crate) mod sweep;
pub(crate) mod tree;

use std::io;
use std::time::Duration;

use serde_json::Value as Json;
use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnection;
use systemprompt_core::clock::Timestamp;
use systemprompt_core::database::SqliteDatabase;

use self::backfill::Backfill;
pub(crate) use self::failure::meaning;
use self::file_identity::FileIdentity;
use self::lease::Lease;
use self::pen::Pen;
pub(crate) use self::reading::Reading;
use self::tree::SqliteTree;
use super::failure::is_broken;
use super::{Appended, Granted, Opened, PlacedRow, Store};
use crate::merkle::{Hash, Tile};
use crate::tree_source::TreeSource;
use crate::{AuditOptions, OpenError, Origin, StoreError, installation};

/// Opens the log that `options` name and takes the lease on it.
pub(crate) async fn open(
    database: &SqliteDatabase,
    options: &AuditOptions,
    now: Timestamp,
) -> Result<Opened<SqliteStore>, OpenError> {
    let mut connection = database.connect().await?;
    let installation = log::installation(&mut connection, &installation::fresh(), now).await;
    let installation = installation.map_err(StoreError::from)?;
    let origin = options.origin.clone().unwrap_or_else(|| Origin::server(&installation, 1));
    let lease = Lease::retake(database.path(), &origin, now).await?;
    let log_id = log::log_id(&mut connection, &origin, now).await.map_err(StoreError::from)?;
    connection.close().await.map_err(StoreError::from)?;
    let store = SqliteStore::open(database, log_id, options.lock_timeout, lease).await?;
    Ok(Opened { store, origin, installation, log_id })
}

/// Appends to the log of the command line in the caller's transaction, which has the write lock.
pub(crate) async fn append_in(
    connection: &mut SqliteConnection,
    events: Vec<Appended>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let installation = log::installation(connection, &installation::fresh(), now).await?;
    let origin = Origin::cli(&installation);
    let log_id = log::log_id(connection, &origin, now).await?;
    let tail = log::tail(connection, log_id).await?;
    let events = super::pending(&origin, events)?;
    let mut tree = SqliteTree { connection: &mut *connection, log_id };
    let (rows, tiles) = super::placed(&mut tree, &events, tail).await?;
    Ok(insert::extend(connection, log_id, &rows, &tiles).await?)
}

/// The writing end of one log in SQLite: one connection that stays warm and writes, in the thread that
/// asks for it, and one that reads.
#[derive(Debug)]
pub(crate) struct SqliteStore {
    database: SqliteDatabase,
    lock_timeout: Duration,
    log_id: i64,
    pen: Pen,
    backfill: Backfill,
    files: FileIdentity,
    connection: Option<SqliteConnection>,
    /// Ends with the store.
    _lease: Lease,
}

impl SqliteStore {
    /// Opens the log `log_id` for writing.
    async fn open(
        database: &SqliteDatabase,
        log_id: i64,
        lock_timeout: Duration,
        lease: Lease,
    ) -> Result<Self, OpenError> {
        let mut connection = connect(database, lock_timeout).await?;
        // Reading makes SQLite open the write-ahead log, which is what is to be remembered.
        log::tail(&mut connection, log_id).await.map_err(StoreError::from)?;
        let files = FileIdentity::of(database.path()).map_err(|error| failed(&error))?;
        let pen = Pen::open(database.path(), log_id, lock_timeout)?;
        Ok(Self {
            database: database.clone(),
            lock_timeout,
            log_id,
            pen,
            backfill: Backfill::start(database.path())?,
            files,
            connection: Some(connection),
            _lease: lease,
        })
    }

    fn connection(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        self.connection.as_mut().ok_or_else(|| StoreError::Failed("no connection".to_owned()))
    }

    fn failure(&mut self, error: &sqlx::Error) -> StoreError {
        if is_broken(error) {
            self.connection = None;
        }
        error.into()
    }
}

impl Store for SqliteStore {
    const BLOCKS: bool = true;

    fn verify(&self) -> Result<(), StoreError> {
        self.files.verify()
    }

    async fn tail(&mut self) -> Result<i64, StoreError> {
        let log_id = self.log_id;
        let result = log::tail(self.connection()?, log_id).await;
        result.map_err(|error| self.failure(&error))
    }

    async fn holds(&mut self, seq: i64, id: [u8; 16]) -> Result<bool, StoreError> {
        let (log_id, id) = (self.log_id, id.as_slice());
        let result = sqlx::query_scalar!(
            r#"SELECT count(*) AS "n!: i64" FROM audit_events WHERE log_id = ? AND seq = ? AND id = ?"#,
            log_id,
            seq,
            id
        )
        .fetch_one(self.connection()?)
        .await;
        result.map(|count| count == 1).map_err(|error| self.failure(&error))
    }

    async fn granted(&mut self, permits: &[[u8; 16]]) -> Result<Vec<Granted>, StoreError> {
        let permits = Json::from_iter(permits.iter().map(hex::encode)).to_string();
        let result = log::granted(self.connection()?, &permits).await;
        result.map_err(|error| self.failure(&error))
    }

    async fn commit(&mut self, rows: &[PlacedRow<'_>], tiles: &[Tile]) -> Result<(), StoreError> {
        self.pen.write(rows, tiles)?;
        self.backfill.count(rows.len());
        Ok(())
    }

    async fn abort(&mut self) {
        if self.connection.is_none() && self.files.verify().is_ok() {
            self.connection = connect(&self.database, self.lock_timeout).await.ok();
        }
    }

    async fn note(&mut self, size: i64) -> Result<(), StoreError> {
        let log_id = self.log_id;
        let result =
            sqlx::query!("UPDATE audit_logs SET size = max(size, ?) WHERE id = ?", size, log_id)
                .execute(self.connection()?)
                .await;
        result.map(|_| ()).map_err(|error| self.failure(&error))
    }

    async fn close(self) {
        if let Some(connection) = self.connection
            && let Err(error) = connection.close().await
        {
            tracing::warn!(%error, "the audit connection did not close cleanly");
        }
    }
}

impl TreeSource for SqliteStore {
    async fn leaves(&mut self, first: u64, count: usize) -> Result<Vec<Hash>, StoreError> {
        let log_id = self.log_id;
        SqliteTree { connection: self.connection()?, log_id }.leaves(first, count).await
    }

    async fn roots(
        &mut self,
        level: u8,
        first: u64,
        count: usize,
    ) -> Result<Vec<Hash>, StoreError> {
        let log_id = self.log_id;
        SqliteTree { connection: self.connection()?, log_id }.roots(level, first, count).await
    }

    async fn tile(&mut self, level: u8, index: u64) -> Result<Option<Vec<Hash>>, StoreError> {
        let log_id = self.log_id;
        SqliteTree { connection: self.connection()?, log_id }.tile(level, index).await
    }
}

async fn connect(
    database: &SqliteDatabase,
    lock_timeout: Duration,
) -> Result<SqliteConnection, OpenError> {
    let mut connection = database.connect().await?;
    let millis = lock_timeout.as_millis().min(60_000);
    let pragma = sqlx::AssertSqlSafe(format!("PRAGMA busy_timeout = {millis}"));
    sqlx::raw_sql(pragma).execute(&mut connection).await.map_err(StoreError::from)?;
    Ok(connection)
}

fn failed(error: &io::Error) -> StoreError {
    StoreError::Failed(error.kind().to_string())
}
