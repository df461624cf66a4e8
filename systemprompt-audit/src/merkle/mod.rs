//! The Merkle tree of a log: RFC 9162 section 2.1, the same tree as that of RFC 6962.
//!
//! - [`Tree`] grows leaf by leaf, at one hash each on average, and hands out what is to be stored;
//! - [`Tile`] is what is stored: 256 neighbouring hashes of every eighth level, as in C2SP tlog-tiles;
//! - [`Nodes`] are the tiles a proof is made of; [`inclusion`] and [`consistency`] make it,
//!   [`verify_inclusion`] and [`verify_consistency`] check it.
//!
//! Places are counted from 0 here; the event at `seq` is the leaf `seq - 1`.

mod hash;
mod nodes;
mod prove;
#[cfg(test)]
mod tests;
mod tile;
mod tree;
mod verify;

pub use hash::{Hash, hash_children, hash_leaf};
pub use nodes::{Nodes, TileRange};
pub use prove::{
    consistency, inclusion, root_at, tiles_of_consistency, tiles_of_inclusion, tiles_of_root,
};
pub use tile::{TILE_WIDTH, Tile};
pub use tree::Tree;
pub use verify::{ProofError, verify_consistency, verify_inclusion};
