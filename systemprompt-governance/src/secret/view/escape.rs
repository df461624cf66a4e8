//! Backslash escapes of programming languages and of JSON.

use super::View;
use super::edit::{Becomes, Edit, Undo};

/// The character that begins the sequences of terminals (ECMA-48, section 5.4).
const ESC: u8 = 0x1b;

pub(super) struct Escape;

impl Undo for Escape {
    const VIEW: View = View::Escape;

    #[inline]
    fn next(text: &str, mut from: usize) -> Option<Edit> {
        const NEAR: usize = 8;
        let bytes = text.as_bytes();
        loop {
            let rest = bytes.get(from..)?;
            let near = rest.get(..NEAR).unwrap_or(rest);
            let place = near.iter().position(|byte| matches!(*byte, b'\\' | ESC));
            let at = from + place.or_else(|| memchr::memchr2(b'\\', ESC, rest))?;
            // Most backslashes are quoted themselves, or quote what rules read as it stands.
            let begins =
                |byte: &u8| matches!(byte, b'u' | b'U' | b'x' | b'0'..=b'3' | b'/' | b'e' | b'[');
            if bytes.get(at + 1).is_some_and(begins)
                && let Some((becomes, length)) = escape(bytes, at)
            {
                return Some(Edit { source: at..at + length, becomes, tells: true });
            }
            from = at + 1;
        }
    }
}

/// What the escape at `at` stands for, and its length. What colours text on a terminal stands for nothing.
fn escape(bytes: &[u8], at: usize) -> Option<(Becomes, usize)> {
    let (unit, length) = match bytes.get(at)? {
        &ESC => (char::from(ESC), 1),
        _ => character(bytes, at)?,
    };
    if unit == char::from(ESC) {
        return control_len(bytes, at + length).map(|rest| (Becomes::Nothing, length + rest));
    }
    let shows = unit.is_ascii_graphic() || (!unit.is_ascii() && !unit.is_control());
    shows.then_some((Becomes::Char(unit), length))
}

/// How long the rest of a control sequence is, from its bracket on.
fn control_len(bytes: &[u8], at: usize) -> Option<usize> {
    const LONGEST: usize = 32;
    let rest = bytes.get(at..)?;
    let parameters = rest.get(1..rest.len().min(LONGEST))?;
    let length = parameters.iter().take_while(|byte| matches!(byte, b' '..=b'?')).count();
    let ends = matches!(parameters.get(length), Some(b'@'..=b'~'));
    (rest.first() == Some(&b'[') && ends).then_some(length + 2)
}

/// The character of the escape at `at`, and its length. Line breaks and quotes are not undone: rules read
/// them as they stand.
fn character(bytes: &[u8], at: usize) -> Option<(char, usize)> {
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
        b'e' if rest.get(1) == Some(&b'[') => (u32::from(ESC), 2),
        _ => return None,
    };
    char::from_u32(number).map(|unit| (unit, length))
}

#[cfg(test)]
mod tests {
    use super::super::edit::undone;
    use super::*;

    #[test]
    fn escapes_are_decoded_and_backslashes_stay() {
        assert_eq!(undone::<Escape>(r"\u0041\x42\103\u{44}\U00000045 \/"), "ABCDE /");
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
            assert_eq!(undone::<Escape>(text), text);
        }
    }

    #[test]
    fn colours_are_taken_off() {
        for text in ["a\x1b[1;31mb\x1b[0mc", r"a\x1b[31mb\033[mc", r"a\u001b[38;5;1mb\e[0mc"] {
            assert_eq!(undone::<Escape>(text), "abc");
        }
        for text in ["\x1b", "\x1b[", "\x1b[31", "\x1b]0;x", r"\e", r"[\error"] {
            assert_eq!(undone::<Escape>(text), text);
        }
    }
}
