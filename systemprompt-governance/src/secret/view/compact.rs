//! White space in the middle of a token: letters set apart, and tokens broken over two lines.

use std::ops::Range;

use super::{Budget, Derived, Mapped, View};
use crate::secret::skim::{has_digit, is_token};

/// Fewest letters that stand apart.
const MIN_LETTERS: usize = 16;

/// How much of a word goes into a compacted token, in bytes.
const MAX_PART: usize = 256;

/// Fewest bytes of a line that an encoder has filled.
const FULL_LINE: usize = 56;

/// Fewest bytes of a token that was broken.
const MIN_TOKEN: usize = 16;

pub(super) fn derive(text: &str, budget: &mut Budget, visit: &mut dyn FnMut(Derived, &mut Budget)) {
    let bytes = text.as_bytes();
    let mut apart_end = 0;
    let mut broken_end = 0;
    for at in memchr::memchr2_iter(b' ', b'\n', bytes) {
        let space = bytes.get(at) == Some(&b' ');
        let found = match space {
            true if at < apart_end => None,
            true => letters(bytes, at).inspect(|letters| apart_end = letters.end),
            false if at < broken_end => None,
            false => broken(bytes, at).inspect(|token| broken_end = token.end),
        };
        let Some(source) = found else { continue };
        if !budget.take(source.len()) {
            return;
        }
        let mapped = squeezed(text, source);
        visit(Derived { view: View::Compacted, mapped, context: 0 }, budget);
    }
}

/// The stretch of single characters with single spaces between them that begins before `at`.
fn letters(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let start = at.checked_sub(1)?;
    let apart = |index: usize| bytes.get(start + index * 2..start + index * 2 + 2);
    let single = |pair: &[u8]| matches!(pair, [unit, b' '] if !unit.is_ascii_whitespace());
    let begins = start == 0 || bytes.get(start - 1).is_some_and(u8::is_ascii_whitespace);
    if !begins || !apart(1).is_some_and(single) {
        return None;
    }
    let count = (0..).take_while(|index| apart(*index).is_some_and(single)).count();
    // The last one has no space behind it.
    (count >= MIN_LETTERS).then(|| start..(start + count * 2 + 1).min(bytes.len()))
}

/// The token that the line break at `at` stands in the middle of, if it may be one.
fn broken(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let before = bytes.get(at.saturating_sub(MAX_PART)..at)?;
    let returned = usize::from(before.last() == Some(&b'\r'));
    let before = before.get(..before.len() - returned)?;
    let continued = usize::from(before.last() == Some(&b'\\'));
    let before = before.get(..before.len() - continued)?;
    let head = before.iter().rev().take_while(|byte| is_token(**byte)).count();
    let after = bytes.get(at + 1..bytes.len().min(at + 1 + MAX_PART))?;
    let tail = after.iter().take_while(|byte| is_token(**byte)).count();
    let start = at - returned - continued - head;
    // What fills its line was broken by an encoder, and is read by it.
    let fills = head >= FULL_LINE && (start == 0 || bytes.get(start - 1) == Some(&b'\n'));
    if fills {
        return None;
    }
    let token = start..at + 1 + tail;
    let whole = head >= 2 && tail >= 2 && head + tail >= MIN_TOKEN;
    (whole && bytes.get(token.clone()).is_some_and(has_digit)).then_some(token)
}

/// `source` without its white space and the backslashes that continue lines.
fn squeezed(text: &str, source: Range<usize>) -> Mapped {
    let start = text.floor_char_boundary(source.start);
    let part = text.get(start..text.ceil_char_boundary(source.end)).unwrap_or_default();
    let mut mapped = Mapped::default();
    for piece in part.split(|unit: char| unit.is_ascii_whitespace() || unit == '\\') {
        let at = start + (piece.as_ptr() as usize - part.as_ptr() as usize);
        mapped.copy(piece, at);
    }
    mapped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compacted(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        derive(text, &mut Budget::of(text.len()), &mut |derived, _| {
            found.push(derived.mapped.text().to_owned());
        });
        found
    }

    #[test]
    fn tokens_are_put_together() {
        assert_eq!(compacted("x AKIA12345\nABCDEFGHI y"), ["AKIA12345ABCDEFGHI"]);
        assert_eq!(compacted("AKIA12345\\\r\nABCDEFGHI"), ["AKIA12345ABCDEFGHI"]);
        assert_eq!(compacted("so: g h p _ 1 2 3 4 5 6 7 8 9 0 a b c d"), ["ghp_1234567890abcd"]);
    }

    #[test]
    fn prose_and_lists_are_left_alone() {
        for text in
            ["the quick brown fox\njumps over it", "a b c d e f", "1\n2\n3", "x = 1\n  y = 2"]
        {
            assert!(compacted(text).is_empty(), "{text}");
        }
    }
}
