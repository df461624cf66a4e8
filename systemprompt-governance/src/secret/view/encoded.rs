//! Runs in base 64 and base 16.

use std::ops::Range;

use super::inflate::{inflate, is_compressed};
use super::{Budget, Derived, Mapped, View, wide};

/// How many characters of a run show whether it is encoded text.
const PROBE: usize = 32;

/// Bytes before a run that go with it, for the name of the value.
const CONTEXT: usize = 48;

/// Fewest characters of a line that an encoder has broken.
const MIN_LINE: usize = 56;

pub(super) fn derive(
    text: &str,
    runs: &[Range<usize>],
    budget: &mut Budget,
    visit: &mut dyn FnMut(Derived, &mut Budget),
) {
    let mut runs = runs.iter().peekable();
    while let Some(first) = runs.next() {
        let mut end = first.end;
        // Encoders break lines at one length.
        while let Some(next) = runs.peek()
            && first.len() >= MIN_LINE
            && next.len() <= first.len()
            && is_break(text, end..next.start)
        {
            end = next.end;
            runs.next();
        }
        // What a line break leaves of the last line is too short to be a run.
        let end = if end > first.end { last_line(text, end) } else { end };
        run(text, first.start..end, budget, visit);
        if budget.is_overrun() {
            return;
        }
    }
}

fn is_break(text: &str, gap: Range<usize>) -> bool {
    let gap = text.as_bytes().get(gap).unwrap_or_default();
    matches!(gap, b"\n" | b"\r\n" | b"\\n" | b"\\r\\n" | b"\n " | b"\n  " | b"\n    " | b"\\\n")
}

fn last_line(text: &str, end: usize) -> usize {
    let rest = text.as_bytes().get(end..).unwrap_or_default();
    let gap = rest.iter().take(2).take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    let tail = rest.iter().skip(gap).take(64).take_while(|byte| byte.is_ascii_alphanumeric());
    if gap == 0 { end } else { end + gap + tail.count() }
}

fn run(
    text: &str,
    run: Range<usize>,
    budget: &mut Budget,
    visit: &mut dyn FnMut(Derived, &mut Budget),
) {
    let Some(encoded) = text.as_bytes().get(run.clone()) else { return };
    let head = encoded.get(..encoded.len().min(PROBE)).unwrap_or_default();
    for (view, decode) in [(View::Hex, hex as Decoder), (View::Base64, base64 as Decoder)] {
        let begins = match view {
            View::Hex => first_hex(head),
            _ => first_base64(head),
        };
        if !begins.is_some_and(may_begin) || !decode(head).is_some_and(|head| is_promising(&head)) {
            continue;
        }
        if !budget.take(encoded.len()) {
            return;
        }
        let Some((view, content)) = decode(encoded).and_then(|bytes| content(view, bytes, budget))
        else {
            continue;
        };
        let start = text.ceil_char_boundary(run.start.saturating_sub(CONTEXT));
        let context = text.get(start..run.start).unwrap_or_default();
        let mut mapped = Mapped::default();
        mapped.copy(context, start);
        let context = context.len();
        mapped.append(content, run);
        visit(Derived { view, mapped, context }, budget);
        return;
    }
}

type Decoder = fn(&[u8]) -> Option<Vec<u8>>;

/// The first two bytes of a run in base 16.
fn first_hex(head: &[u8]) -> Option<[u8; 2]> {
    let digit = |at: usize| char::from(*head.get(at)?).to_digit(16);
    let byte = |at: usize| u8::try_from(digit(at)? << 4 | digit(at + 1)?).ok();
    Some([byte(0)?, byte(2)?])
}

/// The first two bytes of a run in base 64.
fn first_base64(head: &[u8]) -> Option<[u8; 2]> {
    let sextet = |at: usize| head.get(at).and_then(|byte| sextet(*byte)).map(u32::from);
    let bits = sextet(0)? << 12 | sextet(1)? << 6 | sextet(2)?;
    Some([u8::try_from(bits >> 10 & 0xff).ok()?, u8::try_from(bits >> 2 & 0xff).ok()?])
}

/// Whether text, wide text or compressed data may begin with these bytes. Most runs are neither.
fn may_begin(bytes: [u8; 2]) -> bool {
    let readable = |byte: u8| matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t' | 0);
    bytes.iter().all(|byte| readable(*byte)) || is_compressed(&[bytes[0], bytes[1], 8])
}

/// Whether the first bytes of a run are those of text, of wide text or of compressed data.
fn is_promising(bytes: &[u8]) -> bool {
    bytes.len() >= 8 && (is_compressed(bytes) || is_readable(bytes) || is_wide(bytes))
}

fn is_readable(bytes: &[u8]) -> bool {
    let readable = bytes.iter().filter(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t'));
    readable.count() * 10 >= bytes.len() * 9
}

fn is_wide(bytes: &[u8]) -> bool {
    bytes.iter().filter(|byte| **byte == 0).count() * 5 >= bytes.len() * 2
}

/// The text in decoded bytes.
fn content(view: View, bytes: Vec<u8>, budget: &mut Budget) -> Option<(View, String)> {
    if is_compressed(&bytes) {
        return inflate(&bytes, budget).map(|text| (View::Gzip, text));
    }
    if is_wide(&bytes) {
        return wide::decode(&bytes).map(|text| (View::Utf16, text));
    }
    let text = String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    Some((view, text))
}

/// Base 16 of an even number of digits.
fn hex(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let (pairs, _) = text.as_chunks::<2>();
    pairs.iter().map(|[high, low]| u8::try_from(digit(*high)? << 4 | digit(*low)?).ok()).collect()
}

/// Base 64 in either alphabet, with or without padding and line breaks (RFC 4648, sections 4 and 5).
fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len() * 3 / 4 + 3);
    let mut bits = 0_u32;
    let mut held = 0_u32;
    let mut escaped = false;
    for byte in text {
        let value = match sextet(*byte) {
            Some(_) if escaped && matches!(byte, b'n' | b'r') => {
                escaped = false;
                continue;
            }
            Some(value) => value,
            None if *byte == b'\\' => {
                escaped = true;
                continue;
            }
            None if matches!(byte, b'\n' | b'\r' | b' ' | b'=') => continue,
            None => return None,
        };
        escaped = false;
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            decoded.push(u8::try_from(bits >> held & 0xff).unwrap_or_default());
        }
    }
    Some(decoded)
}

/// The value of a character in either alphabet.
fn sextet(byte: u8) -> Option<u8> {
    const NONE: u8 = 0xff;
    const VALUES: [u8; 256] = {
        let mut values = [NONE; 256];
        let standard = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut value = 0_u8;
        while value < 64 {
            #[expect(clippy::indexing_slicing, reason = "both are within their tables")]
            {
                values[standard[value as usize] as usize] = value;
            }
            value += 1;
        }
        #[expect(clippy::indexing_slicing, reason = "both are within the table")]
        {
            values[b'-' as usize] = 62;
            values[b'_' as usize] = 63;
        }
        values
    };
    VALUES.get(usize::from(byte)).copied().filter(|value| *value != NONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_bases_are_decoded() {
        assert_eq!(base64(b"aGVsbG8_").as_deref(), Some(&b"hello?"[..]));
        assert_eq!(base64(b"aGVs\nbG8/").as_deref(), Some(&b"hello?"[..]));
        assert_eq!(base64(b"aGVs\\nbG8").as_deref(), Some(&b"hello"[..]));
        assert_eq!(hex(b"68656C6c6f").as_deref(), Some(&b"hello"[..]));
        assert_eq!(hex(b"6865zz"), None);
    }

    #[test]
    fn images_and_digests_do_not_look_like_text() {
        assert!(!is_promising(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\0"));
        assert!(!is_promising(b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\x01\0H"));
        assert!(!is_promising(&[0xd4, 0x1d, 0x8c, 0xd9, 0x8f, 0x00, 0xb2, 0x04, 0xe9]));
        assert!(is_promising(b"token=abcdef"));
        assert!(is_promising(b"t\0o\0k\0e\0n\0"));
    }
}
