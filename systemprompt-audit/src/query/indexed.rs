//! How a page of events is found in SQLite, where an index in a file of its own knows most properties.

use sqlx::sqlite::SqliteConnection;

use super::conditions::Lead;
use super::search::{Events as _, Found, Hit, Search, Sought};
use crate::index::{Index, LogEnd, Mark, Postings, is_ours, log_ends};
use crate::place::Place;

/// Most events that may not be in the index yet; with more of them it is of no help.
const MOST_BEHIND: i64 = 20_000;

/// Most places of the index that are looked up together.
const MOST_PLACES: usize = 10_000;

/// What of the logs is not in the index.
type Rest = Vec<LogEnd>;

impl Search<'_> {
    /// The page.
    pub(super) async fn indexed(
        &self,
        connection: &mut SqliteConnection,
        index: Option<&Index>,
    ) -> Result<Found, sqlx::Error> {
        if let Some(id) = self.filter.id {
            return self.scan(connection, &Lead::Id(id.as_bytes())).await;
        }
        if let Some(trace) = self.filter.trace_id {
            return self.scan(connection, &Lead::Trace(trace.as_bytes())).await;
        }
        let terms = self.filter.terms(self.scope);
        if !terms.is_empty()
            && let Some(index) = index
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
            let wanted = (self.rows + 1).saturating_sub(events.len());
            let sought = Sought { lead: Lead::Places(&text), end: None, ..self.sought(wanted) };
            events.extend(connection.hits(&sought).await?);
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
            let lead = Lead::Log(*log_id, *after);
            let sought = Sought { lead, ..self.sought(self.rows + 1) };
            behind.extend(connection.hits(&sought).await?);
        }
        Ok(behind)
    }
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
