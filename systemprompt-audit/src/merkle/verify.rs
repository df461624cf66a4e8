use super::Hash;
use super::hash::hash_children;

/// Why a proof proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// The sizes make no sense, such as a leaf beyond the end of the tree.
    #[error("the proof is for a place that the tree does not have")]
    Place,
    /// It has more or fewer hashes than the tree is high.
    #[error("the proof has the wrong number of hashes")]
    Length,
    /// It leads to another root.
    #[error("the proof leads to another root")]
    Root,
}

/// Whether the leaf with `hash` is at `index` in the tree of `size` leaves with `root` (RFC 9162
/// section 2.1.3.2).
///
/// # Errors
/// [`ProofError`] when the proof does not say so.
pub fn verify_inclusion(
    hash: &Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::Place);
    }
    let (mut at, mut last, mut reached) = (index, size - 1, *hash);
    for other in proof {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if at & 1 == 1 || at == last {
            reached = hash_children(other, &reached);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            reached = hash_children(&reached, other);
        }
        at >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if reached == *root { Ok(()) } else { Err(ProofError::Root) }
}

/// Whether the tree of `new` leaves with `new_root` goes on where that of `old` leaves with `old_root`
/// ended (RFC 9162 section 2.1.4.2).
///
/// # Errors
/// [`ProofError`] when the proof does not say so.
pub fn verify_consistency(
    (old, old_root): (u64, &Hash),
    (new, new_root): (u64, &Hash),
    proof: &[Hash],
) -> Result<(), ProofError> {
    if old == 0 || old > new {
        return Err(ProofError::Place);
    }
    if old == new {
        return match (proof.is_empty(), old_root == new_root) {
            (false, _) => Err(ProofError::Length),
            (true, false) => Err(ProofError::Root),
            (true, true) => Ok(()),
        };
    }
    let mut rest = proof.iter();
    let (mut at, mut last) = (old - 1, new - 1);
    while at & 1 == 1 {
        at >>= 1;
        last >>= 1;
    }
    // An old tree of a power of two is a node of the new one: its root goes without saying.
    let first = if old.is_power_of_two() { Some(old_root) } else { rest.next() };
    let first = *first.ok_or(ProofError::Length)?;
    let (mut old_reached, mut new_reached) = (first, first);
    for other in rest {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if at & 1 == 1 || at == last {
            old_reached = hash_children(other, &old_reached);
            new_reached = hash_children(other, &new_reached);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            new_reached = hash_children(&new_reached, other);
        }
        at >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if old_reached == *old_root && new_reached == *new_root {
        Ok(())
    } else {
        Err(ProofError::Root)
    }
}
