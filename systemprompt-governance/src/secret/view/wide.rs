//! Text with a zero byte beside each character, as UTF-16 looks when it is read as something else.

use super::{Budget, Derived, Mapped, View, decode_segments};

pub(super) fn derive(text: &str, budget: &mut Budget, visit: &mut dyn FnMut(Derived, &mut Budget)) {
    let places = memchr::memchr_iter(0, text.as_bytes());
    decode_segments(View::Utf16, text, places, strip, budget, visit);
}

fn strip(text: &str) -> Mapped {
    let mut mapped = Mapped::default();
    let mut done = 0;
    for at in memchr::memchr_iter(0, text.as_bytes()) {
        mapped.copy(text.get(done..at).unwrap_or_default(), done);
        done = at + 1;
    }
    mapped.copy(text.get(done..).unwrap_or_default(), done);
    mapped
}

/// The text of UTF-16 without a byte order mark, either way round, when most of it is ASCII.
pub(super) fn decode(bytes: &[u8]) -> Option<String> {
    let (pairs, _) = bytes.as_chunks::<2>();
    let ascii = |[high, low]: [u8; 2]| high == 0 && (low.is_ascii_graphic() || low == b' ');
    let most = |count: usize| pairs.len() >= 8 && count * 10 >= pairs.len() * 8;
    let units: Vec<u16> = if most(pairs.iter().filter(|pair| ascii([pair[1], pair[0]])).count()) {
        pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect()
    } else if most(pairs.iter().filter(|pair| ascii(**pair)).count()) {
        pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect()
    } else {
        return None;
    };
    Some(String::from_utf16_lossy(&units))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_round_are_read() {
        let text = "token=abc, or so";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!((decode(&little).as_deref(), decode(&big).as_deref()), (Some(text), Some(text)));
        assert_eq!(decode(text.as_bytes()), None);
        assert_eq!(strip("a\0b\0c").text(), "abc");
    }
}
