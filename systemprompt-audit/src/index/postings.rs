//! Reads the places of a term, newest first.

use std::collections::BinaryHeap;

use sqlx::sqlite::SqliteConnection;

use super::Term;
use super::chunk::{Chunk, SPAN};
use crate::place::{Place, Window};

/// How many rows of a segment are counted to find the rarest of several terms.
const PROBE: i64 = 200;

/// Rows that are read together.
const ROWS: i64 = 32;

/// The places of the rarest of some terms, newest first, a few at a time.
#[derive(Debug)]
pub(crate) struct Postings {
    term: Term,
    window: Window,
    /// Segments that were not looked into yet, the newest last.
    closed: Vec<Probe>,
    open: Vec<Run>,
}

/// A segment with postings of the term.
#[derive(Debug)]
struct Probe {
    segment: i64,
    newest: i64,
    hits: i64,
}

/// What has been read of a segment.
#[derive(Debug)]
struct Run {
    segment: i64,
    places: BinaryHeap<Place>,
    unread: Option<Unread>,
}

/// What has not been read of a segment.
#[derive(Debug, Clone, Copy)]
struct Unread {
    /// The row before it, by its newest place.
    after: Place,
    /// No place in it is newer.
    newest: i64,
}

/// A row of the table.
struct Row {
    newest: i64,
    log_id: i64,
    seq: i64,
    events: i64,
    others: Vec<u8>,
}

impl Postings {
    /// The places in `window` of that one of `terms` that has the fewest; `None` without terms.
    pub(crate) async fn rarest(
        index: &mut SqliteConnection,
        terms: &[Term],
        window: Window,
    ) -> Result<Option<Self>, sqlx::Error> {
        let mut rarest: Option<(i64, Self)> = None;
        for &term in terms {
            let closed = probe(index, term, window).await?;
            let hits = closed.iter().map(|probe| probe.hits).sum();
            if rarest.as_ref().is_none_or(|(fewest, _)| hits < *fewest) {
                rarest = Some((hits, Self { term, window, closed, open: Vec::new() }));
            }
        }
        Ok(rarest.map(|(_, postings)| postings))
    }

    /// The next places, up to `most`; fewer only at the end.
    pub(crate) async fn next(
        &mut self,
        index: &mut SqliteConnection,
        most: usize,
    ) -> Result<Vec<Place>, sqlx::Error> {
        let mut places = Vec::new();
        while places.len() < most {
            let newest = self.newest();
            // What may hold something newer has to be looked into first.
            let ahead = |instant: i64| newest.is_none_or(|(_, place)| instant >= place.occurred_at);
            if let Some(Probe { segment, .. }) = self.closed.pop_if(|probe| ahead(probe.newest)) {
                let after = from_before(self.window);
                let unread = Some(Unread { after, newest: after.occurred_at });
                self.open.push(Run { segment, places: BinaryHeap::new(), unread });
                continue;
            }
            let behind = |run: &Run| run.unread.is_some_and(|unread| ahead(unread.newest));
            if let Some(at) = self.open.iter().position(behind) {
                self.read_on(index, at).await?;
                continue;
            }
            let Some((at, place)) = newest else { break };
            places.push(place);
            if let Some(run) = self.open.get_mut(at) {
                run.places.pop();
            }
        }
        Ok(places)
    }

    /// The newest place that was read, with the run it is in.
    fn newest(&self) -> Option<(usize, Place)> {
        let tops = self.open.iter().enumerate();
        tops.filter_map(|(at, run)| Some((at, *run.places.peek()?))).max_by_key(|(_, it)| *it)
    }

    /// Reads the next rows of an open run.
    async fn read_on(
        &mut self,
        index: &mut SqliteConnection,
        at: usize,
    ) -> Result<(), sqlx::Error> {
        let Some(run) = self.open.get_mut(at) else { return Ok(()) };
        let Some(unread) = run.unread.take() else { return Ok(()) };
        let rows = read(index, run.segment, self.term, unread.after, self.window.from).await?;
        if i64::try_from(rows.len()).is_ok_and(|count| count == ROWS) {
            run.unread = rows
                .last()
                .map(|chunk| Unread { after: chunk.newest, newest: chunk.newest.occurred_at });
        }
        let Window { before, from } = self.window;
        for row in rows {
            let places = row.places().map_err(|error| sqlx::Error::Decode(error.into()))?;
            run.places
                .extend(places.into_iter().filter(|it| *it < before && it.occurred_at >= from));
        }
        if run.places.is_empty() && run.unread.is_none() {
            self.open.swap_remove(at);
        }
        Ok(())
    }
}

/// Before the first row that may hold a place of `window`.
fn from_before(window: Window) -> Place {
    let occurred_at = window.before.occurred_at.saturating_add(SPAN);
    Place { occurred_at, ..Place::END }
}

/// The segments with postings of `term` in `window`, the newest last.
async fn probe(
    index: &mut SqliteConnection,
    term: Term,
    window: Window,
) -> Result<Vec<Probe>, sqlx::Error> {
    let (term, from, to) = (term.get(), window.from, window.before.occurred_at);
    let last = from_before(window).occurred_at;
    let mut probes = sqlx::query_as!(
        Probe,
        r#"SELECT id AS "segment!: i64", newest,
                  (SELECT coalesce(sum(events), 0) FROM
                      (SELECT p.events FROM audit_index_postings AS p
                       WHERE p.segment = s.id AND p.term = ? AND p.newest >= ?
                         AND p.newest <= ? LIMIT ?)) AS "hits!: i64"
           FROM audit_index_segments AS s
           WHERE newest >= ? AND oldest <= ? ORDER BY newest"#,
        term,
        from,
        last,
        PROBE,
        from,
        to
    )
    .fetch_all(index)
    .await?;
    probes.retain(|probe| probe.hits > 0);
    Ok(probes)
}

/// The rows of `term` after the one that begins with `after`, whose newest place is not older than
/// `from`.
async fn read(
    index: &mut SqliteConnection,
    segment: i64,
    term: Term,
    after: Place,
    from: i64,
) -> Result<Vec<Chunk>, sqlx::Error> {
    let Place { occurred_at, log_id, seq } = after;
    let term = term.get();
    let rows = sqlx::query_as!(
        Row,
        "SELECT newest, log_id, seq, events, others FROM audit_index_postings
         WHERE segment = ? AND term = ? AND newest >= ? AND (newest, log_id, seq) < (?, ?, ?)
         ORDER BY newest DESC, log_id DESC, seq DESC LIMIT ?",
        segment,
        term,
        from,
        occurred_at,
        log_id,
        seq,
        ROWS
    )
    .fetch_all(index)
    .await?;
    let chunk = |row: Row| {
        let newest = Place { occurred_at: row.newest, log_id: row.log_id, seq: row.seq };
        Chunk { newest, events: row.events, others: row.others }
    };
    Ok(rows.into_iter().map(chunk).collect())
}
