use systemprompt_core::database::{DbPool, Driver};
use systemprompt_core::id::TraceId;

use super::{
    Cursor, DecisionFilter, EventRecord, FivePointTrace, Page, PageSize, ReadLimits, ReadScope,
    Share, StoredEvent,
};
use crate::store::unsupported;
use crate::{Origin, QueryError};

/// Runs a query within the reader's limits, on the backend of its database.
macro_rules! read {
    ($reader:ident, $function:ident ( $($argument:expr),* )) => {
        match $reader.pool.driver() {
            #[cfg(feature = "sqlite")]
            Driver::Sqlite(database) => {
                let share = $reader.share.as_ref();
                let mut reading = crate::store::sqlite::Reading::begin(database, share).await?;
                let connection = reading.connection();
                let rows = crate::store::sqlite::read::$function(connection, $($argument),*).await;
                reading.finish(rows).await
            }
            #[cfg(feature = "postgres")]
            Driver::Postgres(database) => {
                let share = $reader.share.as_ref();
                let mut reading = crate::store::postgres::Reading::begin(database, share).await?;
                let connection = reading.connection();
                let rows = crate::store::postgres::read::$function(connection, $($argument),*).await;
                reading.finish(rows).await
            }
            other => Err(QueryError::from(unsupported(other))),
        }
    };
}

/// The size of a log, as it is stored.
pub(crate) struct LogSize {
    pub(crate) origin: String,
    pub(crate) last_seq: i64,
}

/// Reads the logs of a database. Cloning is a reference count.
#[derive(Debug, Clone)]
pub struct AuditReader {
    pool: DbPool,
    share: Option<Share>,
}

impl AuditReader {
    /// A reader of the logs in `pool`, which takes what time it needs.
    #[must_use]
    pub fn new(pool: DbPool) -> Self {
        Self { pool, share: None }
    }

    /// Bounds what this reader and its clones may take of the database together. A query over its
    /// time is interrupted in the database, which frees its connection.
    #[must_use]
    pub fn limited(mut self, limits: ReadLimits) -> Self {
        self.share = Some(Share::new(limits));
        self
    }

    /// Whether limits were set.
    #[cfg(feature = "http")]
    pub(crate) fn is_limited(&self) -> bool {
        self.share.is_some()
    }

    /// What is known of a trace, the newest 10,000 events at most; `None` when nothing is, or nothing in
    /// `scope`.
    ///
    /// # Errors
    /// [`QueryError`] when the log cannot be read, or not within the limits.
    pub async fn trace(
        &self,
        scope: &ReadScope,
        trace: TraceId,
    ) -> Result<Option<FivePointTrace>, QueryError> {
        let rows = read!(self, trace(*trace.as_bytes(), scope.tenant()))?;
        let mut events = records(rows)?;
        let truncated = events.len() > FivePointTrace::MOST_EVENTS;
        events.truncate(FivePointTrace::MOST_EVENTS);
        events.reverse();
        let known = !events.is_empty();
        Ok(known.then(|| FivePointTrace::new(trace, events, truncated)))
    }

    /// The decisions that `filter` describes, newest first, one page of them.
    ///
    /// Rows that are there when the first page is read appear exactly once, whatever is written
    /// meanwhile.
    ///
    /// # Errors
    /// [`QueryError`] when the log cannot be read, or not within the limits.
    pub async fn decisions(
        &self,
        scope: &ReadScope,
        filter: &DecisionFilter,
        cursor: Option<&Cursor>,
        size: PageSize,
    ) -> Result<Page<EventRecord>, QueryError> {
        let rows = read!(self, decisions(filter, scope, cursor, size))?;
        let mut items = records(rows)?;
        let more = items.len() > usize::from(size.rows());
        items.truncate(usize::from(size.rows()));
        let last = items.last().filter(|_| more);
        let next_cursor = last.map(|event| Cursor { occurred_at: event.occurred_at, id: event.id });
        Ok(Page { items, next_cursor })
    }

    /// The events of a log after the place `after`, in order.
    ///
    /// # Errors
    /// [`QueryError`] when the log cannot be read, or not within the limits.
    pub async fn tail(
        &self,
        scope: &ReadScope,
        origin: &Origin,
        after: i64,
        size: PageSize,
    ) -> Result<Vec<EventRecord>, QueryError> {
        let limit = i64::from(size.rows());
        let rows = read!(self, tail(origin.as_str(), after, scope.tenant(), limit))?;
        records(rows)
    }

    /// The logs of the database, each with the place of its last event.
    ///
    /// # Errors
    /// [`QueryError`] when the log cannot be read, or not within the limits.
    pub async fn logs(&self) -> Result<Vec<(String, i64)>, QueryError> {
        let rows: Vec<LogSize> = read!(self, logs())?;
        Ok(rows.into_iter().map(|row| (row.origin, row.last_seq)).collect())
    }

    /// The traces of calls or sessions whose id starts with `prefix`, newest first.
    ///
    /// # Errors
    /// [`QueryError`] when the log cannot be read, or not within the limits.
    pub async fn traces_by_prefix(
        &self,
        scope: &ReadScope,
        prefix: &str,
        size: PageSize,
    ) -> Result<Vec<TraceId>, QueryError> {
        let limit = i64::from(size.rows());
        let traces: Vec<String> = read!(self, traces_by_prefix(prefix, scope.tenant(), limit))?;
        Ok(traces.into_iter().filter_map(|trace| trace.parse().ok()).collect())
    }
}

fn records(rows: Vec<StoredEvent>) -> Result<Vec<EventRecord>, QueryError> {
    rows.into_iter().map(StoredEvent::into_record).collect()
}
