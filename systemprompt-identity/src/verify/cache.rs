use std::sync::Arc;
use std::time::Duration;

use quick_cache::sync::Cache;
use sha2::{Digest as _, Sha256};
use systemprompt_core::clock::{Clock, Timestamp};
use systemprompt_core::contract::TokenError;
use systemprompt_core::id::Audience;
use systemprompt_core::principal::Principal;

use crate::directory::KeyRecord;

/// Longest time that a verification is believed without doing it again.
pub(super) const LIFETIME: Duration = Duration::from_secs(60);

/// A credential that was found good on one surface.
#[derive(Clone)]
pub(crate) struct Verified {
    pub(crate) principal: Principal,
    /// First instant at which it is good.
    pub(crate) not_before: Timestamp,
    /// First instant at which it is not good any more.
    pub(crate) expires_at: Timestamp,
    /// The generation of the store that said so; any change to the store makes it void.
    pub(crate) generation: i64,
    /// The key, when it is one, to note its use.
    pub(crate) key: Option<Arc<KeyRecord>>,
}

impl Verified {
    /// Whether it is good at `now`, leeway included.
    pub(crate) fn at(&self, now: Timestamp) -> Result<(), TokenError> {
        let good = self.not_before <= now && now < self.expires_at;
        good.then_some(()).ok_or(TokenError::Expired)
    }
}

struct Entry {
    verified: Verified,
    /// Monotonic time until which it is believed.
    believed_until: Duration,
}

/// SHA-256 of surface and credential; the credential itself is not kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct CacheKey([u8; 32]);

impl CacheKey {
    pub(super) fn of(token: &str, audience: &Audience) -> Self {
        let mut hash = Sha256::new();
        hash.update(audience.as_str());
        // An audience holds visible characters alone, so the two cannot run into each other.
        hash.update([0]);
        hash.update(token);
        Self(hash.finalize().into())
    }
}

/// Credentials found good lately; bounded.
pub(super) struct VerifiedCache(Option<Cache<CacheKey, Arc<Entry>>>);

impl VerifiedCache {
    pub(super) fn new(entries: usize) -> Self {
        Self((entries > 0).then(|| Cache::new(entries)))
    }

    /// What was verified, if that is still to be believed; expiry is for the caller to check.
    pub(super) fn find(
        &self,
        key: &CacheKey,
        generation: i64,
        clock: &dyn Clock,
    ) -> Option<Verified> {
        let cache = self.0.as_ref()?;
        let entry = cache.get(key)?;
        if entry.verified.generation == generation && clock.monotonic() < entry.believed_until {
            return Some(entry.verified.clone());
        }
        cache.remove(key);
        None
    }

    pub(super) fn keep(&self, key: CacheKey, verified: Verified, clock: &dyn Clock) {
        if let Some(cache) = &self.0 {
            let believed_until = clock.monotonic().saturating_add(LIFETIME);
            cache.insert(key, Arc::new(Entry { verified, believed_until }));
        }
    }

    pub(super) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, Cache::len)
    }
}
