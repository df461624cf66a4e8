use systemprompt_core::clock::Timestamp;
use systemprompt_core::database::{DbPool, Driver};

use super::{LogPlace, Row};
use crate::QueryError;
use crate::store::unsupported;

/// The log as one sink reads it, on either backend.
#[derive(Debug)]
pub(in crate::export) enum Source {
    #[cfg(feature = "sqlite")]
    Sqlite(super::sqlite::Source),
    #[cfg(feature = "postgres")]
    Postgres(super::postgres::Source),
    /// Of a backend that this program was built without.
    Unsupported(DbPool),
}

/// What the source of the backend answers.
macro_rules! of {
    ($source:expr, $inner:ident => $answer:expr, $pool:ident => $other:expr) => {
        match $source {
            #[cfg(feature = "sqlite")]
            Source::Sqlite($inner) => $answer,
            #[cfg(feature = "postgres")]
            Source::Postgres($inner) => $answer,
            Source::Unsupported($pool) => $other,
        }
    };
}

impl Source {
    /// The log in `pool`'s database. Connections are made when they are needed.
    pub(in crate::export) fn new(pool: DbPool, sink: &str) -> Self {
        match pool.driver() {
            #[cfg(feature = "sqlite")]
            Driver::Sqlite(database) => {
                Self::Sqlite(super::sqlite::Source::new(database.clone(), sink))
            }
            #[cfg(feature = "postgres")]
            Driver::Postgres(database) => {
                Self::Postgres(super::postgres::Source::new(database.clone(), sink))
            }
            #[allow(unreachable_patterns, reason = "with every backend there is no other")]
            _ => Self::Unsupported(pool),
        }
    }

    /// Connects for noting, as far as that is possible now.
    pub(in crate::export) async fn prepare(&mut self) {
        of!(self, source => source.prepare().await, _pool => ());
    }

    /// Takes the right to export to the sink; `false` while another process has it.
    pub(in crate::export) async fn claim(&mut self) -> Result<bool, QueryError> {
        of!(self, source => source.claim().await, pool => Err(unsupported(pool.driver()).into()))
    }

    /// All logs of the database, and how far the sink has come in each.
    pub(in crate::export) async fn places(&mut self) -> Result<Vec<LogPlace>, QueryError> {
        of!(self, source => source.places().await, pool => Err(unsupported(pool.driver()).into()))
    }

    /// Gives the rows of a log after a place to `each`, in order, until there are none, `limit` have
    /// come, or `each` has enough.
    pub(in crate::export) async fn rows(
        &mut self,
        log: &LogPlace,
        after: i64,
        limit: i64,
        mut each: impl FnMut(Row) -> bool + Send,
    ) -> Result<(), QueryError> {
        of!(
            self,
            source => source.rows(log, after, limit, &mut each).await,
            pool => Err(unsupported(pool.driver()).into())
        )
    }

    /// Notes that everything of a log up to `seq` has arrived. Never goes back.
    pub(in crate::export) async fn note(
        &mut self,
        log_id: i64,
        seq: i64,
        now: Timestamp,
    ) -> Result<(), QueryError> {
        of!(
            self,
            source => source.note(log_id, seq, now).await,
            pool => Err(unsupported(pool.driver()).into())
        )
    }

    /// Closes the connections.
    pub(in crate::export) async fn close(&mut self) {
        of!(self, source => source.close().await, _pool => ());
    }
}
