//! Reading the logs onwards from a position: every event that a filter describes, once.

use std::collections::VecDeque;

use futures_util::TryStreamExt as _;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{FromRow as _, Row as _};
use systemprompt_core::clock::Timestamp;

use super::conditions::{EventQuery, Lead};
use super::heads::LogHead;
use super::stored::StoredEvent;
use super::{AuditReader, EventFilter, EventRecord, LogHeads, LogPosition, ReadScope};
use crate::QueryError;
use crate::place::{Place, Window};

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
        Self { reader, scope, filter, position }
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
        let mut reading = self.reader.begin().await?;
        let read = self.read(reading.connection()).await;
        let followed = reading.finish(read).await?;
        self.position = followed.position.clone();
        Ok(followed)
    }

    async fn read(&self, connection: &mut SqliteConnection) -> Result<Followed, sqlx::Error> {
        let heads = LogHeads::read(connection).await?;
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
        Ok(Followed { events: merge(parts), position, more })
    }

    /// What comes next in one log.
    async fn part(
        &self,
        connection: &mut SqliteConnection,
        log: &LogHead,
        (most, bytes): (usize, usize),
    ) -> Result<Part, sqlx::Error> {
        let mut after = self.position.of(log.log_id);
        let nothing = Part { events: VecDeque::new(), to: log.tail };
        if self.filter.origin.as_ref().is_some_and(|origin| *origin != log.origin) {
            return Ok(nothing);
        }
        let mut end = log.tail;
        if !self.takes_all() {
            // Retention may have removed what would come next.
            let lead = Lead::Log(log.log_id, after);
            let mut first = EventQuery::places(&lead).up_to(end).oldest(1);
            let first: Option<Place> =
                first.build_query_as().fetch_optional(&mut *connection).await?;
            let Some(first) = first else { return Ok(nothing) };
            after = after.max(first.seq - 1);
            end = end.min(after.saturating_add(MOST_PLACES));
        }
        let query = EventQuery::events(&Lead::Log(log.log_id, after))
            .up_to(end)
            .within(self.window())
            .matching(&self.filter, &self.scope);
        let mut query = query.oldest(most);
        let mut rows = query.build().fetch(connection);
        let mut part = Part { events: VecDeque::new(), to: end };
        let mut size = 0;
        while let Some(row) = rows.try_next().await? {
            let read = Read::of(&row)?;
            size += read.size;
            let seq = read.event.seq;
            part.events.push_back(read);
            if part.events.len() >= most || size >= bytes {
                part.to = seq;
                break;
            }
        }
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
        let mut reading = self.begin().await?;
        let heads = LogHeads::read(reading.connection()).await;
        reading.finish(heads).await
    }

    /// The latest position before every event from `instant` on.
    ///
    /// # Errors
    /// [`QueryError`] when the log cannot be read, or not within the limits.
    pub async fn position_before(&self, instant: Timestamp) -> Result<LogPosition, QueryError> {
        let mut reading = self.begin().await?;
        let found = position_before(reading.connection(), instant).await;
        reading.finish(found).await
    }
}

async fn position_before(
    connection: &mut SqliteConnection,
    instant: Timestamp,
) -> Result<LogPosition, sqlx::Error> {
    let heads = LogHeads::read(&mut *connection).await?;
    let from = instant.as_micros();
    let firsts = sqlx::query!(
        r#"SELECT log_id AS "log_id!: i64", min(seq) AS "seq!: i64"
           FROM audit_events INDEXED BY audit_events_time
           WHERE occurred_at >= ? GROUP BY log_id"#,
        from
    )
    .fetch_all(connection)
    .await?;
    let mut position = LogPosition::beginning();
    for log in heads.iter() {
        let first = firsts.iter().find(|first| first.log_id == log.log_id);
        position.advance(log.log_id, first.map_or(log.tail, |first| first.seq - 1));
    }
    Ok(position)
}

/// What was read of one log.
struct Part {
    events: VecDeque<Read>,
    /// Up to which place was looked.
    to: i64,
}

struct Read {
    event: FollowedEvent,
    /// When it happened; what cannot be read comes first.
    at: i64,
    /// Roughly how many bytes it takes.
    size: usize,
}

impl Read {
    fn of(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        let (log_id, seq) = (row.try_get("log_id")?, row.try_get("seq")?);
        let origin: String = row.try_get("origin")?;
        let stored = StoredEvent::from_row(row).ok();
        let size = 1024 + stored.as_ref().map_or(0, StoredEvent::long_texts);
        let record = stored.and_then(|stored| stored.into_record().ok()).map(Box::new);
        if record.is_none() {
            tracing::error!(origin, seq, "a row of the audit log is no event");
        }
        let at = record.as_ref().map_or(i64::MIN, |record| record.occurred_at.as_micros());
        Ok(Self { event: FollowedEvent { log_id, origin, seq, event: record }, at, size })
    }
}

/// The events of all parts by time, as far as the order in each part allows.
fn merge(mut parts: Vec<VecDeque<Read>>) -> Vec<FollowedEvent> {
    let mut merged = Vec::with_capacity(parts.iter().map(VecDeque::len).sum());
    loop {
        let fronts = parts.iter_mut().filter(|part| !part.is_empty());
        let Some(next) = fronts.min_by_key(|part| part.front().map(|read| read.at)) else {
            return merged;
        };
        merged.extend(next.pop_front().map(|read| read.event));
    }
}
