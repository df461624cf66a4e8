//! The words without which no name says secret.

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

/// What a word of it may end with instead.
const ENDS: &[&[u8]] = &[b"pat", b"psw", b"pw"];

/// Which pairs of letters these begin with: a bit for the second in the word of the first.
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

/// Where the last such word of `text` begins; what stands behind its first `within` bytes belongs to words
/// that begin before, and begins none.
pub(in crate::secret) fn last(text: &[u8], within: usize) -> Option<usize> {
    let pairs = text.get(..text.len().min(within + 1)).unwrap_or_default().windows(2);
    let found = pairs.enumerate().rev().find(|(at, pair)| {
        let [first, second] = pair else { return false };
        let seconds = PAIRS.get(usize::from(first & 31)).copied().unwrap_or_default();
        seconds >> (second & 31) & 1 == 1 && begins(text.get(*at..).unwrap_or_default())
    });
    found.map(|(at, _)| at)
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
    use super::*;

    #[test]
    fn the_last_word_is_found() {
        for (text, within, at) in [
            ("my Token is a key.", 18, Some(14)),
            ("my Token is a key.", 14, Some(3)),
            ("smtp_pw=", 8, Some(5)),
            ("apw1", 4, None),
            ("pw", 2, Some(0)),
            ("", 0, None),
        ] {
            assert_eq!(last(text.as_bytes(), within), at, "{text}");
        }
    }
}
