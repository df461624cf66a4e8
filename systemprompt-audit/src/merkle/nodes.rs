use std::collections::BTreeMap;

use super::hash::root_of;
use super::{Hash, TILE_WIDTH};

const WIDTH: u64 = TILE_WIDTH as u64;

/// A tile, or as much of one as a tree has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TileRange {
    /// The level, counted in tiles.
    pub level: u8,
    /// The place among the tiles of its level.
    pub index: u64,
    /// How many of its hashes there are, 1 to 256.
    pub count: usize,
}

impl TileRange {
    /// The tile with the node `index` of the level `level` (counted in nodes) in a tree of `size`.
    pub(super) fn of(level: u32, index: u64, size: u64) -> Self {
        let tile_level = level / 8;
        let tile = index >> (8 - level % 8);
        let nodes = size.checked_shr(8 * tile_level).unwrap_or_default();
        let there = nodes.saturating_sub(tile.saturating_mul(WIDTH)).min(WIDTH);
        Self {
            level: u8::try_from(tile_level).unwrap_or(u8::MAX),
            index: tile,
            count: usize::try_from(there).unwrap_or_default(),
        }
    }

    /// The place of its first hash among those of its level.
    #[must_use]
    pub fn start(&self) -> u64 {
        self.index.saturating_mul(WIDTH)
    }

    /// Whether nothing will be added.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.count == TILE_WIDTH
    }
}

/// The hashes of some tiles.
#[derive(Debug, Clone, Default)]
pub struct Nodes(BTreeMap<(u8, u64), Vec<Hash>>);

impl Nodes {
    /// Without any tile.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the hashes of a tile.
    pub fn insert(&mut self, level: u8, index: u64, hashes: Vec<Hash>) {
        self.0.insert((level, index), hashes);
    }

    /// The hash of the node `index` of the level `level`, counted in nodes.
    pub(super) fn node(&self, level: u32, index: u64) -> Option<Hash> {
        let tile = TileRange::of(level, index, u64::MAX);
        let hashes = self.0.get(&(tile.level, tile.index))?;
        let width = 1_usize << (level % 8);
        let first = usize::try_from(index % (WIDTH >> (level % 8))).ok()? * width;
        root_of(hashes.get(first..first + width)?)
    }
}
