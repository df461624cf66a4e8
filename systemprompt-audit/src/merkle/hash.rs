use systemprompt_core::sha256;

/// A hash of the tree: SHA-256.
pub type Hash = [u8; 32];

/// The hash of a leaf: SHA-256(0x00 || entry), RFC 9162 section 2.1.1.
#[must_use]
pub fn hash_leaf(entry: &[u8]) -> Hash {
    sha256(&[&[0], entry].concat())
}

/// The hash of a node: SHA-256(0x01 || left || right), RFC 9162 section 2.1.1.
#[must_use]
pub fn hash_children(left: &Hash, right: &Hash) -> Hash {
    let mut message = [1; 65];
    let (head, tail) = message.split_at_mut(33);
    if let Some(slot) = head.get_mut(1..) {
        slot.copy_from_slice(left);
    }
    tail.copy_from_slice(right);
    sha256(&message)
}

/// The root over hashes of one level, of which the last may stand for less than the others: neighbours
/// are paired level by level, and what has no neighbour moves up. `None` when there are none.
pub(crate) fn root_of(hashes: &[Hash]) -> Option<Hash> {
    let mut level = hashes.to_vec();
    while level.len() > 1 {
        let pair = |pair: &[Hash]| match pair {
            [left, right] => Some(hash_children(left, right)),
            [alone] => Some(*alone),
            _ => None,
        };
        level = level.chunks(2).filter_map(pair).collect();
    }
    level.first().copied()
}

/// The root of the tree without leaves: SHA-256 of nothing.
pub(super) fn empty_root() -> Hash {
    sha256(&[])
}
