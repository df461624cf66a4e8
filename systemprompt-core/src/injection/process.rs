use serde::{Deserialize, Serialize};

/// How much one run of a program may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ProcessLimits {
    /// Longest run, in milliseconds (1 to 3,600,000).
    pub time_ms: u64,
    /// Most bytes it may write (1 to 1,073,741,824).
    pub output_bytes: usize,
}

impl Default for ProcessLimits {
    fn default() -> Self {
        Self { time_ms: 60_000, output_bytes: 4 * 1024 * 1024 }
    }
}
