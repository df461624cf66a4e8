//! Base 16.

/// The bytes of an even number of digits; `None` when there is anything else among them.
pub(super) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let (pairs, _) = text.as_chunks::<2>();
    pairs.iter().map(|pair| byte(*pair)).collect()
}

/// The byte at `at`.
#[inline]
pub(super) fn at(text: &[u8], at: usize) -> Option<u8> {
    byte(*text.get(at..)?.first_chunk::<2>()?)
}

#[inline]
fn byte([high, low]: [u8; 2]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_of_digits_are_bytes() {
        assert_eq!(decode(b"68656C6c6f").as_deref(), Some(&b"hello"[..]));
        assert_eq!(decode(b"68656C6").as_deref(), Some(&b"hel"[..]));
        assert_eq!(decode(b"6865zz"), None);
        assert_eq!((at(b"x41", 1), at(b"x4", 1), at(b"x4y", 1)), (Some(b'A'), None, None));
    }
}
