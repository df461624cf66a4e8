use std::time::Duration;

use serde::Serialize;
use systemprompt_core::clock::Timestamp;

use super::breaker::Breaker;
use super::bulkhead::Bulkhead;

/// How a provider is doing, at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UpstreamHealth {
    /// Whether it is asked.
    #[serde(flatten)]
    pub state: BreakerState,
    /// How many attempts have failed since the last that did not.
    pub consecutive_failures: u32,
    /// How many calls are under way, those included whose answers are being read.
    pub in_flight: usize,
    /// How many calls wait for one of those to end.
    pub queued: usize,
    /// What went wrong last, as [`AttemptOutcome`](super::AttemptOutcome) writes it: `status_503`,
    /// `upstream_reset`.
    pub last_error: Option<String>,
    /// When an attempt was last answered as it should be.
    pub last_success: Option<Timestamp>,
    /// When one last failed.
    pub last_failure: Option<Timestamp>,
}

impl UpstreamHealth {
    pub(super) fn of(breaker: &Breaker, bulkhead: &Bulkhead) -> Self {
        let seen = breaker.seen();
        Self {
            state: breaker.state(),
            consecutive_failures: breaker.failures_in_a_row(),
            in_flight: bulkhead.in_flight(),
            queued: bulkhead.queued(),
            last_error: seen.last_error.map(|error| error.code()),
            last_success: seen.last_success,
            last_failure: seen.last_failure,
        }
    }
}

/// Whether a provider is asked (a circuit breaker).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum BreakerState {
    /// It is.
    Closed,
    /// It is left alone.
    Open {
        /// For so long, in milliseconds.
        #[serde(rename = "retry_after_ms", serialize_with = "millis")]
        retry_after: Duration,
    },
    /// One call is let through to see whether it works again.
    HalfOpen,
}

fn millis<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}
