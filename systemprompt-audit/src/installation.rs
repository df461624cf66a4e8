//! The id of the installation a database belongs to.

/// Digits and letters without those that look alike.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A new id, for a database that has none yet: twelve random characters, 60 bits.
pub(crate) fn fresh() -> String {
    let mut bits: u64 = rand::random();
    let mut next = || {
        let at = usize::try_from(bits & 31).unwrap_or_default();
        bits >>= 5;
        ALPHABET.get(at).copied().map_or('0', char::from)
    };
    (0..12).map(|_| next()).collect()
}
