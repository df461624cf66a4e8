//! The queries behind the tree of a log.

use sqlx::PgConnection;

use crate::StoreError;
use crate::merkle::{Hash, Tile};
use crate::store::{StoredCheckpoint, place, span};
use crate::tree_source::TreeSource;

/// The tree of one log, read over one connection.
#[derive(Debug)]
pub(crate) struct PostgresTree<'c> {
    pub(crate) connection: &'c mut PgConnection,
    pub(crate) log_id: i64,
}

impl TreeSource for PostgresTree<'_> {
    async fn leaves(&mut self, first: u64, count: usize) -> Result<Vec<Hash>, StoreError> {
        let (first, last) = span(first, count);
        // `seq` is counted from 1.
        let rows = sqlx::query_scalar!(
            "SELECT leaf_hash FROM audit_events WHERE log_id = $1 AND seq > $2 AND seq <= $3 ORDER BY seq",
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
            "SELECT root FROM audit_tiles WHERE log_id = $1 AND level = $2 AND idx >= $3 AND idx < $4
             ORDER BY idx",
            self.log_id,
            i64::from(level),
            first,
            end
        )
        .fetch_all(&mut *self.connection)
        .await?;
        Ok(rows.into_iter().map_while(|hash| hash.try_into().ok()).collect())
    }

    async fn tile(&mut self, level: u8, index: u64) -> Result<Option<Vec<Hash>>, StoreError> {
        let bytes = sqlx::query_scalar!(
            "SELECT hashes FROM audit_tiles WHERE log_id = $1 AND level = $2 AND idx = $3",
            self.log_id,
            i64::from(level),
            place(index)
        )
        .fetch_optional(&mut *self.connection)
        .await?;
        Ok(bytes.and_then(|bytes| Tile::hashes_from(&bytes)))
    }
}

/// Tiles of one statement: some megabytes.
const TILES: usize = 512;

/// Stores tiles. What stands in their place was not written by the log.
pub(super) async fn insert_tiles(
    connection: &mut PgConnection,
    log_id: i64,
    tiles: &[Tile],
) -> Result<(), sqlx::Error> {
    for tiles in tiles.chunks(TILES) {
        let levels: Vec<_> = tiles.iter().map(|tile| i64::from(tile.level)).collect();
        let places: Vec<_> = tiles.iter().map(|tile| place(tile.index)).collect();
        let roots: Vec<_> = tiles.iter().map(|tile| tile.root.to_vec()).collect();
        let hashes: Vec<_> = tiles.iter().map(Tile::to_bytes).collect();
        sqlx::query!(
            "INSERT INTO audit_tiles (log_id, level, idx, root, hashes)
         SELECT $1::bigint, t.* FROM UNNEST($2::bigint[], $3::bigint[], $4::bytea[], $5::bytea[]) AS t
         ON CONFLICT (log_id, level, idx) DO UPDATE SET root = excluded.root, hashes = excluded.hashes",
            log_id,
            &levels,
            &places,
            &roots,
            &hashes
        )
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Stores a checkpoint.
pub(crate) async fn insert_checkpoint(
    connection: &mut PgConnection,
    log_id: i64,
    checkpoint: &StoredCheckpoint,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO audit_checkpoints (log_id, size, root, note, created_at) VALUES ($1, $2, $3, $4, $5)",
        log_id,
        place(checkpoint.size),
        checkpoint.root.as_slice(),
        checkpoint.note,
        checkpoint.created_at.as_micros()
    )
    .execute(connection)
    .await
    .map(|_| ())
}

/// The checkpoint of the largest size, if there is any that can be read.
pub(crate) async fn last_checkpoint(
    connection: &mut PgConnection,
    log_id: i64,
) -> Result<Option<StoredCheckpoint>, sqlx::Error> {
    let row = sqlx::query!(
        "SELECT size, root, note, created_at FROM audit_checkpoints WHERE log_id = $1
         ORDER BY size DESC, created_at DESC LIMIT 1",
        log_id
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.and_then(|row| StoredCheckpoint::read(row.size, row.root, row.note, row.created_at)))
}
