//! What lies between a name and its value, seen from the name.

use super::before::is_weak;
use crate::secret::wrapping;

/// How long what joins a name to its value is, as far as the value; 0 when nothing does.
pub(in crate::secret) fn joint_len(after: &[u8]) -> usize {
    let joint = |byte: &u8| b" \t\"'`\\=:>,]?!(|.+~".contains(byte);
    let skip = |from: usize, within: &dyn Fn(&u8) -> bool| {
        let rest = after.get(from..).unwrap_or_default();
        from + rest.iter().take(MAX_JOINT).take_while(|byte| within(byte)).count()
    };
    let mut length = skip(wrapping::len_after(after), &joint);
    if after.get(length..).unwrap_or_default().starts_with(b"is ") {
        return length + "is ".len();
    }
    // `name: X\n  value: ` and `key="x" value="`.
    let next = skip(length, &|byte| joint(byte) || matches!(byte, b'\r' | b'\n'));
    if let Some(typed) = type_len(after.get(length..).unwrap_or_default()) {
        return skip(length + typed, &joint);
    }
    let rest = after.get(next..).unwrap_or_default();
    let word = rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    if rest.get(..word).is_some_and(is_weak) {
        length = skip(next + word, &joint);
    } else if after.get(length..next).is_some_and(|gap| !gap.is_empty())
        && after.get(..length).is_some_and(|gap| gap.iter().any(|byte| b"=>".contains(byte)))
    {
        // Markup and assignments may put the value on a line of its own.
        length = next;
    }
    length
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
