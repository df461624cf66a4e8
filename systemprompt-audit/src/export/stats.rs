use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64};

/// What a sink has done so far and how it is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SinkStats {
    /// The sink.
    pub sink: String,
    /// Events that have arrived.
    pub events: u64,
    /// Attempts that failed.
    pub failures: u64,
    /// Events that the receiver refused for good; they are kept in the sink's folder.
    pub rejected: u64,
    /// Rows of the log that do not hold an event any more, because someone changed them.
    pub unreadable: u64,
    /// Events in the log that have not arrived yet.
    pub behind: u64,
    /// Bytes that wait on disk.
    pub spooled_bytes: u64,
    /// Whether reading is paused because the spool is full.
    pub paused: bool,
    /// Whether the last attempt succeeded.
    pub healthy: bool,
}

/// The counters behind [`SinkStats`].
#[derive(Debug)]
pub(super) struct Counters {
    pub(super) events: AtomicU64,
    pub(super) failures: AtomicU64,
    pub(super) rejected: AtomicU64,
    pub(super) unreadable: AtomicU64,
    pub(super) behind: AtomicU64,
    pub(super) spooled_bytes: AtomicU64,
    pub(super) paused: AtomicBool,
    pub(super) healthy: AtomicBool,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            events: 0.into(),
            failures: 0.into(),
            rejected: 0.into(),
            unreadable: 0.into(),
            behind: 0.into(),
            spooled_bytes: 0.into(),
            paused: false.into(),
            healthy: true.into(),
        }
    }
}

impl Counters {
    pub(super) fn snapshot(&self, sink: &str) -> SinkStats {
        SinkStats {
            sink: sink.to_owned(),
            events: self.events.load(Relaxed),
            failures: self.failures.load(Relaxed),
            rejected: self.rejected.load(Relaxed),
            unreadable: self.unreadable.load(Relaxed),
            behind: self.behind.load(Relaxed),
            spooled_bytes: self.spooled_bytes.load(Relaxed),
            paused: self.paused.load(Relaxed),
            healthy: self.healthy.load(Relaxed),
        }
    }
}

/// Places in logs, by origin.
pub(super) type Places = BTreeMap<String, i64>;
