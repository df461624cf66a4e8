//! Base 16.

/// What stands for a byte that is no digit.
const NONE: u16 = 0x100;

/// The values of digits.
static DIGITS: [u16; 256] = {
    let mut table = [NONE; 256];
    let mut byte = 0_u8;
    loop {
        let value = (byte as char).to_digit(16);
        if let Some(value) = value {
            #[expect(clippy::indexing_slicing, reason = "a byte is within 256")]
            {
                table[byte as usize] = value as u16;
            }
        }
        if byte == u8::MAX {
            break table;
        }
        byte += 1;
    }
};

/// The bytes of an even number of digits; `None` when there is anything else among them.
pub(super) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let (pairs, _) = text.as_chunks::<2>();
    let mut decoded = vec![0; pairs.len()];
    let mut seen = 0;
    for (pair, byte) in pairs.iter().zip(&mut decoded) {
        let value = value(*pair);
        seen |= value;
        [_, *byte] = value.to_be_bytes();
    }
    (seen < NONE).then_some(decoded)
}

/// The byte at `at`.
#[inline]
pub(super) fn at(text: &[u8], at: usize) -> Option<u8> {
    byte(*text.get(at..)?.first_chunk::<2>()?)
}

/// The byte of two digits.
#[inline]
pub(super) fn byte(pair: [u8; 2]) -> Option<u8> {
    u8::try_from(value(pair)).ok()
}

#[inline]
fn value([high, low]: [u8; 2]) -> u16 {
    let digit = |byte: u8| DIGITS.get(usize::from(byte)).copied().unwrap_or(NONE);
    digit(high) << 4 | digit(low)
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
