use super::{EventRecord, LogPosition};

/// The logs of a database and how far each has come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogHeads(pub(super) Vec<LogHead>);

/// A log and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogHead {
    pub(crate) log_id: i64,
    pub(crate) origin: String,
    /// The place of its last event.
    pub(crate) tail: i64,
}

impl LogHeads {
    /// The position after every event.
    #[must_use]
    pub fn position(&self) -> LogPosition {
        let mut position = LogPosition::beginning();
        self.0.iter().for_each(|head| position.advance(head.log_id, head.tail));
        position
    }

    /// Whether `event` had been written already.
    #[must_use]
    pub fn include(&self, event: &EventRecord) -> bool {
        self.have(&event.origin, event.seq)
    }

    /// Whether the log `origin` has come to the place `seq`.
    #[must_use]
    pub fn have(&self, origin: &str, seq: i64) -> bool {
        self.0.iter().any(|head| head.origin == origin && seq <= head.tail)
    }

    /// Whether there are events after `position`.
    #[must_use]
    pub fn are_after(&self, position: &LogPosition) -> bool {
        self.after(position).next().is_some()
    }

    /// Whether every place of `position` is one that these logs have come to.
    #[must_use]
    pub fn have_reached(&self, position: &LogPosition) -> bool {
        position.places().all(|(log_id, seq)| {
            seq == 0 || self.0.iter().any(|head| head.log_id == log_id && seq <= head.tail)
        })
    }

    /// The logs that go on after `position`.
    pub(super) fn after(&self, position: &LogPosition) -> impl Iterator<Item = &LogHead> {
        self.0.iter().filter(|head| head.tail > position.of(head.log_id))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &LogHead> {
        self.0.iter()
    }
}
