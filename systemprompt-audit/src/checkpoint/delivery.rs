use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use super::{CheckpointPlace, CheckpointRecord};
use crate::stats::Counters;

/// Most records that wait for one place. Beyond that the newest of them say what the others said.
const WAITING: usize = 1024;

/// The first and the longest pause before a record is tried again.
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Hands records to all outside places, each at its own pace.
#[derive(Debug)]
pub(crate) struct Delivery {
    places: Vec<(mpsc::Sender<CheckpointRecord>, JoinHandle<()>)>,
    counters: Arc<Counters>,
}

impl Delivery {
    pub(crate) fn new(places: &[Arc<dyn CheckpointPlace>], counters: &Arc<Counters>) -> Self {
        let start = |place: &Arc<dyn CheckpointPlace>| {
            let (to, records) = mpsc::channel(WAITING);
            (to, tokio::spawn(deliver(place.clone(), records, counters.clone())))
        };
        Self { places: places.iter().map(start).collect(), counters: counters.clone() }
    }

    /// Hands `record` to every place without waiting for any.
    pub(crate) fn send(&self, record: &CheckpointRecord) {
        for (place, _) in &self.places {
            if let Err(TrySendError::Full(_)) = place.try_send(record.clone()) {
                self.counters.checkpoint_failures.fetch_add(1, Relaxed);
            }
        }
    }

    /// Waits until the places have everything, `within` at the most.
    pub(crate) async fn close(self, within: Duration) {
        let deadline = Instant::now() + within;
        for (place, mut task) in self.places {
            drop(place);
            if timeout_at(deadline, &mut task).await.is_err() {
                task.abort();
                tracing::warn!("an outside place has not taken the last checkpoints");
            }
        }
    }
}

async fn deliver(
    place: Arc<dyn CheckpointPlace>,
    mut records: mpsc::Receiver<CheckpointRecord>,
    counters: Arc<Counters>,
) {
    let mut failing = false;
    while let Some(record) = records.recv().await {
        let mut pause = PAUSE;
        while let Err(error) = place.put(&record).await {
            counters.checkpoint_failures.fetch_add(1, Relaxed);
            if !failing {
                tracing::warn!(place = place.name(), %error, "a checkpoint could not be kept outside");
            }
            failing = true;
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        if failing {
            tracing::info!(place = place.name(), "checkpoints are kept outside again");
            failing = false;
        }
    }
}
