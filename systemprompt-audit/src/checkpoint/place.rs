use async_trait::async_trait;

use super::CheckpointRecord;
use crate::StoreError;
use crate::note::Checkpoint;

/// Somewhere outside the database where checkpoints are kept.
#[async_trait]
pub trait CheckpointPlace: Send + Sync {
    /// What the place is called in logs; holds nothing secret.
    fn name(&self) -> String;

    /// Keeps a record. It is durable there when this returns; after an error that is not
    /// [final](PlaceError::is_final) it is tried again, so that a place may see a record twice. One that a
    /// witness has cosigned comes once more, with that signature.
    ///
    /// # Errors
    /// [`PlaceError`] when it could not be kept.
    async fn put(&self, record: &CheckpointRecord) -> Result<(), PlaceError>;

    /// The newest checkpoint of a log that the place knows of, if it can be asked.
    ///
    /// # Errors
    /// [`PlaceError`] when it cannot be read.
    async fn last(&self, origin: &str) -> Result<Option<Checkpoint>, PlaceError> {
        let _ = origin;
        Ok(None)
    }
}

/// Why a place did not keep a checkpoint.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlaceError {
    /// It cannot be read or written.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// It was not reached.
    #[error("the place was not reached: {0}")]
    Unreached(String),
    /// It answered something else than success.
    #[error("the place answered {0}")]
    Refused(u16),
    /// It will not take this checkpoint, however often it is asked, and why.
    #[error("it was declined: {0}")]
    Declined(String),
    /// What it needs of the log cannot be read, or its answer not be stored.
    #[error("the database did not serve: {0}")]
    Store(#[from] StoreError),
}

impl PlaceError {
    /// Whether trying the same checkpoint again is of no use.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Declined(_))
    }
}
