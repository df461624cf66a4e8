//! White space in the middle of a token: letters set apart, and tokens broken over two lines.

use std::ops::Range;

use super::{Budget, Derived, Mapped, View};
use crate::secret::skim::{has_digit, is_token};

/// Fewest letters that stand apart.
const MIN_LETTERS: usize = 16;

/// How far apart the places are that are looked at for them, in bytes.
const STRIDE: usize = MIN_LETTERS;

/// How much of a word goes into a compacted token, in bytes.
const MAX_PART: usize = 256;

/// Fewest bytes of a line that an encoder has filled.
const FULL_LINE: usize = 56;

/// Fewest bytes of a token that was broken.
const MIN_TOKEN: usize = 16;

pub(super) fn derive(text: &str, budget: &mut Budget, visit: &mut dyn FnMut(Derived, &mut Budget)) {
    let bytes = text.as_bytes();
    let mut end = 0;
    for at in memchr::memchr_iter(b'\n', bytes) {
        if at < end {
            continue;
        }
        let Some(token) = broken(bytes, at) else { continue };
        end = token.end;
        if !squeeze(text, token, budget, visit) {
            return;
        }
    }
    let mut at = 0;
    while let Some(found) = set_apart(bytes, at) {
        at = found.end;
        if !squeeze(text, found, budget, visit) {
            return;
        }
    }
}

/// Shows `source` without its white space; `false` when the budget has run out.
fn squeeze(
    text: &str,
    source: Range<usize>,
    budget: &mut Budget,
    visit: &mut dyn FnMut(Derived, &mut Budget),
) -> bool {
    let goes_on = budget.take(source.len());
    if goes_on {
        let mapped = squeezed(text, source);
        visit(Derived { view: View::Compacted, mapped, context: 0 }, budget);
    }
    goes_on
}

/// The next letters that stand apart, from `from` on.
fn set_apart(bytes: &[u8], from: usize) -> Option<Range<usize>> {
    // So many letters cover every place that is looked at, wherever they begin.
    let mut at = from;
    loop {
        let space = |offset: usize| bytes.get(at + offset) == Some(&b' ');
        let (even, odd) = (space(0) && space(2), space(1) && space(3));
        if (even && !space(1)) || (odd && !space(2)) {
            let mut start = at + usize::from(!even);
            while start >= from + 2
                && bytes.get(start - 2) == Some(&b' ')
                && bytes.get(start - 1).is_some_and(|unit| !unit.is_ascii_whitespace())
            {
                start -= 2;
            }
            if let Some(found) = letters(bytes, start) {
                return Some(found);
            }
        }
        at += STRIDE;
        if at >= bytes.len() {
            return None;
        }
    }
}

/// The stretch of single characters with single spaces between them that begins before `at`.
fn letters(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let blank = |at: usize| bytes.get(at).is_none_or(u8::is_ascii_whitespace);
    // The first of them stands before the space, unless it ends a word.
    let start = match at.checked_sub(1) {
        Some(first) if !blank(first) && (first == 0 || blank(first - 1)) => first,
        _ => at + 1,
    };
    let apart = |index: usize| bytes.get(start + index * 2..start + index * 2 + 2);
    let single = |pair: &[u8]| matches!(pair, [unit, b' '] if !unit.is_ascii_whitespace());
    let count = (0..).take_while(|index| apart(*index).is_some_and(single)).count();
    // The last one has no space behind it.
    (count >= MIN_LETTERS).then(|| start..(start + count * 2 + 1).min(bytes.len()))
}

/// The token that the line break at `at` stands in the middle of, if it may be one.
fn broken(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    if !bytes.get(at + 1).is_some_and(|byte| is_token(*byte)) {
        return None;
    }
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
