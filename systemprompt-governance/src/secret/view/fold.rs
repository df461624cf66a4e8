//! Characters that look like others, or like nothing.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization as _;

use super::{Budget, Derived, Mapped, View, decode_segments};

pub(super) fn derive(text: &str, budget: &mut Budget, visit: &mut dyn FnMut(Derived, &mut Budget)) {
    decode_segments(View::Normalised, text, places(text).into_iter(), fold, budget, visit);
}

/// The text as a person would read it: without what nobody sees, with look-alikes as what they look like.
pub(in crate::secret) fn folded(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || places(text).is_empty() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(fold(text).text().to_owned())
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
}

/// Where there is something to fold: in whole words of another script there is not.
fn places(text: &str) -> Vec<usize> {
    let mut places = Vec::new();
    // The mimics of the word at hand count once there is ASCII in it, too.
    let (mut mimics, mut ascii) = (Vec::new(), false);
    for (at, unit) in text.char_indices() {
        let ends_word = match unit.is_ascii() {
            true => !unit.is_ascii_alphanumeric() && !matches!(unit, '_' | '-'),
            false => unit.is_whitespace(),
        };
        if ends_word {
            mimics.clear();
            ascii = false;
            continue;
        }
        ascii |= unit.is_ascii_alphanumeric() || unit == '_';
        match fate(unit) {
            Fate::Drop | Fate::Become(_) => places.push(at),
            Fate::Mimic(_) => mimics.push(at),
            Fate::Stay => {}
        }
        if ascii {
            places.append(&mut mimics);
        }
    }
    places.sort_unstable();
    places
}

fn fold(text: &str) -> Mapped {
    let mut mapped = Mapped::default();
    let mut done = 0;
    for (at, unit) in text.char_indices().filter(|(_, unit)| !unit.is_ascii()) {
        let becomes = match fate(unit) {
            Fate::Stay => continue,
            Fate::Drop => None,
            Fate::Become(other) | Fate::Mimic(other) => Some(other),
        };
        let end = at + unit.len_utf8();
        mapped.copy(text.get(done..at).unwrap_or_default(), done);
        if let Some(other) = becomes {
            // What tags spell is a text of its own.
            if is_tag(unit) && !text.get(..at).is_some_and(|head| head.ends_with(is_tag)) {
                mapped.add_char(' ', at..at);
            }
            mapped.add_char(other, at..end);
        }
        done = end;
    }
    mapped.copy(text.get(done..).unwrap_or_default(), done);
    mapped
}

fn is_tag(unit: char) -> bool {
    matches!(unit, '\u{e0020}'..='\u{e007e}')
}

fn fate(unit: char) -> Fate {
    match unit {
        _ if unit.is_ascii() => Fate::Stay,
        // Default ignorable code points (Unicode 4.4, DerivedCoreProperties), and the tags that spell ASCII.
        '\u{e0020}'..='\u{e007e}' => {
            char::from_u32(unit as u32 - 0xe_0000).map_or(Fate::Drop, Fate::Become)
        }
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'
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
        '\u{ff01}'..='\u{ff5e}'
        | '\u{1d400}'..='\u{1d7ff}'
        | '\u{2070}'..='\u{209c}'
        | '\u{2460}'..='\u{24ff}'
        | '\u{2100}'..='\u{2149}'
        | '\u{1f100}'..='\u{1f189}'
        | '\u{fe50}'..='\u{fe6b}' => compatible(unit),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => Fate::Mimic('-'),
        _ => mimicked(unit).map_or(Fate::Stay, Fate::Mimic),
    }
}

/// The one ASCII character that NFKC makes of it, if it does.
fn compatible(unit: char) -> Fate {
    let mut normal = std::iter::once(unit).nfkc();
    match (normal.next(), normal.next()) {
        (Some(other), None) if other.is_ascii() => Fate::Become(other),
        _ => Fate::Stay,
    }
}

/// The letter or digit that a letter of another script is taken for (Unicode TR 39, confusables).
fn mimicked(unit: char) -> Option<char> {
    const CYRILLIC: &str = "АВЕЗКМНОРСТУХЅІЈаеорсухѕіјһԁԛԝүӏҮԌьгп";
    const AS_ASCII: &str = "ABE3KMHOPCTYXSIJaeopcyxsijhdqwylYGbrn";
    const GREEK: &str = "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧανορυιγκχ";
    const GREEK_AS_ASCII: &str = "ABEZHIKMNOPTYXavopuiykx";
    const OTHER: &str = "ɑɡıʟɢʜᴀᴄᴅᴇᴋᴍᴏᴘᴛᴜᴠᴡᴢօոսցһքԍ";
    const OTHER_AS_ASCII: &str = "agiLGHACDEKMOPTUVWZonughpG";
    let among = |letters: &str, ascii: &'static str| {
        let at = letters.chars().position(|letter| letter == unit)?;
        ascii.chars().nth(at)
    };
    match unit {
        '\u{400}'..='\u{52f}' => among(CYRILLIC, AS_ASCII),
        '\u{370}'..='\u{3ff}' => among(GREEK, GREEK_AS_ASCII),
        '\u{250}'..='\u{2af}' | '\u{1d00}'..='\u{1d7f}' | '\u{131}' | '\u{530}'..='\u{58f}' => {
            among(OTHER, OTHER_AS_ASCII)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(text: &str) -> Option<String> {
        let mut found = None;
        derive(text, &mut Budget::of(text.len()), &mut |derived, _| {
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
