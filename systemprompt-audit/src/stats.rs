use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Upper bounds of the latency buckets, in microseconds; one more bucket holds the rest.
pub const LATENCY_BOUNDS_US: [u64; 12] =
    [250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 5_000_000];

/// What a log has done since it was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditStats {
    /// Events that were made durable.
    pub events: u64,
    /// Transactions they took.
    pub batches: u64,
    /// Events in the largest transaction.
    pub largest_batch: u64,
    /// Events and outcomes that were refused because the queue was full.
    pub refused: u64,
    /// Events and outcomes that could not be written.
    pub failed: u64,
    /// Permits that were recorded as abandoned.
    pub abandoned: u64,
    /// Events and outcomes that wait for the writer now.
    pub queued: u64,
    /// The place of the last event.
    pub last_seq: u64,
    /// Whether the last attempt to write succeeded.
    pub healthy: bool,
    /// Checkpoints that were signed and stored.
    pub checkpoints: u64,
    /// Times a checkpoint could not be stored, or not be kept at an outside place.
    pub checkpoint_failures: u64,
    /// Checkpoints that a witness has cosigned, once for each witness.
    pub cosigned: u64,
    /// Events up to the last checkpoint.
    pub checkpointed: u64,
    /// Whether the log is not the one that was signed before, so that it is not signed any more.
    pub diverged: bool,
    /// How long appends took, from the call to durability.
    pub latency: LatencyHistogram,
}

/// A histogram of durations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LatencyHistogram {
    /// How many fell in each bucket of [`LATENCY_BOUNDS_US`], and beyond the last; not cumulative.
    pub counts: [u64; LATENCY_BOUNDS_US.len() + 1],
    /// Sum of all durations, in microseconds.
    pub sum_us: u64,
}

/// The live counters.
#[derive(Debug)]
pub(crate) struct Counters {
    pub(crate) events: AtomicU64,
    pub(crate) batches: AtomicU64,
    pub(crate) largest_batch: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) abandoned: AtomicU64,
    pub(crate) last_seq: AtomicI64,
    pub(crate) healthy: AtomicBool,
    pub(crate) checkpoints: AtomicU64,
    pub(crate) checkpoint_failures: AtomicU64,
    pub(crate) cosigned: AtomicU64,
    pub(crate) checkpointed: AtomicU64,
    pub(crate) diverged: AtomicBool,
    latency: [AtomicU64; LATENCY_BOUNDS_US.len() + 1],
    latency_sum_us: AtomicU64,
}

impl Counters {
    pub(crate) fn new(last_seq: i64) -> Self {
        Self {
            events: AtomicU64::new(0),
            batches: AtomicU64::new(0),
            largest_batch: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            abandoned: AtomicU64::new(0),
            last_seq: AtomicI64::new(last_seq),
            healthy: AtomicBool::new(true),
            checkpoints: AtomicU64::new(0),
            checkpoint_failures: AtomicU64::new(0),
            cosigned: AtomicU64::new(0),
            checkpointed: AtomicU64::new(0),
            diverged: AtomicBool::new(false),
            latency: Default::default(),
            latency_sum_us: AtomicU64::new(0),
        }
    }

    pub(crate) fn committed(&self, events: usize, last_seq: i64) {
        let events = events as u64;
        self.events.fetch_add(events, Relaxed);
        self.batches.fetch_add(1, Relaxed);
        self.largest_batch.fetch_max(events, Relaxed);
        self.last_seq.store(last_seq, Relaxed);
    }

    pub(crate) fn took(&self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let bucket = LATENCY_BOUNDS_US.partition_point(|bound| *bound < micros);
        if let Some(count) = self.latency.get(bucket) {
            count.fetch_add(1, Relaxed);
        }
        self.latency_sum_us.fetch_add(micros, Relaxed);
    }

    pub(crate) fn snapshot(&self, queued: usize) -> AuditStats {
        let mut latency = LatencyHistogram {
            sum_us: self.latency_sum_us.load(Relaxed),
            ..LatencyHistogram::default()
        };
        for (to, from) in latency.counts.iter_mut().zip(&self.latency) {
            *to = from.load(Relaxed);
        }
        AuditStats {
            events: self.events.load(Relaxed),
            batches: self.batches.load(Relaxed),
            largest_batch: self.largest_batch.load(Relaxed),
            refused: self.refused.load(Relaxed),
            failed: self.failed.load(Relaxed),
            abandoned: self.abandoned.load(Relaxed),
            queued: queued as u64,
            last_seq: u64::try_from(self.last_seq.load(Relaxed)).unwrap_or(0),
            healthy: self.healthy.load(Relaxed),
            checkpoints: self.checkpoints.load(Relaxed),
            checkpoint_failures: self.checkpoint_failures.load(Relaxed),
            cosigned: self.cosigned.load(Relaxed),
            checkpointed: self.checkpointed.load(Relaxed),
            diverged: self.diverged.load(Relaxed),
            latency,
        }
    }
}
