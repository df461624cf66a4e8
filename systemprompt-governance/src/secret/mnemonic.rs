//! Phrases that a purse is restored from (BIP-39): 12, 15, 18, 21 or 24 words of a list.

use std::ops::Range;
use std::sync::LazyLock;

use bip39::{Language, Mnemonic};

/// Texts in which a phrase is looked for without a word about it are as long as one, with little beside it.
pub(super) const TEXT: std::ops::RangeInclusive<usize> = 47..=320;

/// Fewest words of a phrase.
const MIN_WORDS: usize = 12;

/// Most words in a row; there is more in lists of words, and none of it is a phrase.
const MAX_WORDS: usize = 28;

/// Lengths of the words in the list.
const LETTERS: std::ops::RangeInclusive<usize> = 3..=8;

/// Longest gap between two words of a phrase.
const LONGEST_GAP: usize = 6;

/// How far behind a word about it a phrase begins and ends.
const REACH: usize = 400;

/// The first phrase shortly behind `from`, where a word announces one, and whether its checksum holds.
pub(super) fn announced(bytes: &[u8], from: usize) -> Option<(Range<usize>, bool)> {
    let text = bytes.get(from..bytes.len().min(from.saturating_add(REACH)))?;
    let mut at = 0;
    while let Some(chain) = next_chain(text, &mut at) {
        if let Some((span, proven)) = phrase(text, &chain) {
            return Some((from + span.start..from + span.end, proven));
        }
    }
    None
}

/// A phrase that nothing announces: its checksum proves it, and it is no part of a sentence.
pub(super) fn bare(text: &[u8]) -> Option<Range<usize>> {
    let mut at = 0;
    while let Some(chain) = next_chain(text, &mut at) {
        if let Some((span, true)) = phrase(text, &chain) {
            let before = text.get(..span.start).unwrap_or_default().trim_ascii_end();
            let after = text.get(span.end..).unwrap_or_default().trim_ascii_start();
            let goes_on = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
            if !goes_on(before.last()) && !goes_on(after.first()) {
                return Some(span);
            }
        }
    }
    None
}

/// The next words in a row, from `at` on, that may be of the list, are of one case, and are as many as a
/// phrase has.
///
/// A phrase is so long that it covers one of two places less than its shortest length apart: where no word
/// of the list stands there, none does, and what lies between is not looked at.
fn next_chain(text: &[u8], at: &mut usize) -> Option<Vec<Range<usize>>> {
    loop {
        let probe = *at + *TEXT.start() - 1;
        let byte = text.get(probe)?;
        let word = if byte.is_ascii_alphabetic() {
            letters_around(text, *at, probe)
        } else {
            let gap = text.get(probe..)?.iter().take_while(|byte| !byte.is_ascii_alphabetic());
            let start = probe + gap.count();
            if start - probe > LONGEST_GAP {
                *at = start;
                continue;
            }
            start..start + Eight::at(text, start).letters()
        };
        if !text.get(word.clone()).is_some_and(may_be_listed) {
            *at = word.end.max(*at + 1);
            continue;
        }
        let first = first_of_row(text, *at, word.start);
        let (count, next) = row(text, first);
        *at = next;
        if (MIN_WORDS..=MAX_WORDS).contains(&count) {
            return Some(words(text, first, count));
        }
    }
}

/// The letters in a row around the one at `at`, none before `from`, and at most one more on each side than a
/// word of the list has.
fn letters_around(text: &[u8], from: usize, at: usize) -> Range<usize> {
    let behind = Eight::at(text, at).letters();
    let ahead = Eight::before(text, at).letters_at_end().min(at - from);
    at - ahead..at + behind
}

/// Where the words in a row begin to which the one at `start` belongs, not before `from`.
fn first_of_row(text: &[u8], from: usize, start: usize) -> usize {
    let mut first = start;
    while let Some(before) = text.get(from..first) {
        let gap = before.iter().rev().take_while(|byte| !byte.is_ascii_alphabetic()).count();
        let end = first - gap;
        let begin = end - Eight::before(text, end).letters_at_end().min(end - from);
        let whole = begin == from || !text.get(begin - 1).is_some_and(u8::is_ascii_alphabetic);
        let fits = whole && text.get(begin..end).is_some_and(may_be_listed);
        if !fits || !text.get(end..first).is_some_and(joins) {
            break;
        }
        first = begin;
    }
    first
}

/// How many words in a row begin at `first`, of one case and maybe of the list, and where they end.
fn row(text: &[u8], first: usize) -> (usize, usize) {
    let (mut count, mut end, mut upper) = (0, first, None);
    loop {
        let gap = text.get(end..end.saturating_add(LONGEST_GAP + 1).min(text.len()));
        let gap = gap.unwrap_or_default();
        let length = gap.iter().take_while(|byte| !byte.is_ascii_alphabetic()).count();
        let start = end + length;
        let next = start + Eight::at(text, start).letters();
        let whole = !text.get(next).is_some_and(u8::is_ascii_alphabetic);
        let Some(word) = text.get(start..next).filter(|word| whole && may_be_listed(word)) else {
            break;
        };
        let shouted = word.first().is_some_and(u8::is_ascii_uppercase);
        let joined = gap.get(..length).is_some_and(joins);
        if !joined || upper.is_some_and(|upper| upper != shouted) {
            break;
        }
        upper = Some(shouted);
        count += 1;
        end = next;
    }
    (count, end.max(first + 1))
}

/// Eight bytes of a text at once, the first one lowest; zeros where it has none.
#[derive(Clone, Copy)]
struct Eight(u64);

impl Eight {
    fn at(text: &[u8], at: usize) -> Self {
        if let Some(bytes) = text.get(at..at + 8).and_then(|bytes| bytes.try_into().ok()) {
            return Self(u64::from_le_bytes(bytes));
        }
        let rest = text.get(at.min(text.len())..).unwrap_or_default().iter().rev();
        Self(rest.fold(0, |all, byte| all << 8 | u64::from(*byte)))
    }

    /// Those that end before `at`.
    fn before(text: &[u8], at: usize) -> Self {
        match at.checked_sub(8) {
            Some(start) => Self::at(text, start),
            None => {
                let bytes = text.get(..at).unwrap_or_default().iter().rev();
                let missing = 8 * (8 - at as u32);
                let all = bytes.fold(0_u64, |all, byte| all << 8 | u64::from(*byte));
                Self(all.checked_shl(missing).unwrap_or(0))
            }
        }
    }

    /// The highest bit of each byte that is no letter.
    fn others(self) -> u64 {
        const ONES: u64 = 0x0101_0101_0101_0101;
        const HIGH: u64 = 0x80 * ONES;
        let low = (self.0 | (0x20 * ONES)) & !HIGH;
        // A byte from `a` on carries into its highest bit, and so does one behind `z`.
        let from_a = low + (0x80 - 0x61) * ONES;
        let behind_z = low + (0x80 - 0x7b) * ONES;
        (!from_a | behind_z | self.0) & HIGH
    }

    /// How many letters it begins with.
    fn letters(self) -> usize {
        self.others().trailing_zeros() as usize / 8
    }

    /// How many letters it ends with.
    fn letters_at_end(self) -> usize {
        self.others().leading_zeros() as usize / 8
    }
}

/// So many words from `at` on.
fn words(text: &[u8], mut at: usize, count: usize) -> Vec<Range<usize>> {
    let next = || {
        let rest = text.get(at..)?;
        let gap = rest.iter().take_while(|byte| !byte.is_ascii_alphabetic()).count();
        let start = at + gap;
        at = start + rest.iter().skip(gap).take_while(|byte| byte.is_ascii_alphabetic()).count();
        (at > start).then_some(start..at)
    };
    std::iter::from_fn(next).take(count).collect()
}

/// Whether letters in a row have the length and the beginning of a word of the list, and are of one case.
fn may_be_listed(word: &[u8]) -> bool {
    if !LETTERS.contains(&word.len()) {
        return false;
    }
    const CASES: u64 = 0x2020_2020_2020_2020;
    let letters = Eight::at(word, 0).0;
    let cases = CASES >> (64 - 8 * word.len());
    BEGINNINGS.holds(letters) && (letters & cases == 0 || letters & cases == cases)
}

/// The first four letters of the words of the list, which tell each from all others (BIP-39), as a set that
/// holds a few more.
struct Beginnings([u64; 512]);

static BEGINNINGS: LazyLock<Beginnings> = LazyLock::new(|| {
    let mut set = [0; 512];
    for word in Language::English.word_list() {
        let (at, bit) = Beginnings::place(Eight::at(word.as_bytes(), 0).0);
        if let Some(bits) = set.get_mut(at) {
            *bits |= bit;
        }
    }
    Beginnings(set)
});

impl Beginnings {
    fn holds(&self, letters: u64) -> bool {
        let (at, bit) = Self::place(letters);
        self.0.get(at).is_some_and(|bits| bits & bit != 0)
    }

    /// The word and the bit of the set for the first letters, in any case.
    fn place(letters: u64) -> (usize, u64) {
        let first = (letters | 0x2020_2020) & 0xffff_ffff;
        let hash = (first as u32).wrapping_mul(0x9E37_79B1) >> 17;
        ((hash >> 6) as usize, 1 << (hash & 63))
    }
}

/// Whether what lies between two words is nothing but space, or the marks of a list.
fn joins(gap: &[u8]) -> bool {
    gap.len() <= LONGEST_GAP
        && gap.iter().all(|byte| {
            byte.is_ascii_whitespace() || byte.is_ascii_digit() || b",.)\"'".contains(byte)
        })
}

/// The phrase among the words of a chain.
fn phrase(text: &[u8], chain: &[Range<usize>]) -> Option<(Range<usize>, bool)> {
    let words: Vec<Option<&'static str>> =
        chain.iter().map(|span| text.get(span.clone()).and_then(listed)).collect();
    let mut unproven = None;
    for count in [24, 21, 18, 15, 12] {
        for (at, window) in words.windows(count).enumerate() {
            let Some(known) = window.iter().copied().collect::<Option<Vec<_>>>() else { continue };
            let (first, last) = (chain.get(at)?, chain.get(at + count - 1)?);
            let span = first.start..last.end;
            if Mnemonic::parse_in_normalized(Language::English, &known.join(" ")).is_ok() {
                return Some((span, true));
            }
            unproven = unproven.or(Some((span, false)));
        }
    }
    unproven
}

/// The word of the list.
fn listed(word: &[u8]) -> Option<&'static str> {
    let word = std::str::from_utf8(word).ok()?.to_ascii_lowercase();
    let list = Language::English.word_list();
    list.binary_search(&&*word).ok().and_then(|at| list.get(at).copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words at these places of the list.
    fn words(places: &[usize]) -> String {
        let list = Language::English.word_list();
        places.iter().map(|place| list[*place]).collect::<Vec<_>>().join(" ")
    }

    /// A phrase for entropy of so many bytes, all the same.
    fn made(byte: u8, bytes: usize) -> String {
        Mnemonic::from_entropy(&vec![byte; bytes]).unwrap().to_string()
    }

    #[test]
    fn phrases_of_all_lengths_are_proven() {
        for bytes in [16, 20, 24, 28, 32] {
            let phrase = made(0x5a, bytes);
            for text in [
                phrase.clone(),
                phrase.to_uppercase(),
                phrase.replace(' ', "\n"),
                format!("it is: {phrase}. Keep it"),
            ] {
                let (span, proven) = announced(text.as_bytes(), 0).unwrap();
                assert!(proven, "{text}");
                assert_eq!(bare(text.as_bytes()), Some(span.clone()), "{text}");
                assert_eq!(text[span].split_whitespace().count(), bytes * 3 / 4, "{text}");
            }
        }
    }

    #[test]
    fn a_phrase_is_found_wherever_it_stands() {
        let phrase = made(0x5a, 16);
        for ahead in 0..120 {
            let others = "Zoo-keepers of the zoo, they say: ".repeat(4);
            let text = format!("{}; {phrase}! {}", &others[..ahead], &others[ahead..]);
            let span = ahead + 2..ahead + 2 + phrase.len();
            assert_eq!(bare(text.as_bytes()), Some(span), "{text}");
        }
    }

    #[test]
    fn letters_are_told_from_other_bytes() {
        for byte in 0..=u8::MAX {
            let letter = usize::from(byte.is_ascii_alphabetic());
            assert_eq!(Eight::at(&[byte], 0).letters(), letter, "{byte}");
            assert_eq!(Eight::before(&[b'-', byte], 2).letters_at_end(), letter, "{byte}");
            assert_eq!(Eight::at(&[byte, b'-'], 0).letters(), letter, "{byte}");
        }
        let text = b"ab cdefghijkl-mn";
        assert_eq!(letters_around(text, 0, 1), 0..2);
        assert_eq!(Eight::at(text, 3).letters(), 8);
        assert_eq!(Eight::before(text, 13).letters_at_end(), 8);
        assert_eq!(Eight::before(text, 2).letters_at_end(), 2);
        assert_eq!(Eight::before(text, 16).letters_at_end(), 2);
        assert_eq!(Eight::before(text, 0).letters_at_end(), 0);
    }

    #[test]
    fn a_wrong_checksum_proves_nothing() {
        let text = words(&[7; 12]);
        assert_eq!(announced(text.as_bytes(), 0), Some((0..text.len(), false)));
        assert_eq!(bare(text.as_bytes()), None);
    }

    #[test]
    fn lists_and_prose_are_no_phrases() {
        let list: Vec<usize> = (0..200).collect();
        assert_eq!(announced(words(&list).as_bytes(), 0), None);
        let prose =
            "the quick brown fox jumps over the lazy dog while other dogs watch from afar today";
        assert_eq!(announced(prose.as_bytes(), 0), None);
        assert_eq!(announced(words(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]).as_bytes(), 0), None);
    }
}
