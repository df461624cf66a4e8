//! The texts that stand for one value.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use base64::engine::general_purpose::{self, GeneralPurpose, NO_PAD};
use zeroize::Zeroizing;

use super::MIN_BYTES;

type Text = Zeroizing<Vec<u8>>;

/// Every form of `value`, without white space and without those too short to be told from other text.
///
/// White space around a value is left out of account: a tool often trims it, and what contains the
/// value contains it trimmed.
pub(super) fn of(value: &str) -> Vec<Text> {
    let value = value.trim();
    let mut forms = vec![plain(value)];
    forms.extend(base64(value));
    forms.extend(hexadecimal(value));
    forms.extend(percent(value));
    forms.extend(json(value));
    forms.extend(html(value));
    forms.extend(basic_credentials(value));
    let mut kept: Vec<Text> = Vec::with_capacity(forms.len());
    for mut form in forms {
        form.retain(|byte| !byte.is_ascii_whitespace());
        if form.len() >= MIN_BYTES && !kept.contains(&form) {
            kept.push(form);
        }
    }
    kept
}

/// Bytes of `value` that are no white space.
pub(in crate::inject) fn significant(value: &str) -> usize {
    value.bytes().filter(|byte| !byte.is_ascii_whitespace()).count()
}

fn plain(text: &str) -> Text {
    Zeroizing::new(text.as_bytes().to_vec())
}

/// What of the base64 text of any bytes around `value` depends on `value` alone: three texts for each
/// alphabet, by how many bytes before it share its first group of three.
fn base64(value: &str) -> Vec<Text> {
    let core = |before: usize, alphabet: &Alphabet| {
        let mut bytes = Zeroizing::new(Vec::with_capacity(before + value.len()));
        bytes.resize(before, 0);
        bytes.extend_from_slice(value.as_bytes());
        let encoded = Zeroizing::new(GeneralPurpose::new(alphabet, NO_PAD).encode(&*bytes));
        let from = (before * 8).div_ceil(6);
        let to = bytes.len() * 8 / 6;
        plain(encoded.get(from..to).unwrap_or_default())
    };
    let alphabets = [&STANDARD, &URL_SAFE];
    alphabets.iter().flat_map(|alphabet| (0..3).map(move |before| core(before, alphabet))).collect()
}

fn hexadecimal(value: &str) -> [Text; 2] {
    [
        each(value, |byte, out| write!(out, "{byte:02x}")),
        each(value, |byte, out| write!(out, "{byte:02X}")),
    ]
}

/// Percent-encoding (RFC 3986, section 2.1) as programs differ in it, and the form of web forms.
fn percent(value: &str) -> Vec<Text> {
    let mut forms = Vec::new();
    for kept in ["-._~", "-._~/", "-._~!*'()", "-._*+", ""] {
        for upper in [true, false] {
            forms.push(each(value, |byte, out| match char::from(byte) {
                character if kept.contains(character) => out.write_char(character),
                character if character.is_ascii_alphanumeric() && !kept.is_empty() => {
                    out.write_char(character)
                }
                _ if upper => write!(out, "%{byte:02X}"),
                _ => write!(out, "%{byte:02x}"),
            }));
        }
    }
    let form = each(value, |byte, out| match char::from(byte) {
        ' ' => out.write_char('+'),
        character if character.is_ascii_alphanumeric() || "-._*".contains(character) => {
            out.write_char(character)
        }
        _ => write!(out, "%{byte:02X}"),
    });
    forms.push(form);
    forms
}

/// A string of JSON (RFC 8259, section 7) as programs differ in it, once and twice; and the escapes of
/// other languages for all characters.
fn json(value: &str) -> Vec<Text> {
    let escaped = json_string(value);
    let mut forms = vec![
        plain(&escaped),
        plain(&json_string(&escaped)),
        plain(&Zeroizing::new(escaped.replace('/', "\\/"))),
        each_char(&escaped, |character, out| match character {
            '<' | '>' | '&' => write!(out, "\\u{:04x}", u32::from(character)),
            other => out.write_char(other),
        }),
        each_char(&escaped, |character, out| {
            if character.is_ascii() {
                out.write_char(character)
            } else {
                utf16(character, out, false)
            }
        }),
        each(value, |byte, out| write!(out, "\\x{byte:02x}")),
        each(value, |byte, out| write!(out, "\\x{byte:02X}")),
    ];
    for upper in [true, false] {
        forms.push(each_char(value, |character, out| utf16(character, out, upper)));
    }
    forms
}

fn json_string(text: &str) -> Zeroizing<String> {
    // The longest escape of a byte is `\u0000`; with room for all, nothing is moved and left behind.
    let mut quoted = Zeroizing::new(Vec::with_capacity(text.len() * 6 + 2));
    // Writing a string into memory does not fail; what is missing would be found as another form.
    let _ = serde_json::to_writer(&mut *quoted, text);
    let inner = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
    Zeroizing::new(String::from_utf8_lossy(inner).into_owned())
}

fn utf16(character: char, out: &mut String, upper: bool) -> std::fmt::Result {
    for unit in character.encode_utf16(&mut [0; 2]) {
        if upper { write!(out, "\\u{unit:04X}")? } else { write!(out, "\\u{unit:04x}")? }
    }
    Ok(())
}

fn html(value: &str) -> [Text; 2] {
    ["&#39;", "&#x27;"].map(|apostrophe| {
        each_char(value, |character, out| match character {
            '&' => out.write_str("&amp;"),
            '<' => out.write_str("&lt;"),
            '>' => out.write_str("&gt;"),
            '"' => out.write_str("&quot;"),
            '\'' => out.write_str(apostrophe),
            other => out.write_char(other),
        })
    })
}

/// The credentials that a value for basic authentication encodes (RFC 7617), and their password.
fn basic_credentials(value: &str) -> Vec<Text> {
    let Ok(decoded) = general_purpose::STANDARD.decode(value) else { return Vec::new() };
    let decoded = Zeroizing::new(decoded);
    let Ok(text) = std::str::from_utf8(&decoded) else { return Vec::new() };
    match text.split_once(':') {
        Some((_, password)) if !text.chars().any(char::is_control) => {
            vec![plain(text), plain(password)]
        }
        _ => Vec::new(),
    }
}

fn each(value: &str, write: impl Fn(u8, &mut String) -> std::fmt::Result) -> Text {
    // No form of a byte is longer than four characters.
    let mut text = String::with_capacity(value.len() * 4);
    for byte in value.bytes() {
        let _ = write(byte, &mut text);
    }
    Zeroizing::new(text.into_bytes())
}

fn each_char(value: &str, write: impl Fn(char, &mut String) -> std::fmt::Result) -> Text {
    // No form of a character is longer than two escapes of six characters.
    let mut text = String::with_capacity(value.len() * 12);
    for character in value.chars() {
        let _ = write(character, &mut text);
    }
    Zeroizing::new(text.into_bytes())
}
