use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::id::PolicyVersion;

/// What was evaluated and how it came out, for every decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evaluation {
    /// The policy the call was decided by.
    pub policy_version: PolicyVersion,
    /// The checks in the order they ran: `scope`, `secret`, `blocklist`, `rate`, then host checks by id.
    pub checks: Vec<CheckRecord>,
    /// What is left of each limit that applied.
    pub limits: Vec<LimitState>,
}

/// One check's part in an evaluation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckRecord {
    /// The check's id.
    pub check: Cow<'static, str>,
    /// How it came out.
    pub outcome: CheckOutcome,
    /// More, for people. Never holds a caller's value.
    pub detail: Option<Cow<'static, str>>,
    /// How long it took, in nanoseconds.
    pub duration_ns: u64,
}

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckOutcome {
    /// Nothing against the call.
    Passed,
    /// The call was denied here.
    Denied,
    /// Not run: an earlier check had denied.
    Skipped,
    /// Turned off in the configuration.
    Disabled,
    /// The check failed itself; the call was denied.
    Errored,
}

/// What is left of a limit after a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LimitState {
    /// The limit's name in the policy.
    pub name: Arc<str>,
    /// Calls that would be allowed right now.
    pub remaining: u64,
    /// Milliseconds until the limit is back at its full burst.
    pub reset_ms: u64,
}
