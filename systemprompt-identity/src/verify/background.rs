use std::sync::Weak;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::{MissedTickBehavior, interval};

use super::verifier::Inner;

/// How often uses of keys are written down and expired revocations forgotten.
const CHORES: Duration = Duration::from_secs(5);

/// A task that ends when this is dropped.
pub(crate) struct Background(AbortHandle);

impl Background {
    pub(crate) fn spawn(task: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(task).abort_handle())
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Watches the store for changes that other processes made.
pub(super) async fn watch_store(inner: Weak<Inner>, every: Duration) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failing = false;
    loop {
        ticks.tick().await;
        let Some(inner) = inner.upgrade() else { return };
        match inner.directory.refresh().await {
            Ok(()) if failing => {
                tracing::info!("the identity store can be read again");
                failing = false;
            }
            Ok(()) => {}
            Err(error) => {
                inner.counters.store_errors.fetch_add(1, Ordering::Relaxed);
                if !failing {
                    tracing::warn!(%error, "the identity store cannot be read");
                }
                failing = true;
            }
        }
    }
}

/// Writes down uses of keys and forgets expired revocations.
pub(super) async fn do_chores(inner: Weak<Inner>) {
    let mut ticks = interval(CHORES);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(inner) = inner.upgrade() else { return };
        inner.directory.forget_expired();
        if let Err(error) = inner.last_used.write(&inner.db).await {
            tracing::debug!(%error, "uses of keys could not be written down yet");
        }
    }
}
