use std::ops::Range;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::Worker;
use super::flight::{Flight, Taken};
use crate::export::backoff::Backoff;
use crate::export::batch::Batch;
use crate::export::sink::{Attempt, RemoteSink, Unconfirmed};
use crate::export::spool::Spool;

/// How often a refused batch is tried as a whole, before the events that the receiver does not want are
/// looked for.
const REFUSALS: u32 = 3;
/// How often an event that came alone is refused until it is set aside.
const REFUSALS_ALONE: u32 = 10;

/// Delivers batches, however long it takes.
pub(super) struct Delivery<'w> {
    worker: &'w Worker,
    spool: &'w Spool,
    sink: RemoteSink,
    backoff: Backoff,
}

impl<'w> Delivery<'w> {
    pub(super) fn new(worker: &'w Worker, spool: &'w Spool, sink: RemoteSink) -> Self {
        Self { worker, spool, sink, backoff: worker.backoff() }
    }

    /// Delivers a batch, as far as that goes without an acknowledgement; `None` when it was time to stop
    /// before that was done.
    pub(super) async fn deliver(&mut self, batch: &Batch) -> Option<Taken> {
        let mut work = Work::new(batch);
        let mut taken = Taken::default();
        loop {
            let Some(range) = work.next() else {
                if work.is_settled() {
                    return self.finish(batch, &work).await.then_some(taken);
                }
                // Nothing was accepted: the fault is more likely the receiver's, or in how it is used.
                work.start_over();
                if !self.pause(None).await {
                    return None;
                }
                continue;
            };
            match self.sink.send(batch, range.clone()).await {
                Attempt::Arrived => {
                    self.backoff.reset();
                    self.worker.succeeded();
                    self.worker.arrived(range.len());
                    work.accepted += range.len();
                }
                Attempt::Taken(number) => {
                    self.worker.succeeded();
                    taken.acks.insert(number);
                    taken.events += range.len();
                    work.accepted += range.len();
                }
                Attempt::TooLarge => work.too_large(range),
                Attempt::Refused { problem } => {
                    self.worker.failed("a batch was refused", &problem);
                    if work.refused(range) && !self.pause(None).await {
                        return None;
                    }
                }
                Attempt::Later { after, problem } => {
                    self.worker.failed("the receiver does not take events", &problem);
                    work.put_back(range);
                    if !self.pause(after).await {
                        return None;
                    }
                }
            }
        }
    }

    /// Asks what of `flight` has arrived; `false` when it is time to stop.
    pub(super) async fn confirm(&mut self, flight: &mut Flight) -> bool {
        let mut asked = None;
        match self.sink.confirm(&flight.pending()).await {
            Ok(acks) => {
                if flight.acknowledge(&acks) {
                    self.backoff.reset();
                    self.worker.succeeded();
                }
            }
            Err(Unconfirmed { after, problem, .. }) => {
                self.worker.failed("the receiver does not say what has arrived", &problem);
                asked = Some(after);
            }
        }
        if flight.is_overdue() {
            self.worker.failed("events were not acknowledged in time", &"they are sent again");
            flight.clear();
            self.sink.forget();
            asked.get_or_insert(None);
        }
        match asked {
            Some(after) => self.pause(after).await,
            None => true,
        }
    }

    async fn pause(&mut self, after: Option<Duration>) -> bool {
        let pause = self.backoff.next(after);
        self.worker.stop.sleep(pause).await
    }

    /// Keeps what the receiver did not want.
    async fn finish(&mut self, batch: &Batch, work: &Work) -> bool {
        let unwanted: Vec<usize> = work.oversized.iter().chain(&work.unwanted).copied().collect();
        if unwanted.is_empty() {
            return true;
        }
        loop {
            let lines = unwanted.iter().flat_map(|line| batch.lines(*line..line + 1));
            match self.spool.set_aside(lines) {
                Ok(true) => break,
                Ok(false) => self.worker.failed("there is no room for refused events", &"full"),
                Err(error) => self.worker.failed("refused events cannot be kept", &error),
            }
            if !self.pause(None).await {
                return false;
            }
        }
        let count = unwanted.len() as u64;
        self.worker.counters.rejected.fetch_add(count, Relaxed);
        tracing::error!(sink = self.worker.id(), count, "the receiver refused events for good");
        true
    }
}

/// What is left to do of a batch.
struct Work {
    lines: usize,
    left: Vec<Range<usize>>,
    accepted: usize,
    refusals: u32,
    rounds: u32,
    /// Whether lines that were refused alone have been tried once more since.
    confirmed: bool,
    /// Lines that are too long even alone.
    oversized: Vec<usize>,
    /// Lines that were refused alone.
    unwanted: Vec<usize>,
}

impl Work {
    fn new(batch: &Batch) -> Self {
        Self {
            lines: batch.len(),
            left: whole(batch.len()),
            accepted: 0,
            refusals: 0,
            rounds: 0,
            confirmed: false,
            oversized: Vec::new(),
            unwanted: Vec::new(),
        }
    }

    /// What to try next. When others were accepted, what was refused alone is tried once more: the
    /// receiver may have come to its senses meanwhile.
    fn next(&mut self) -> Option<Range<usize>> {
        if self.left.is_empty()
            && self.accepted > 0
            && !std::mem::replace(&mut self.confirmed, true)
        {
            let again = std::mem::take(&mut self.unwanted).into_iter().rev();
            self.left.extend(again.map(|line| line..line + 1));
        }
        self.left.pop()
    }

    fn put_back(&mut self, range: Range<usize>) {
        self.left.push(range);
    }

    fn too_large(&mut self, range: Range<usize>) {
        if range.len() > 1 { self.halve(range) } else { self.oversized.push(range.start) }
    }

    /// Whether a pause is due.
    fn refused(&mut self, range: Range<usize>) -> bool {
        self.refusals += 1;
        if self.refusals < REFUSALS && range.len() > 1 {
            self.put_back(range);
            return true;
        }
        if range.len() > 1 {
            self.halve(range)
        } else {
            self.unwanted.push(range.start)
        }
        false
    }

    /// The first half is the next, so that the order is kept.
    fn halve(&mut self, range: Range<usize>) {
        let middle = range.start + range.len() / 2;
        self.left.push(middle..range.end);
        self.left.push(range.start..middle);
    }

    /// Whether what was refused was refused for its own sake.
    fn is_settled(&self) -> bool {
        self.unwanted.is_empty()
            || self.accepted > 0
            || (self.lines == 1 && self.rounds + 1 >= REFUSALS_ALONE)
    }

    fn start_over(&mut self) {
        self.rounds += 1;
        self.confirmed = false;
        self.refusals = 0;
        self.unwanted.clear();
        self.oversized.clear();
        self.left = whole(self.lines);
    }
}

fn whole(lines: usize) -> Vec<Range<usize>> {
    if lines == 0 { Vec::new() } else { Vec::from([Range { start: 0, end: lines }]) }
}
