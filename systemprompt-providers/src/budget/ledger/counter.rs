use std::collections::BTreeMap;

use systemprompt_core::clock::Timestamp;
use systemprompt_core::contract::{BudgetCap, BudgetKey, BudgetState, BudgetUse};

/// The shortest time, in microseconds, that a window is kept after its end, for clocks that step back.
const SHORTEST_KEPT: i64 = 3_600_000_000;

/// Counters by their window. A window without an entry is unused.
pub(in crate::budget) type Counters = BTreeMap<WindowKey, Counter>;

/// One window of one key. The order is the one in which stores lock them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::budget) struct WindowKey {
    pub(in crate::budget) key: BudgetKey,
    pub(in crate::budget) window_s: u32,
    /// Microseconds since the Unix epoch.
    pub(in crate::budget) starts_at: i64,
}

impl WindowKey {
    pub(in crate::budget) fn of(cap: &BudgetCap, now: Timestamp) -> Self {
        Self {
            key: cap.key.clone(),
            window_s: cap.window_s.get(),
            starts_at: cap.window(now).starts_at.as_micros(),
        }
    }

    pub(in crate::budget) fn ends_at(&self) -> i64 {
        self.starts_at.saturating_add(self.length())
    }

    /// Until when it is kept: for its own length after its end, an hour at least.
    pub(in crate::budget) fn keep_until(&self) -> i64 {
        self.ends_at().saturating_add(self.length().max(SHORTEST_KEPT))
    }

    fn length(&self) -> i64 {
        i64::from(self.window_s) * 1_000_000
    }
}

/// What is used in a window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::budget) struct Counter {
    pub(in crate::budget) microdollars: Tally,
    pub(in crate::budget) tokens: Tally,
}

impl Counter {
    /// Whether a reservation holds anything of it.
    pub(in crate::budget) fn is_held(&self) -> bool {
        self.microdollars.held > 0 || self.tokens.held > 0
    }

    /// How `cap` stands, whose counter this is.
    pub(in crate::budget) fn state(&self, cap: &BudgetCap, now: Timestamp) -> BudgetState {
        let limit = cap.limit_microdollars.map(|limit| limit.get().max(0).unsigned_abs());
        BudgetState {
            name: cap.name.clone(),
            microdollars: self.microdollars.as_use(limit),
            tokens: self.tokens.as_use(cap.limit_tokens),
            window: cap.window(now),
        }
    }
}

/// What is used of one unit; neither number is ever negative.
///
/// They are apart so that what is held is exact: what was settled stays at its highest value when it
/// would be more, and would be wrong after a subtraction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::budget) struct Tally {
    pub(in crate::budget) settled: i64,
    pub(in crate::budget) held: i64,
}

impl Tally {
    pub(super) fn hold(&mut self, amount: i64) {
        self.held = self.held.saturating_add(amount);
    }

    pub(super) fn give_back(&mut self, amount: i64) {
        self.held = self.held.saturating_sub(amount).max(0);
    }

    pub(super) fn settle(&mut self, amount: i64) {
        self.settled = self.settled.saturating_add(amount);
    }

    fn as_use(self, limit: Option<u64>) -> BudgetUse {
        BudgetUse {
            limit,
            settled: self.settled.max(0).unsigned_abs(),
            held: self.held.max(0).unsigned_abs(),
        }
    }
}
