use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use systemprompt_core::clock::{Clock, Timestamp};

use super::{AttemptOutcome, BreakerSettings, BreakerState};

/// How long callers are asked to wait while another call finds out how the provider is.
const WHILE_PROBING: Duration = Duration::from_secs(1);

/// Leaves a provider alone while it is down.
///
/// Closed, it counts failures. When there are too many it opens, and nothing is let through for a while.
/// Then it is half open: one attempt is let through, and what becomes of that closes it or opens it again.
pub(super) struct Breaker {
    provider: Arc<str>,
    settings: BreakerSettings,
    clock: Arc<dyn Clock>,
    inner: Mutex<Inner>,
}

struct Inner {
    phase: Phase,
    /// Changes with each phase: what an attempt of an earlier phase says comes too late.
    epoch: u64,
    failures_in_a_row: u32,
    /// The latest outcomes, `true` for a failure; no longer than the share looks back.
    latest: VecDeque<bool>,
    /// When it was to be seen first whether the provider works again, by the monotonic clock.
    half_open_at: Duration,
    /// When an attempt was last let through.
    admitted_at: Option<Duration>,
    seen: Seen,
}

/// What is kept to be shown.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    pub(super) last_error: Option<AttemptOutcome>,
    pub(super) last_success: Option<Timestamp>,
    pub(super) last_failure: Option<Timestamp>,
}

#[derive(Clone, Copy)]
enum Phase {
    Closed,
    /// Until this reading of the monotonic clock.
    Open(Duration),
    HalfOpen {
        probing: bool,
    },
}

/// What an attempt is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A caller's request.
    Call,
    /// To find out how the provider is.
    Probe,
}

/// An attempt that was let through. What becomes of it is told to this; dropped, it says nothing.
pub(super) struct Ticket {
    breaker: Arc<Breaker>,
    epoch: u64,
    probe: bool,
}

impl Breaker {
    pub(super) fn new(
        provider: Arc<str>,
        settings: BreakerSettings,
        clock: Arc<dyn Clock>,
    ) -> Arc<Self> {
        let inner = Inner {
            phase: Phase::Closed,
            epoch: 0,
            failures_in_a_row: 0,
            latest: VecDeque::new(),
            half_open_at: Duration::ZERO,
            admitted_at: None,
            seen: Seen::default(),
        };
        Arc::new(Self { provider, settings, clock, inner: Mutex::new(inner) })
    }

    /// Lets an attempt through, or says how long none is.
    pub(super) fn admit(self: &Arc<Self>, purpose: Purpose) -> Result<Ticket, Duration> {
        let mut inner = self.inner.lock();
        self.admissible(&inner, purpose)?;
        let probe = !matches!(inner.phase, Phase::Closed);
        if probe {
            inner.phase = Phase::HalfOpen { probing: true };
        }
        inner.admitted_at = Some(self.clock.monotonic());
        Ok(Ticket { breaker: Arc::clone(self), epoch: inner.epoch, probe })
    }

    /// Whether an attempt for a caller would be let through now, without letting one.
    pub(super) fn check(&self) -> Result<(), Duration> {
        self.admissible(&self.inner.lock(), Purpose::Call)
    }

    /// How long no attempt was let through; `None` when none ever was.
    pub(super) fn unused_for(&self) -> Option<Duration> {
        let admitted_at = self.inner.lock().admitted_at?;
        Some(self.clock.monotonic().saturating_sub(admitted_at))
    }

    pub(super) fn state(&self) -> BreakerState {
        match self.inner.lock().phase {
            Phase::Closed => BreakerState::Closed,
            Phase::Open(until) => match until.checked_sub(self.clock.monotonic()) {
                Some(retry_after) if !retry_after.is_zero() => BreakerState::Open { retry_after },
                _ => BreakerState::HalfOpen,
            },
            Phase::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    pub(super) fn failures_in_a_row(&self) -> u32 {
        self.inner.lock().failures_in_a_row
    }

    pub(super) fn seen(&self) -> Seen {
        self.inner.lock().seen.clone()
    }

    fn admissible(&self, inner: &Inner, purpose: Purpose) -> Result<(), Duration> {
        match inner.phase {
            Phase::Closed => Ok(()),
            Phase::HalfOpen { probing: true } => Err(WHILE_PROBING),
            Phase::HalfOpen { probing: false } => self.may_see(inner, purpose),
            Phase::Open(until) => match until.saturating_sub(self.clock.monotonic()) {
                Duration::ZERO => self.may_see(inner, purpose),
                left => Err(left),
            },
        }
    }

    /// Whether this attempt may find out how the provider is. A caller's may not while somebody else is to, who
    /// has had time for it when the pause is over.
    fn may_see(&self, inner: &Inner, purpose: Purpose) -> Result<(), Duration> {
        match (purpose, self.settings.probed) {
            (Purpose::Call, Some(pause)) => {
                let over = inner.half_open_at.saturating_add(pause);
                match over.saturating_sub(self.clock.monotonic()) {
                    Duration::ZERO => Ok(()),
                    left => Err(left.min(WHILE_PROBING)),
                }
            }
            _ => Ok(()),
        }
    }

    fn trips(&self, inner: &Inner) -> bool {
        let row = self.settings.failures_in_a_row;
        let by_row = row > 0 && inner.failures_in_a_row >= row;
        let by_share = self.settings.share.is_some_and(|share| {
            let failed = inner.latest.iter().filter(|failed| **failed).count();
            inner.latest.len() >= share.among
                && failed * 100 >= usize::from(share.percent) * share.among
        });
        by_row || by_share
    }

    fn note(&self, inner: &mut Inner, failed: bool) {
        inner.failures_in_a_row =
            if failed { inner.failures_in_a_row.saturating_add(1) } else { 0 };
        if let Some(share) = self.settings.share {
            while inner.latest.len() >= share.among.max(1) {
                inner.latest.pop_front();
            }
            inner.latest.push_back(failed);
        }
    }
}

impl Inner {
    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.epoch += 1;
        self.latest.clear();
    }
}

impl Ticket {
    /// The provider answered as it should: what it is asked for is on its way. A provider that begins to
    /// answer works again; but failures are forgotten only when an answer comes to its end
    /// ([`succeeded`](Self::succeeded)), for one may fail in the middle of each.
    pub(super) fn answered(&mut self) {
        let mut inner = self.breaker.inner.lock();
        if self.probe && self.epoch == inner.epoch {
            self.probe = false;
            inner.enter(Phase::Closed);
            inner.failures_in_a_row = 0;
            self.epoch = inner.epoch;
            tracing::info!(provider = %self.breaker.provider, "a provider works again");
        }
    }

    /// The answer came to its end.
    pub(super) fn succeeded(mut self) {
        self.answered();
        let mut inner = self.breaker.inner.lock();
        inner.seen.last_success = Some(self.breaker.clock.now());
        if self.epoch == inner.epoch {
            self.breaker.note(&mut inner, false);
        }
    }

    /// The provider works, and refuses to do so for this account: neither a success nor a failure.
    pub(super) fn refused(mut self, outcome: AttemptOutcome) {
        self.answered();
        self.breaker.inner.lock().seen.last_error = Some(outcome);
    }

    /// The attempt came to nothing for a reason that is not the provider's.
    pub(super) fn came_to_nothing(self, outcome: AttemptOutcome) {
        self.breaker.inner.lock().seen.last_error = Some(outcome);
    }

    /// The attempt failed.
    pub(super) fn failed(mut self, outcome: AttemptOutcome) {
        let probe = std::mem::take(&mut self.probe);
        let mut inner = self.breaker.inner.lock();
        inner.seen.last_failure = Some(self.breaker.clock.now());
        inner.seen.last_error = Some(outcome);
        if self.epoch != inner.epoch {
            return;
        }
        self.breaker.note(&mut inner, true);
        if probe || self.breaker.trips(&inner) {
            let until =
                self.breaker.clock.monotonic().saturating_add(self.breaker.settings.open_for);
            inner.half_open_at = until;
            inner.enter(Phase::Open(until));
            tracing::warn!(
                provider = %self.breaker.provider,
                failures_in_a_row = inner.failures_in_a_row,
                last = inner.seen.last_error.as_ref().map(tracing::field::display),
                open_ms = u64::try_from(self.breaker.settings.open_for.as_millis()).ok(),
                "a provider fails and is left alone"
            );
        }
    }
}

impl Drop for Ticket {
    /// An attempt that was given up lets another one find out.
    fn drop(&mut self) {
        if self.probe {
            let mut inner = self.breaker.inner.lock();
            if self.epoch == inner.epoch {
                inner.phase = Phase::HalfOpen { probing: false };
            }
        }
    }
}

#[cfg(test)]
mod tests;
