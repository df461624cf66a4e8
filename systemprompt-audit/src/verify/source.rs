use std::future::Future;
use std::path::PathBuf;

use systemprompt_core::database::{Backend, DatabaseError, DatabaseOptions};

use crate::StoreError;
use crate::merkle::{Hash, Tile};
use crate::retention::PrunedRow;
use crate::scanned_row::ScannedRow;
use crate::store::StoredCheckpoint;
#[cfg(feature = "postgres")]
use crate::store::postgres::scan::PostgresSource;
#[cfg(feature = "sqlite")]
use crate::store::sqlite::scan::SqliteSource;
use crate::tree_source::TreeSource;

/// A database to be verified, which is never written to.
#[derive(Debug)]
pub struct AuditSource(pub(crate) AnySource);

#[derive(Debug)]
pub(crate) enum AnySource {
    #[cfg(feature = "sqlite")]
    Sqlite(SqliteSource),
    #[cfg(feature = "postgres")]
    Postgres(Box<PostgresSource>),
    #[cfg(not(any(feature = "sqlite", feature = "postgres")))]
    Never(std::convert::Infallible),
}

/// Why a database cannot be verified.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The URL is not understood. It is not repeated: it may hold a password.
    #[error(
        "a database to be verified is given as `sqlite://` and a path, or as \
         `postgres://<user>@<host>/<database>`"
    )]
    Url,
    /// There is no such file.
    #[error("there is no database at `{}`", path.display())]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// It cannot be opened.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// There is no audit log in it.
    #[error("there is no audit log in the database")]
    NoLog,
    /// It cannot be read.
    #[error("the database cannot be read: {0}")]
    Store(#[from] StoreError),
}

impl AuditSource {
    /// Opens the database at `url`, `sqlite://` and a plain path or `postgres://`, for reading alone.
    ///
    /// As [`open_with`](Self::open_with), with nothing but the URL.
    ///
    /// # Errors
    /// [`SourceError`] when it cannot be read or holds no audit log.
    pub async fn open(url: &str) -> Result<Self, SourceError> {
        Self::open_with(&DatabaseOptions::new(url)).await
    }

    /// Opens a database for reading alone.
    ///
    /// A SQLite database without a write-ahead log beside it, such as a copy, is read without locks and
    /// without leaving anything beside it. On PostgreSQL every transaction is read-only, and the role needs
    /// no more than `SELECT` on the tables.
    ///
    /// # Errors
    /// [`SourceError`] when it cannot be read or holds no audit log.
    pub async fn open_with(options: &DatabaseOptions) -> Result<Self, SourceError> {
        match options.backend().map_err(|_| SourceError::Url)? {
            #[cfg(feature = "sqlite")]
            Backend::Sqlite => {
                let path = options.url.strip_prefix("sqlite://");
                let path = PathBuf::from(path.ok_or(SourceError::Url)?);
                if !path.is_file() {
                    return Err(SourceError::Missing { path });
                }
                Ok(Self(AnySource::Sqlite(SqliteSource::open(&path).await?)))
            }
            #[cfg(feature = "postgres")]
            Backend::Postgres => {
                let source = PostgresSource::open(options).await?;
                Ok(Self(AnySource::Postgres(Box::new(source))))
            }
            #[allow(unreachable_patterns, reason = "with every backend there is no other")]
            other => Err(DatabaseError::unsupported(other).into()),
        }
    }
}

/// A log as the database names it.
#[derive(Debug, Clone)]
pub(crate) struct LogRow {
    pub(crate) id: i64,
    pub(crate) origin: String,
    /// How many events it has had at least.
    pub(crate) size: i64,
    pub(crate) swept_to: i64,
    /// The place of the last row that is there, at most [`LAST_PLACE`]; 0 when there is none.
    pub(crate) last: i64,
}

/// The last place that a log can come to: at a million events a second after 146,000 years. A row beyond
/// it was not written by the log, and what is counted from a place up to it does not overflow.
pub(crate) const LAST_PLACE: i64 = i64::MAX / 2;

/// A row that belongs to no log, or stands before the first place of one or beyond [`LAST_PLACE`].
#[derive(Debug, Clone)]
pub(crate) struct Stray {
    pub(crate) log_id: i64,
    pub(crate) seq: i64,
    pub(crate) id: Vec<u8>,
}

/// An event about a key.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct KeyEvent {
    pub(crate) seq: i64,
    pub(crate) kind: String,
    pub(crate) detail: String,
}

/// A tile as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct StoredTile {
    pub(crate) index: u64,
    pub(crate) root: Vec<u8>,
    pub(crate) hashes: Option<Vec<Hash>>,
}

impl StoredTile {
    /// The tile in the columns of a row, whatever they hold.
    pub(crate) fn read(index: i64, root: Vec<u8>, hashes: &[u8]) -> Self {
        let hashes = Tile::hashes_from(hashes);
        Self { index: u64::try_from(index).unwrap_or_default(), root, hashes }
    }
}

/// What the database knows of a permit.
#[derive(Debug, Clone)]
pub(crate) struct GrantFacts {
    pub(crate) permit: Vec<u8>,
    /// Whether a decision grants it.
    pub(crate) granted: bool,
    /// How many outcomes it has.
    pub(crate) outcomes: i64,
}

/// What verification needs of a database.
pub(crate) trait LogSource: Send {
    /// The tree of a log.
    type Tree<'t>: TreeSource
    where
        Self: 't;

    /// From here on all is read as it is at one moment, whatever others write meanwhile.
    fn begin(&mut self) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Ends what [`begin`](Self::begin) began.
    fn end(&mut self) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// What is wrong with the tables themselves and with what was installed around them.
    fn table_faults(&mut self) -> impl Future<Output = Result<Vec<String>, StoreError>> + Send;

    /// All logs.
    fn logs(&mut self) -> impl Future<Output = Result<Vec<LogRow>, StoreError>> + Send;

    /// Some of the rows that stand nowhere.
    fn strays(&mut self) -> impl Future<Output = Result<Vec<Stray>, StoreError>> + Send;

    /// The place of the first row after `after`.
    fn next(
        &mut self,
        log_id: i64,
        after: i64,
    ) -> impl Future<Output = Result<Option<i64>, StoreError>> + Send;

    /// Hands each of the rows after `after` up to `to` to `each`, in order.
    fn scan(
        &mut self,
        log_id: i64,
        after: i64,
        to: i64,
        each: &mut (dyn FnMut(ScannedRow<'_>) + Send),
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The tiles from `from` up to but not including `to`.
    fn tiles(
        &mut self,
        log_id: i64,
        level: u8,
        from: u64,
        to: u64,
    ) -> impl Future<Output = Result<Vec<StoredTile>, StoreError>> + Send;

    /// The checkpoints of more than `after` and at most `to` events, in the order of their sizes. One
    /// that cannot be read is an error message in its place.
    fn checkpoints(
        &mut self,
        log_id: i64,
        after: i64,
        to: i64,
    ) -> impl Future<Output = Result<Vec<Result<StoredCheckpoint, i64>>, StoreError>> + Send;

    /// The events about keys, in order.
    fn key_events(
        &mut self,
        log_id: i64,
    ) -> impl Future<Output = Result<Vec<KeyEvent>, StoreError>> + Send;

    /// Up to where a log was pruned, if it was.
    fn pruned(
        &mut self,
        log_id: i64,
    ) -> impl Future<Output = Result<Option<PrunedRow>, StoreError>> + Send;

    /// What is known of `permits`.
    fn grants(
        &mut self,
        permits: &[[u8; 16]],
    ) -> impl Future<Output = Result<Vec<GrantFacts>, StoreError>> + Send;

    /// Those of `permits` that an outcome settles.
    fn settled(
        &mut self,
        permits: &[[u8; 16]],
    ) -> impl Future<Output = Result<Vec<Vec<u8>>, StoreError>> + Send;

    /// Where the event `id` stands: log and place.
    fn find(
        &mut self,
        id: &[u8; 16],
    ) -> impl Future<Output = Result<Option<(i64, i64)>, StoreError>> + Send;

    /// The checkpoint of the largest size.
    fn last_checkpoint(
        &mut self,
        log_id: i64,
    ) -> impl Future<Output = Result<Option<StoredCheckpoint>, StoreError>> + Send;

    /// The tree of a log.
    fn tree(&mut self, log_id: i64) -> Self::Tree<'_>;
}
