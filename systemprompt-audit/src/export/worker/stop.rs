use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

/// Whether it is time to stop, and until when what is under way may take.
#[derive(Debug, Clone)]
pub(in crate::export) struct Stop(watch::Receiver<Option<Instant>>);

impl Stop {
    pub(in crate::export) fn new(receiver: watch::Receiver<Option<Instant>>) -> Self {
        Self(receiver)
    }

    /// Whether it is time. It is when nobody is left who could say so, too.
    pub(in crate::export) fn is_set(&self) -> bool {
        self.0.borrow().is_some() || self.0.has_changed().is_err()
    }

    /// Sleeps; `false` when it is time to stop before that is over.
    pub(in crate::export) async fn sleep(&self, pause: Duration) -> bool {
        tokio::select! {
            () = sleep(pause) => !self.is_set(),
            () = self.set() => false,
        }
    }

    /// Completes when it is time to stop.
    pub(in crate::export) async fn set(&self) {
        // An error means that nobody is left.
        drop(self.0.clone().wait_for(Option::is_some).await);
    }

    /// Completes when the time to finish is over.
    pub(in crate::export) async fn over(&self) {
        self.set().await;
        let deadline = *self.0.borrow();
        if let Some(deadline) = deadline {
            sleep_until(deadline).await;
        }
    }
}
