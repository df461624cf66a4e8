use std::sync::Arc;

use super::CheckpointPlace;
use crate::note::Checkpoint;
use crate::store::StoredCheckpoint;
use crate::tree_source::{TreeSource, load_root};
use crate::{Origin, StoreError};

/// What a log of `size` events should be and is not, by the newest checkpoints of it in the database
/// and outside. A log that has signed one history must not sign another (C2SP tlog-checkpoint).
pub(crate) async fn divergence(
    source: &mut impl TreeSource,
    (origin, size): (&Origin, u64),
    stored: Option<&StoredCheckpoint>,
    places: &[Arc<dyn CheckpointPlace>],
) -> Result<Option<Checkpoint>, StoreError> {
    let mut known: Vec<_> = stored
        .map(|stored| Checkpoint {
            origin: origin.to_string(),
            size: stored.size,
            root: stored.root,
        })
        .into_iter()
        .collect();
    for place in places {
        match place.last(origin.as_str()).await {
            Ok(last) => known.extend(last),
            Err(error) => {
                tracing::warn!(place = place.name(), %error, "checkpoints outside cannot be read");
            }
        }
    }
    for checkpoint in known {
        let same = checkpoint.size <= size
            && load_root(source, checkpoint.size).await? == Some(checkpoint.root);
        if !same {
            return Ok(Some(checkpoint));
        }
    }
    Ok(None)
}
