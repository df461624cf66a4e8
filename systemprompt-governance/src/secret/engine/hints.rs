//! The words without which no name says secret, looked for once a byte.

/// How far before a value its name may begin, in bytes.
const REACH: usize = 192;

/// What such a name has in it, in lower case.
const WORDS: &[&[u8]] = &[
    b"auth",
    b"bearer",
    b"cookie",
    b"cred",
    b"crumb",
    b"key",
    b"pass",
    b"pwd",
    b"secret",
    b"session",
    b"signature",
    b"token",
    b"webhook",
];

/// What it may end with instead.
const ENDS: &[&[u8]] = &[b"pat", b"psw", b"pw"];

/// Which pairs of letters such words begin with: a bit for the second in the word of the first.
const PAIRS: [u32; 32] = {
    let mut pairs = [0; 32];
    let mut lists = [WORDS, ENDS];
    let mut list = 0;
    #[expect(clippy::indexing_slicing, reason = "both are within their bounds")]
    while list < lists.len() {
        while let [[first, second, ..], rest @ ..] = lists[list] {
            pairs[(*first & 31) as usize] |= 1 << (*second & 31);
            lists[list] = rest;
        }
        list += 1;
    }
    pairs
};

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
        let pairs = bytes.get(from..bytes.len().min(value + 1)).unwrap_or_default().windows(2);
        let found = pairs.enumerate().rev().find(|(at, pair)| {
            let [first, second] = pair else { return false };
            let seconds = PAIRS.get(usize::from(first & 31)).copied().unwrap_or_default();
            seconds >> (second & 31) & 1 == 1 && begins(bytes.get(from + at..).unwrap_or_default())
        });
        self.last = found.map(|(at, _)| from + at).or(self.last);
        self.searched = value;
        self.last.is_some_and(|last| last + REACH >= value)
    }
}

/// Whether `text` begins with one of the words.
fn begins(text: &[u8]) -> bool {
    let is =
        |word: &&&[u8]| text.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
    let ended = |word: &&[u8]| !text.get(word.len()).is_some_and(u8::is_ascii_alphanumeric);
    WORDS.iter().any(|word| is(&word)) || ENDS.iter().any(|word| is(&word) && ended(word))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::secret::name;

    #[test]
    fn words_are_found_however_the_text_is_gone_through() {
        let text = format!("my Token is {} apw=1 {} keyx", "a".repeat(100), "b ".repeat(120));
        let bytes = text.as_bytes();
        let plain = |value: usize| {
            (value.saturating_sub(REACH)..value)
                .any(|at| begins(bytes.get(at..).unwrap_or_default()))
        };
        for step in [1, 7, 60, 150] {
            let mut hints = Hints::default();
            for value in (0..=text.len()).step_by(step) {
                assert_eq!(hints.are_before(bytes, value), plain(value), "{step} {value}");
            }
        }
    }

    /// The words stand in two places; none may be missing here.
    #[test]
    fn every_word_that_names_are_let_through_for_is_known() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/secret");
        let source = ["name.rs", "name/mod.rs"].iter().find_map(|file| {
            let text = std::fs::read_to_string(folder.join(file)).ok()?;
            let from = text.find("fn may_hold_secret")?;
            let length = text[from..].find("/// The name in lower case")?;
            Some(text[from..from + length].to_owned())
        });
        let source = source.unwrap();
        let words: Vec<_> =
            source.split("b\"").skip(1).filter_map(|rest| rest.split_once('"')).collect();
        assert!(words.len() >= 10);
        for (word, _) in words {
            assert!(name::may_hold_secret(word.as_bytes()) && begins(word.as_bytes()), "{word}");
        }
    }
}
