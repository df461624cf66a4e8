//! Reads the places of a term, newest first.

use std::collections::VecDeque;

use sqlx::sqlite::SqliteConnection;

use super::Term;
use crate::place::{Place, Window};

/// How many postings of a segment are counted to find the rarest of several terms.
const PROBE: i64 = 200;

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
    places: VecDeque<Place>,
    /// Where the next read starts; `None` when there is no more.
    next: Option<Place>,
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
            // A segment that may hold something newer has to be looked into first.
            if let Some(probe) = self
                .closed
                .pop_if(|probe| newest.is_none_or(|(_, place)| probe.newest >= place.occurred_at))
            {
                let before = Some(self.window.before);
                let run = Run { segment: probe.segment, places: VecDeque::new(), next: before };
                self.open.push(run);
                self.refill(index, self.open.len() - 1, most).await?;
                continue;
            }
            let Some((at, place)) = newest else { break };
            places.push(place);
            let Some(run) = self.open.get_mut(at) else { break };
            run.places.pop_front();
            if run.places.is_empty() {
                self.refill(index, at, most).await?;
            }
        }
        Ok(places)
    }

    /// The newest place that was read, with the run it is in.
    fn newest(&self) -> Option<(usize, Place)> {
        let fronts = self.open.iter().enumerate();
        fronts.filter_map(|(at, run)| Some((at, *run.places.front()?))).max_by_key(|(_, it)| *it)
    }

    async fn refill(
        &mut self,
        index: &mut SqliteConnection,
        at: usize,
        most: usize,
    ) -> Result<(), sqlx::Error> {
        let Some(run) = self.open.get_mut(at) else { return Ok(()) };
        if let Some(next) = run.next {
            let window = Window { before: next, from: self.window.from };
            let places = read(index, run.segment, self.term, window, most).await?;
            run.next = places.last().copied().filter(|_| places.len() == most);
            run.places = places.into();
        }
        if run.places.is_empty() {
            self.open.swap_remove(at);
        }
        Ok(())
    }
}

/// The segments with postings of `term` in `window`, the newest last.
async fn probe(
    index: &mut SqliteConnection,
    term: Term,
    window: Window,
) -> Result<Vec<Probe>, sqlx::Error> {
    let (term, from, to) = (term.get(), window.from, window.before.occurred_at);
    let mut probes = sqlx::query_as!(
        Probe,
        r#"SELECT id AS "segment!: i64", newest,
                  (SELECT count(*) FROM
                      (SELECT 1 FROM audit_index_postings AS p
                       WHERE p.segment = s.id AND p.term = ? AND p.occurred_at >= ?
                         AND p.occurred_at <= ? LIMIT ?)) AS "hits!: i64"
           FROM audit_index_segments AS s
           WHERE newest >= ? AND oldest <= ? ORDER BY newest"#,
        term,
        from,
        to,
        PROBE,
        from,
        to
    )
    .fetch_all(index)
    .await?;
    probes.retain(|probe| probe.hits > 0);
    Ok(probes)
}

async fn read(
    index: &mut SqliteConnection,
    segment: i64,
    term: Term,
    window: Window,
    most: usize,
) -> Result<Vec<Place>, sqlx::Error> {
    let Place { occurred_at, log_id, seq } = window.before;
    let (term, limit) = (term.get(), i64::try_from(most).unwrap_or(i64::MAX));
    sqlx::query_as!(
        Place,
        "SELECT occurred_at, log_id, seq FROM audit_index_postings
         WHERE segment = ? AND term = ? AND occurred_at >= ?
           AND (occurred_at, log_id, seq) < (?, ?, ?)
         ORDER BY occurred_at DESC, log_id DESC, seq DESC LIMIT ?",
        segment,
        term,
        window.from,
        occurred_at,
        log_id,
        seq,
        limit
    )
    .fetch_all(index)
    .await
}
