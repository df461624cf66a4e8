//! How a page of events is found.
//!
//! Where the index knows one of the properties that are wanted, its places lead to the events, together
//! with the newest events that are not in it yet. Otherwise the events themselves are looked through,
//! the newest first. Either way a page reads a bounded number of them, and says how far it came.

use sqlx::FromRow;
use sqlx::sqlite::SqliteConnection;
use systemprompt_core::event::EventKind;

use super::conditions::{EventQuery, Lead};
use super::stored::StoredEvent;
use super::{EventFilter, EventRecord, ReadScope};
use crate::QueryError;
use crate::index::{Index, LogEnd, Mark, Postings, is_ours, log_ends};
use crate::place::{Place, Window};

/// Most events that may not be in the index yet; with more of them it is of no help.
const MOST_BEHIND: i64 = 20_000;

/// Most places of the index that are looked up together.
const MOST_PLACES: usize = 10_000;

/// What is wanted.
#[derive(Debug)]
pub(super) struct Search<'s> {
    pub(super) filter: &'s EventFilter,
    pub(super) scope: &'s ReadScope,
    /// Where the page starts.
    pub(super) before: Place,
    /// Events of a page.
    pub(super) rows: usize,
    /// Most events that are read for it.
    pub(super) most: usize,
}

/// What was found.
#[derive(Debug)]
pub(super) struct Found {
    /// The events, newest first.
    pub(super) events: Vec<Hit>,
    /// Where the next page starts.
    pub(super) next: Option<Place>,
    /// Whether the page ended because it had read enough.
    pub(super) cut: bool,
}

/// An event with its log.
#[derive(Debug, FromRow)]
pub(super) struct Hit {
    #[sqlx(flatten)]
    event: StoredEvent,
    log_id: i64,
}

impl Hit {
    pub(super) fn into_record(self) -> Result<EventRecord, QueryError> {
        self.event.into_record()
    }

    fn place(&self) -> Place {
        let StoredEvent { occurred_at, seq, .. } = self.event;
        Place { occurred_at, log_id: self.log_id, seq }
    }
}

/// What of the logs is not in the index.
type Rest = Vec<LogEnd>;

impl Search<'_> {
    /// The page.
    pub(super) async fn run(
        &self,
        connection: &mut SqliteConnection,
        index: &Index,
    ) -> Result<Found, sqlx::Error> {
        if let Some(id) = self.filter.id {
            return self.scan(connection, &Lead::Id(id.as_bytes())).await;
        }
        if let Some(trace) = self.filter.trace_id {
            return self.scan(connection, &Lead::Trace(trace.as_bytes())).await;
        }
        let terms = self.filter.terms(self.scope);
        if !terms.is_empty()
            && let Some((mut snapshot, marks)) = index.snapshot().await
            && let Some(rest) = rest(connection, &marks).await?
            && let Ok(Some(postings)) = Postings::rarest(&mut snapshot, &terms, self.window()).await
        {
            // An index that cannot be read to its end is as good as none.
            let found = self.look_up(connection, (&mut snapshot, postings), &rest).await?;
            if let Some(found) = found {
                return Ok(found);
            }
        }
        self.scan(connection, &Lead::Time).await
    }

    fn window(&self) -> Window {
        let to = self.filter.to.map_or(Place::END, |to| Place::before(to.as_micros()));
        let from = self.filter.from.map_or(i64::MIN, |from| from.as_micros());
        Window { before: to.min(self.before), from }
    }

    /// Whether every event that is read is one that is wanted.
    fn takes_all(&self) -> bool {
        let EventFilter { from, to, .. } = *self.filter;
        let time = EventFilter { from, to, ..EventFilter::default() };
        *self.scope == ReadScope::All && *self.filter == time
    }

    /// Looks through the events that `lead` leads to.
    async fn scan(
        &self,
        connection: &mut SqliteConnection,
        lead: &Lead<'_>,
    ) -> Result<Found, sqlx::Error> {
        let mut events = Vec::new();
        let mut window = self.window();
        let (mut read, mut step) = (0, 2_000);
        loop {
            let step_now = step.min(self.most - read);
            let all = self.takes_all() || matches!(lead, Lead::Id(_));
            let end = if all { None } else { end_of(connection, lead, window, step_now).await? };
            let query = EventQuery::events(lead).within(window).matching(self.filter, self.scope);
            let query = if let Some(end) = end { query.not_before(end) } else { query };
            let wanted = (self.rows + 1).saturating_sub(events.len());
            let hits: Vec<Hit> =
                query.newest(wanted, 0).build_query_as().fetch_all(&mut *connection).await?;
            events.extend(hits);
            let Some(end) = end.filter(|_| events.len() <= self.rows) else {
                return Ok(self.page(events, None));
            };
            read += step_now;
            if read >= self.most {
                return Ok(self.page(events, Some(end)));
            }
            window.before = end;
            step *= 10;
        }
    }

    /// Looks up what the index leads to, and looks through the rest; `None` when the index fails.
    async fn look_up(
        &self,
        connection: &mut SqliteConnection,
        (index, mut postings): (&mut SqliteConnection, Postings),
        rest: &Rest,
    ) -> Result<Option<Found>, sqlx::Error> {
        let mut behind = self.behind(connection, rest).await?;
        let mut events: Vec<Hit> = Vec::new();
        let (mut read, mut step) = (0, 2 * self.rows + 16);
        let end = loop {
            let step_now = step.min(self.most - read);
            let Ok(places) = postings.next(index, step_now).await else { return Ok(None) };
            let Some(last) = places.last().copied() else { break None };
            read += places.len();
            let text = listed(&places);
            let query = EventQuery::events(&Lead::Places(&text));
            let query = query.within(self.window()).matching(self.filter, self.scope);
            let wanted = (self.rows + 1).saturating_sub(events.len());
            let hits: Vec<Hit> =
                query.newest(wanted, 0).build_query_as().fetch_all(&mut *connection).await?;
            events.extend(hits);
            if events.len() > self.rows || read >= self.most {
                break Some(last).filter(|_| events.len() <= self.rows);
            }
            step = (step * 4).min(MOST_PLACES);
        };
        if let Some(end) = end {
            // What is older has its turn with what the index has there.
            behind.retain(|hit| hit.place() >= end);
        }
        events.append(&mut behind);
        events.sort_unstable_by_key(|hit| std::cmp::Reverse(hit.place()));
        // The index may have come further while it was read.
        events.dedup_by_key(|hit| hit.place());
        Ok(Some(self.page(events, end)))
    }

    /// What is wanted of `rest`, as much as goes on a page.
    async fn behind(
        &self,
        connection: &mut SqliteConnection,
        rest: &Rest,
    ) -> Result<Vec<Hit>, sqlx::Error> {
        let mut behind: Vec<Hit> = Vec::new();
        for LogEnd { log_id, tail: after } in rest {
            let query = EventQuery::events(&Lead::Log(*log_id, *after));
            let query = query.within(self.window()).matching(self.filter, self.scope);
            let mut query = query.newest(self.rows + 1, 0);
            behind.extend(query.build_query_as::<Hit>().fetch_all(&mut *connection).await?);
        }
        Ok(behind)
    }

    /// The page of `events`; `end` is where reading ended before the events did.
    fn page(&self, mut events: Vec<Hit>, end: Option<Place>) -> Found {
        let full = events.len() > self.rows;
        events.truncate(self.rows);
        let next = if full { events.last().map(Hit::place) } else { end };
        Found { events, next, cut: !full && end.is_some() }
    }
}

/// The place of the last of the next `count` events of `window`; `None` when there are no more.
async fn end_of(
    connection: &mut SqliteConnection,
    lead: &Lead<'_>,
    window: Window,
    count: usize,
) -> Result<Option<Place>, sqlx::Error> {
    let query = EventQuery::places(lead).within(window);
    query.newest(1, count.saturating_sub(1)).build_query_as().fetch_optional(connection).await
}

/// For each log the place up to which it is in the index, when that is far enough and the index is of
/// this database.
async fn rest(
    connection: &mut SqliteConnection,
    marks: &[Mark],
) -> Result<Option<Rest>, sqlx::Error> {
    let ends = log_ends(connection).await?;
    for mark in marks {
        if !is_ours(connection, mark, &ends).await? {
            return Ok(None);
        }
    }
    let mut behind = 0;
    let mut rest = Vec::with_capacity(ends.len());
    for LogEnd { log_id, tail } in ends {
        let mark = marks.iter().find(|mark| mark.log_id == log_id);
        let after = mark.map_or(0, |mark| mark.indexed_to);
        behind += tail - after;
        rest.push(LogEnd { log_id, tail: after });
    }
    Ok((behind <= MOST_BEHIND).then_some(rest))
}

fn listed(places: &[Place]) -> String {
    let places: Vec<_> = places.iter().map(|place| [place.log_id, place.seq]).collect();
    // Numbers only: there is nothing that could fail.
    serde_json::to_string(&places).unwrap_or_default()
}

/// The filter for decisions among what `filter` describes.
pub(super) fn decisions(filter: &EventFilter) -> EventFilter {
    EventFilter { kind: Some(EventKind::Decision), ..filter.clone() }
}
