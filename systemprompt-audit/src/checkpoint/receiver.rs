use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use systemprompt_core::clock::Clock;
use systemprompt_core::database::DbPool;
use tokio::sync::mpsc;

use super::delivery::hand;
use super::stored_log::StoredLog;
use super::{CheckpointPlace, CheckpointRecord, PlaceError, Witness};
use crate::stats::Counters;

/// The first and the longest pause before a record is tried again.
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Who gets records.
pub(super) enum Receiver {
    Place(Arc<dyn CheckpointPlace>),
    Witness(Arc<dyn Witness>, Box<Cosigning>),
}

/// What having a checkpoint cosigned takes.
#[derive(Clone)]
pub(crate) struct Cosigning {
    /// Where the log is, and what is cosigned of it is kept.
    pub(crate) pool: DbPool,
    pub(crate) clock: Arc<dyn Clock>,
    /// The places that what is cosigned goes to.
    pub(crate) places: Vec<mpsc::Sender<CheckpointRecord>>,
}

impl Receiver {
    /// Takes records until there are no more, each as often as it takes.
    pub(super) async fn run(
        self,
        mut records: mpsc::Receiver<CheckpointRecord>,
        counters: Arc<Counters>,
    ) {
        let name = match &self {
            Self::Place(place) => place.name(),
            Self::Witness(witness, _) => witness.name(),
        };
        // The logs whose last record was not taken at once.
        let mut failing = HashSet::new();
        while let Some(record) = records.recv().await {
            let origin = &record.checkpoint.origin;
            let mut pause = PAUSE;
            loop {
                let Err(error) = self.take(&record, &counters).await else {
                    if failing.remove(origin) {
                        tracing::info!(place = name, origin, "checkpoints are kept outside again");
                    }
                    break;
                };
                counters.checkpoint_failures.fetch_add(1, Relaxed);
                if failing.insert(origin.clone()) {
                    tracing::warn!(place = name, origin, %error, "a checkpoint could not be kept outside");
                }
                if error.is_final() {
                    break;
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }

    async fn take(&self, record: &CheckpointRecord, counters: &Counters) -> Result<(), PlaceError> {
        match self {
            Self::Place(place) => place.put(record).await,
            Self::Witness(witness, cosigning) => {
                let log = StoredLog::find(&cosigning.pool, &record.checkpoint.origin).await?;
                let Some(note) = witness.cosign(record, &log).await? else { return Ok(()) };
                log.keep(record, &note, cosigning.clock.now()).await?;
                counters.cosigned.fetch_add(1, Relaxed);
                let cosigned = CheckpointRecord { note, ..record.clone() };
                cosigning.places.iter().for_each(|place| hand(&cosigned, place, counters));
                Ok(())
            }
        }
    }
}
