use std::num::NonZeroU32;
use std::sync::Arc;

use super::BudgetKey;
use crate::clock::Timestamp;
use crate::money::Microdollars;

/// A cap on what the requests of one key may use in a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetCap {
    /// The budget's name in the configuration, for refusals and reports.
    pub name: Arc<str>,
    /// Whose counter it is. Caps of the same key and window share it, whatever their limits.
    pub key: BudgetKey,
    /// Most microdollars in a window; `None` for no limit. Less than zero is zero.
    pub limit_microdollars: Option<Microdollars>,
    /// Most tokens in a window; `None` for no limit.
    pub limit_tokens: Option<u64>,
    /// How long a window is, in seconds.
    pub window_s: NonZeroU32,
}

impl BudgetCap {
    /// The window that holds `at`.
    #[must_use]
    pub fn window(&self, at: Timestamp) -> BudgetWindow {
        BudgetWindow::holding(at, self.window_s)
    }
}

/// One window of a budget: from `starts_at` up to, but not including, `ends_at`.
///
/// Windows are aligned to the Unix epoch: each starts at a multiple of its length. 3,600 s are an hour
/// of the clock, 86,400 s a day of UTC, 604,800 s a week that starts on a Thursday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BudgetWindow {
    /// Its first instant.
    pub starts_at: Timestamp,
    /// The first instant of the next one.
    pub ends_at: Timestamp,
}

impl BudgetWindow {
    /// The window of `window_s` seconds that holds `at`.
    #[must_use]
    pub fn holding(at: Timestamp, window_s: NonZeroU32) -> Self {
        let length = i64::from(window_s.get()) * 1_000_000;
        let at = at.as_micros();
        let starts_at = at.saturating_sub(at.rem_euclid(length));
        Self {
            starts_at: Timestamp::from_micros(starts_at),
            ends_at: Timestamp::from_micros(starts_at.saturating_add(length)),
        }
    }
}

/// How a cap stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetState {
    /// The budget's name.
    pub name: Arc<str>,
    /// Its money, in microdollars.
    pub microdollars: BudgetUse,
    /// Its tokens.
    pub tokens: BudgetUse,
    /// The window that this is of.
    pub window: BudgetWindow,
}

/// How much of one unit is used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BudgetUse {
    /// The most there may be; `None` for no limit.
    pub limit: Option<u64>,
    /// What was settled. May be above the limit; stays at `i64::MAX` when it would be more.
    pub settled: u64,
    /// What open reservations hold.
    pub held: u64,
}

impl BudgetUse {
    /// What can still be reserved; `None` for no limit.
    #[must_use]
    pub fn left(&self) -> Option<u64> {
        let used = self.settled.saturating_add(self.held);
        self.limit.map(|limit| limit.saturating_sub(used))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(at: i64, window_s: u32) -> (i64, i64) {
        let window =
            BudgetWindow::holding(Timestamp::from_micros(at), NonZeroU32::new(window_s).unwrap());
        (window.starts_at.as_micros(), window.ends_at.as_micros())
    }

    #[test]
    fn windows_are_aligned_to_the_epoch() {
        let noon: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let day = BudgetWindow::holding(noon, NonZeroU32::new(86_400).unwrap());
        assert_eq!(day.starts_at.to_string(), "2026-11-22T00:00:00.000000Z");
        assert_eq!(day.ends_at.to_string(), "2026-11-23T00:00:00.000000Z");
        assert_eq!(window(0, 1), (0, 1_000_000));
        assert_eq!(window(999_999, 1), (0, 1_000_000));
        assert_eq!(window(1_000_000, 1), (1_000_000, 2_000_000));
        assert_eq!(window(-1, 1), (-1_000_000, 0));
    }

    #[test]
    fn the_ends_of_time_have_windows() {
        for at in [i64::MIN, i64::MIN + 1, i64::MAX - 1, i64::MAX] {
            for window_s in [1, 7, u32::MAX] {
                let (start, end) = window(at, window_s);
                assert!(start <= at && at <= end && start < end, "{at} {window_s}");
            }
        }
    }
}
