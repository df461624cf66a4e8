use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Most batches that wait for their acknowledgement.
const MOST: usize = 16;
/// How much longer than the first the longest pause between two questions is.
const SLOWER: u32 = 25;

/// A batch that the receiver has taken.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// Acknowledgements that are still to come.
    pub(super) acks: BTreeSet<u64>,
    /// How many events they are for.
    pub(super) events: usize,
}

/// The first batches of a spool, which the receiver has taken, until it says that they have arrived. One
/// that needs no acknowledgement has arrived at once.
#[derive(Debug)]
pub(super) struct Flight {
    batches: VecDeque<(Taken, Instant)>,
    /// How long an acknowledgement may take.
    patience: Duration,
    first: Duration,
    pause: Duration,
    ask: Instant,
}

impl Flight {
    /// Nothing yet. The receiver is asked after `first`, and less often the longer it has nothing to say.
    pub(super) fn new(first: Duration, patience: Duration) -> Self {
        let ask = Instant::now();
        Self { batches: VecDeque::new(), patience, first, pause: first, ask }
    }

    pub(super) fn push(&mut self, taken: Taken) {
        let now = Instant::now();
        if self.batches.is_empty() {
            self.pause = self.first;
            self.ask = now + self.first;
        }
        self.batches.push_back((taken, now + self.patience));
    }

    pub(super) fn len(&self) -> usize {
        self.batches.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.batches.len() >= MOST
    }

    /// Takes the first batch out when it has arrived, and says how many events were acknowledged with it.
    pub(super) fn arrived(&mut self) -> Option<usize> {
        let first = self.batches.pop_front_if(|(taken, _)| taken.acks.is_empty());
        first.map(|(taken, _)| taken.events)
    }

    /// All acknowledgements that are still to come.
    pub(super) fn pending(&self) -> Vec<u64> {
        self.batches.iter().flat_map(|(taken, _)| taken.acks.iter().copied()).collect()
    }

    /// Whether it is time to ask for them.
    pub(super) fn is_due(&self) -> bool {
        !self.batches.is_empty() && self.ask <= Instant::now()
    }

    /// Until it is time to ask.
    pub(super) async fn due(&self) {
        sleep_until(self.ask).await;
    }

    /// Takes an answer; whether there was anything in it.
    pub(super) fn acknowledge(&mut self, acks: &[u64]) -> bool {
        let mut any = false;
        for (taken, _) in &mut self.batches {
            for ack in acks {
                any |= taken.acks.remove(ack);
            }
        }
        let slowest = self.first.saturating_mul(SLOWER);
        self.pause = if any { self.first } else { (self.pause * 2).min(slowest) };
        self.ask = Instant::now() + self.pause;
        any
    }

    /// Whether one has taken too long.
    pub(super) fn is_overdue(&self) -> bool {
        let now = Instant::now();
        self.batches.iter().any(|(taken, until)| !taken.acks.is_empty() && *until <= now)
    }

    /// Everything will be sent again.
    pub(super) fn clear(&mut self) {
        self.batches.clear();
    }
}
