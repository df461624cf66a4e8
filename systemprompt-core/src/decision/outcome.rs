use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::call::Digest;

/// How the execution of a permitted call ended: the last two points of the trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub status: OutcomeStatus,
    /// How long the tool ran.
    pub duration: Duration,
    /// Size of the result in bytes, if known.
    pub result_bytes: Option<u64>,
    /// SHA-256 of the result, if it was seen. The result itself is not kept.
    pub result_digest: Option<Digest>,
    /// What went wrong, in words; redacted before it is stored.
    pub error: Option<String>,
}

impl Outcome {
    /// An outcome without result or error.
    #[must_use]
    pub fn new(status: OutcomeStatus, duration: Duration) -> Self {
        Self { status, duration, result_bytes: None, result_digest: None, error: None }
    }
}

/// How an execution ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeStatus {
    /// The tool answered.
    Success,
    /// The tool reported an error.
    Failed,
    /// The tool did not answer in time.
    Timeout,
    /// Nobody reported an outcome. Only the log itself writes this.
    Abandoned,
}

impl OutcomeStatus {
    /// The status's stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Timeout => "timeout",
            Self::Abandoned => "abandoned",
        }
    }
}
