//! Texts as PostgreSQL can keep them: its `text` has no NUL.
//!
//! NUL is kept as U+001A `0` and U+001A itself, which no ordinary text holds, as U+001A `1`.

use std::borrow::Cow;

const ESCAPE: char = '\u{1a}';
const SPECIAL: [char; 2] = ['\0', ESCAPE];

/// The form in which a text is stored.
pub(super) fn encode(text: &str) -> Cow<'_, str> {
    if !text.contains(SPECIAL) {
        return Cow::Borrowed(text);
    }
    let mut stored = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\0' => stored.extend([ESCAPE, '0']),
            ESCAPE => stored.extend([ESCAPE, '1']),
            c => stored.push(c),
        }
    }
    Cow::Owned(stored)
}

/// The form in which a text is stored, for a filter.
pub(super) fn stored(text: &str) -> String {
    encode(text).into_owned()
}

/// Whether a text is stored in another form than its own.
pub(super) fn is_encoded(stored: &str) -> bool {
    stored.contains(ESCAPE)
}

/// The text that was stored.
pub(crate) fn decode(stored: String) -> String {
    if !stored.contains(ESCAPE) {
        return stored;
    }
    let mut text = String::with_capacity(stored.len());
    let mut chars = stored.chars();
    while let Some(c) = chars.next() {
        if c != ESCAPE {
            text.push(c);
            continue;
        }
        match chars.next() {
            Some('0') => text.push('\0'),
            Some('1') => text.push(ESCAPE),
            // Not written by the log.
            Some(other) => text.extend([ESCAPE, other]),
            None => text.push(ESCAPE),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_postgres_can_keep_is_kept_as_it_is() {
        assert!(matches!(encode("line\r\n\u{1b}[31m \u{1f512}"), Cow::Borrowed(_)));
        assert_eq!(encode("a\0b\u{1a}0"), "a\u{1a}0b\u{1a}10");
    }

    proptest! {
        #[test]
        fn every_text_comes_back(text in "[\\x00\\x1a01a\u{1f512}]{0,12}") {
            let stored = encode(&text).into_owned();
            prop_assert!(!stored.contains('\0'));
            prop_assert_eq!(decode(stored), text);
        }
    }
}
