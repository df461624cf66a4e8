//! Literals that a program puts together: `"a" + "b"`, `'a' . 'b'`, `"a" "b"`.

use super::{Budget, Derived, Mapped, View, decode_segments};

/// Most bytes between two literals.
const MAX_GAP: usize = 48;

pub(super) fn derive(text: &str, budget: &mut Budget, visit: &mut dyn FnMut(Derived, &mut Budget)) {
    let bytes = text.as_bytes();
    let places = memchr::memchr2_iter(b'+', b'.', bytes).filter(|at| seam(bytes, *at).is_some());
    decode_segments(View::Concatenated, text, places, join, budget, visit);
}

/// The stretch from the closing quote before the operator at `at` to behind the opening quote after it.
fn seam(bytes: &[u8], at: usize) -> Option<std::ops::Range<usize>> {
    // Most operators and full stops stand beside a letter.
    let beside = |byte: Option<&u8>| {
        byte.is_some_and(|byte| byte.is_ascii_whitespace() || b"\"'`\\".contains(byte))
    };
    if !beside(bytes.get(at + 1)) || !beside(at.checked_sub(1).and_then(|at| bytes.get(at))) {
        return None;
    }
    let gap = |byte: &&u8| byte.is_ascii_whitespace() || **byte == b'\\';
    let before = bytes.get(at.saturating_sub(MAX_GAP)..at)?;
    let close = at.checked_sub(before.iter().rev().take_while(gap).count() + 1)?;
    let after = bytes.get(at + 1..bytes.len().min(at + 1 + MAX_GAP))?;
    let open = at + 1 + after.iter().take_while(gap).count();
    let quote = |byte: &u8| matches!(byte, b'"' | b'\'' | b'`');
    let quotes = quote(bytes.get(close)?) && quote(bytes.get(open)?);
    quotes.then_some(close..open + 1)
}

fn join(text: &str) -> Mapped {
    let bytes = text.as_bytes();
    let mut mapped = Mapped::default();
    let mut done = 0;
    for at in memchr::memchr2_iter(b'+', b'.', bytes) {
        let Some(seam) = seam(bytes, at).filter(|seam| seam.start >= done) else { continue };
        mapped.copy(text.get(done..seam.start).unwrap_or_default(), done);
        done = seam.end;
    }
    mapped.copy(text.get(done..).unwrap_or_default(), done);
    mapped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_joined() {
        assert_eq!(join("x = 'ab' + \"cd\" +\n 'ef'").text(), "x = 'abcdef'");
        assert_eq!(join("'ab' . 'cd'.'ef'").text(), "'abcdef'");
        for text in ["a + b", "'a' + b", "\"x\".y", "\"a\", \"b\"", "1.5", "+"] {
            assert_eq!(join(text).text(), text);
        }
    }
}
