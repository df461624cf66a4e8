use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::RwLock;
use systemprompt_core::clock::Clock;
use systemprompt_core::contract::TokenError;
use tokio::sync::Mutex;

use super::PublicKey;
use super::fetch::{self, FetchError, Fetched};
use super::key_set::{KeySet, Lookup, NamedKey};
use crate::jwt::{IssuerSettings, KeySource, SigningAlgorithm};
use crate::verify::IssuerStats;

/// Shortest time between two refreshes that unknown keys ask for.
const COOL_DOWN: Duration = Duration::from_secs(30);
/// Time until a failed refresh is tried again in the background.
const RETRY: Duration = Duration::from_secs(30);
/// How long a key stays good after the issuer has stopped to publish it.
const OVERLAP: Duration = Duration::from_secs(300);

/// The keys of one issuer, kept current.
pub(crate) struct IssuerKeys {
    settings: Arc<IssuerSettings>,
    client: Option<reqwest::Client>,
    clock: Arc<dyn Clock>,
    held: RwLock<Option<Held>>,
    /// One refresh at a time; holds when an unknown key last asked for one.
    refreshing: Arc<Mutex<Option<Duration>>>,
    fetches: AtomicU64,
    fetch_errors: AtomicU64,
}

/// What was fetched last.
struct Held {
    keys: KeySet,
    /// Until when they may be used although they cannot be refreshed.
    usable_until: Duration,
    /// Keys that are not published any more, each with the time until which it is good.
    retired: Vec<(NamedKey, Duration)>,
}

impl IssuerKeys {
    pub(crate) fn new(
        settings: Arc<IssuerSettings>,
        client: Option<reqwest::Client>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            settings,
            client,
            clock,
            held: RwLock::new(None),
            refreshing: Arc::default(),
            fetches: AtomicU64::new(0),
            fetch_errors: AtomicU64::new(0),
        }
    }

    /// The key that a header names. An unknown one is looked for at the issuer, at most once per
    /// cool-down however many ask.
    pub(crate) async fn key(
        self: &Arc<Self>,
        kid: Option<&str>,
        algorithm: SigningAlgorithm,
    ) -> Result<Arc<PublicKey>, TokenError> {
        if let Some(Lookup::Found(key)) = self.held(kid, algorithm) {
            return Ok(key);
        }
        if !matches!(self.held(kid, algorithm), Some(Lookup::Unfit)) {
            self.refresh_for(kid, algorithm).await;
        }
        match self.held(kid, algorithm) {
            Some(Lookup::Found(key)) => Ok(key),
            Some(Lookup::Unknown | Lookup::Unfit) => Err(TokenError::Invalid),
            None => Err(TokenError::Unavailable),
        }
    }

    /// What is held under a name; `None` when there are no keys or they have become too old.
    fn held(&self, kid: Option<&str>, algorithm: SigningAlgorithm) -> Option<Lookup> {
        let held = self.held.read();
        let held = held.as_ref()?;
        let now = self.clock.monotonic();
        if now > held.usable_until {
            return None;
        }
        let lookup = held.keys.find(kid, algorithm);
        if let Lookup::Unknown = lookup {
            let retired = held.retired.iter().find(|(named, until)| {
                now < *until && named.kid.as_deref() == kid && named.key.algorithm() == algorithm
            });
            return Some(
                retired.map_or(Lookup::Unknown, |(named, _)| Lookup::Found(named.key.clone())),
            );
        }
        Some(lookup)
    }

    /// Refreshes because of a name that is not known, unless that was done a moment ago.
    ///
    /// Runs as a task of its own, so that a caller who goes away does not stop it.
    async fn refresh_for(self: &Arc<Self>, kid: Option<&str>, algorithm: SigningAlgorithm) {
        let mut asked_at = self.refreshing.clone().lock_owned().await;
        let now = self.clock.monotonic();
        let cooling = asked_at.is_some_and(|at| now.saturating_sub(at) < COOL_DOWN);
        if cooling || matches!(self.held(kid, algorithm), Some(Lookup::Found(_))) {
            return;
        }
        *asked_at = Some(now);
        let keys = self.clone();
        let task = tokio::spawn(async move {
            keys.fetch().await;
            drop(asked_at);
        });
        // A panic in there would have left the keys as they were.
        let _ = task.await;
    }

    /// Refreshes; returns when to do it again.
    pub(crate) async fn refresh(&self) -> Duration {
        let _one_at_a_time = self.refreshing.lock().await;
        self.fetch().await
    }

    async fn fetch(&self) -> Duration {
        self.fetches.fetch_add(1, Ordering::Relaxed);
        match self.try_fetch().await {
            Ok(age) => age,
            Err(error) => {
                self.fetch_errors.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(issuer = %self.settings.issuer, %error, "the issuer's keys were not refreshed");
                RETRY
            }
        }
    }

    async fn try_fetch(&self) -> Result<Duration, FetchError> {
        let Fetched { document, age } = match (&self.settings.keys, &self.client) {
            (KeySource::File(path), _) => fetch::from_file(path).await?,
            (KeySource::Url(url), Some(client)) => fetch::from_url(client, url).await?,
            (KeySource::Url(url), None) => fetch::from_url(&fetch::client()?, url).await?,
        };
        let keys = KeySet::read(&document, |alg| self.settings.algorithms.contains(&alg))?;
        self.hold(keys, age);
        Ok(age)
    }

    fn hold(&self, keys: KeySet, age: Duration) {
        let now = self.clock.monotonic();
        let mut held = self.held.write();
        let mut retired = Vec::new();
        if let Some(before) = held.take() {
            let gone = before.keys.gone_in(&keys).cloned();
            retired.extend(gone.map(|named| (named, now.saturating_add(OVERLAP))));
            let still = before.retired.into_iter().filter(|(_, until)| now < *until);
            retired.extend(still);
            retired.truncate(64);
        }
        let usable_until = now.saturating_add(age).saturating_add(self.settings.max_stale);
        *held = Some(Held { keys, usable_until, retired });
    }

    pub(crate) fn stats(&self) -> IssuerStats {
        IssuerStats {
            issuer: self.settings.issuer.clone(),
            fetches: self.fetches.load(Ordering::Relaxed),
            fetch_errors: self.fetch_errors.load(Ordering::Relaxed),
            keys: self.held.read().as_ref().map_or(0, |held| held.keys.len()),
        }
    }
}

/// Refreshes in the background, first after `wait`.
pub(crate) async fn keep_current(keys: Weak<IssuerKeys>, mut wait: Duration) {
    loop {
        tokio::time::sleep(wait).await;
        let Some(keys) = keys.upgrade() else { return };
        wait = keys.refresh().await;
    }
}
