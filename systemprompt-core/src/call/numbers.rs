//! Numbers as they were written: what is read into a number may say less than its digits.

use std::ops::Range;

/// The JSON text `copy` with its numbers written as in `original`, which has the same ones in the same order.
pub(super) fn as_in(original: &[u8], copy: Vec<u8>) -> Vec<u8> {
    let (theirs, ours): (Vec<_>, Vec<_>) = (numbers(original).collect(), numbers(&copy).collect());
    if theirs.len() != ours.len() {
        return copy;
    }
    let mut written = Vec::with_capacity(copy.len());
    let mut done = 0;
    for (their, our) in theirs.into_iter().zip(ours) {
        written.extend_from_slice(copy.get(done..our.start).unwrap_or_default());
        written.extend_from_slice(original.get(their).unwrap_or_default());
        done = our.end;
    }
    written.extend_from_slice(copy.get(done..).unwrap_or_default());
    written
}

/// Where the numbers of a JSON text are.
fn numbers(json: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            match json.get(at)? {
                b'"' => at = string_end(json, at + 1),
                b'-' | b'0'..=b'9' => break,
                _ => at += 1,
            }
        }
        let rest = json.get(at..)?;
        let belongs = |byte: &&u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        let start = at;
        at += rest.iter().take_while(belongs).count();
        Some(start..at)
    })
}

/// Behind the quotation mark that ends the string whose text begins at `at`.
fn string_end(json: &[u8], mut at: usize) -> usize {
    while let Some(byte) = json.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    json.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_as_they_were_written() {
        let original =
            br#" {"1": [1.50, -0.0, "2\\", 1E5], "\"3": 123456789012345678901234567890} "#;
        let copy = br#"{"x":[1.5,-0.0,"4",100000.0],"y":1.2345678901234568e29}"#.to_vec();
        assert_eq!(
            as_in(original, copy),
            br#"{"x":[1.50,-0.0,"4",1E5],"y":123456789012345678901234567890}"#
        );
        assert_eq!(as_in(b"[1, 2]", b"[3]".to_vec()), b"[3]");
    }
}
