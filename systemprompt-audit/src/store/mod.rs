//! What the writer needs of a database.

mod failure;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;
mod tree;

use std::future::Future;
use std::sync::Arc;

use systemprompt_core::clock::Timestamp;
use systemprompt_core::decision::OutcomeStatus;

use systemprompt_core::database::Driver;
use systemprompt_core::event::AuditEvent;

pub(crate) use self::tree::LogTree;
use crate::leaf::Salt;
use crate::merkle::{Hash, Tile};
use crate::pending::Pending;
use crate::row::Row;
use crate::subject::DataKey;
use crate::tree_source::{TreeSource, load_or_regrow};
use crate::{Origin, StoreError};

/// Runs a query of the backend behind `$pool`; the modules of both have the same functions.
macro_rules! query {
    ($pool:expr, $module:ident :: $function:ident ( $($argument:expr),* )) => {
        match $pool.driver() {
            #[cfg(feature = "sqlite")]
            systemprompt_core::database::Driver::Sqlite(database) => {
                crate::store::sqlite::$module::$function(database, $($argument),*).await
            }
            #[cfg(feature = "postgres")]
            systemprompt_core::database::Driver::Postgres(database) => {
                crate::store::postgres::$module::$function(database, $($argument),*).await
            }
            other => Err(crate::store::unsupported(other)),
        }
    };
}
pub(crate) use query;

/// Runs a query over `$connection`, which is to either backend.
macro_rules! over {
    ($connection:expr, $module:ident :: $function:ident ( $($argument:expr),* )) => {
        match $connection.driver() {
            #[cfg(feature = "sqlite")]
            systemprompt_core::database::ConnectionMut::Sqlite(connection) => {
                crate::store::sqlite::$module::$function(connection, $($argument),*).await
            }
            #[cfg(feature = "postgres")]
            systemprompt_core::database::ConnectionMut::Postgres(connection) => {
                crate::store::postgres::$module::$function(connection, $($argument),*).await
            }
            other => Err(sqlx::Error::Configuration(other.unsupported().into())),
        }
    };
}
pub(crate) use over;

/// Runs a query over a connection of `$pool`, on either backend.
macro_rules! pooled {
    ($pool:expr, $module:ident :: $function:ident ( $($argument:expr),* )) => {
        match $pool.driver() {
            #[cfg(feature = "sqlite")]
            systemprompt_core::database::Driver::Sqlite(database) => {
                match database.pool().acquire().await {
                    Ok(mut connection) => {
                        crate::store::sqlite::$module::$function(&mut connection, $($argument),*).await
                    }
                    Err(error) => Err(error),
                }
            }
            #[cfg(feature = "postgres")]
            systemprompt_core::database::Driver::Postgres(database) => {
                match database.pool().acquire().await {
                    Ok(mut connection) => {
                        crate::store::postgres::$module::$function(&mut connection, $($argument),*).await
                    }
                    Err(error) => Err(error),
                }
            }
            other => Err(crate::store::unsupported(other)),
        }
    };
}
pub(crate) use pooled;

/// The error of a query on a backend that this program was built without.
pub(crate) fn unsupported(driver: Driver<'_>) -> sqlx::Error {
    sqlx::Error::Configuration(driver.unsupported().into())
}

/// A log that is open for writing.
#[derive(Debug)]
pub(crate) struct Opened<S> {
    pub(crate) store: S,
    pub(crate) origin: Origin,
    pub(crate) installation: String,
    pub(crate) log_id: i64,
}

/// Events of the log `origin`, without their places; those with a key are encrypted.
fn pending(origin: &Origin, events: Vec<Appended>) -> Result<Vec<Pending>, StoreError> {
    let event = |(event, key): Appended| match key {
        None => Ok(Pending::event(origin.as_str(), event)),
        Some(key) => Pending::sealed(origin.as_str(), event, &key)
            .ok_or_else(|| StoreError::Failed("encryption failed".to_owned())),
    };
    events.into_iter().map(event).collect()
}

/// An event to append, and the key it is encrypted with.
pub(crate) type Appended = (AuditEvent, Option<Arc<DataKey>>);

/// The events at the places after `tail`, and the tiles of the tree in `source` that they complete.
async fn placed<'e>(
    source: &mut impl TreeSource,
    events: &'e [Pending],
    tail: i64,
) -> Result<(Vec<PlacedRow<'e>>, Vec<Tile>), StoreError> {
    let size = u64::try_from(tail).unwrap_or_default();
    let mut grown = load_or_regrow(source, size).await?;
    let place = |(event, nth): (&'e Pending, i64)| {
        let row = event.place(tail + nth);
        if let Some((tree, tiles)) = &mut grown {
            tree.append(row.leaf_hash, tiles);
        }
        row
    };
    let rows = events.iter().zip(1..).map(place).collect();
    Ok((rows, grown.map(|(_, tiles)| tiles).unwrap_or_default()))
}

/// An event with its place in the log.
#[derive(Debug, Clone)]
pub(crate) struct PlacedRow<'r> {
    pub(crate) seq: i64,
    pub(crate) row: &'r Row,
    pub(crate) salt: Salt,
    pub(crate) leaf_hash: [u8; 32],
}

/// A permit that was granted, as far as settling it needs.
#[derive(Debug, Clone)]
pub(crate) struct Granted {
    pub(crate) permit: [u8; 16],
    pub(crate) trace_id: [u8; 16],
    pub(crate) call_id: Option<Arc<str>>,
    pub(crate) tenant_id: Option<Arc<str>>,
    pub(crate) user_id: Option<Arc<str>>,
    /// Who that is, when it is a pseudonym.
    pub(crate) owner: Option<Arc<str>>,
    pub(crate) expires_at: i64,
    /// How it was settled, if it was.
    pub(crate) settled: Option<OutcomeStatus>,
}

/// A checkpoint as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredCheckpoint {
    pub(crate) size: u64,
    pub(crate) root: Hash,
    pub(crate) note: String,
    pub(crate) created_at: Timestamp,
}

impl StoredCheckpoint {
    /// The checkpoint in the columns of a row; `None` when they hold none.
    fn read(size: i64, root: Vec<u8>, note: String, created_at: i64) -> Option<Self> {
        Some(Self {
            size: size.try_into().ok()?,
            root: root.try_into().ok()?,
            note,
            created_at: Timestamp::from_micros(created_at),
        })
    }
}

/// A place or a size as the columns hold it.
fn place(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The first of `count` places from `first` on, and the one after the last.
fn span(first: u64, count: usize) -> (i64, i64) {
    (place(first), place(first.saturating_add(count as u64)))
}

/// The writing end of one log in a database, and the sole right to write it, which ends with the
/// store. One task owns it; no call is ever cancelled.
pub(crate) trait Store: TreeSource + 'static {
    /// Whether [`commit`](Self::commit) keeps the thread that asks for it until it is done.
    const BLOCKS: bool;

    /// Whether what would be written to is still what was opened.
    fn verify(&self) -> Result<(), StoreError>;

    /// The place of the last event.
    fn tail(&mut self) -> impl Future<Output = Result<i64, StoreError>> + Send;

    /// Whether the event `id` stands at place `seq`.
    fn holds(
        &mut self,
        seq: i64,
        id: [u8; 16],
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Looks permits up for the next [`commit`](Self::commit), in its transaction where the store can. What
    /// another writer has done to them by then makes that be refused.
    fn granted(
        &mut self,
        permits: &[[u8; 16]],
    ) -> impl Future<Output = Result<Vec<Granted>, StoreError>> + Send;

    /// Writes `rows` and `tiles` in one transaction, the one that is open if any. `Ok` means durable. After an error the caller must [`abort`](Self::abort) and find out what happened.
    fn commit(
        &mut self,
        rows: &[PlacedRow<'_>],
        tiles: &[Tile],
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Ends the open transaction, if any, without its writes; replaces a connection that is broken.
    fn abort(&mut self) -> impl Future<Output = ()> + Send;

    /// Writes something durable that changes nothing an auditor sees: how far the log has come.
    fn note(&mut self, size: i64) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Closes the store.
    fn close(self) -> impl Future<Output = ()> + Send;
}

/// The status that `text`, a value of the column, names.
fn status(text: &str) -> OutcomeStatus {
    match text {
        "success" => OutcomeStatus::Success,
        "timeout" => OutcomeStatus::Timeout,
        "abandoned" => OutcomeStatus::Abandoned,
        _ => OutcomeStatus::Failed,
    }
}
