use std::sync::atomic::{AtomicU64, Ordering};

use systemprompt_core::contract::TokenError;

/// What a verifier has done so far, for metrics.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct IdentityStats {
    /// Credentials found good in the cache.
    pub cache_hits: u64,
    /// API keys found good by looking them up.
    pub keys_verified: u64,
    /// Tokens of issuers found good by checking their signature.
    pub tokens_verified: u64,
    /// Credentials refused, by a stable code of the cause.
    pub refused: Vec<(&'static str, u64)>,
    /// Verified credentials in memory.
    pub cached: usize,
    /// Failed looks at the store.
    pub store_errors: u64,
    /// What was done for each issuer.
    pub issuers: Vec<IssuerStats>,
}

/// What was done for the keys of one issuer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct IssuerStats {
    /// The issuer.
    pub issuer: String,
    /// Attempts to fetch its keys.
    pub fetches: u64,
    /// Attempts that failed.
    pub fetch_errors: u64,
    /// Keys that are good at the moment.
    pub keys: usize,
}

/// Causes in the order of [`Counters::refused`].
const CAUSES: [&str; 7] =
    ["malformed", "invalid", "expired", "revoked", "audience", "issuer", "unavailable"];

#[derive(Default)]
pub(super) struct Counters {
    pub(super) cache_hits: AtomicU64,
    pub(super) keys_verified: AtomicU64,
    pub(super) tokens_verified: AtomicU64,
    pub(super) store_errors: AtomicU64,
    refused: [AtomicU64; CAUSES.len()],
}

impl Counters {
    pub(super) fn refused(&self, error: &TokenError) {
        let cause = match error {
            TokenError::Malformed => 0,
            TokenError::Expired => 2,
            TokenError::Revoked => 3,
            TokenError::Audience => 4,
            TokenError::Issuer => 5,
            TokenError::Unavailable => 6,
            _ => 1,
        };
        if let Some(count) = self.refused.get(cause) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn snapshot(&self) -> IdentityStats {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        IdentityStats {
            cache_hits: read(&self.cache_hits),
            keys_verified: read(&self.keys_verified),
            tokens_verified: read(&self.tokens_verified),
            store_errors: read(&self.store_errors),
            refused: CAUSES.into_iter().zip(self.refused.iter().map(read)).collect(),
            ..IdentityStats::default()
        }
    }
}
