use ct_merkle::mem_backed_tree::MemoryBackedTree;
use proptest::prelude::*;

use super::hash::root_of;
use super::*;

/// The leaves of RFC 6962's reference implementation and the roots after each, as in the test data of
/// the Certificate Transparency code base.
const ENTRIES: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];
const ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

fn leaf(number: u64) -> Hash {
    hash_leaf(&number.to_be_bytes())
}

/// A tree with all its tiles.
#[derive(Default)]
struct Grown {
    tree: Tree,
    tiles: Vec<Tile>,
    leaves: Vec<Hash>,
}

impl Grown {
    fn of(size: u64) -> Self {
        let mut grown = Self::default();
        (0..size).for_each(|number| grown.push(leaf(number)));
        grown
    }

    fn push(&mut self, leaf: Hash) {
        self.tree.append(leaf, &mut self.tiles);
        self.leaves.push(leaf);
    }

    /// The hashes of a tile as a store would find them: in the tile, else from what is below it.
    fn hashes(&self, range: &TileRange) -> Vec<Hash> {
        let found = self.tiles.iter().find(|t| (t.level, t.index) == (range.level, range.index));
        if let Some(tile) = found {
            return tile.hashes.clone();
        }
        let start = usize::try_from(range.start()).unwrap();
        if range.level == 0 {
            return self.leaves[start..start + range.count].to_vec();
        }
        let below = self.tiles.iter().filter(|tile| tile.level + 1 == range.level);
        below.skip(start).take(range.count).map(|tile| tile.root).collect()
    }

    fn nodes(&self, ranges: Vec<TileRange>) -> Nodes {
        let mut nodes = Nodes::new();
        for range in ranges {
            nodes.insert(range.level, range.index, self.hashes(&range));
        }
        nodes
    }

    fn root(&self, size: u64) -> Hash {
        root_at(&self.nodes(tiles_of_root(size)), size).unwrap()
    }
}

#[test]
fn the_vectors_of_the_reference_implementation_hold() {
    let mut tree = Tree::new();
    assert_eq!(
        hex::encode(tree.root()),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    for (entry, root) in ENTRIES.iter().zip(ROOTS) {
        tree.append(hash_leaf(&hex::decode(entry).unwrap()), &mut Vec::new());
        assert_eq!(hex::encode(tree.root()), root);
    }
}

#[test]
fn the_proofs_of_the_reference_implementation_hold() {
    let mut grown = Grown::default();
    for entry in ENTRIES {
        grown.push(hash_leaf(&hex::decode(entry).unwrap()));
    }
    let path = |index, size| {
        let nodes = grown.nodes(tiles_of_inclusion(index, size));
        inclusion(&nodes, index, size).unwrap().iter().map(hex::encode).collect::<Vec<_>>()
    };
    assert!(path(0, 1).is_empty());
    assert_eq!(
        path(5, 8),
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ]
    );
    assert_eq!(path(2, 3), ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]);
    let nodes = grown.nodes(tiles_of_consistency(6, 8));
    let proof: Vec<_> = consistency(&nodes, 6, 8).unwrap().iter().map(hex::encode).collect();
    assert_eq!(
        proof,
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ]
    );
}

/// The hashes of all complete nodes, by level and place.
fn all_nodes(leaves: &[Hash]) -> Vec<Vec<Hash>> {
    let mut levels = vec![leaves.to_vec()];
    while let Some(level) = levels.last().filter(|level| level.len() > 1) {
        let pairs = level.as_chunks::<2>().0.iter();
        levels.push(pairs.map(|[left, right]| hash_children(left, right)).collect());
    }
    levels
}

#[test]
fn every_leaf_is_proven_at_every_size_up_to_300() {
    let grown = Grown::of(300);
    let levels = all_nodes(&grown.leaves);
    let mut source = |level: u32, index: u64| {
        levels.get(usize::try_from(level).unwrap())?.get(usize::try_from(index).unwrap()).copied()
    };
    for size in 1..=300 {
        let root = super::prove::root(0, size, &mut source).unwrap();
        for index in 0..size {
            let proof = super::prove::path(index, 0, size, &mut source).unwrap();
            let hash = &grown.leaves[usize::try_from(index).unwrap()];
            assert_eq!(verify_inclusion(hash, index, size, &proof, &root), Ok(()));
            if size > 1 && index % 16 == 0 {
                let wrong = (index + 1) % size;
                assert!(verify_inclusion(hash, wrong, size, &proof, &root).is_err());
                assert!(verify_inclusion(&[7; 32], index, size, &proof, &root).is_err());
            }
            // From tiles it is the same.
            if index == size / 2 {
                let nodes = grown.nodes(tiles_of_inclusion(index, size));
                assert_eq!(inclusion(&nodes, index, size), Some(proof));
            }
        }
        assert!(inclusion(&Nodes::new(), size, size).is_none());
        assert_eq!(verify_inclusion(&root, size, size, &[], &root), Err(ProofError::Place));
    }
}

#[test]
fn every_size_up_to_300_is_consistent_with_every_later_one() {
    let grown = Grown::of(300);
    let levels = all_nodes(&grown.leaves);
    let mut source = |level: u32, index: u64| {
        levels.get(usize::try_from(level).unwrap())?.get(usize::try_from(index).unwrap()).copied()
    };
    let roots: Vec<_> =
        (1..=300).map(|size| super::prove::root(0, size, &mut source).unwrap()).collect();
    let root = |size: u64| &roots[usize::try_from(size - 1).unwrap()];
    for old in 1..=300 {
        for new in old..=300 {
            let proof = super::prove::subproof(old, 0, new, true, &mut source).unwrap();
            let (older, newer) = ((old, root(old)), (new, root(new)));
            assert_eq!(verify_consistency(older, newer, &proof), Ok(()), "{old} {new}");
            if (old + new) % 16 == 0 {
                assert!(verify_consistency((old, &[7; 32]), newer, &proof).is_err());
                assert!(verify_consistency(older, (new, &[7; 32]), &proof).is_err());
                let nodes = grown.nodes(tiles_of_consistency(old, new));
                assert_eq!(consistency(&nodes, old, new), Some(proof));
            }
        }
    }
    assert!(consistency(&Nodes::new(), 0, 5).is_none());
    assert!(verify_consistency((0, root(1)), (5, root(5)), &[]).is_err());
}

#[test]
fn roots_and_proofs_are_those_of_another_implementation() {
    let mut other = MemoryBackedTree::<sha2::Sha256, Vec<u8>>::new();
    let grown = Grown::of(300);
    for size in 1..=300_u64 {
        other.push((size - 1).to_be_bytes().to_vec());
        let theirs = other.root();
        assert_eq!(theirs.as_bytes().as_slice(), grown.root(size), "{size}");
        for index in [size / 3, size - 1] {
            let ours = inclusion(&grown.nodes(tiles_of_inclusion(index, size)), index, size);
            let proof = other.prove_inclusion(usize::try_from(index).unwrap());
            assert_eq!(proof.as_bytes(), ours.unwrap().concat(), "{index} of {size}");
        }
        for old in [size / 2, size - 1] {
            if 0 < old && old < size {
                let ours = consistency(&grown.nodes(tiles_of_consistency(old, size)), old, size);
                let proof = other.prove_consistency(usize::try_from(size - old).unwrap());
                assert_eq!(proof.as_bytes(), ours.unwrap().concat(), "{old} to {size}");
            }
        }
    }
}

#[test]
fn a_tree_of_several_levels_of_tiles_keeps_its_roots() {
    let grown = Grown::of(70_000);
    assert_eq!(grown.tiles.iter().filter(|tile| tile.level == 0).count(), 273);
    assert_eq!(grown.tiles.iter().filter(|tile| tile.level == 1).count(), 1);
    assert_eq!(grown.tree.root(), root_of(&grown.leaves).unwrap());
    for size in [255, 256, 257, 65_535, 65_536, 65_537, 70_000] {
        let leaves = &grown.leaves[..usize::try_from(size).unwrap()];
        let root = root_of(leaves).unwrap();
        assert_eq!(grown.root(size), root, "{size}");
        for index in [0, 255, 256, size / 2, size - 1].into_iter().filter(|index| *index < size) {
            let ranges = tiles_of_inclusion(index, size);
            assert!(ranges.len() <= 6, "{ranges:?}");
            let proof = inclusion(&grown.nodes(ranges), index, size).unwrap();
            assert_eq!(verify_inclusion(&leaf(index), index, size, &proof, &root), Ok(()));
        }
        let edge = Tree::edge_lengths(size).into_iter().enumerate().map(|(level, count)| {
            let nodes = size >> (8 * level);
            let level = u8::try_from(level).unwrap();
            let range = TileRange { level, index: nodes / 256, count };
            grown.hashes(&range).into_iter().take(count).collect()
        });
        let restored = Tree::restore(size, edge.collect()).unwrap();
        assert_eq!(restored.root(), root, "{size}");
    }
}

#[test]
fn an_edge_of_the_wrong_shape_is_no_tree() {
    assert!(Tree::restore(3, vec![vec![leaf(0); 2]]).is_none());
    assert!(Tree::restore(256, vec![vec![]]).is_none());
    assert!(Tree::restore(256, vec![vec![], vec![leaf(0)]]).is_some());
    assert!(Tree::restore(0, vec![]).is_some());
    assert!(Tile::hashes_from(&[0; 8191]).is_none());
    assert!(Tile::hashes_from(&[0; 32]).is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// No single bit of a proof can be changed, and no hash added or left out.
    #[test]
    fn a_proof_that_was_changed_proves_nothing(
        size in 2_u64..300, at in any::<prop::sample::Index>(), bit in 0_usize..256, which in any::<prop::sample::Index>()
    ) {
        let grown = Grown::of(size);
        let index = at.index(usize::try_from(size).unwrap()) as u64;
        let root = grown.root(size);
        let proof = inclusion(&grown.nodes(tiles_of_inclusion(index, size)), index, size).unwrap();
        let mut changed = proof.clone();
        let hash = which.index(changed.len());
        changed[hash][bit / 8] ^= 1 << (bit % 8);
        let check = |proof: &[Hash]| verify_inclusion(&leaf(index), index, size, proof, &root);
        prop_assert_eq!(check(&changed), Err(ProofError::Root));
        let mut shorter = proof.clone();
        shorter.remove(hash);
        prop_assert!(check(&shorter).is_err());
        let mut longer = proof.clone();
        longer.insert(hash, leaf(0));
        prop_assert!(check(&longer).is_err());
        prop_assert_eq!(check(&proof), Ok(()));
    }
}
