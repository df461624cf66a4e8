/// Where an event stands in the order in which events are shown: by time, then by log, then by its place
/// in that. Nothing that is written later changes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, sqlx::FromRow)]
pub(crate) struct Place {
    /// Microseconds since 1970.
    pub(crate) occurred_at: i64,
    /// The log.
    pub(crate) log_id: i64,
    /// The place in the log.
    pub(crate) seq: i64,
}

impl Place {
    /// After every event.
    pub(crate) const END: Self = Self { occurred_at: i64::MAX, log_id: i64::MAX, seq: i64::MAX };

    /// Before every event at `instant` or later, after all others.
    pub(crate) const fn before(instant: i64) -> Self {
        Self { occurred_at: instant, log_id: i64::MIN, seq: i64::MIN }
    }
}

/// The events between two places, newest first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    /// Those before this place.
    pub(crate) before: Place,
    /// Those not older than this instant.
    pub(crate) from: i64,
}
