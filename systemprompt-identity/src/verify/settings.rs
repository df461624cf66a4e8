use std::time::Duration;

use crate::jwt::IssuerSettings;

/// How credentials are verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierSettings {
    /// How often changes that other processes made are looked for; at most 500 ms.
    pub revocation_poll: Duration,
    /// Most verified credentials kept in memory; 0 keeps none.
    pub cache_entries: usize,
    /// Issuers whose tokens are accepted.
    pub issuers: Vec<IssuerSettings>,
}

impl Default for VerifierSettings {
    fn default() -> Self {
        Self {
            revocation_poll: Duration::from_millis(500),
            cache_entries: 10_000,
            issuers: Vec::new(),
        }
    }
}
