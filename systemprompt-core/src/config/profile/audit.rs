use serde::{Deserialize, Serialize};

/// The audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AuditSection {
    /// The name of the log this installation writes, 1 to 64 of `A-Za-z0-9_-.`; one writer per name.
    /// Made once and kept in the database when absent.
    pub origin: Option<String>,
    /// Most events waiting to be written (1 to 1,000,000). When it is full, calls are denied.
    pub queue: usize,
    /// Most events per transaction (1 to 10,000).
    pub max_batch: usize,
    /// How long a caller waits for its event to be durable, in milliseconds (1 to 60,000); then the
    /// call is denied.
    pub append_timeout_ms: u64,
    /// How often permits whose time has passed are settled as abandoned, in seconds (1 to 3,600).
    pub sweep_interval_s: u64,
}

impl Default for AuditSection {
    fn default() -> Self {
        Self {
            origin: None,
            queue: 8192,
            max_batch: 512,
            append_timeout_ms: 5000,
            sweep_interval_s: 60,
        }
    }
}
