//! Base 64 in either alphabet (RFC 4648, sections 4 and 5), with or without padding and line breaks.

use std::borrow::Cow;

/// What stands for a byte that is no character of base 64, in the tables and in what is read from them.
const NONE: u32 = 1 << 31;

/// The values of each character, shifted to the first, second, third and fourth place of a quantum.
static PLACES: [[u32; 256]; 4] = [places(18), places(12), places(6), places(0)];

#[expect(clippy::indexing_slicing, reason = "a byte is within 256")]
const fn places(shift: u32) -> [u32; 256] {
    let mut table = [NONE; 256];
    let mut byte = 0_u8;
    loop {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => u8::MAX,
        };
        if value < 64 {
            table[byte as usize] = (value as u32) << shift;
        }
        if byte == u8::MAX {
            return table;
        }
        byte += 1;
    }
}

/// Whether a byte is a character of either alphabet.
pub(super) fn is_digit(byte: u8) -> bool {
    place(0, byte) != NONE
}

/// The bytes of a text; `None` when there is anything else in it. Line breaks may be written as escapes.
pub(super) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let text = bare(text);
    let (quanta, rest) = text.as_chunks::<4>();
    let mut decoded = vec![0; quanta.len() * 3 + rest.len() * 6 / 8];
    let (triples, tail) = decoded.as_chunks_mut::<3>();
    let mut seen = 0;
    for (four, three) in quanta.iter().zip(triples) {
        let bits = quantum(*four);
        seen |= bits;
        let [_, bytes @ ..] = bits.to_be_bytes();
        *three = bytes;
    }
    // One character by itself is less than a byte.
    let last = rest.iter().chain(&[b'A'; 4]).take(4);
    let bits = last.zip(0..).fold(0, |bits, (byte, at)| bits | place(at, *byte));
    let [_, bytes @ ..] = bits.to_be_bytes();
    tail.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
    ((seen | bits) & NONE == 0).then_some(decoded)
}

/// The three bytes of four characters, and a bit above them when these are no base 64.
pub(super) fn triple(text: &[u8], at: usize) -> Option<[u8; 3]> {
    let bits = quantum(*text.get(at..)?.first_chunk::<4>()?);
    let [over, bytes @ ..] = bits.to_be_bytes();
    (over == 0).then_some(bytes)
}

#[inline]
fn quantum([a, b, c, d]: [u8; 4]) -> u32 {
    place(0, a) | place(1, b) | place(2, c) | place(3, d)
}

#[inline]
fn place(place: usize, byte: u8) -> u32 {
    PLACES.get(place).and_then(|table| table.get(usize::from(byte))).copied().unwrap_or(NONE)
}

/// The text without line breaks and padding.
fn bare(text: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memchr::memchr3(b'\n', b'\r', b'\\', text) else {
        let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
        return Cow::Borrowed(text.get(..text.len() - padding).unwrap_or_default());
    };
    let mut bare = Vec::with_capacity(text.len());
    let mut rest = text;
    let mut line = first;
    loop {
        let (head, tail) = rest.split_at_checked(line).unwrap_or((rest, &[]));
        bare.extend_from_slice(head.trim_ascii());
        rest = match tail {
            [b'\\', b'n' | b'r', tail @ ..] | [_, tail @ ..] => tail,
            [] => break,
        };
        line = memchr::memchr3(b'\n', b'\r', b'\\', rest).unwrap_or(rest.len());
    }
    bare.truncate(bare.trim_ascii_end().len());
    while bare.last() == Some(&b'=') {
        bare.pop();
    }
    Cow::Owned(bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_alphabets_are_decoded_with_and_without_breaks() {
        for (text, bytes) in [
            (&b"aGVsbG8_"[..], Some(&b"hello?"[..])),
            (b"aGVs\nbG8/", Some(b"hello?")),
            (b"aGVs\\nbG8", Some(b"hello")),
            (b"aGVs\\r\\n bG8=", Some(b"hello")),
            (b"aGVsbA==", Some(b"hell")),
            (b"aGVsbG8=\n", Some(b"hello")),
            (b"aGVsb", Some(b"hel")),
            (b"", Some(b"")),
            (b"aGVs.bG8", None),
            (b"aGVsbG.", None),
        ] {
            assert_eq!(decode(text).as_deref(), bytes, "{}", String::from_utf8_lossy(text));
        }
        assert_eq!(triple(b"aGVsbG8_", 4), Some(*b"lo?"));
        assert_eq!((triple(b"aGV.", 0), triple(b"aGV", 0)), (None, None));
    }
}
