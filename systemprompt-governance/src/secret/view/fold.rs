//! Characters that look like others, or like nothing.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization as _;

use super::View;
use super::edit::{Becomes, Edit, Undo, undone};

pub(super) struct Fold;

impl Undo for Fold {
    const VIEW: View = View::Normalised;

    #[inline]
    fn next(text: &str, mut from: usize) -> Option<Edit> {
        let bytes = text.as_bytes();
        loop {
            let at = wide(bytes, from)?;
            let (fate, length) = look(text, at);
            let (becomes, tells) = match fate {
                Fate::Stay | Fate::Space => {
                    from = at + length;
                    continue;
                }
                Fate::Drop => (Becomes::Nothing, true),
                // What tags spell is a text of its own.
                Fate::Become(unit) if begins_tags(text, at) => (Becomes::Word(unit), true),
                Fate::Become(unit) => (Becomes::Char(unit), true),
                Fate::Mimic(unit) => (Becomes::Char(unit), false),
            };
            return Some(Edit { source: at..at + length, becomes, tells });
        }
    }

    /// In whole words of another script there is nothing to fold.
    fn place(text: &str, from: usize) -> Option<usize> {
        let bytes = text.as_bytes();
        let mut done = from;
        // The first mimic of the word at hand counts once there is ASCII in it, too.
        let (mut mimic, mut ascii) = (None, false);
        loop {
            let at = wide(bytes, done);
            if at != Some(done) {
                let between = bytes.get(done..at.unwrap_or(bytes.len())).unwrap_or_default();
                let beside = |byte: Option<&u8>| byte.map(|byte| is_word(*byte));
                match beside(between.iter().find(|byte| **byte != b'-')) {
                    Some(true) if mimic.is_some() => return mimic,
                    Some(_) => mimic = None,
                    None => {}
                }
                ascii = beside(between.iter().rfind(|byte| **byte != b'-')).unwrap_or(ascii);
            }
            let at = at?;
            let (fate, length) = look(text, at);
            match fate {
                Fate::Drop | Fate::Become(_) => return Some(mimic.unwrap_or(at)),
                Fate::Mimic(_) if ascii => return Some(at),
                Fate::Mimic(_) => mimic = mimic.or(Some(at)),
                Fate::Space => (mimic, ascii) = (None, false),
                Fate::Stay => {}
            }
            done = at + length;
        }
    }
}

/// The text as a person would read it: without what nobody sees, with look-alikes as what they look like.
pub(in crate::secret) fn folded(text: &str) -> Cow<'_, str> {
    match text.is_ascii() || Fold::place(text, 0).is_none() {
        true => Cow::Borrowed(text),
        false => Cow::Owned(undone::<Fold>(text)),
    }
}

/// The text without what nobody sees: tags, characters without a form, and those that turn the direction of
/// reading. Joiners and variants stay behind characters that are not ASCII, where they make emoji and letters.
pub(in crate::secret) fn visible(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut before = ' ';
    let shown = |unit: &char| {
        let joins = matches!(unit, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}');
        let kept = !is_tag(*unit) && (fate(*unit) != Fate::Drop || joins && !before.is_ascii());
        before = *unit;
        kept
    };
    let clean: String = text.chars().filter(shown).collect();
    if clean.len() == text.len() { Cow::Borrowed(text) } else { Cow::Owned(clean) }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Where the first byte stands that is not ASCII, at `from` or behind.
#[inline]
fn wide(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    // Between the words of other scripts there is little that is ASCII.
    const NEAR: usize = 8;
    let near = rest.get(..NEAR).unwrap_or(rest);
    if let Some(at) = near.iter().position(|byte| !byte.is_ascii()) {
        return Some(from + at);
    }
    let (blocks, _) = rest.as_chunks::<16>();
    let narrow = blocks.iter().take_while(|block| block.is_ascii()).count() * 16;
    let at = rest.get(narrow..)?.iter().position(|byte| !byte.is_ascii())?;
    Some(from + narrow + at)
}

/// What becomes of the character at `at`, which is not ASCII, and how many bytes it has.
#[inline]
fn look(text: &str, at: usize) -> (Fate, usize) {
    let bytes = text.as_bytes();
    let byte = |offset: usize| bytes.get(at + offset).copied().unwrap_or_default();
    let low = |byte: u8| usize::from(byte & 0x3f);
    let lead = byte(0);
    let high = usize::from(lead & 0x1f) << 6 | low(byte(1));
    // The blocks of 64 in which nothing becomes of anything are most of what is written.
    match lead {
        0xc0..=0xdf => (NARROW.get(high).copied().unwrap_or(Fate::Stay), 2),
        0xe0..=0xef if !is_block(high & 0x3ff) => (Fate::Stay, 3),
        0xf0.. if !matches!((lead, byte(1)), (0xf0, 0x9d | 0x9f) | (0xf3, 0xa0)) => (Fate::Stay, 4),
        _ => {
            let unit = text.get(at..).and_then(|rest| rest.chars().next());
            unit.map_or((Fate::Stay, 1), |unit| (fate(unit), unit.len_utf8()))
        }
    }
}

/// Whether any character of `unit / 64` of three bytes has another fate than to stay.
fn is_block(block: usize) -> bool {
    let block = block << 6;
    matches!(
        block,
        0x1140 | 0x1680 | 0x1780 | 0x1800 | 0x1d00..=0x1d7f | 0x2000..=0x24ff | 0x3000 | 0x3140
            | 0xfe00 | 0xfe40 | 0xfec0 | 0xff00..=0xffff
    )
}

/// The fates of the characters that take two bytes.
static NARROW: [Fate; 0x800] = narrow();

/// What becomes of a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It is dropped: nobody sees it.
    Drop,
    /// It becomes this one.
    Become(char),
    /// It becomes this one where it stands among ASCII: by itself it is a letter of its script.
    Mimic(char),
    Stay,
    /// It ends a word.
    Space,
}

fn is_tag(unit: char) -> bool {
    matches!(unit, '\u{e0020}'..='\u{e007e}')
}

/// Whether the tags begin at `at` that spell ASCII.
fn begins_tags(text: &str, at: usize) -> bool {
    let unit = text.get(at..).is_some_and(|rest| rest.starts_with(is_tag));
    unit && !text.get(..at).is_some_and(|head| head.ends_with(is_tag))
}

fn fate(unit: char) -> Fate {
    match unit {
        _ if unit.is_ascii() => Fate::Stay,
        // Default ignorable code points (Unicode 4.4, DerivedCoreProperties), and the tags that spell ASCII.
        '\u{e0020}'..='\u{e007e}' => {
            char::from_u32(unit as u32 - 0xe_0000).map_or(Fate::Drop, Fate::Become)
        }
        '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{e0000}'..='\u{e0fff}' => Fate::Drop,
        // Full width, mathematical and enclosed letters: what NFKC makes ASCII of.
        '\u{ff01}'..='\u{ff5e}' => cycle(unit, 0xff01, 94, b'!'),
        '\u{1d400}'..='\u{1d6a3}' => match (unit as u32 - 0x1d400) % 52 {
            26.. => cycle(unit, 0x1d400 + 26, 52, b'a'),
            _ => cycle(unit, 0x1d400, 52, b'A'),
        },
        '\u{1d7ce}'..='\u{1d7ff}' => cycle(unit, 0x1d7ce, 10, b'0'),
        '\u{2070}'..='\u{209c}'
        | '\u{2460}'..='\u{24ff}'
        | '\u{2100}'..='\u{2149}'
        | '\u{1f100}'..='\u{1f189}'
        | '\u{fe50}'..='\u{fe6b}' => compatible(unit),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => Fate::Mimic('-'),
        '\u{1d00}'..='\u{1d7f}' => mimicked(unit as u32, OTHER, OTHER_AS_ASCII),
        '\u{80}'..='\u{7ff}' => NARROW.get(unit as usize).copied().unwrap_or(Fate::Stay),
        _ if unit.is_whitespace() => Fate::Space,
        _ => Fate::Stay,
    }
}

/// The ASCII character of a letter of alphabets that follow each other.
fn cycle(unit: char, first: u32, length: u32, ascii: u8) -> Fate {
    let offset = (unit as u32).saturating_sub(first) % length;
    u8::try_from(offset).map_or(Fate::Stay, |offset| Fate::Become(char::from(ascii + offset)))
}

/// The one ASCII character that NFKC makes of it, if it does.
fn compatible(unit: char) -> Fate {
    let mut normal = std::iter::once(unit).nfkc();
    match (normal.next(), normal.next()) {
        (Some(other), None) if other.is_ascii() => Fate::Become(other),
        _ => Fate::Stay,
    }
}

// The letters and digits that letters of other scripts are taken for (Unicode TR 39, confusables). Those of
// ASCII stand in the same order below.
const CYRILLIC: &str = "АВЕЗКМНОРСТУХЅІЈаеорсухѕіјһԁԛԝүӏҮԌьгп";
const CYRILLIC_AS_ASCII: &[u8] = b"ABE3KMHOPCTYXSIJaeopcyxsijhdqwylYGbrn";
const GREEK: &str = "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧανορυιγκχ";
const GREEK_AS_ASCII: &[u8] = b"ABEZHIKMNOPTYXavopuiykx";
const OTHER: &str = "ɑɡıʟɢʜᴀᴄᴅᴇᴋᴍᴏᴘᴛᴜᴠᴡᴢօոսցհքԍ";
const OTHER_AS_ASCII: &[u8] = b"agiLGHACDEKMOPTUVWZonughpG";

/// The fate of a character that may be among `letters`.
const fn mimicked(code: u32, letters: &str, ascii: &[u8]) -> Fate {
    let mut letters = letters.as_bytes();
    let mut ascii = ascii;
    // Loops and calls of constant functions go without iterators.
    while let ([high, low, rest @ ..], [first, others @ ..]) = (letters, ascii) {
        let (high, low) = (*high as u32, *low as u32);
        let (letter, rest) = match rest {
            [last, rest @ ..] if high >= 0xe0 => {
                ((high & 0x0f) << 12 | (low & 0x3f) << 6 | (*last as u32 & 0x3f), rest)
            }
            _ => ((high & 0x1f) << 6 | (low & 0x3f), rest),
        };
        if letter == code {
            return Fate::Mimic(*first as char);
        }
        letters = rest;
        ascii = others;
    }
    Fate::Stay
}

#[expect(clippy::indexing_slicing, reason = "the loop ends at the length of the table")]
const fn narrow() -> [Fate; 0x800] {
    let mut table = [Fate::Stay; 0x800];
    let mut code = 0x80_u32;
    while code < 0x800 {
        table[code as usize] = match code {
            0x85 | 0xa0 => Fate::Space,
            // Default ignorable code points, as below.
            0xad | 0x34f | 0x61c => Fate::Drop,
            0x370..=0x3ff => mimicked(code, GREEK, GREEK_AS_ASCII),
            0x400..=0x52f => match mimicked(code, CYRILLIC, CYRILLIC_AS_ASCII) {
                Fate::Stay => mimicked(code, OTHER, OTHER_AS_ASCII),
                fate => fate,
            },
            0x131 | 0x250..=0x2af | 0x530..=0x58f => mimicked(code, OTHER, OTHER_AS_ASCII),
            _ => Fate::Stay,
        };
        code += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::super::Budget;
    use super::super::edit::derive;
    use super::*;

    #[test]
    fn shortcuts_agree_with_the_whole() {
        for unit in (0x80..=0x10_ffff).filter_map(char::from_u32) {
            let text = unit.to_string();
            assert_eq!(look(&text, 0), (fate(unit), text.len()), "{:x}", unit as u32);
            let normal: String = std::iter::once(unit).nfkc().collect();
            if let Fate::Become(other) = fate(unit)
                && normal != text
            {
                assert_eq!(normal, other.to_string(), "{:x}", unit as u32);
            }
        }
        for letters in [CYRILLIC, GREEK, OTHER] {
            assert!(letters.chars().all(|unit| matches!(fate(unit), Fate::Mimic(_))));
        }
    }

    fn folded(text: &str) -> Option<String> {
        let mut found = None;
        derive::<Fold>(text, &mut Budget::of(text.len()), &mut |derived, _| {
            found = Some(derived.mapped.text().to_owned());
        });
        found
    }

    #[test]
    fn hidden_and_look_alike_characters_are_folded() {
        let tags: String =
            "key".bytes().filter_map(|b| char::from_u32(0xe_0000 + u32::from(b))).collect();
        for (text, plain) in [
            ("gh\u{200b}p_1", "ghp_1"),
            ("gh\u{ad}p_1", "ghp_1"),
            ("\u{ff47}\u{ff48}\u{ff50}\u{ff3f}1", "ghp_1"),
            ("АKIА1", "AKIA1"),
            ("κey1", "key1"),
            ("𝐠𝐡𝐩_1", "ghp_1"),
            (&*tags, " key"),
        ] {
            assert_eq!(folded(text).as_deref(), Some(plain));
        }
    }

    #[test]
    fn words_of_other_scripts_are_left_alone() {
        for text in [
            "Привет, как дела? version 2",
            "Καλημέρα κόσμε",
            "Вот о чём-то, A1 и B2 — о х",
            "日本語テキスト",
            "a – b",
        ] {
            assert_eq!(folded(text), None, "{text}");
        }
    }
}
