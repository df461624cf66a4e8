use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use super::receiver::{Cosigning, Receiver};
use super::{CheckpointPlace, CheckpointRecord, Witness};
use crate::stats::Counters;

/// Most records that wait for one receiver. Beyond that the newest of them say what the others said.
const WAITING: usize = 1024;

/// Hands records to all outside places and witnesses, each at its own pace. What a witness has cosigned
/// goes to the places once more.
#[derive(Debug)]
pub(crate) struct Delivery {
    witnesses: Vec<Receiving>,
    places: Vec<Receiving>,
    counters: Arc<Counters>,
}

#[derive(Debug)]
struct Receiving {
    records: mpsc::Sender<CheckpointRecord>,
    task: JoinHandle<()>,
}

impl Receiving {
    fn start(receiver: Receiver, counters: &Arc<Counters>) -> Self {
        let (records, waiting) = mpsc::channel(WAITING);
        Self { records, task: tokio::spawn(receiver.run(waiting, counters.clone())) }
    }
}

/// Hands a record to one receiver without waiting for it.
pub(super) fn hand(
    record: &CheckpointRecord,
    to: &mpsc::Sender<CheckpointRecord>,
    counters: &Counters,
) {
    if let Err(TrySendError::Full(_)) = to.try_send(record.clone()) {
        counters.checkpoint_failures.fetch_add(1, Relaxed);
    }
}

impl Delivery {
    pub(crate) fn new(
        places: &[Arc<dyn CheckpointPlace>],
        (witnesses, cosigning): (&[Arc<dyn Witness>], Cosigning),
        counters: &Arc<Counters>,
    ) -> Self {
        let place = |place: &Arc<dyn CheckpointPlace>| {
            Receiving::start(Receiver::Place(place.clone()), counters)
        };
        let places: Vec<_> = places.iter().map(place).collect();
        let witness = |witness: &Arc<dyn Witness>| {
            let places = places.iter().map(|place| place.records.clone()).collect();
            let cosigning = Cosigning { places, ..cosigning.clone() };
            Receiving::start(Receiver::Witness(witness.clone(), Box::new(cosigning)), counters)
        };
        let witnesses = witnesses.iter().map(witness).collect();
        Self { witnesses, places, counters: counters.clone() }
    }

    /// Hands `record` to everybody without waiting for any.
    pub(crate) fn send(&self, record: &CheckpointRecord) {
        for receiving in self.places.iter().chain(&self.witnesses) {
            hand(record, &receiving.records, &self.counters);
        }
    }

    /// Waits until everybody has everything, `within` at the most; two thirds of that for the witnesses,
    /// whose cosignatures the places are to have as well.
    pub(crate) async fn close(self, within: Duration) {
        let start = Instant::now();
        let rounds = [(self.witnesses, start + within * 2 / 3), (self.places, start + within)];
        for (receiving, deadline) in rounds {
            for Receiving { records, mut task } in receiving {
                drop(records);
                if timeout_at(deadline, &mut task).await.is_err() {
                    task.abort();
                    // Whatever it holds is let go before the next round.
                    drop(task.await);
                    tracing::warn!("an outside place has not taken the last checkpoints");
                }
            }
        }
    }
}
