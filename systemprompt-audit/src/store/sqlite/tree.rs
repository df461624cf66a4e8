//! The queries behind the tree of a log.

use sqlx::sqlite::SqliteConnection;

use crate::StoreError;
use crate::merkle::{Hash, Tile};
use crate::store::{StoredCheckpoint, place, span};
use crate::tree_source::TreeSource;

/// The tree of one log, read over one connection.
#[derive(Debug)]
pub(crate) struct SqliteTree<'c> {
    pub(crate) connection: &'c mut SqliteConnection,
    pub(crate) log_id: i64,
}

impl TreeSource for SqliteTree<'_> {
    async fn leaves(&mut self, first: u64, count: usize) -> Result<Vec<Hash>, StoreError> {
        let (first, last) = span(first, count);
        // `seq` is counted from 1.
        let rows = sqlx::query_scalar!(
            "SELECT leaf_hash FROM audit_events WHERE log_id = ? AND seq > ? AND seq <= ? ORDER BY seq",
            self.log_id,
            first,
            last
        )
        .fetch_all(&mut *self.connection)
        .await?;
        Ok(rows.into_iter().map_while(|hash| hash.try_into().ok()).collect())
    }

    async fn roots(
        &mut self,
        level: u8,
        first: u64,
        count: usize,
    ) -> Result<Vec<Hash>, StoreError> {
        let (first, end) = span(first, count);
        let rows = sqlx::query_scalar!(
            "SELECT root FROM audit_tiles WHERE log_id = ? AND level = ? AND idx >= ? AND idx < ?
             ORDER BY idx",
            self.log_id,
            level,
            first,
            end
        )
        .fetch_all(&mut *self.connection)
        .await?;
        Ok(rows.into_iter().map_while(|hash| hash.try_into().ok()).collect())
    }

    async fn tile(&mut self, level: u8, index: u64) -> Result<Option<Vec<Hash>>, StoreError> {
        let index = place(index);
        let bytes = sqlx::query_scalar!(
            "SELECT hashes FROM audit_tiles WHERE log_id = ? AND level = ? AND idx = ?",
            self.log_id,
            level,
            index
        )
        .fetch_optional(&mut *self.connection)
        .await?;
        Ok(bytes.and_then(|bytes| Tile::hashes_from(&bytes)))
    }
}

/// Stores tiles in a transaction that is open. What stands in their place was not written by the log.
pub(crate) async fn insert_tiles(
    connection: &mut SqliteConnection,
    log_id: i64,
    tiles: &[Tile],
) -> Result<(), sqlx::Error> {
    for tile in tiles {
        let (index, root, hashes) = (place(tile.index), tile.root.as_slice(), tile.to_bytes());
        sqlx::query!(
            "INSERT INTO audit_tiles (log_id, level, idx, root, hashes) VALUES (?, ?, ?, ?, ?)
             ON CONFLICT (log_id, level, idx) DO UPDATE SET root = excluded.root, hashes = excluded.hashes",
            log_id,
            tile.level,
            index,
            root,
            hashes
        )
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Stores a checkpoint.
pub(crate) async fn insert_checkpoint(
    connection: &mut SqliteConnection,
    log_id: i64,
    checkpoint: &StoredCheckpoint,
) -> Result<(), sqlx::Error> {
    let (size, root) = (place(checkpoint.size), checkpoint.root.as_slice());
    let created_at = checkpoint.created_at.as_micros();
    sqlx::query!(
        "INSERT INTO audit_checkpoints (log_id, size, root, note, created_at) VALUES (?, ?, ?, ?, ?)",
        log_id,
        size,
        root,
        checkpoint.note,
        created_at
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The checkpoint of the largest size, if there is any that can be read.
pub(crate) async fn last_checkpoint(
    connection: &mut SqliteConnection,
    log_id: i64,
) -> Result<Option<StoredCheckpoint>, sqlx::Error> {
    let row = sqlx::query!(
        "SELECT size, root, note, created_at FROM audit_checkpoints WHERE log_id = ?
         ORDER BY size DESC LIMIT 1",
        log_id
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.and_then(|row| StoredCheckpoint::read(row.size, row.root, row.note, row.created_at)))
}
