use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use systemprompt_core::clock::{Clock, Timestamp};
use systemprompt_core::contract::{TokenError, TokenVerifier};
use systemprompt_core::database::DbPool;
use systemprompt_core::id::Audience;
use systemprompt_core::principal::Principal;

use super::background::{Background, do_chores, watch_store};
use super::cache::{CacheKey, Verified, VerifiedCache};
use super::last_used::LastUsed;
use super::stats::{Counters, IdentityStats};
use super::{VerifierSettings, api_key};
use crate::directory::LiveDirectory;
use crate::error::IdentityError;
use crate::jwks::self_check;
use crate::jwt::Issuers;
use crate::key::KEY_PREFIX;
use crate::store::IdentityStore;

/// Longest poll interval for changes that other processes made.
const MAX_POLL: Duration = Duration::from_millis(500);
/// Longest credential that is looked at, in bytes.
const MAX_TOKEN: usize = 8 * 1024;

/// Turns API keys and tokens of configured issuers into principals. Cloning is a reference count.
///
/// Its background tasks end when the last clone is dropped or with [`Self::close`].
#[derive(Clone)]
pub struct CredentialVerifier(Arc<Inner>);

pub(super) struct Inner {
    pub(super) db: DbPool,
    clock: Arc<dyn Clock>,
    pub(super) directory: LiveDirectory,
    issuers: Issuers,
    cache: VerifiedCache,
    pub(super) last_used: LastUsed,
    pub(super) counters: Counters,
    background: Mutex<Vec<Background>>,
}

impl CredentialVerifier {
    /// Loads what authentication needs from `store`, checks that signatures are verified as they
    /// should be, fetches the keys of the issuers and starts watching both.
    ///
    /// An issuer whose keys cannot be fetched yet does not stop the start: its tokens are answered
    /// with [`TokenError::Unavailable`] until they can.
    ///
    /// # Errors
    /// [`IdentityError`] when the store cannot be read, an issuer's settings make no sense or the
    /// self-check fails.
    pub async fn start(
        store: &IdentityStore,
        settings: VerifierSettings,
    ) -> Result<Self, IdentityError> {
        self_check()?;
        let (db, clock) = (store.db().clone(), store.clock().clone());
        let (issuers, background) = Issuers::start(settings.issuers, &clock).await?;
        let inner = Arc::new(Inner {
            directory: LiveDirectory::load(db.clone(), clock.clone()).await?,
            issuers,
            db,
            clock,
            cache: VerifiedCache::new(settings.cache_entries),
            last_used: LastUsed::default(),
            counters: Counters::default(),
            background: Mutex::new(background),
        });
        let poll = settings.revocation_poll.clamp(Duration::from_millis(10), MAX_POLL);
        let weak = Arc::downgrade(&inner);
        inner.background.lock().extend([
            Background::spawn(watch_store(weak.clone(), poll)),
            Background::spawn(do_chores(weak)),
        ]);
        Ok(Self(inner))
    }

    /// Takes over changes to the store now; to be called after a commit in this process, so that a
    /// revocation takes effect at once.
    ///
    /// # Errors
    /// [`IdentityError`] when the store cannot be read.
    pub async fn refresh(&self) -> Result<(), IdentityError> {
        self.0.directory.refresh().await
    }

    /// What was done so far.
    #[must_use]
    pub fn stats(&self) -> IdentityStats {
        IdentityStats {
            cached: self.0.cache.len(),
            issuers: self.0.issuers.stats(),
            ..self.0.counters.snapshot()
        }
    }

    /// Stops the background tasks and writes down what they still had to.
    ///
    /// # Errors
    /// [`IdentityError`] when the last uses of keys could not be written.
    pub async fn close(&self) -> Result<(), IdentityError> {
        let tasks = std::mem::take(&mut *self.0.background.lock());
        let written = self.0.last_used.close(tasks, &self.0.db).await;
        self.0.directory.close().await;
        written
    }
}

impl std::fmt::Debug for CredentialVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CredentialVerifier").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

#[async_trait]
impl TokenVerifier for CredentialVerifier {
    async fn verify(&self, token: &str, audience: &Audience) -> Result<Principal, TokenError> {
        let now = self.0.clock.now();
        let verified = self.0.verify(token, audience, now).await;
        match &verified {
            Ok(verified) => self.0.note_use(verified, now),
            Err(error) => self.0.counters.refused(error),
        }
        verified.map(|verified| verified.principal)
    }
}

impl Inner {
    async fn verify(
        &self,
        token: &str,
        audience: &Audience,
        now: Timestamp,
    ) -> Result<Verified, TokenError> {
        if token.is_empty() || token.len() > MAX_TOKEN {
            return Err(TokenError::Malformed);
        }
        // Two atomic reads as long as the store is looked at; a revocation is never older than that.
        if !self.directory.ensure_fresh().await {
            self.counters.store_errors.fetch_add(1, Ordering::Relaxed);
            return Err(TokenError::Unavailable);
        }
        let key = CacheKey::of(token, audience);
        let found = self.cache.find(&key, self.directory.generation(), &*self.clock);
        if let Some(verified) = found {
            verified.at(now)?;
            self.counters.cache_hits.fetch_add(1, Ordering::Relaxed);
            return Ok(verified);
        }
        let verified = self.verify_anew(token, audience).await?;
        verified.at(self.clock.now())?;
        self.cache.keep(key, verified.clone(), &*self.clock);
        Ok(verified)
    }

    async fn verify_anew(&self, token: &str, audience: &Audience) -> Result<Verified, TokenError> {
        let now = self.clock.now();
        if token.starts_with(KEY_PREFIX) {
            let verified = api_key::verify(&self.directory, token, audience, now).await?;
            self.counters.keys_verified.fetch_add(1, Ordering::Relaxed);
            return Ok(verified);
        }
        let verified = self.issuers.verify(&self.directory, token, audience, now).await?;
        self.counters.tokens_verified.fetch_add(1, Ordering::Relaxed);
        Ok(verified)
    }

    fn note_use(&self, verified: &Verified, now: Timestamp) {
        if let Some(key) = &verified.key
            && key.used.note(now)
        {
            self.last_used.note(&key.id, now);
        }
    }
}
