use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{CheckpointPlace, SigningKeys, Witness};

/// How a log is signed.
#[derive(Clone)]
pub struct CheckpointOptions {
    /// With which keys.
    pub keys: SigningKeys,
    /// After how many events at the latest.
    pub every_events: u64,
    /// After how long at the latest, if there was any event.
    pub interval: Duration,
    /// Where checkpoints go beside the database.
    pub places: Vec<Arc<dyn CheckpointPlace>>,
    /// Who cosigns them.
    pub witnesses: Vec<Arc<dyn Witness>>,
}

impl CheckpointOptions {
    /// Signs with `keys` every 10,000 events or 60 s, in the database alone.
    #[must_use]
    pub fn new(keys: SigningKeys) -> Self {
        Self {
            keys,
            every_events: 10_000,
            interval: Duration::from_secs(60),
            places: Vec::new(),
            witnesses: Vec::new(),
        }
    }
}

impl fmt::Debug for CheckpointOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places: Vec<_> = self.places.iter().map(|place| place.name()).collect();
        let witnesses: Vec<_> = self.witnesses.iter().map(|witness| witness.name()).collect();
        f.debug_struct("CheckpointOptions")
            .field("every_events", &self.every_events)
            .field("interval", &self.interval)
            .field("places", &places)
            .field("witnesses", &witnesses)
            .finish_non_exhaustive()
    }
}
