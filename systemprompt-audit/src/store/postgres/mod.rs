//! The log in PostgreSQL.
//!
//! One connection writes a log and holds its lock. A connection that is lost has lost the lock; the
//! next one must have taken it before it says anything about the log, so that nothing of the former
//! can still happen.

mod events;
mod failure;
mod follow;
mod insert;
mod installed;
mod lock;
pub(crate) mod log;
pub(crate) mod named;
pub(crate) mod permits;
pub(crate) mod read;
mod reading;
pub(crate) mod retention;
pub(crate) mod scan;
mod session;
pub(crate) mod subjects;
pub(crate) mod sweep;
pub(crate) mod text;
pub(crate) mod tree;
mod views;

use std::future::Future;
use std::io;
use std::time::Duration;

use sqlx::{Connection as _, PgConnection};
use systemprompt_core::clock::Timestamp;
use systemprompt_core::database::PostgresDatabase;
use tokio::time::timeout;

pub(crate) use self::failure::meaning;
use self::lock::LogLock;
pub(crate) use self::reading::{Reading, in_time};
use self::session::{Identity, Session, Taken};
use self::tree::PostgresTree;
use super::failure::is_broken;
use super::{Appended, Granted, Opened, PlacedRow, Store};
use crate::merkle::{Hash, Tile};
use crate::tree_source::TreeSource;
use crate::{AuditOptions, OpenError, Origin, StoreError, installation};

/// Most replicas that name their logs by themselves.
const MOST_SERVERS: u32 = 10_000;

/// How often a lock that is held is asked for again, for 2 s in all.
const PATIENCE: u32 = 40;

/// What the writer allows a statement beyond the time its callers wait. A server that is gone without
/// a word would otherwise be waited for.
const GRACE: Duration = Duration::from_secs(2);

/// Opens the log that `options` name and takes its lock; without a name, the first log of a server
/// that nobody writes.
pub(crate) async fn open(
    database: &PostgresDatabase,
    options: &AuditOptions,
    now: Timestamp,
) -> Result<Opened<PostgresStore>, OpenError> {
    let mut connection = database.connect().await?;
    let installation = log::installation(&mut connection, &installation::fresh(), now).await;
    let installation = installation.map_err(StoreError::from)?;
    let limit = options.append_timeout + GRACE;
    let mut number = 1;
    let (origin, lock, session) = loop {
        let named = options.origin.clone();
        let origin = named.unwrap_or_else(|| Origin::server(&installation, number));
        let lock = LogLock::of(&installation, &origin);
        let patience = match (&options.origin, number) {
            (Some(_), _) => PATIENCE,
            // Whoever restarts goes on with its own log, and many who start together do not wait long.
            (None, 1) => PATIENCE / 8,
            (None, _) => 0,
        };
        match Session::take(database, lock, None, patience, limit).await? {
            Taken::Session(session) => break (origin, lock, session),
            Taken::Held(_) if options.origin.is_none() && number < MOST_SERVERS => number += 1,
            Taken::Held(holder) => return Err(OpenError::Held { origin, holder }),
        }
    };
    let log_id = log::log_id(&mut connection, &origin, now).await.map_err(StoreError::from)?;
    // It has done its work; whether it says goodbye does not matter.
    let _ = connection.close().await;
    let former = session.identity.clone();
    let connection = Some(session.connection);
    let database = database.clone();
    let store = PostgresStore { database, log_id, lock, limit, connection, former, open: false };
    Ok(Opened { store, origin, installation, log_id })
}

/// Appends to the log of the command line in the caller's transaction. Who appends there waits for
/// those before.
pub(crate) async fn append_in(
    connection: &mut PgConnection,
    events: Vec<Appended>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let installation = log::installation(connection, &installation::fresh(), now).await?;
    let origin = Origin::cli(&installation);
    let log_id = log::log_id(connection, &origin, now).await?;
    log::lock(connection, log_id).await?;
    let tail = log::tail(connection, log_id).await?;
    let events = super::pending(&origin, events)?;
    let mut tree = PostgresTree { connection: &mut *connection, log_id };
    let (rows, tiles) = super::placed(&mut tree, &events, tail).await?;
    insert::insert(connection, log_id, &rows).await?;
    Ok(tree::insert_tiles(connection, log_id, &tiles).await?)
}

/// The writing end of one log in PostgreSQL.
#[derive(Debug)]
pub(crate) struct PostgresStore {
    database: PostgresDatabase,
    log_id: i64,
    lock: LogLock,
    /// Longest time that a statement may take.
    limit: Duration,
    /// Holds the lock as long as it lives; `None` when it was lost.
    connection: Option<PgConnection>,
    /// The session of the connection, or of the one that was lost.
    former: Identity,
    open: bool,
}

impl PostgresStore {
    fn connection(&mut self) -> Result<&mut PgConnection, StoreError> {
        self.connection.as_mut().ok_or_else(|| StoreError::Failed("no connection".to_owned()))
    }

    fn done<T>(&mut self, result: Result<T, sqlx::Error>) -> Result<T, StoreError> {
        result.map_err(|error| {
            if is_broken(&error) {
                self.connection = None;
                self.open = false;
            }
            error.into()
        })
    }

    /// Connects anew, which takes the lock as well.
    async fn reconnect(&mut self) {
        let former = Some(&self.former);
        let taken = Session::take(&self.database, self.lock, former, 0, self.limit).await;
        match taken {
            Ok(Taken::Session(session)) => {
                self.connection = Some(session.connection);
                self.former = session.identity;
            }
            Ok(Taken::Held(holder)) => {
                tracing::warn!(holder, "the lock of the audit log is held by another session");
            }
            // The writer says what it means.
            Err(error) => tracing::debug!(%error, "the audit log cannot connect yet"),
        }
    }
}

/// The result of `statement`, or that of a connection that is lost: after `limit` nobody knows what
/// state it is in.
async fn within<T>(
    limit: Duration,
    statement: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    let late = || Err(sqlx::Error::Io(io::ErrorKind::TimedOut.into()));
    timeout(limit, statement).await.unwrap_or_else(|_| late())
}

impl Store for PostgresStore {
    const BLOCKS: bool = false;

    fn verify(&self) -> Result<(), StoreError> {
        // What a connection is connected to does not change under it.
        Ok(())
    }

    async fn tail(&mut self) -> Result<i64, StoreError> {
        let (log_id, limit) = (self.log_id, self.limit);
        let result = within(limit, log::tail(self.connection()?, log_id)).await;
        self.done(result)
    }

    async fn holds(&mut self, seq: i64, id: [u8; 16]) -> Result<bool, StoreError> {
        let (log_id, limit) = (self.log_id, self.limit);
        let result = within(limit, log::holds(self.connection()?, log_id, seq, &id)).await;
        self.done(result)
    }

    async fn granted(&mut self, permits: &[[u8; 16]]) -> Result<Vec<Granted>, StoreError> {
        let limit = self.limit;
        self.open = true;
        let result = within(limit, log::begin_with(self.connection()?, permits)).await;
        self.done(result)
    }

    async fn commit(&mut self, rows: &[PlacedRow<'_>], tiles: &[Tile]) -> Result<(), StoreError> {
        let (log_id, limit) = (self.log_id, self.limit);
        let parts = insert::parts(rows, self.former.encrypted);
        // One statement is a transaction by itself.
        let begun = self.open;
        let open = begun || parts.len() > 1 || !(rows.is_empty() || tiles.is_empty());
        let connection = self.connection.as_mut();
        let connection =
            connection.ok_or_else(|| StoreError::Failed("no connection".to_owned()))?;
        self.open = open;
        let result = within(limit, async {
            if open && !begun {
                log::begin(connection).await?;
            }
            for part in parts {
                insert::insert(connection, log_id, part).await?;
            }
            tree::insert_tiles(connection, log_id, tiles).await?;
            if open {
                sqlx::query!("COMMIT WORK").execute(connection).await?;
            }
            Ok(())
        })
        .await;
        if result.is_ok() {
            self.open = false;
        }
        self.done(result)
    }

    async fn abort(&mut self) {
        let limit = self.limit;
        if let Some(connection) = self.connection.as_mut().filter(|_| self.open) {
            let rollback = async { sqlx::query!("ROLLBACK WORK").execute(connection).await };
            if within(limit, rollback).await.is_err() {
                self.connection = None;
            }
        }
        self.open = false;
        if self.connection.is_none() {
            self.reconnect().await;
        }
    }

    async fn note(&mut self, size: i64) -> Result<(), StoreError> {
        let (log_id, limit) = (self.log_id, self.limit);
        let result = within(limit, log::note(self.connection()?, log_id, size)).await;
        self.done(result)
    }

    async fn close(self) {
        if let Some(mut connection) = self.connection {
            // The server notices by itself, but not at once, and the next start may be quick.
            let lock = self.lock;
            let closing = async {
                lock.release(&mut connection).await?;
                connection.close().await
            };
            let _ = timeout(GRACE, closing).await;
        }
    }
}

impl TreeSource for PostgresStore {
    async fn leaves(&mut self, first: u64, count: usize) -> Result<Vec<Hash>, StoreError> {
        let log_id = self.log_id;
        PostgresTree { connection: self.connection()?, log_id }.leaves(first, count).await
    }

    async fn roots(
        &mut self,
        level: u8,
        first: u64,
        count: usize,
    ) -> Result<Vec<Hash>, StoreError> {
        let log_id = self.log_id;
        PostgresTree { connection: self.connection()?, log_id }.roots(level, first, count).await
    }

    async fn tile(&mut self, level: u8, index: u64) -> Result<Option<Vec<Hash>>, StoreError> {
        let log_id = self.log_id;
        PostgresTree { connection: self.connection()?, log_id }.tile(level, index).await
    }
}
