//! Connections that read, within limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use sqlx::Sqlite;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::SqliteConnection;
use systemprompt_core::database::SqliteDatabase;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use crate::QueryError;
use crate::query::Share;

/// Steps of the database between two looks at the time; well under a millisecond.
const STEPS: i32 = 1_000;

/// SQLite's code for a statement that was interrupted (sqlite.org/rescode.html).
const INTERRUPTED: &str = "9";

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
    /// A connection for one query, when it is the query's turn; without a share there are no limits.
    pub(crate) async fn begin(
        database: &SqliteDatabase,
        share: Option<&Share>,
    ) -> Result<Self, QueryError> {
        let pool = database.pool();
        let Some(share) = share else {
            return Ok(Self { connection: pool.acquire().await?, bound: None });
        };
        let start =
            async {
                let slot = share.slot().await?;
                let over = Arc::new(AtomicBool::new(false));
                let bound = Bound { over: over.clone(), _slot: slot };
                let mut reading = Self { connection: pool.acquire().await?, bound: Some(bound) };
                let end = Instant::now() + share.time();
                reading.connection.lock_handle().await?.set_progress_handler(STEPS, move || {
                    !over.load(Relaxed) && Instant::now() < end
                });
                Ok(reading)
            };
        share.in_time(start).await
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
