use std::fmt;
use std::time::Duration;

use super::UpstreamErrorKind;

/// One attempt of a call, for its audit row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// How long it took until the head of the answer was there, or until it failed.
    pub elapsed: Duration,
    /// The pause before it; zero for the first one.
    pub waited: Duration,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// With the head of an answer that has this status.
    Status(u16),
    /// Without an answer.
    Failed(UpstreamErrorKind),
}

impl AttemptOutcome {
    /// A short stable text: `status_503`, `upstream_reset`.
    #[must_use]
    pub fn code(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for AttemptOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "status_{status}"),
            Self::Failed(kind) => f.write_str(kind.code()),
        }
    }
}
