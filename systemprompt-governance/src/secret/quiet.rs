//! Whether a short text holds nothing, at a glance.
//!
//! Most strings of a document are names, numbers and words of a few bytes. Nothing is found in one without
//! a run, a word that announces something, or something to decode; and these leave marks.

use super::mnemonic;
use super::skim::{MIN_RUN, Runs};

/// Fewest bytes of letters that stand apart.
const APART: usize = 31;

/// Joins a name or a word to what follows.
const JOINT: u8 = 1;

/// May be part of what is written in another way.
const CODED: u8 = 2;

static MARKS: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0_u8;
    loop {
        let joint = matches!(byte, b' ' | b'=' | b':' | b'>' | b'(' | b'|');
        let coded = !byte.is_ascii()
            || byte.is_ascii_control()
            || matches!(byte, b'%' | b'&' | b'\\' | b'"' | b'\'' | b'`');
        #[expect(clippy::indexing_slicing, reason = "a byte is within 256")]
        {
            table[byte as usize] = (joint as u8 * JOINT) | (coded as u8 * CODED);
        }
        if byte == u8::MAX {
            break table;
        }
        byte += 1;
    }
};

/// Pairs of which each word that announces something has one, and few others do.
const PAIRS: [&[u8; 2]; 12] =
    [b"//", b"eg", b"tt", b"sw", b"wd", b"sp", b"cr", b"_p", b"s=", b"s:", b"ar", b"c "];

/// Those of the programs.
const PROGRAMS: [&[u8; 2]; 4] = [b"rl", b"hp", b"gi", b"sq"];

/// A bit for the second byte of each pair in the word of the first.
static SECONDS: [u32; 32] = {
    let mut seconds = [0; 32];
    let mut at = 0;
    #[expect(clippy::indexing_slicing, reason = "within their bounds")]
    while at < PAIRS.len() + PROGRAMS.len() {
        let [first, second] =
            *if at < PAIRS.len() { PAIRS[at] } else { PROGRAMS[at - PAIRS.len()] };
        seconds[(first & 31) as usize] |= 1 << (second & 31);
        at += 1;
    }
    seconds
};

/// Whether there is nothing in `text` whatever the rules are, as far as can be told at a glance.
#[inline]
pub(super) fn is_quiet(text: &[u8]) -> bool {
    if text.len() >= *mnemonic::TEXT.start() {
        return false;
    }
    let mark = |byte: &u8| MARKS.get(usize::from(*byte)).copied().unwrap_or(CODED);
    let seen = text.iter().fold(0, |seen, byte| seen | mark(byte));
    if seen & CODED != 0 || (text.len() >= MIN_RUN && Runs::new(text).next().is_some()) {
        return false;
    }
    seen & JOINT == 0 || !announces(text) && !may_stand_apart(text)
}

/// Whether there may be a word in `text` that announces something.
fn announces(text: &[u8]) -> bool {
    text.iter().zip(text.iter().skip(1)).fold(false, |any, (first, second)| {
        let seconds = SECONDS.get(usize::from(first & 31)).copied().unwrap_or_default();
        any | (seconds >> (second & 31) & 1 == 1)
    })
}

/// Whether there may be letters with spaces between them.
fn may_stand_apart(text: &[u8]) -> bool {
    text.len() >= APART && text.iter().filter(|byte| **byte == b' ').count() * 2 + 1 >= APART
}

#[cfg(test)]
mod tests {
    use super::super::cue::{Cue, WORDS};
    use super::*;

    #[test]
    fn every_word_that_announces_something_in_a_short_text_is_heard() {
        for (word, cue) in WORDS {
            // A phrase is longer than what is looked at here.
            let heard = !is_quiet(format!("{word} x").as_bytes());
            assert!(heard || *cue == Cue::Phrase, "{word}");
        }
    }

    #[test]
    fn what_most_strings_hold_is_quiet() {
        for text in [
            "",
            "id",
            "Ada Lovelace",
            "ada@example.org",
            "London",
            "2026-11-27",
            "file_path",
            "2026-11-27T20:15:00Z",
            "EUR",
            "1,024.50",
            "a (b): c",
            "the first of three",
        ] {
            assert!(is_quiet(text.as_bytes()), "{text}");
        }
        for text in [
            "a\u{e9}",
            "50%",
            "say 'x'",
            "a\nb",
            "abcdefghijklmn",
            "a b c d e f g h i j k l m n o p",
        ] {
            assert!(!is_quiet(text.as_bytes()), "{text}");
        }
    }
}
