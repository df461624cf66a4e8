use async_trait::async_trait;
use systemprompt_core::clock::Timestamp;
use systemprompt_core::database::DbPool;

use super::{CheckpointRecord, GrowingLog, PlaceError};
use crate::merkle::{Hash, consistency, tiles_of_consistency};
use crate::note::SignedNote;
use crate::store::{LogTree, StoredCheckpoint, over};
use crate::tree_source::load_nodes;
use crate::{Origin, StoreError};

/// A log as it is in the database. Every look at it has a connection of its own, closed at the end, as
/// those of whoever signs the log.
#[derive(Debug)]
pub(super) struct StoredLog<'p> {
    pool: &'p DbPool,
    log_id: i64,
}

impl<'p> StoredLog<'p> {
    /// The log `origin`.
    pub(super) async fn find(pool: &'p DbPool, origin: &str) -> Result<Self, PlaceError> {
        let unknown = || StoreError::Failed(format!("there is no log `{origin}`"));
        let origin = Origin::parse(origin).map_err(|_| unknown())?;
        let mut connection = pool.connect().await.map_err(StoreError::from)?;
        let found: Result<Option<i64>, _> = over!(connection, log::find(&origin));
        connection.close().await.map_err(StoreError::from)?;
        let log_id = found.map_err(StoreError::from)?.ok_or_else(unknown)?;
        Ok(Self { pool, log_id })
    }

    /// Stores a checkpoint once more, as it stands on `note`.
    pub(super) async fn keep(
        &self,
        record: &CheckpointRecord,
        note: &SignedNote,
        now: Timestamp,
    ) -> Result<(), PlaceError> {
        let stored = StoredCheckpoint {
            size: record.checkpoint.size,
            root: record.checkpoint.root,
            note: note.to_string(),
            created_at: now,
        };
        let mut connection = self.pool.connect().await.map_err(StoreError::from)?;
        let kept = over!(connection, tree::insert_checkpoint(self.log_id, &stored));
        connection.close().await.map_err(StoreError::from)?;
        Ok(kept.map_err(StoreError::from)?)
    }
}

#[async_trait]
impl GrowingLog for StoredLog<'_> {
    async fn size(&self) -> Result<u64, PlaceError> {
        let mut connection = self.pool.connect().await.map_err(StoreError::from)?;
        let tail: Result<i64, _> = over!(connection, log::tail(self.log_id));
        connection.close().await.map_err(StoreError::from)?;
        Ok(u64::try_from(tail.map_err(StoreError::from)?).unwrap_or_default())
    }

    async fn consistency(&self, old: u64, new: u64) -> Result<Vec<Hash>, PlaceError> {
        let mut connection = self.pool.connect().await.map_err(StoreError::from)?;
        let mut tree = LogTree { connection: connection.driver(), log_id: self.log_id };
        let nodes = load_nodes(&mut tree, tiles_of_consistency(old, new)).await;
        connection.close().await.map_err(StoreError::from)?;
        let proof = nodes?.and_then(|nodes| consistency(&nodes, old, new));
        let missing = || StoreError::Failed("parts of the tree are missing".to_owned());
        Ok(proof.ok_or_else(missing)?)
    }
}
