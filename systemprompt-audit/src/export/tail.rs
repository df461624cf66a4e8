use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use systemprompt_core::clock::Timestamp;

use super::batch::Batch;
use super::format::Encoder;
use super::settings::StartAt;
use super::stats::{Counters, Places};
use super::store::{LogPlace, Row, Source};
use crate::QueryError;

/// Reads the logs of a database in order, as batches of encoded events.
pub(super) struct Tail {
    source: Source,
    encoder: Encoder,
    start_at: StartAt,
    /// Most events, and most bytes, of a batch.
    limits: (usize, usize),
    counters: Arc<Counters>,
    logs: Vec<LogPlace>,
    /// What was read so far.
    read: Places,
    /// What was noted so far.
    noted: Places,
    /// Which log is next.
    turn: usize,
}

impl Tail {
    pub(super) fn new(
        source: Source,
        encoder: Encoder,
        start_at: StartAt,
        limits: (usize, usize),
        counters: Arc<Counters>,
    ) -> Self {
        Self {
            source,
            encoder,
            start_at,
            limits,
            counters,
            logs: Vec::new(),
            read: Places::new(),
            noted: Places::new(),
            turn: 0,
        }
    }

    /// Begins where the sink has noted to be, or after `spooled`, which wait on disk already.
    pub(super) async fn begin(&mut self, spooled: &Places) -> Result<(), QueryError> {
        self.logs = self.source.places().await?;
        self.read.clear();
        for log in &self.logs {
            let start = match (log.noted, self.start_at) {
                (Some(noted), _) => noted,
                (None, StartAt::Beginning) => 0,
                (None, StartAt::End) => log.head,
            };
            if log.noted.is_some() {
                self.noted.insert(log.origin.clone(), start);
            }
            let spooled = spooled.get(&log.origin).copied().unwrap_or(0);
            self.read.insert(log.origin.clone(), start.max(spooled));
        }
        // From now on its place is known, so that a second start goes on there.
        if self.start_at == StartAt::End {
            let places = self.read.clone();
            self.note(&places).await?;
        }
        Ok(())
    }

    /// Where the sink has noted to be.
    pub(super) async fn noted(&mut self) -> Result<Places, QueryError> {
        let logs = self.source.places().await?.into_iter();
        Ok(logs.filter_map(|log| Some((log.origin, log.noted?))).collect())
    }

    /// Looks how far the logs have come.
    pub(super) async fn look(&mut self) -> Result<(), QueryError> {
        self.logs = self.source.places().await?;
        let behind = self.logs.iter().map(|log| {
            let arrived = log.noted.unwrap_or(0).max(place(&self.noted, &log.origin));
            u64::try_from(log.head - arrived).unwrap_or(0)
        });
        self.counters.behind.store(behind.sum(), Relaxed);
        Ok(())
    }

    /// The next batch; `None` when nothing is new. A batch may have no lines, when no row could be read.
    pub(super) async fn next(&mut self) -> Result<Option<Batch>, QueryError> {
        if !self.has_news() {
            self.look().await?;
        }
        for _ in 0..self.logs.len() {
            let at = self.turn % self.logs.len().max(1);
            self.turn = self.turn.wrapping_add(1);
            let Some(log) = self.logs.get(at).cloned() else { return Ok(None) };
            if log.head > place(&self.read, &log.origin) {
                let batch = self.batch(&log).await?;
                self.read.insert(log.origin, batch.to);
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }

    fn has_news(&self) -> bool {
        self.logs.iter().any(|log| log.head > place(&self.read, &log.origin))
    }

    async fn batch(&mut self, log: &LogPlace) -> Result<Batch, QueryError> {
        let (most_events, most_bytes) = self.limits;
        let after = place(&self.read, &log.origin);
        let mut batch = Batch::new(&log.origin, after);
        let (encoder, mut unreadable) = (&self.encoder, 0);
        let mut take = |row: Row| {
            let seq = row.seq();
            let encoded = match &row {
                Row::Event(event) => batch.push(|line| encoder.encode(event, line)).is_ok(),
                Row::Unreadable { .. } => false,
            };
            if batch.len() > 1 && batch.bytes().len() > most_bytes {
                // One too many; it comes with the next batch.
                batch.pop();
                return false;
            }
            if !encoded {
                tracing::error!(origin = log.origin, seq, "a row of the audit log is no event");
                unreadable += 1;
            }
            batch.to = seq;
            batch.bytes().len() < most_bytes
        };
        let limit = i64::try_from(most_events).unwrap_or(i64::MAX);
        self.source.rows(log, after, limit, &mut take).await?;
        if batch.to == after {
            // Rows that were there are not any more; retention removes the oldest.
            batch.to = log.head;
        }
        self.counters.unreadable.fetch_add(unreadable, Relaxed);
        Ok(batch)
    }

    /// Notes that everything up to `places` has arrived.
    pub(super) async fn note(&mut self, places: &Places) -> Result<(), QueryError> {
        for (origin, seq) in places {
            if place(&self.noted, origin) >= *seq && self.noted.contains_key(origin) {
                continue;
            }
            let Some(log) = self.logs.iter().find(|log| log.origin == *origin) else { continue };
            let (log_id, now) = (log.log_id, now());
            self.source.note(log_id, *seq, now).await?;
            self.noted.insert(origin.clone(), *seq);
        }
        Ok(())
    }

    pub(super) async fn close(&mut self) {
        self.source.close().await;
    }
}

fn place(places: &Places, origin: &str) -> i64 {
    places.get(origin).copied().unwrap_or(0)
}

fn now() -> Timestamp {
    use systemprompt_core::clock::{Clock as _, SystemClock};
    SystemClock::new().now()
}
