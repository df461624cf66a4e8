//! The share of the database that readers may take, so that questions never starve decisions.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Sqlite, SqlitePool};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use crate::QueryError;

/// Steps of the database between two looks at the time; well under a millisecond.
const STEPS: i32 = 1_000;

/// SQLite's code for a statement that was interrupted (sqlite.org/rescode.html).
const INTERRUPTED: &str = "9";

/// How much of a database the clones of one [`AuditReader`](crate::AuditReader) may take together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadLimits {
    /// Most queries that run at once.
    pub concurrent: usize,
    /// How long a query waits until it may run.
    pub wait: Duration,
    /// How long it may run.
    pub time: Duration,
    /// Most rows that a page reads to be full, at least 1.
    pub rows: usize,
}

impl ReadLimits {
    /// Most rows that a page reads, also of a reader without limits.
    pub const ROWS: usize = 200_000;
}

impl Default for ReadLimits {
    /// Two at once, each waiting up to 2 s, running up to 5 s and reading up to 200,000 rows.
    fn default() -> Self {
        Self {
            concurrent: 2,
            wait: Duration::from_secs(2),
            time: Duration::from_secs(5),
            rows: Self::ROWS,
        }
    }
}

/// Lets as many queries through as the limits allow.
#[derive(Debug, Clone)]
pub(super) struct Share {
    limits: ReadLimits,
    slots: Arc<Semaphore>,
}

impl Share {
    pub(super) fn new(limits: ReadLimits) -> Self {
        Self { limits, slots: Arc::new(Semaphore::new(limits.concurrent)) }
    }

    /// Most rows that a page reads.
    pub(super) fn rows(&self) -> usize {
        self.limits.rows.max(1)
    }

    /// A connection for one query, when it is the query's turn.
    pub(super) async fn enter(&self, pool: &SqlitePool) -> Result<Reading, QueryError> {
        let start =
            async {
                let slots = self.slots.clone();
                let slot = slots.acquire_owned().await.map_err(|_| QueryError::Busy)?;
                let over = Arc::new(AtomicBool::new(false));
                let bound = Bound { over: over.clone(), _slot: slot };
                let mut reading = Reading { connection: pool.acquire().await?, bound: Some(bound) };
                let end = Instant::now() + self.limits.time;
                reading.connection.lock_handle().await?.set_progress_handler(STEPS, move || {
                    !over.load(Relaxed) && Instant::now() < end
                });
                Ok(reading)
            };
        timeout(self.limits.wait, start).await.unwrap_or(Err(QueryError::Busy))
    }
}

/// A connection that reads. Dropping it before [`finish`](Self::finish) interrupts the query, so that
/// a caller who went away leaves nothing running.
#[derive(Debug)]
pub(crate) struct Reading {
    connection: PoolConnection<Sqlite>,
    /// `None` when there are no limits, or none any more.
    bound: Option<Bound>,
}

/// What holds a reading within its limits.
#[derive(Debug)]
struct Bound {
    /// Set when nobody wants the answer any more.
    over: Arc<AtomicBool>,
    _slot: OwnedSemaphorePermit,
}

impl Reading {
    /// A reading without limits.
    pub(super) async fn unlimited(pool: &SqlitePool) -> Result<Self, QueryError> {
        Ok(Self { connection: pool.acquire().await?, bound: None })
    }

    /// What to read with.
    pub(crate) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }

    /// Gives the connection back and says what became of the query.
    pub(crate) async fn finish<T>(
        mut self,
        result: Result<T, sqlx::Error>,
    ) -> Result<T, QueryError> {
        if self.bound.is_some() {
            self.connection.lock_handle().await?.remove_progress_handler();
        }
        let bounded = self.bound.take();
        result.map_err(|error| {
            let interrupted = error.as_database_error().and_then(|error| error.code());
            match interrupted.as_deref() {
                Some(INTERRUPTED) if bounded.is_some() => QueryError::TooSlow,
                _ => error.into(),
            }
        })
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        if let Some(bound) = &self.bound {
            bound.over.store(true, Relaxed);
            // It still has the handler, which must not meet another query.
            self.connection.close_on_drop();
        }
    }
}
