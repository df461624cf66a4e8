use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// How a decision came about, as the log has recorded it: the members of
/// [`Evaluation`](systemprompt_core::decision::Evaluation) by name. Its text is compact JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedEvaluation {
    /// Every check that ran or was skipped, in order.
    pub checks: Vec<EvaluatedCheck>,
    /// What was left of each limit that applied.
    pub limits: Vec<EvaluatedLimit>,
    /// The policy that decided.
    pub policy_version: Option<String>,
}

/// One check's part in a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvaluatedCheck {
    /// The check's id.
    pub check: String,
    /// More, for people.
    pub detail: Option<String>,
    /// How long it took, in nanoseconds.
    pub duration_ns: u64,
    /// `passed`, `denied` or another [`CheckOutcome`](systemprompt_core::decision::CheckOutcome).
    pub outcome: String,
}

/// What was left of a limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvaluatedLimit {
    /// The limit's name in the policy.
    pub name: String,
    /// Calls that were still allowed.
    pub remaining: u64,
    /// Milliseconds until the limit is back at its full burst.
    pub reset_ms: u64,
}

#[derive(Deserialize)]
struct Stored<'s>(#[serde(borrow)] Vec<StoredCheck<'s>>, #[serde(borrow)] Vec<StoredLimit<'s>>);

#[derive(Deserialize)]
struct StoredCheck<'s>(
    #[serde(borrow)] Cow<'s, str>,
    #[serde(borrow)] Cow<'s, str>,
    u64,
    #[serde(default)] Option<String>,
);

#[derive(Deserialize)]
struct StoredLimit<'s>(#[serde(borrow)] Cow<'s, str>, u64, u64);

impl RecordedEvaluation {
    /// What the column of a row holds; `None` when the log has not written it.
    pub(super) fn of(stored: &str, policy_version: Option<&str>) -> Option<Self> {
        let Stored(checks, limits) = serde_json::from_str(stored).ok()?;
        let check = |StoredCheck(check, outcome, duration_ns, detail)| EvaluatedCheck {
            check: String::from(check),
            detail,
            duration_ns,
            outcome: String::from(outcome),
        };
        let limit = |StoredLimit(name, remaining, reset_ms)| EvaluatedLimit {
            name: String::from(name),
            remaining,
            reset_ms,
        };
        Some(Self {
            checks: checks.into_iter().map(check).collect(),
            limits: limits.into_iter().map(limit).collect(),
            policy_version: policy_version.map(str::to_owned),
        })
    }
}

impl fmt::Display for RecordedEvaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_stored_is_shown_by_name() {
        let stored =
            r#"[[["scope","passed",412],["rate","denied",7,"a\"b"]],[["per-session",299,200]]]"#;
        let evaluation = RecordedEvaluation::of(stored, Some("p-1")).unwrap();
        assert_eq!(
            evaluation.to_string(),
            r#"{"checks":[{"check":"scope","detail":null,"duration_ns":412,"outcome":"passed"},{"check":"rate","detail":"a\"b","duration_ns":7,"outcome":"denied"}],"limits":[{"name":"per-session","remaining":299,"reset_ms":200}],"policy_version":"p-1"}"#
        );
        let text = evaluation.to_string();
        assert_eq!(serde_json::from_str::<RecordedEvaluation>(&text).unwrap(), evaluation);
    }

    #[test]
    fn what_the_log_does_not_write_is_refused() {
        for stored in
            ["", "{}", "[]", "[[]]", "[[[]],[]]", r#"[[["scope","passed","1"]],[]]"#, "[[],[1]]"]
        {
            assert_eq!(RecordedEvaluation::of(stored, None), None, "{stored}");
        }
        assert!(RecordedEvaluation::of("[[],[]]", None).is_some());
    }
}
