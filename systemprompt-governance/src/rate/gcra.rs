use std::time::Duration;

use systemprompt_core::contract::RateCharge;

/// The generic cell rate algorithm in integer nanoseconds (ITU-T I.371, virtual scheduling form).
///
/// The only state of a bucket is its theoretical arrival time (TAT). Overflow saturates towards
/// stricter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gcra {
    /// What one call adds to the TAT; rounded up, so that never more than the limit passes.
    increment: u64,
    /// How far the TAT may run ahead: `burst` increments.
    tolerance: u64,
}

impl Gcra {
    pub(crate) fn of(charge: &RateCharge) -> Self {
        let increment = increment_ns(charge.rate.window, charge.rate.limit);
        Self { increment, tolerance: increment.saturating_mul(charge.burst.max(1)) }
    }

    pub(crate) fn increment(self) -> u64 {
        self.increment
    }

    /// How long to wait until a call fits; 0 when it fits now.
    pub(crate) fn wait(self, tat: u64, now: u64) -> u64 {
        self.after(tat, now).saturating_sub(now.saturating_add(self.tolerance))
    }

    /// The TAT once a call is taken.
    pub(crate) fn after(self, tat: u64, now: u64) -> u64 {
        tat.max(now).saturating_add(self.increment)
    }

    /// Calls that would fit now.
    pub(crate) fn remaining(self, tat: u64, now: u64) -> u64 {
        now.saturating_add(self.tolerance).saturating_sub(tat.max(now)) / self.increment
    }
}

/// The nanoseconds one call takes up, rounded up; at least 1.
pub(crate) fn increment_ns(window: Duration, limit: u64) -> u64 {
    // 64 bits hold windows of up to 584 years, and dividing them is much faster than 128.
    let window = window
        .as_secs()
        .checked_mul(1_000_000_000)
        .and_then(|nanos| nanos.checked_add(u64::from(window.subsec_nanos())))
        .unwrap_or(u64::MAX);
    window.div_ceil(limit.max(1)).max(1)
}
