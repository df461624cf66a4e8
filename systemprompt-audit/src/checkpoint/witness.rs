use async_trait::async_trait;

use super::{CheckpointRecord, PlaceError};
use crate::merkle::Hash;
use crate::note::SignedNote;

/// Somebody else who vouches for a log: who remembers what he has seen of it, and signs a checkpoint only
/// when everything before is still in it.
#[async_trait]
pub trait Witness: Send + Sync {
    /// What the witness is called in logs; holds nothing secret.
    fn name(&self) -> String;

    /// Has a checkpoint cosigned, and gives its note with the cosignatures, which are verified. `None` when
    /// the witness has cosigned a later one of the same log already. After an error that is not
    /// [final](PlaceError::is_final) it is tried again.
    ///
    /// # Errors
    /// [`PlaceError`] when it was not cosigned.
    async fn cosign(
        &self,
        record: &CheckpointRecord,
        log: &dyn GrowingLog,
    ) -> Result<Option<SignedNote>, PlaceError>;
}

/// The log that a checkpoint is of, as a witness needs it.
#[async_trait]
pub trait GrowingLog: Send + Sync {
    /// How many events it has now.
    ///
    /// # Errors
    /// [`PlaceError`] when it cannot be read.
    async fn size(&self) -> Result<u64, PlaceError>;

    /// The proof that the tree of the first `new` events goes on where that of the first `old` ended (RFC
    /// 9162 section 2.1.4.1), for 0 < `old` <= `new`.
    ///
    /// # Errors
    /// [`PlaceError`] when it cannot be read, or when parts of it are missing.
    async fn consistency(&self, old: u64, new: u64) -> Result<Vec<Hash>, PlaceError>;
}
