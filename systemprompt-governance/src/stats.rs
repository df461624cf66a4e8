//! Counters of a governor, for whoever renders metrics. No value of a call is in them.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use systemprompt_core::call::Door;
use systemprompt_core::event::Verdict;

/// A snapshot of what a governor has done since it was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stats {
    /// Decisions by door and verdict, denials by reason code; combinations that never occurred are
    /// left out.
    pub decisions: Vec<DecisionCount>,
    /// How long the checks took, without the append.
    pub evaluation: Histogram,
    /// How long the audit append took.
    pub append: Histogram,
    /// Calls that were recognised as repeats and not charged.
    pub repeats: u64,
    /// Appends that failed, each of which denied a call.
    pub audit_failures: u64,
    /// Times the rate store could not be asked, each of which denied a call.
    pub rate_store_failures: u64,
    /// Host checks that failed, panicked or overran, each of which denied a call.
    pub check_failures: u64,
    /// Policies loaded after the first.
    pub reloads: u64,
    /// Policies refused; the last good one stayed.
    pub reload_failures: u64,
}

/// How often a door saw a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecisionCount {
    /// The door.
    pub door: Door,
    /// The verdict.
    pub verdict: Verdict,
    /// The reason code of a denial.
    pub reason: Option<&'static str>,
    /// How often.
    pub count: u64,
}

/// A histogram of durations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Histogram {
    /// Upper bounds with how many durations were at most that long (cumulative, ascending).
    pub buckets: Vec<(Duration, u64)>,
    /// The sum of all durations.
    pub sum: Duration,
    /// How many durations there were, those above the last bound included.
    pub count: u64,
}

const DOORS: [Door; 7] =
    [Door::Hook, Door::Api, Door::Mcp, Door::Gateway, Door::A2a, Door::Embedded, Door::Cli];

/// Allow, pending, then the codes of denials; what is not listed counts as the last.
const OUTCOMES: [(Verdict, Option<&str>); 22] = [
    (Verdict::Allow, None),
    (Verdict::Pending, None),
    (Verdict::Deny, Some("unknown_tool")),
    (Verdict::Deny, Some("unknown_agent")),
    (Verdict::Deny, Some("scope_violation")),
    (Verdict::Deny, Some("secret_detected")),
    (Verdict::Deny, Some("scan_budget_exceeded")),
    (Verdict::Deny, Some("blocked")),
    (Verdict::Deny, Some("rate_limited")),
    (Verdict::Deny, Some("malformed_call")),
    (Verdict::Deny, Some("audit_unavailable")),
    (Verdict::Deny, Some("check_failed")),
    (Verdict::Deny, Some("policy")),
    (Verdict::Deny, Some("unauthenticated")),
    (Verdict::Deny, Some("audience_mismatch")),
    (Verdict::Deny, Some("budget_exceeded")),
    (Verdict::Deny, Some("flow_violation")),
    (Verdict::Deny, Some("approval_required")),
    (Verdict::Deny, Some("approval_rejected")),
    (Verdict::Deny, Some("approval_expired")),
    (Verdict::Deny, Some("shutting_down")),
    (Verdict::Deny, Some("other")),
];

/// Upper bounds of the histograms in nanoseconds: 1 us to 1 s.
const BOUNDS: [u64; 13] = [
    1_000,
    2_000,
    5_000,
    10_000,
    50_000,
    100_000,
    500_000,
    1_000_000,
    5_000_000,
    10_000_000,
    50_000_000,
    100_000_000,
    1_000_000_000,
];

/// The live counters behind [`Stats`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    decisions: [[AtomicU64; OUTCOMES.len()]; DOORS.len()],
    evaluation: LiveHistogram,
    append: LiveHistogram,
    pub(crate) repeats: AtomicU64,
    pub(crate) audit_failures: AtomicU64,
    pub(crate) rate_store_failures: AtomicU64,
    pub(crate) check_failures: AtomicU64,
    pub(crate) reloads: AtomicU64,
    pub(crate) reload_failures: AtomicU64,
}

#[derive(Debug, Default)]
struct LiveHistogram {
    /// One per bound, and one for what is longer than the last.
    buckets: [AtomicU64; BOUNDS.len() + 1],
    sum_ns: AtomicU64,
}

impl Counters {
    pub(crate) fn decided(&self, door: Door, verdict: Verdict, reason: Option<&'static str>) {
        let row = DOORS.iter().position(|known| *known == door).unwrap_or(0);
        let column = OUTCOMES
            .iter()
            .position(|(known, code)| *known == verdict && *code == reason)
            .unwrap_or(OUTCOMES.len() - 1);
        if let Some(cell) = self.decisions.get(row).and_then(|row| row.get(column)) {
            cell.fetch_add(1, Relaxed);
        }
    }

    pub(crate) fn evaluated_in(&self, duration: Duration) {
        self.evaluation.observe(duration);
    }

    pub(crate) fn appended_in(&self, duration: Duration) {
        self.append.observe(duration);
    }

    pub(crate) fn snapshot(&self) -> Stats {
        let mut decisions = Vec::new();
        for (door, row) in DOORS.iter().zip(&self.decisions) {
            for ((verdict, reason), cell) in OUTCOMES.iter().zip(row) {
                let count = cell.load(Relaxed);
                if count > 0 {
                    let (door, verdict, reason) = (*door, *verdict, *reason);
                    decisions.push(DecisionCount { door, verdict, reason, count });
                }
            }
        }
        Stats {
            decisions,
            evaluation: self.evaluation.snapshot(),
            append: self.append.snapshot(),
            repeats: self.repeats.load(Relaxed),
            audit_failures: self.audit_failures.load(Relaxed),
            rate_store_failures: self.rate_store_failures.load(Relaxed),
            check_failures: self.check_failures.load(Relaxed),
            reloads: self.reloads.load(Relaxed),
            reload_failures: self.reload_failures.load(Relaxed),
        }
    }
}

impl LiveHistogram {
    fn observe(&self, duration: Duration) {
        let seconds = duration.as_secs().saturating_mul(1_000_000_000);
        let nanos = seconds.saturating_add(u64::from(duration.subsec_nanos()));
        let at = BOUNDS.partition_point(|bound| *bound < nanos);
        if let Some(bucket) = self.buckets.get(at) {
            bucket.fetch_add(1, Relaxed);
        }
        self.sum_ns.fetch_add(nanos, Relaxed);
    }

    fn snapshot(&self) -> Histogram {
        let mut seen = 0;
        let counts: Vec<u64> = self
            .buckets
            .iter()
            .map(|bucket| {
                seen += bucket.load(Relaxed);
                seen
            })
            .collect();
        Histogram {
            buckets: BOUNDS.iter().map(|ns| Duration::from_nanos(*ns)).zip(counts).collect(),
            sum: Duration::from_nanos(self.sum_ns.load(Relaxed)),
            count: seen,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_counts_by_door_verdict_and_reason() {
        let counters = Counters::default();
        counters.decided(Door::Hook, Verdict::Allow, None);
        counters.decided(Door::Hook, Verdict::Allow, None);
        counters.decided(Door::Api, Verdict::Deny, Some("blocked"));
        let seen = counters.snapshot().decisions;
        let of = |door, verdict, reason, count| DecisionCount { door, verdict, reason, count };
        assert_eq!(
            seen,
            [
                of(Door::Hook, Verdict::Allow, None, 2),
                of(Door::Api, Verdict::Deny, Some("blocked"), 1),
            ]
        );
    }

    #[test]
    fn histogram_buckets_are_cumulative_and_hold_their_bound() {
        let counters = Counters::default();
        for micros in [1, 2, 3, 2_000_000] {
            counters.evaluated_in(Duration::from_micros(micros));
        }
        let histogram = counters.snapshot().evaluation;
        assert_eq!(histogram.count, 4);
        assert_eq!(histogram.sum, Duration::from_micros(2_000_006));
        let counts: Vec<u64> = histogram.buckets.iter().map(|(_, count)| *count).collect();
        assert_eq!(counts.get(..4), Some([1, 2, 3, 3].as_slice()));
        assert_eq!(counts.last(), Some(&3));
    }
}
