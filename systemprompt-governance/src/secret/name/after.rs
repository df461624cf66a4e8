//! What lies between a name and its value, seen from the name.

use super::before::is_weak;
use crate::secret::wrapping;

/// How long what joins a name to its value is, as far as the value; 0 when nothing does.
pub(in crate::secret) fn joint_len(after: &[u8]) -> usize {
    let mut length = skip(after, wrapping::len_after(after), false);
    if after.get(length..).unwrap_or_default().starts_with(b"is ") {
        return length + "is ".len();
    }
    // `name: X\n  value: ` and `key="x" value="`.
    let next = skip(after, length, true);
    if let Some(typed) = type_len(after.get(length..).unwrap_or_default()) {
        return skip(after, length + typed, false);
    }
    let rest = after.get(next..).unwrap_or_default();
    let word = rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    if rest.get(..word).is_some_and(is_weak) {
        length = skip(after, next + word, false);
    } else if after.get(length..next).is_some_and(|gap| !gap.is_empty())
        && after.get(..length).is_some_and(|gap| gap.iter().any(|byte| b"=>".contains(byte)))
    {
        // Markup and assignments may put the value on a line of its own.
        length = next;
    }
    length
}

/// Where the joint that goes on at `from` ends; with `lines`, past the ends of lines.
fn skip(after: &[u8], from: usize, lines: bool) -> usize {
    let rest = after.get(from..).unwrap_or_default();
    let (mut operator, mut quoted) = (false, false);
    let within = |byte: &&u8| {
        match **byte {
            b'"' | b'\'' | b'`' => {
                quoted = operator;
                true
            }
            b'=' | b':' | b'>' if !quoted => {
                operator = true;
                true
            }
            b'\\' => true,
            b'\r' | b'\n' => lines,
            b' ' | b'\t' | b'(' => !quoted,
            // What decorates an operator stands before it; behind it, it is the value's.
            b',' | b']' | b'?' | b'!' | b'|' | b'.' | b'+' | b'~' => !operator,
            _ => false,
        }
    };
    from + rest.iter().take(MAX_JOINT).take_while(within).count()
}

/// How long a type between a name and `=` is, as in `password: &str = "..."`.
fn type_len(after: &[u8]) -> Option<usize> {
    const LONGEST: usize = 32;
    let of_type = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_&<>[]?.*'".contains(byte);
    let length = after.iter().take(LONGEST).take_while(of_type).count();
    let gap = after.get(length..)?.iter().take_while(|byte| **byte == b' ').count();
    let operator = after.get(length + gap..)?;
    (length > 0 && gap > 0 && matches!(operator, [b'=', next, ..] if *next != b'='))
        .then_some(length + gap)
}

/// Most bytes of one stretch between a name and its value.
const MAX_JOINT: usize = 16;
