//! Backslash escapes of programming languages and of JSON.

use super::{Budget, Derived, Mapped, View, decode_segments};

pub(super) fn derive(text: &str, budget: &mut Budget, visit: &mut dyn FnMut(Derived, &mut Budget)) {
    let bytes = text.as_bytes();
    let places = memchr::memchr_iter(b'\\', bytes).filter(|at| escape(bytes, *at).is_some());
    decode_segments(View::Escape, text, places, decode, budget, visit);
}

/// The character of the escape at `at`, and its length. Line breaks and quotes are not undone: rules read
/// them as they stand.
fn escape(bytes: &[u8], at: usize) -> Option<(char, usize)> {
    let rest = bytes.get(at + 1..)?;
    let code = |from: usize, digits: usize, radix: u32| -> Option<u32> {
        let digits = rest.get(from..from + digits)?;
        digits
            .iter()
            .try_fold(0_u32, |code, digit| Some(code * radix + char::from(*digit).to_digit(radix)?))
    };
    let (number, length) = match rest.first()? {
        b'u' if rest.get(1) == Some(&b'{') => {
            let digits = rest.iter().skip(2).take(6).take_while(|b| b.is_ascii_hexdigit()).count();
            let closed = rest.get(2 + digits) == Some(&b'}');
            (code(2, digits, 16).filter(|_| closed && digits > 0)?, digits + 4)
        }
        b'u' => (code(1, 4, 16)?, 6),
        b'U' => (code(1, 8, 16)?, 10),
        // `\x` before a long run of digits is how databases write bytes.
        b'x' if rest.iter().skip(1).take(18).filter(|b| b.is_ascii_hexdigit()).count() == 18 => {
            return None;
        }
        b'x' => (code(1, 2, 16)?, 4),
        b'0'..=b'3' => (code(0, 3, 8)?, 4),
        b'/' => (u32::from(b'/'), 2),
        _ => return None,
    };
    let unit = char::from_u32(number)?;
    (unit.is_ascii_graphic() || (!unit.is_ascii() && !unit.is_control())).then_some((unit, length))
}

fn decode(text: &str) -> Mapped {
    let bytes = text.as_bytes();
    let mut mapped = Mapped::default();
    let mut done = 0;
    for at in memchr::memchr_iter(b'\\', bytes) {
        let Some((unit, length)) = escape(bytes, at).filter(|_| at >= done) else { continue };
        mapped.copy(text.get(done..at).unwrap_or_default(), done);
        mapped.add_char(unit, at..at + length);
        done = at + length;
    }
    mapped.copy(text.get(done..).unwrap_or_default(), done);
    mapped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_decoded_and_backslashes_stay() {
        assert_eq!(decode(r"\u0041\x42\103\u{44}\U00000045 \/").text(), "ABCDE /");
        for text in [
            r"C:\users",
            r"a\nb",
            r"\\",
            r"\",
            r"\u00",
            r"\x4",
            r"\d+\.",
            r"\u0000",
            r"\x4141414141414141414141",
        ] {
            assert_eq!(decode(text).text(), text);
        }
    }
}
