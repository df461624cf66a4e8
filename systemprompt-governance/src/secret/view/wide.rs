//! Text with a zero byte beside each character, as UTF-16 looks when it is read as something else.

use super::View;
use super::edit::{Becomes, Edit, Undo, find};

pub(super) struct Wide;

impl Undo for Wide {
    const VIEW: View = View::Utf16;

    #[inline]
    fn next(text: &str, from: usize) -> Option<Edit> {
        let at = find(0, text.as_bytes(), from)?;
        Some(Edit { source: at..at + 1, becomes: Becomes::Nothing, tells: true })
    }
}

/// Whether so many bytes are zero that the text may be wide.
pub(super) fn is_likely(bytes: &[u8]) -> bool {
    bytes.iter().filter(|byte| **byte == 0).count() * 5 >= bytes.len() * 2
}

/// The text of UTF-16 without a byte order mark, either way round, when most of it is ASCII.
pub(super) fn decode(bytes: &[u8]) -> Option<String> {
    let (pairs, _) = bytes.as_chunks::<2>();
    let ascii = |[high, low]: [u8; 2]| high == 0 && (low.is_ascii_graphic() || low == b' ');
    let most = |count: usize| pairs.len() >= 8 && count * 10 >= pairs.len() * 8;
    let order = if most(pairs.iter().filter(|pair| ascii([pair[1], pair[0]])).count()) {
        u16::from_le_bytes
    } else if most(pairs.iter().filter(|pair| ascii(**pair)).count()) {
        u16::from_be_bytes
    } else {
        return None;
    };
    let units = char::decode_utf16(pairs.iter().map(|pair| order(*pair)));
    Some(units.map(|unit| unit.unwrap_or('?')).collect())
}

#[cfg(test)]
mod tests {
    use super::super::edit::undone;
    use super::*;

    #[test]
    fn both_ways_round_are_read() {
        let text = "token=abc, or so";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!((decode(&little).as_deref(), decode(&big).as_deref()), (Some(text), Some(text)));
        assert_eq!(decode(text.as_bytes()), None);
        assert_eq!(undone::<Wide>("a\0b\0c"), "abc");
    }
}
