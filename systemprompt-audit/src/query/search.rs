//! How a page of events is found.
//!
//! Where an index knows one of the properties that are wanted, it leads to the events; otherwise the
//! events themselves are looked through, the newest first. Either way a page reads a bounded number of
//! them, and says how far it came.

use std::future::Future;

use sqlx::{Encode, FromRow, QueryBuilder, Type};
use systemprompt_core::event::EventKind;
#[cfg(feature = "postgres")]
use systemprompt_core::event::Verdict;

use super::conditions::{Dialect, EventQuery, Lead};
use super::stored::StoredEvent;
use super::{EventFilter, EventRecord, ReadScope};
use crate::QueryError;
use crate::place::{Place, Window};

/// The kinds that are rare, and those of the verdicts that are, each as its index has it.
#[cfg(feature = "postgres")]
const RARE_KIND: &str = "e.kind NOT IN ('decision', 'outcome') AND e.kind";
#[cfg(feature = "postgres")]
const NOT_ALLOWED: &str = "e.decision <> 'allow' AND e.decision";

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

impl Found {
    /// What was found by two searches, a page of both.
    pub(super) fn merge(mut self, other: Self, rows: usize) -> Self {
        // Beyond the end of either search nothing is known of it.
        let end = match (self.next, other.next) {
            (Some(one), Some(another)) => Some(one.max(another)),
            (one, another) => one.or(another),
        };
        let cut = (self.cut && self.next == end) || (other.cut && other.next == end);
        self.events.extend(other.events);
        self.events.sort_unstable_by_key(|hit| std::cmp::Reverse(hit.place()));
        self.events.dedup_by_key(|hit| hit.place());
        if let Some(end) = end {
            self.events.retain(|hit| hit.place() >= end);
        }
        let full = self.events.len() > rows;
        self.events.truncate(rows);
        let next = if full { self.events.last().map(Hit::place) } else { end };
        Self { events: self.events, next, cut: cut && !full && next.is_some() }
    }
}

/// An event with its log.
#[derive(Debug, FromRow)]
pub(crate) struct Hit {
    #[sqlx(flatten)]
    pub(crate) event: StoredEvent,
    pub(crate) log_id: i64,
}

impl Hit {
    pub(super) fn into_record(self) -> Result<EventRecord, QueryError> {
        self.event.into_record()
    }

    pub(super) fn place(&self) -> Place {
        let StoredEvent { occurred_at, seq, .. } = self.event;
        Place { occurred_at, log_id: self.log_id, seq }
    }
}

/// Which events a step of a search takes.
#[derive(Debug)]
pub(crate) struct Sought<'s> {
    pub(crate) lead: Lead<'s>,
    pub(crate) window: Window,
    /// The place of the last event that is looked at.
    pub(crate) end: Option<Place>,
    pub(crate) filter: &'s EventFilter,
    pub(crate) scope: &'s ReadScope,
    pub(crate) limit: usize,
}

/// A connection that events are found over.
pub(crate) trait Events: Send {
    /// The newest of those that are sought, newest first.
    fn hits(
        &mut self,
        sought: &Sought<'_>,
    ) -> impl Future<Output = Result<Vec<Hit>, sqlx::Error>> + Send;

    /// The place of the last of the next `count` events of `window`; `None` when there are no more.
    fn end_of(
        &mut self,
        lead: &Lead<'_>,
        window: Window,
        count: usize,
    ) -> impl Future<Output = Result<Option<Place>, sqlx::Error>> + Send;
}

impl<D: Dialect> EventQuery<D>
where
    i64: for<'q> Encode<'q, D> + Type<D>,
    String: for<'q> Encode<'q, D> + Type<D>,
    Vec<u8>: for<'q> Encode<'q, D> + Type<D>,
{
    /// The query for [`Events::hits`].
    pub(crate) fn hits(sought: &Sought<'_>) -> QueryBuilder<D> {
        let Sought { lead, window, end, filter, scope, limit } = sought;
        let query = Self::events(lead).within(*window).matching(filter, scope);
        let query = if let Some(end) = end { query.not_before(*end) } else { query };
        query.newest(*limit, 0)
    }

    /// The query for [`Events::end_of`].
    pub(crate) fn end_of(lead: &Lead<'_>, window: Window, count: usize) -> QueryBuilder<D> {
        Self::places(lead).within(window).newest(1, count.saturating_sub(1))
    }
}

impl Search<'_> {
    /// The page, by the database's own indexes.
    #[cfg(feature = "postgres")]
    pub(super) async fn run(&self, events: &mut impl Events) -> Result<Found, sqlx::Error> {
        self.scan(events, &self.lead()).await
    }

    /// What leads to the fewest events.
    #[cfg(feature = "postgres")]
    fn lead(&self) -> Lead<'_> {
        let filter = self.filter;
        if let Some(id) = &filter.id {
            return Lead::Id(id.as_bytes());
        }
        if let Some(trace) = &filter.trace_id {
            return Lead::Trace(trace.as_bytes());
        }
        // The rarer properties first.
        let columns = [
            ("e.call_id", filter.call_id.as_deref()),
            ("e.session_id", filter.session_id.as_deref()),
            (RARE_KIND, filter.kind.map(EventKind::as_str).filter(|kind| is_rare(kind))),
            ("e.reason_code", filter.reason_code.as_deref()),
            ("e.user_id", filter.user_id.as_deref()),
            ("e.agent_id", filter.agent_id.as_deref()),
            ("e.tool", filter.tool.as_deref()),
            (NOT_ALLOWED, filter.decision.map(Verdict::as_str).filter(|it| *it != "allow")),
            ("e.tenant_id", filter.tenant_id.as_deref().or(self.scope.tenant())),
        ];
        let column = columns.into_iter().find_map(|(column, value)| Some((column, value?)));
        column.map_or(Lead::Time, |(column, value)| Lead::Column(column, value))
    }

    /// The next `limit` events that are wanted, whatever leads to them.
    pub(super) fn sought(&self, limit: usize) -> Sought<'_> {
        let Self { filter, scope, .. } = self;
        Sought { lead: Lead::Time, window: self.window(), end: None, filter, scope, limit }
    }

    pub(super) fn window(&self) -> Window {
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
    pub(super) async fn scan(
        &self,
        connection: &mut impl Events,
        lead: &Lead<'_>,
    ) -> Result<Found, sqlx::Error> {
        let mut events = Vec::new();
        let mut window = self.window();
        let (mut read, mut step) = (0, 2_000);
        loop {
            let step_now = step.min(self.most - read);
            let all = self.takes_all() || matches!(lead, Lead::Id(_));
            let end = if all { None } else { connection.end_of(lead, window, step_now).await? };
            let wanted = (self.rows + 1).saturating_sub(events.len());
            let lead = lead.clone();
            events.extend(
                connection.hits(&Sought { lead, window, end, ..self.sought(wanted) }).await?,
            );
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

    /// The page of `events`; `end` is where reading ended before the events did.
    pub(super) fn page(&self, mut events: Vec<Hit>, end: Option<Place>) -> Found {
        let full = events.len() > self.rows;
        events.truncate(self.rows);
        let next = if full { events.last().map(Hit::place) } else { end };
        Found { events, next, cut: !full && end.is_some() }
    }
}

/// The filter for decisions among what `filter` describes.
pub(super) fn decisions(filter: &EventFilter) -> EventFilter {
    EventFilter { kind: Some(EventKind::Decision), ..filter.clone() }
}

/// Whether events of `kind` are few: nearly all events are of two kinds.
#[cfg(feature = "postgres")]
fn is_rare(kind: &str) -> bool {
    !matches!(kind, "decision" | "outcome")
}
