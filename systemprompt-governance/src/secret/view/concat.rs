//! Literals that a program puts together: `"a" + "b"`, `'a' . 'b'`, `"a" "b"`.

use std::ops::Range;

use super::View;
use super::edit::{Becomes, Edit, Undo};

/// Most bytes between two literals.
const MAX_GAP: usize = 48;

pub(super) struct Concat;

impl Undo for Concat {
    const VIEW: View = View::Concatenated;

    #[inline]
    fn next(text: &str, from: usize) -> Option<Edit> {
        const NEAR: usize = 8;
        let bytes = text.as_bytes();
        let mut search = from;
        loop {
            let rest = bytes.get(search..)?;
            let near = rest.get(..NEAR).unwrap_or(rest);
            let place = near.iter().position(|byte| matches!(byte, b'+' | b'.'));
            let at = search + place.or_else(|| memchr::memchr2(b'+', b'.', rest))?;
            if let Some(source) = seam(bytes, at).filter(|seam| seam.start >= from) {
                return Some(Edit { source, becomes: Becomes::Nothing, tells: true });
            }
            search = at + 1;
        }
    }
}

/// The stretch from the closing quote before the operator at `at` to behind the opening quote after it.
fn seam(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let quote = |byte: &u8| matches!(byte, b'"' | b'\'' | b'`');
    // Most operators and full stops stand beside a letter.
    let beside = |byte: &u8| byte.is_ascii_whitespace() || quote(byte) || *byte == b'\\';
    let (before, after) = (bytes.get(at.checked_sub(1)?)?, bytes.get(at + 1)?);
    if !beside(before) || !beside(after) {
        return None;
    }
    if quote(before) && quote(after) {
        return Some(at - 1..at + 2);
    }
    let gap = |byte: &&u8| byte.is_ascii_whitespace() || **byte == b'\\';
    let before = bytes.get(at.saturating_sub(MAX_GAP)..at)?;
    let close = at.checked_sub(before.iter().rev().take_while(gap).count() + 1)?;
    let after = bytes.get(at + 1..bytes.len().min(at + 1 + MAX_GAP))?;
    let open = at + 1 + after.iter().take_while(gap).count();
    let quotes = quote(bytes.get(close)?) && quote(bytes.get(open)?);
    quotes.then_some(close..open + 1)
}

#[cfg(test)]
mod tests {
    use super::super::edit::undone;
    use super::*;

    #[test]
    fn literals_are_joined() {
        assert_eq!(undone::<Concat>("x = 'ab' + \"cd\" +\n 'ef'"), "x = 'abcdef'");
        assert_eq!(undone::<Concat>("'ab' . 'cd'.'ef'"), "'abcdef'");
        for text in ["a + b", "'a' + b", "\"x\".y", "\"a\", \"b\"", "1.5", "+"] {
            assert_eq!(undone::<Concat>(text), text);
        }
    }
}
