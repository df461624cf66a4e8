use std::collections::BTreeSet;

use super::hash::{empty_root, hash_children};
use super::{Hash, Nodes, TileRange};

/// Where the hash of a node comes from, by its level and place.
pub(super) type Source<'s> = dyn FnMut(u32, u64) -> Option<Hash> + 's;

/// The tiles that [`root_at`] needs for a tree of `size` leaves.
#[must_use]
pub fn tiles_of_root(size: u64) -> Vec<TileRange> {
    tiles(size, |source| root(0, size, source).map(|_| ()))
}

/// The root that the tree had when it had `size` leaves. `None` when a tile is missing.
#[must_use]
pub fn root_at(nodes: &Nodes, size: u64) -> Option<Hash> {
    if size == 0 {
        return Some(empty_root());
    }
    root(0, size, &mut |level, index| nodes.node(level, index))
}

/// The tiles that [`inclusion`] needs for the leaf `index` of a tree of `size` leaves.
#[must_use]
pub fn tiles_of_inclusion(index: u64, size: u64) -> Vec<TileRange> {
    tiles(size, |source| path(index, 0, size, source).map(|_| ()))
}

/// The proof that the leaf `index` is in the tree of the first `size` leaves (RFC 9162 section
/// 2.1.3.1). `None` when it is not, or a tile is missing.
#[must_use]
pub fn inclusion(nodes: &Nodes, index: u64, size: u64) -> Option<Vec<Hash>> {
    let proof = || path(index, 0, size, &mut |level, index| nodes.node(level, index));
    (index < size).then(proof).flatten()
}

/// The tiles that [`consistency`] needs.
#[must_use]
pub fn tiles_of_consistency(old: u64, new: u64) -> Vec<TileRange> {
    tiles(new, |source| subproof(old, 0, new, true, source).map(|_| ()))
}

/// The proof that the tree of the first `new` leaves goes on where that of the first `old` ended (RFC
/// 9162 section 2.1.4.1). `None` unless 0 < `old` <= `new`, or when a tile is missing.
#[must_use]
pub fn consistency(nodes: &Nodes, old: u64, new: u64) -> Option<Vec<Hash>> {
    let proof = || subproof(old, 0, new, true, &mut |level, index| nodes.node(level, index));
    (0 < old && old <= new).then(proof).flatten()
}

/// The tiles of the nodes that `walk` asks for.
fn tiles(size: u64, walk: impl FnOnce(&mut Source<'_>) -> Option<()>) -> Vec<TileRange> {
    let mut tiles = BTreeSet::new();
    let _ = walk(&mut |level, index| {
        tiles.insert(TileRange::of(level, index, size));
        Some([0; 32])
    });
    tiles.into_iter().collect()
}

/// The largest power of two below `leaves`, which are at least two.
fn split(leaves: u64) -> u64 {
    1 << (leaves - 1).ilog2()
}

/// The root over the leaves from `start` up to `end`; `start` is a multiple of a power of two that is
/// not below their number.
pub(super) fn root(start: u64, end: u64, source: &mut Source<'_>) -> Option<Hash> {
    let leaves = end.checked_sub(start).filter(|leaves| *leaves > 0)?;
    if leaves.is_power_of_two() {
        return source(leaves.ilog2(), start / leaves);
    }
    let middle = start + split(leaves);
    let left = root(start, middle, source)?;
    Some(hash_children(&left, &root(middle, end, source)?))
}

pub(super) fn path(index: u64, start: u64, end: u64, source: &mut Source<'_>) -> Option<Vec<Hash>> {
    let leaves = end.checked_sub(start).filter(|leaves| *leaves > 0)?;
    if leaves == 1 {
        return Some(Vec::new());
    }
    let middle = start + split(leaves);
    let (mut proof, other) = if index < middle {
        (path(index, start, middle, source)?, root(middle, end, source)?)
    } else {
        (path(index, middle, end, source)?, root(start, middle, source)?)
    };
    proof.push(other);
    Some(proof)
}

pub(super) fn subproof(
    old: u64,
    start: u64,
    end: u64,
    known: bool,
    source: &mut Source<'_>,
) -> Option<Vec<Hash>> {
    if old == end {
        return if known { Some(Vec::new()) } else { Some(vec![root(start, end, source)?]) };
    }
    let leaves = end.checked_sub(start).filter(|leaves| *leaves > 1)?;
    let middle = start + split(leaves);
    let (mut proof, other) = if old <= middle {
        (subproof(old, start, middle, known, source)?, root(middle, end, source)?)
    } else {
        (subproof(old, middle, end, false, source)?, root(start, middle, source)?)
    };
    proof.push(other);
    Some(proof)
}
