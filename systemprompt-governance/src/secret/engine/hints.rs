//! The words without which no name says secret, looked for once a byte.

use crate::secret::name::hint;

/// How far before a value its name may begin, in bytes.
const REACH: usize = 192;

/// Where such words stand in a text that is gone through from front to back.
#[derive(Default)]
pub(super) struct Hints {
    /// The last one found.
    last: Option<usize>,
    /// How far they have been looked for.
    searched: usize,
}

impl Hints {
    /// Whether one stands shortly before `value`, which is not before the values asked for so far.
    pub(super) fn are_before(&mut self, bytes: &[u8], value: usize) -> bool {
        let from = self.searched.max(value.saturating_sub(REACH));
        let text = bytes.get(from..).unwrap_or_default();
        let found = hint::last(text, value.saturating_sub(from));
        self.last = found.map(|at| from + at).or(self.last);
        self.searched = value;
        self.last.is_some_and(|last| last + REACH >= value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_however_the_text_is_gone_through() {
        let text = format!("my Token is {} apw=1 {} keyx", "a".repeat(100), "b ".repeat(120));
        let bytes = text.as_bytes();
        let plain = |value: usize| {
            let from = value.saturating_sub(REACH);
            hint::last(bytes.get(from..).unwrap(), value - from).is_some()
        };
        for step in [1, 7, 60, 150] {
            let mut hints = Hints::default();
            for value in (0..=text.len()).step_by(step) {
                assert_eq!(hints.are_before(bytes, value), plain(value), "{step} {value}");
            }
        }
    }
}
