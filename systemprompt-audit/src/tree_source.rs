//! The tree of a log as it is stored: tiles, and beyond the last of them the leaf hashes of events.

use std::future::Future;

use crate::StoreError;
use crate::merkle::{Hash, Nodes, TILE_WIDTH, Tile, TileRange, Tree, root_at, tiles_of_root};

/// Leaves that are read at once when tiles have to be made anew.
const LEAVES_AT_ONCE: usize = 16 * TILE_WIDTH;

/// What a tree is read from. All places are counted from 0.
pub(crate) trait TreeSource: Send {
    /// The hashes of the leaves from `first` on, `count` of them; fewer when events are missing.
    fn leaves(
        &mut self,
        first: u64,
        count: usize,
    ) -> impl Future<Output = Result<Vec<Hash>, StoreError>> + Send;

    /// The roots of the tiles from `first` on, `count` of them; fewer when tiles are missing.
    fn roots(
        &mut self,
        level: u8,
        first: u64,
        count: usize,
    ) -> impl Future<Output = Result<Vec<Hash>, StoreError>> + Send;

    /// The hashes of a tile, when it is there.
    fn tile(
        &mut self,
        level: u8,
        index: u64,
    ) -> impl Future<Output = Result<Option<Vec<Hash>>, StoreError>> + Send;
}

/// The tree of the first `size` events; `None` when tiles or events are missing.
pub(crate) async fn load_tree(
    source: &mut impl TreeSource,
    size: u64,
) -> Result<Option<Tree>, StoreError> {
    let mut edge = Vec::new();
    for (level, count) in (0_u8..).zip(Tree::edge_lengths(size)) {
        let nodes = size.checked_shr(8 * u32::from(level)).unwrap_or_default();
        edge.push(hashes(source, level, nodes - count as u64, count).await?);
    }
    Ok(Tree::restore(size, edge))
}

/// The tiles `ranges`; `None` when any of them is not there.
pub(crate) async fn load_nodes(
    source: &mut impl TreeSource,
    ranges: Vec<TileRange>,
) -> Result<Option<Nodes>, StoreError> {
    let mut nodes = Nodes::new();
    for range in ranges {
        let found = match source.tile(range.level, range.index).await? {
            Some(hashes) => hashes,
            None => hashes(source, range.level, range.start(), range.count).await?,
        };
        if found.len() < range.count {
            return Ok(None);
        }
        nodes.insert(range.level, range.index, found);
    }
    Ok(Some(nodes))
}

/// The root of the first `size` events; `None` when it cannot be told any more.
pub(crate) async fn load_root(
    source: &mut impl TreeSource,
    size: u64,
) -> Result<Option<Hash>, StoreError> {
    let nodes = load_nodes(source, tiles_of_root(size)).await?;
    Ok(nodes.and_then(|nodes| root_at(&nodes, size)))
}

/// The tree of the first `size` events and the tiles that have to be stored anew because they are
/// missing; `None` when events are missing, too.
pub(crate) async fn load_or_regrow(
    source: &mut impl TreeSource,
    size: u64,
) -> Result<Option<(Tree, Vec<Tile>)>, StoreError> {
    match load_tree(source, size).await? {
        Some(tree) => Ok(Some((tree, Vec::new()))),
        None => regrow(source, size).await,
    }
}

/// The tree of the first `size` events, from their leaf hashes alone, with all tiles it has made: for a
/// log whose tiles are missing. `None` when events are missing, too.
async fn regrow(
    source: &mut impl TreeSource,
    size: u64,
) -> Result<Option<(Tree, Vec<Tile>)>, StoreError> {
    let (mut tree, mut tiles) = (Tree::new(), Vec::new());
    while tree.size() < size {
        let count = usize::try_from(size - tree.size()).unwrap_or(LEAVES_AT_ONCE);
        let count = count.min(LEAVES_AT_ONCE);
        let leaves = source.leaves(tree.size(), count).await?;
        if leaves.len() < count {
            return Ok(None);
        }
        leaves.into_iter().for_each(|leaf| tree.append(leaf, &mut tiles));
    }
    Ok(Some((tree, tiles)))
}

async fn hashes(
    source: &mut impl TreeSource,
    level: u8,
    first: u64,
    count: usize,
) -> Result<Vec<Hash>, StoreError> {
    match level.checked_sub(1) {
        _ if count == 0 => Ok(Vec::new()),
        None => source.leaves(first, count).await,
        Some(below) => source.roots(below, first, count).await,
    }
}
