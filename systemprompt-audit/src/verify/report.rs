use std::collections::BTreeMap;

use serde::Serialize;

use super::{Finding, FindingKind, Verdict};

/// Most findings that are kept one by one; the others are counted.
const KEPT: usize = 1_000;

/// What verification has come to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether rows, tree and signatures agree.
    pub integrity: bool,
    /// Whether everything is there.
    pub completeness: bool,
    /// Whether the signatures were checked with a key that the log did not bring along itself.
    pub proven: bool,
    /// Rows that were computed anew.
    pub rows: u64,
    /// Checkpoints from outside that were held against the logs.
    pub outside_checkpoints: u64,
    /// Witnesses whose cosignatures were looked for.
    pub witnesses: u64,
    /// Records outside that cannot be read.
    pub outside_damaged: u64,
    /// Permits that are open still.
    pub open_permits: u64,
    /// Permits that expired without an outcome.
    pub abandoned_permits: u64,
    /// The logs.
    pub logs: Vec<LogReport>,
    /// How many findings there are of each kind.
    pub counts: BTreeMap<&'static str, u64>,
    /// The findings, the first thousand of them.
    pub findings: Vec<Finding>,
}

/// What was seen of one log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogReport {
    /// Its name.
    pub origin: String,
    /// Its rows that were computed anew.
    pub rows: u64,
    /// The place of its last event.
    pub last_seq: i64,
    /// Up to where retention has removed its events, which an event of the log itself or of another one
    /// says.
    pub pruned_to: i64,
    /// Its checkpoints, in the database and outside, whose root and signature are right.
    pub checkpoints: u64,
    /// Up to where a checkpoint with a trusted signature covers it. What comes after is not signed yet.
    pub signed_to: i64,
    /// How many of its sizes a witness has cosigned, beyond doubt and over these rows.
    pub cosigned: u64,
    /// Up to where a checkpoint that a witness has cosigned covers it: that much of it nobody can have made
    /// anew, not even with the key of the log.
    pub cosigned_to: i64,
    /// When the last witness of that size has signed, to the second (RFC 3339).
    pub cosigned_at: Option<String>,
    /// The root over all its events, in hex; `None` when rows are missing.
    pub root: Option<String>,
}

impl Report {
    pub(super) fn add(&mut self, finding: Finding) {
        *self.counts.entry(finding.kind.as_str()).or_default() += 1;
        if self.findings.len() < KEPT {
            self.findings.push(finding);
        }
    }

    /// Draws the verdicts.
    pub(super) fn conclude(&mut self) {
        let found = |verdict: Verdict| {
            let of = |kind: &&FindingKind| kind.verdict() == verdict;
            FindingKind::ALL.iter().filter(of).any(|kind| self.counts.contains_key(kind.as_str()))
        };
        (self.integrity, self.completeness) =
            (!found(Verdict::Integrity), !found(Verdict::Completeness));
        self.findings.sort_by_key(|finding| (finding.kind, finding.origin.clone(), finding.seq));
    }

    /// Whether nothing was found.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.counts.is_empty()
    }

    /// The gravest kind that was found.
    #[must_use]
    pub fn gravest(&self) -> Option<FindingKind> {
        FindingKind::ALL.iter().copied().find(|kind| self.counts.contains_key(kind.as_str()))
    }
}
