use super::hash::{empty_root, root_of};
use super::{Hash, TILE_WIDTH, Tile};

/// The right edge of a growing tree: all hashes that are in no complete tile yet.
///
/// That is what appending and the root need, at most 255 hashes for each level of tiles. Appending
/// costs one hash on average, whatever the size.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    size: u64,
    /// By level, counted in tiles.
    edge: Vec<Vec<Hash>>,
}

impl Tree {
    /// A tree without leaves.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The tree of `size` leaves with this edge: for each level of tiles the hashes that are in no
    /// complete tile, see [`edge_lengths`](Self::edge_lengths). `None` when they are not as many as
    /// they have to be.
    #[must_use]
    pub fn restore(size: u64, edge: Vec<Vec<Hash>>) -> Option<Self> {
        let lengths = edge.iter().map(|hashes| hashes.len());
        Self::edge_lengths(size).into_iter().eq(lengths).then_some(Self { size, edge })
    }

    /// How many hashes the edge of a tree of `size` leaves has at each level of tiles.
    #[must_use]
    pub fn edge_lengths(size: u64) -> Vec<usize> {
        let mut lengths = Vec::new();
        let mut nodes = size;
        while nodes > 0 {
            lengths.push(usize::try_from(nodes % WIDTH).unwrap_or_default());
            nodes /= WIDTH;
        }
        lengths
    }

    /// How many leaves there are.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf. Tiles that it completes are added to `completed`.
    pub fn append(&mut self, leaf: Hash, completed: &mut Vec<Tile>) {
        self.size += 1;
        let (mut hash, mut nodes) = (leaf, self.size);
        for level in 0_u8.. {
            let at = usize::from(level);
            if self.edge.len() <= at {
                self.edge.push(Vec::with_capacity(TILE_WIDTH));
            }
            let Some(edge) = self.edge.get_mut(at) else { return };
            edge.push(hash);
            if edge.len() < TILE_WIDTH {
                return;
            }
            let hashes = std::mem::replace(edge, Vec::with_capacity(TILE_WIDTH));
            nodes /= WIDTH;
            let Some(root) = root_of(&hashes) else { return };
            completed.push(Tile { level, index: nodes - 1, root, hashes });
            hash = root;
        }
    }

    /// The root of the tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut below = None;
        for edge in &self.edge {
            below = match below {
                None => root_of(edge),
                Some(below) => root_of(&[edge.as_slice(), &[below]].concat()),
            };
        }
        below.unwrap_or_else(empty_root)
    }
}

const WIDTH: u64 = TILE_WIDTH as u64;
