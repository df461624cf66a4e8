use systemprompt_core::clock::Timestamp;
use systemprompt_core::database::DbPool;
use systemprompt_core::id::TraceId;

use super::hidden::in_clear;
use super::named::Named;
use super::search::{Found, Hit, Search, decisions};
use super::share::Share;
use super::stored::StoredEvent;
use super::{
    Cursor, EventFilter, EventRecord, FivePointTrace, Page, PageSize, ReadLimits, ReadScope,
    TracedCall,
};
#[cfg(feature = "sqlite")]
use crate::index::Index;
use crate::place::Place;
use crate::subject::{SubjectKeys, pseudonyms_of, reveal};
use crate::{Origin, QueryError};

/// Runs a query within the reader's limits, on the backend of its database.
macro_rules! read {
    ($reader:expr, $module:ident :: $function:ident ( $($argument:expr),* )) => {
        $crate::query::read!(
            $reader,
            |connection| crate::store::sqlite::$module::$function(connection, $($argument),*),
            |connection| crate::store::postgres::$module::$function(connection, $($argument),*)
        )
    };
    ($reader:expr, |$s:ident| $sqlite:expr, |$p:ident| $postgres:expr) => {
        match $reader.pool.driver() {
            #[cfg(feature = "sqlite")]
            systemprompt_core::database::Driver::Sqlite(database) => {
                let share = $reader.share.as_ref();
                let mut reading = crate::store::sqlite::Reading::begin(database, share).await?;
                let $s = reading.connection();
                let rows = $sqlite.await;
                reading.finish(rows).await
            }
            #[cfg(feature = "postgres")]
            systemprompt_core::database::Driver::Postgres(database) => {
                let share = $reader.share.as_ref();
                let mut reading = crate::store::postgres::Reading::begin(database, share).await?;
                let $p = reading.connection();
                let rows = crate::store::postgres::in_time(share, $postgres).await?;
                reading.finish(rows).await
            }
            other => Err($crate::QueryError::from(crate::store::unsupported(other))),
        }
    };
}
pub(crate) use read;

/// The size of a log, as it is stored.
pub(crate) struct LogSize {
    pub(crate) origin: String,
    pub(crate) last_seq: i64,
}

/// Reads the logs of a database. Cloning is a reference count.
#[derive(Debug, Clone)]
pub struct AuditReader {
    pub(crate) pool: DbPool,
    pub(crate) share: Option<Share>,
    pub(crate) keys: Option<SubjectKeys>,
    /// Of SQLite alone: PostgreSQL keeps its indexes itself.
    #[cfg(feature = "sqlite")]
    index: Option<Index>,
}

impl AuditReader {
    /// A reader of the logs in `pool`, which takes what time it needs.
    #[must_use]
    pub fn new(pool: DbPool) -> Self {
        Self {
            #[cfg(feature = "sqlite")]
            index: match pool.driver() {
                systemprompt_core::database::Driver::Sqlite(database) => {
                    Some(Index::of(database.path()))
                }
                #[allow(unreachable_patterns, reason = "with SQLite alone there is no other")]
                _ => None,
            },
            pool,
            share: None,
            keys: None,
        }
    }

    /// Bounds what this reader and its clones may take of the database together. A query over its
    /// time is interrupted in the database, which frees its connection.
    #[must_use]
    pub fn limited(mut self, limits: ReadLimits) -> Self {
        self.share = Some(Share::new(limits));
        self
    }

    /// Decrypts what events say about persons.
    #[must_use]
    pub fn with_keys(mut self, keys: Option<SubjectKeys>) -> Self {
        self.keys = keys;
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
        let rows = read!(self, read::trace(*trace.as_bytes(), scope.tenant()))?;
        let mut events = self.records(rows).await?;
        let truncated = events.len() > FivePointTrace::MOST_EVENTS;
        events.truncate(FivePointTrace::MOST_EVENTS);
        events.reverse();
        let known = !events.is_empty();
        Ok(known.then(|| FivePointTrace::new(trace, events, truncated)))
    }

    /// The decisions that `filter` describes, newest first, one page of them.
    ///
    /// As [`events`](Self::events), with the kind given.
    ///
    /// # Errors
    /// [`QueryError`] when the log cannot be read, or not within the limits.
    pub async fn decisions(
        &self,
        scope: &ReadScope,
        filter: &EventFilter,
        cursor: Option<&Cursor>,
        size: PageSize,
    ) -> Result<Page<EventRecord>, QueryError> {
        self.events(scope, &decisions(filter), cursor, size).await
    }

    /// The events that `filter` describes, newest first, one page of them.
    ///
    /// Rows that are there when the first page is read appear exactly once, whatever is written
    /// meanwhile. A page reads at most 200,000 rows; one that has read so many before it was full says
    /// how far it came, and its cursor goes on from there.
    ///
    /// # Errors
    /// [`QueryError`] when the log cannot be read, or not within the limits.
    pub async fn events(
        &self,
        scope: &ReadScope,
        filter: &EventFilter,
        cursor: Option<&Cursor>,
        size: PageSize,
    ) -> Result<Page<EventRecord>, QueryError> {
        let before = cursor.map_or(Place::END, |cursor| cursor.0);
        let rows = usize::from(size.rows());
        let hidden = self.keys.as_ref().and_then(|_| in_clear(filter));
        if let Some(clear) = hidden {
            return page(self.sift(scope, (&clear, filter), before, rows).await?);
        }
        let mut found = self.of_user(scope, filter, before, rows).await?;
        let stored = found.events.iter_mut().map(|hit| &mut hit.event);
        reveal(&self.pool, self.keys.as_ref(), stored).await?;
        page(found)
    }

    /// What `filter` describes, also where its user stands under a pseudonym.
    pub(super) async fn of_user(
        &self,
        scope: &ReadScope,
        filter: &EventFilter,
        before: Place,
        rows: usize,
    ) -> Result<Found, QueryError> {
        let mut found = self.found(scope, filter, before, rows).await?;
        if let Some(user) = &filter.user_id {
            let tenant = scope.tenant().or(filter.tenant_id.as_deref());
            for pseudonym in pseudonyms_of(&self.pool, user, tenant).await? {
                let filter = EventFilter { user_id: Some(pseudonym), ..filter.clone() };
                let more = self.found(scope, &filter, before, rows).await?;
                found = found.merge(more, rows);
            }
        }
        Ok(found)
    }

    async fn found(
        &self,
        scope: &ReadScope,
        filter: &EventFilter,
        before: Place,
        rows: usize,
    ) -> Result<Found, QueryError> {
        let most = self.share.as_ref().map_or(ReadLimits::ROWS, Share::rows);
        let search = Search { filter, scope, before, rows, most };
        read!(self, |connection| search.indexed(connection, self.index.as_ref()), |connection| {
            search.run(connection)
        })
    }

    async fn records(&self, mut rows: Vec<StoredEvent>) -> Result<Vec<EventRecord>, QueryError> {
        reveal(&self.pool, self.keys.as_ref(), &mut rows).await?;
        rows.into_iter().map(StoredEvent::into_record).collect()
    }

    /// The calls whose decisions `filter` describes, the oldest first, each with its five points: the
    /// newest `size` of them.
    ///
    /// # Errors
    /// [`QueryError`] when the log cannot be read, or not within the limits.
    pub async fn calls(
        &self,
        scope: &ReadScope,
        filter: &EventFilter,
        size: PageSize,
    ) -> Result<Page<TracedCall>, QueryError> {
        let page = self.decisions(scope, filter, None, size).await?;
        let permits = page.items.iter().filter_map(|event| event.permit_id);
        let permits: Vec<_> = permits.map(|permit| *permit.as_bytes()).collect();
        let mut events = self.records(read!(self, read::outcomes(&permits))?).await?;
        events.extend(page.items.into_iter().rev());
        let Page { next_cursor, scanned_to, .. } = page;
        Ok(Page { items: TracedCall::all(&events), next_cursor, scanned_to })
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
        let rows = read!(self, read::tail(origin.as_str(), after, scope.tenant(), limit))?;
        self.records(rows).await
    }

    /// The logs of the database, each with the place of its last event.
    ///
    /// # Errors
    /// [`QueryError`] when the log cannot be read, or not within the limits.
    pub async fn logs(&self) -> Result<Vec<(String, i64)>, QueryError> {
        let rows: Vec<LogSize> = read!(self, read::logs())?;
        Ok(rows.into_iter().map(|row| (row.origin, row.last_seq)).collect())
    }

    /// The traces, calls and sessions whose id starts with `prefix`, each kind with the newest first, up
    /// to `size` of each. Looks at every event, unless it has found traces enough.
    ///
    /// # Errors
    /// [`QueryError`] when the log cannot be read, or not within the limits.
    pub async fn named(
        &self,
        scope: &ReadScope,
        prefix: &str,
        size: PageSize,
    ) -> Result<Vec<Named>, QueryError> {
        read!(self, named::starting_with(scope, prefix, size))
    }
}

fn page(found: Found) -> Result<Page<EventRecord>, QueryError> {
    let Found { events, next, cut } = found;
    Ok(Page {
        items: events.into_iter().map(Hit::into_record).collect::<Result<_, _>>()?,
        next_cursor: next.map(Cursor),
        scanned_to: next.filter(|_| cut).map(|at| Timestamp::from_micros(at.occurred_at)),
    })
}
