use super::Hash;

/// Hashes in a tile, as in C2SP tlog-tiles.
pub const TILE_WIDTH: usize = 256;

/// 256 neighbouring hashes of one level, and the root over them.
///
/// A tile of level `l` holds hashes of nodes that span 256^`l` leaves each; those of level 0 hold leaf
/// hashes. Tiles are complete when they are stored, and never change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tile {
    /// The level, counted in tiles.
    pub level: u8,
    /// The place among the tiles of its level.
    pub index: u64,
    /// The root over the hashes: one hash of a tile of the next level.
    pub root: Hash,
    /// The hashes.
    pub hashes: Vec<Hash>,
}

impl Tile {
    /// The hashes one after the other, as they are stored: 8192 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.hashes.concat()
    }

    /// The hashes in `bytes`; `None` unless they fill a tile.
    #[must_use]
    pub fn hashes_from(bytes: &[u8]) -> Option<Vec<Hash>> {
        let (hashes, rest) = bytes.as_chunks::<32>();
        (rest.is_empty() && hashes.len() == TILE_WIDTH).then(|| hashes.to_vec())
    }
}
