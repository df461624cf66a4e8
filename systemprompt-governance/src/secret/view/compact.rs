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

/// Shows the tokens of `text` put together, one after the other.
pub(super) fn derive(text: &str, budget: &mut Budget, visit: &mut dyn FnMut(Derived, &mut Budget)) {
    let mut mapped = Mapped::default();
    join_lines(text, &mut mapped, budget);
    join_letters(text, &mut mapped, budget);
    if !mapped.text().is_empty() {
        visit(Derived::new(View::Compacted, mapped), budget);
    }
}

/// Adds the tokens that are broken over two lines.
fn join_lines(text: &str, mapped: &mut Mapped, budget: &mut Budget) {
    let bytes = text.as_bytes();
    // Lines that are a token each are measured once.
    let mut line = 0..0;
    for at in memchr::memchr_iter(b'\n', bytes) {
        let Some(Broken { head, tail }) = Broken::at(bytes, at, &line) else { continue };
        line = tail.clone();
        let length = head.len() + tail.len();
        // What fills its line was broken by an encoder, and is read by it.
        let fills = head.len() >= FULL_LINE
            && (head.start == 0 || bytes.get(head.start - 1) == Some(&b'\n'));
        let digit = |part: &Range<usize>| bytes.get(part.clone()).is_some_and(has_digit);
        if fills || tail.len() < 2 || length < MIN_TOKEN || !(digit(&head) || digit(&tail)) {
            continue;
        }
        if !budget.take(length) {
            return;
        }
        for part in [&head, &tail] {
            mapped.copy(text.get(part.clone()).unwrap_or_default(), part.start);
        }
        mapped.gap(tail.end);
    }
}

/// The two parts of a token that a line break may stand in.
struct Broken {
    head: Range<usize>,
    tail: Range<usize>,
}

impl Broken {
    /// The parts beside the line break at `at`; `line` is a stretch of token bytes.
    fn at(bytes: &[u8], at: usize, line: &Range<usize>) -> Option<Self> {
        let after = bytes.get(at + 1..bytes.len().min(at + 1 + MAX_PART))?;
        if !after.first().is_some_and(|byte| is_token(*byte)) {
            return None;
        }
        let before = bytes.get(at.saturating_sub(MAX_PART)..at)?;
        let whole = before.len();
        let before = before.strip_suffix(b"\r").unwrap_or(before);
        // Programs continue a line behind a backslash, mail behind an equals sign.
        let before = before.strip_suffix(b"\\").or(before.strip_suffix(b"=")).unwrap_or(before);
        let end = at - (whole - before.len());
        let head = match line.end == end && line.len() < MAX_PART {
            true => line.len(),
            false => before.iter().rev().take_while(|byte| is_token(**byte)).count(),
        };
        if head < 2 {
            return None;
        }
        let tail = after.iter().take_while(|byte| is_token(**byte)).count();
        Some(Self { head: end - head..end, tail: at + 1..at + 1 + tail })
    }
}

/// Adds the letters that stand apart.
fn join_letters(text: &str, mapped: &mut Mapped, budget: &mut Budget) {
    let mut from = 0;
    while let Some(found) = set_apart(text.as_bytes(), from) {
        if !budget.take(found.len()) {
            return;
        }
        for at in found.clone().step_by(2) {
            mapped.copy(text.get(at..at + 1).unwrap_or_default(), at);
        }
        mapped.gap(found.end);
        from = found.end;
    }
}

/// The next letters that stand apart, from `from` on.
fn set_apart(bytes: &[u8], from: usize) -> Option<Range<usize>> {
    // So many letters cover every place that is looked at, wherever they begin.
    let strides = bytes.get(from..)?.chunks_exact(STRIDE);
    let mut places = (from..).step_by(STRIDE).zip(strides);
    places.find_map(|(at, stride)| {
        let four = u32::from_le_bytes(*stride.first_chunk()?);
        let even = four & 0x00ff_00ff == 0x0020_0020 && four & 0xff00 != 0x2000;
        let odd = four & 0xff00_ff00 == 0x2000_2000 && four & 0x00ff_0000 != 0x0020_0000;
        if !even && !odd {
            return None;
        }
        let mut start = at + usize::from(!even);
        while start >= from + 2
            && bytes.get(start - 2) == Some(&b' ')
            && bytes.get(start - 1).is_some_and(|unit| !unit.is_ascii_whitespace())
        {
            start -= 2;
        }
        letters(bytes, start)
    })
}

/// The stretch of single characters with single spaces between them that begins before `at`.
fn letters(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let blank = |at: usize| bytes.get(at).is_none_or(u8::is_ascii_whitespace);
    // The first of them stands before the space, unless it ends a word.
    let start = match at.checked_sub(1) {
        Some(first) if !blank(first) && (first == 0 || blank(first - 1)) => first,
        _ => at + 1,
    };
    let (pairs, _) = bytes.get(start..)?.as_chunks::<2>();
    let single = |pair: &&[u8; 2]| matches!(pair, [unit, b' '] if !unit.is_ascii_whitespace());
    let count = pairs.iter().take_while(single).count();
    // The last one has no space behind it.
    (count >= MIN_LETTERS).then(|| start..(start + count * 2 + 1).min(bytes.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compacted(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        derive(text, &mut Budget::of(text.len()), &mut |derived, _| {
            found.extend(derived.mapped.text().split_whitespace().map(str::to_owned));
        });
        found
    }

    #[test]
    fn tokens_are_put_together() {
        assert_eq!(compacted("x AKIA12345\nABCDEFGHI y"), ["AKIA12345ABCDEFGHI"]);
        assert_eq!(compacted("AKIA12345\\\r\nABCDEFGHI"), ["AKIA12345ABCDEFGHI"]);
        assert_eq!(compacted("AKIA12345=\nABCDEFGHI"), ["AKIA12345ABCDEFGHI"]);
        assert_eq!(compacted("so: g h p _ 1 2 3 4 5 6 7 8 9 0 a b c d"), ["ghp_1234567890abcd"]);
        assert_eq!(
            compacted("a1b2c3d4e5\nf6g7h8i9j0\r\nk1l2m3n4o5"),
            ["a1b2c3d4e5f6g7h8i9j0", "f6g7h8i9j0k1l2m3n4o5"]
        );
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
