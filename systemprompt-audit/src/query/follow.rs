//! Reading the logs onwards from a position: every event that a filter describes, once.

use std::collections::VecDeque;
use std::future::Future;

use sqlx::{Encode, QueryBuilder, Type};
use systemprompt_core::clock::Timestamp;

use super::conditions::{Dialect, EventQuery, Lead};
use super::heads::LogHead;
use super::hidden::{describes, in_clear};
use super::reader::read;
use super::stored::StoredEvent;
use super::{AuditReader, EventFilter, EventRecord, LogHeads, LogPosition, ReadScope};
use crate::QueryError;
use crate::place::{Place, Window};
use crate::subject::reveal;

/// Most events of a batch.
const MOST_EVENTS: usize = 200;

/// Most bytes of a batch, roughly; one event may be larger.
const MOST_BYTES: usize = 512 * 1024;

/// Most places of a log that a batch looks at.
const MOST_PLACES: i64 = 5_000;

/// Reads the logs of a database onwards, batch by batch. Keeps a position and no event.
#[derive(Debug)]
pub struct Follower {
    reader: AuditReader,
    scope: ReadScope,
    filter: EventFilter,
    /// All that is wanted, where `filter` leaves out what the database cannot look into.
    hidden: Option<EventFilter>,
    position: LogPosition,
}

/// Some events after a position.
#[derive(Debug)]
pub struct Followed {
    /// The events: those of each log in its order, together by time.
    pub events: Vec<FollowedEvent>,
    /// Up to where was looked.
    pub position: LogPosition,
    /// Whether there is more after that already.
    pub more: bool,
}

/// An event with its place.
#[derive(Debug)]
pub struct FollowedEvent {
    /// The number of its log, for [`LogPosition::advance`].
    pub log_id: i64,
    /// The name of its log.
    pub origin: String,
    /// Its place there.
    pub seq: i64,
    /// The event; `None` when the row cannot be read as one.
    pub event: Option<Box<EventRecord>>,
}

impl Follower {
    /// Reads what `filter` describes after `position`.
    #[must_use]
    pub fn new(
        reader: AuditReader,
        scope: ReadScope,
        filter: EventFilter,
        position: LogPosition,
    ) -> Self {
        let clear = reader.keys.as_ref().and_then(|_| in_clear(&filter));
        let (filter, hidden) = match clear {
            Some(clear) => (clear, Some(filter)),
            None => (filter, None),
        };
        Self { reader, scope, filter, hidden, position }
    }

    /// Up to where was looked.
    #[must_use]
    pub fn position(&self) -> &LogPosition {
        &self.position
    }

    /// The next events, at most 200 of about 512 KiB. None is no end: others may come. A batch that
    /// failed is read again by the next call.
    ///
    /// # Errors
    /// [`QueryError`] when the log cannot be read, or not within the limits of the reader.
    pub async fn next(&mut self) -> Result<Followed, QueryError> {
        let unread: Unread =
            read!(self.reader, |connection| self.read(connection), |connection| self
                .read(connection))?;
        let Unread { mut rows, position, more } = unread;
        let stored = rows.iter_mut().filter_map(|row| row.event.as_mut());
        reveal(&self.reader.pool, self.reader.keys.as_ref(), stored).await?;
        if let Some(filter) = &self.hidden {
            rows.retain(|row| row.event.as_ref().is_none_or(|event| describes(filter, event)));
        }
        self.position = position.clone();
        Ok(Followed { events: rows.into_iter().map(followed).collect(), position, more })
    }

    async fn read(&self, connection: &mut impl Onwards) -> Result<Unread, sqlx::Error> {
        let heads = LogHeads(connection.heads().await?);
        let mut position = self.position.clone();
        let behind: Vec<_> = heads.after(&self.position).collect();
        let share = (MOST_EVENTS / behind.len().max(1)).max(1);
        let bytes = MOST_BYTES / behind.len().max(1);
        let mut parts = Vec::with_capacity(behind.len());
        let (mut events, mut more) = (0, false);
        for log in behind {
            if events >= MOST_EVENTS {
                more = true;
                break;
            }
            let part = self.part(connection, log, (share, bytes)).await?;
            position.advance(log.log_id, part.to);
            more |= part.to < log.tail;
            events += part.events.len();
            parts.push(part.events);
        }
        Ok(Unread { rows: merge(parts), position, more })
    }

    /// What comes next in one log.
    async fn part(
        &self,
        connection: &mut impl Onwards,
        log: &LogHead,
        (most, bytes): (usize, usize),
    ) -> Result<Part, sqlx::Error> {
        let mut after = self.position.of(log.log_id);
        let nothing = Part { events: VecDeque::new(), to: log.tail };
        if self.filter.origin.as_ref().is_some_and(|origin| *origin != log.origin) {
            return Ok(nothing);
        }
        let mut last = log.tail;
        if !self.takes_all() {
            // Retention may have removed what would come next.
            let Some(first) = connection.next_place(log.log_id, after, last).await? else {
                return Ok(nothing);
            };
            after = after.max(first.seq - 1);
            last = last.min(after.saturating_add(MOST_PLACES));
        }
        let mut part = Part { events: VecDeque::new(), to: last };
        let mut size = 0;
        let mut take = |row: OnwardRow| {
            let seq = row.seq;
            let read = Read::of(row);
            size += read.size;
            part.events.push_back(read);
            let full = part.events.len() >= most || size >= bytes;
            if full {
                part.to = seq;
            }
            !full
        };
        let Self { filter, scope, .. } = self;
        let wanted =
            Onward { log_id: log.log_id, after, last, window: self.window(), filter, scope, most };
        connection.onward(&wanted, &mut take).await?;
        Ok(part)
    }

    fn window(&self) -> Window {
        let before = self.filter.to.map_or(Place::END, |to| Place::before(to.as_micros()));
        Window { before, from: self.filter.from.map_or(i64::MIN, Timestamp::as_micros) }
    }

    fn takes_all(&self) -> bool {
        self.scope == ReadScope::All && self.filter == EventFilter::default()
    }
}

impl AuditReader {
    /// The logs of the database and how far each has come.
    ///
    /// # Errors
    /// [`QueryError`] when the log cannot be read, or not within the limits.
    pub async fn heads(&self) -> Result<LogHeads, QueryError> {
        read!(self, |connection| connection.heads(), |connection| connection.heads()).map(LogHeads)
    }

    /// The latest position before every event from `instant` on.
    ///
    /// # Errors
    /// [`QueryError`] when the log cannot be read, or not within the limits.
    pub async fn position_before(&self, instant: Timestamp) -> Result<LogPosition, QueryError> {
        let from = instant.as_micros();
        read!(self, |connection| position_before(connection, from), |connection| position_before(
            connection, from
        ))
    }
}

async fn position_before(
    connection: &mut impl Onwards,
    from: i64,
) -> Result<LogPosition, sqlx::Error> {
    let heads = LogHeads(connection.heads().await?);
    let firsts = connection.firsts(from).await?;
    let mut position = LogPosition::beginning();
    for log in heads.iter() {
        let first = firsts.iter().find(|first| first.log_id == log.log_id);
        position.advance(log.log_id, first.map_or(log.tail, |first| first.seq - 1));
    }
    Ok(position)
}

/// Which events of a log come next.
#[derive(Debug)]
pub(crate) struct Onward<'o> {
    pub(crate) log_id: i64,
    /// Those after this place.
    pub(crate) after: i64,
    /// Those up to this place.
    pub(crate) last: i64,
    pub(crate) window: Window,
    pub(crate) filter: &'o EventFilter,
    pub(crate) scope: &'o ReadScope,
    pub(crate) most: usize,
}

/// The first event of a log among some.
#[derive(Debug)]
pub(crate) struct FirstPlace {
    pub(crate) log_id: i64,
    pub(crate) seq: i64,
}

/// A row on the way.
#[derive(Debug)]
pub(crate) struct OnwardRow {
    pub(crate) log_id: i64,
    pub(crate) seq: i64,
    pub(crate) origin: String,
    /// `None` when a column cannot be read.
    pub(crate) event: Option<StoredEvent>,
}

/// A connection that the logs are read onwards over.
pub(crate) trait Onwards: Send {
    /// The logs, and how far each has come.
    fn heads(&mut self) -> impl Future<Output = Result<Vec<LogHead>, sqlx::Error>> + Send;

    /// The first event of each log that happened at `from` or later.
    fn firsts(
        &mut self,
        from: i64,
    ) -> impl Future<Output = Result<Vec<FirstPlace>, sqlx::Error>> + Send;

    /// The place of the first event of a log after one place, and not after another.
    fn next_place(
        &mut self,
        log_id: i64,
        after: i64,
        last: i64,
    ) -> impl Future<Output = Result<Option<Place>, sqlx::Error>> + Send;

    /// Gives `each` the rows that come next, in order, until it has enough.
    fn onward(
        &mut self,
        wanted: &Onward<'_>,
        each: &mut (dyn FnMut(OnwardRow) -> bool + Send),
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;
}

impl<D: Dialect> EventQuery<D>
where
    i64: for<'q> Encode<'q, D> + Type<D>,
    String: for<'q> Encode<'q, D> + Type<D>,
    Vec<u8>: for<'q> Encode<'q, D> + Type<D>,
{
    /// The query for [`Onwards::next_place`].
    pub(crate) fn next_place(log_id: i64, after: i64, last: i64) -> QueryBuilder<D> {
        Self::places(&Lead::Log(log_id, after)).up_to(last).oldest(1)
    }

    /// The query for [`Onwards::onward`].
    pub(crate) fn onward(wanted: &Onward<'_>) -> QueryBuilder<D> {
        let Onward { log_id, after, last, window, filter, scope, most } = wanted;
        let query = Self::events(&Lead::Log(*log_id, *after)).up_to(*last);
        query.within(*window).matching(filter, scope).oldest(*most)
    }
}

/// What was read of one log.
struct Part {
    events: VecDeque<Read>,
    /// Up to which place was looked.
    to: i64,
}

struct Read {
    row: OnwardRow,
    /// When it happened; what cannot be read comes first.
    at: i64,
    /// Roughly how many bytes it takes.
    size: usize,
}

/// Some events after a position, as they are stored.
struct Unread {
    rows: Vec<OnwardRow>,
    position: LogPosition,
    more: bool,
}

impl Read {
    fn of(row: OnwardRow) -> Self {
        let size = 1024 + row.event.as_ref().map_or(0, StoredEvent::long_texts);
        let at = row.event.as_ref().map_or(i64::MIN, |event| event.occurred_at);
        Self { row, at, size }
    }
}

/// A row as it is shown.
fn followed(row: OnwardRow) -> FollowedEvent {
    let OnwardRow { log_id, seq, origin, event: stored } = row;
    let event = stored.and_then(|stored| stored.into_record().ok()).map(Box::new);
    if event.is_none() {
        tracing::error!(origin, seq, "a row of the audit log is no event");
    }
    FollowedEvent { log_id, origin, seq, event }
}

/// The events of all parts by time, as far as the order in each part allows.
fn merge(mut parts: Vec<VecDeque<Read>>) -> Vec<OnwardRow> {
    let mut merged = Vec::with_capacity(parts.iter().map(VecDeque::len).sum());
    loop {
        let fronts = parts.iter_mut().filter(|part| !part.is_empty());
        let Some(next) = fronts.min_by_key(|part| part.front().map(|read| read.at)) else {
            return merged;
        };
        merged.extend(next.pop_front().map(|read| read.row));
    }
}
