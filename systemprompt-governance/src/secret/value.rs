//! What the look of a value says about it.

use std::ops::Range;

use super::class::Class;
use super::letters::wordiness;
use super::look::Look;
pub(super) use super::look::{distinct, entropy};

/// Longest value that is judged.
const MAX_VALUE: usize = 512;

/// A value in a text and how it is written.
pub(super) struct Value {
    pub(super) span: Range<usize>,
    /// Between quotes, or a JSON string of its own; otherwise it may be an expression of a program.
    pub(super) quoted: bool,
}

impl Value {
    /// The value that starts at `start`.
    pub(super) fn at(bytes: &[u8], start: usize) -> Self {
        let quote = start
            .checked_sub(1)
            .and_then(|before| bytes.get(before))
            .copied()
            .filter(|byte| matches!(byte, b'"' | b'\'' | b'`'));
        let rest = bytes.get(start..).unwrap_or_default();
        let rest = rest.get(..rest.len().min(MAX_VALUE)).unwrap_or_default();
        let length = match quote {
            Some(quote) => rest.iter().take_while(|byte| !ends_quoted(**byte, quote)).count(),
            None => {
                let length = bare_len(rest);
                let bare = rest.get(..length).unwrap_or_default();
                length - bare.iter().rev().take_while(|byte| b".:!?*".contains(byte)).count()
            }
        };
        Self { span: start..start + length, quoted: quote.is_some() }
    }
}

/// Where the value begins of which a long part stands at `part`: `na1.`, `sc_x.y.` and `2:` belong to it.
pub(super) fn first_part(bytes: &[u8], part: usize) -> usize {
    const LONGEST: usize = 48;
    let head = bytes.get(part.saturating_sub(LONGEST)..part).unwrap_or_default();
    let length = match head.last() {
        Some(b'.') => {
            let in_part = |byte: &&u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
            head.iter().rev().take_while(in_part).count()
        }
        Some(b':') => match head.iter().rev().skip(1).take_while(|b| b.is_ascii_digit()).count() {
            0 => 0,
            digits => digits + 1,
        },
        _ => 0,
    };
    part - length
}

fn ends_quoted(byte: u8, quote: u8) -> bool {
    byte == quote || matches!(byte, b'\n' | b'\r' | b'\\')
}

/// How long the value is that `rest` begins with. Outside of quotes `=` only pads the end of one.
fn bare_len(rest: &[u8]) -> usize {
    static ENDS: Class = Class::of(b" \t\n\x0c\r\"'`\\,;<>)]}|&");
    let mut length = 0;
    while let [byte, after @ ..] = rest.get(length..).unwrap_or_default() {
        let assigns = *byte == b'=' && after.first().is_some_and(u8::is_ascii_alphanumeric);
        if ENDS.has(*byte) || assigns {
            break;
        }
        length += 1;
    }
    length
}

/// Whether a value can be one at all: every secret has a digit or a symbol that words do not have, or
/// changes between cases all the time.
pub(super) fn is_candidate(value: &[u8]) -> bool {
    static TELLING: Class = Class::of(b"0123456789!@#%^*?~+=$&");
    let telling = |byte: &u8| TELLING.has(*byte);
    value.len() >= 6 && (value.iter().any(telling) || is_jumbled(value))
}

/// Whether a long run of letters is no words, not even joined ones: both cases are about as frequent,
/// and change at every third letter or more often.
fn is_jumbled(value: &[u8]) -> bool {
    let turns = value.iter().zip(value.iter().skip(1));
    let turns = turns.filter(|(one, next)| {
        one.is_ascii_alphabetic()
            && next.is_ascii_alphabetic()
            && one.is_ascii_uppercase() != next.is_ascii_uppercase()
    });
    let upper = value.iter().filter(|byte| byte.is_ascii_uppercase()).count();
    let share = upper * 100 / value.len().max(1);
    value.len() >= 16 && (30..=70).contains(&share) && turns.count() * 3 >= value.len()
}

/// Whether a value looks made by a machine: 12 to 512 bytes without words in it.
pub(super) fn is_random(value: &[u8]) -> bool {
    if !(12..=MAX_VALUE).contains(&value.len()) || is_uuid(value) || is_address(value) {
        return false;
    }
    let look = Look::of(value);
    let symbols = look.other <= 4 && value.len() > 24;
    let key = value.len() >= 40 && look.other * 2 < value.len() && distinct(value) >= 20;
    let token = look.other == 0 || symbols || key;
    let letters = look.lower + look.upper;
    let short = value.len() < 16;
    if !token || letters < 2 || (short && (look.lower == 0 || look.upper == 0)) {
        return false;
    }
    distinct(value) >= 8
        && entropy(value) >= if short { 3.2 } else { 2.9 }
        && !is_identifier(value)
        && by_chance(value, &look)
        && is_plausible(value)
}

/// Whether a value is the address of an account or a contract on Ethereum, which is public.
fn is_address(value: &[u8]) -> bool {
    value.strip_prefix(b"0x").is_some_and(|hex| hex.len() == 40)
}

/// Whether a value is made of short words and numbers of one case, as `RSA_PKCS1_SHA256` and
/// `eu-west-1a` are.
fn is_identifier(value: &[u8]) -> bool {
    let mut parts = 0;
    let plain = value.split(|byte| matches!(byte, b'_' | b'-' | b'.' | b'/')).all(|part| {
        parts += 1;
        let letters = part.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let rest = part.get(letters..).unwrap_or_default();
        part.len() <= 12 && rest.len() <= 4 && rest.iter().all(u8::is_ascii_digit)
    });
    let upper = value.iter().any(u8::is_ascii_uppercase);
    let lower = value.iter().any(u8::is_ascii_lowercase);
    plain && parts > 1 && !(upper && lower)
}

/// Whether words, and not chance, make up a token.
pub(super) fn is_by_words(token: &[u8]) -> bool {
    wordiness(token) > 8 || !token.iter().any(u8::is_ascii_digit)
}

/// Whether chance put the letters and digits in their order.
fn by_chance(value: &[u8], look: &Look) -> bool {
    let words = wordiness(value);
    let turns = i32::try_from(look.turns).unwrap_or(i32::MAX);
    // Each place beyond a few where letters and digits meet speaks for chance.
    let chance = turns.saturating_sub(2).saturating_mul(3).saturating_sub(words);
    let cases = look.lower > 0 && look.upper > 0;
    if look.digits < 2 {
        return chance >= 16 && cases && value.len() >= 16;
    }
    // By chance, too, letters stand together; more so where both cases are used.
    let most = value.len() * if cases { 60 } else { 45 } / 100;
    let unwordy = look.wordy <= most || look.turns * 6 >= value.len();
    chance >= 6 || (unwordy && chance >= -8)
}

/// Whether a value looks like a password: 6 to 128 bytes, letters with digits or symbols.
pub(super) fn is_password(value: &[u8], quoted: bool) -> bool {
    if !(6..=128).contains(&value.len()) || is_uuid(value) {
        return false;
    }
    let look = Look::of(value);
    let letters = look.lower + look.upper;
    let symbols = value.iter().filter(|byte| b"!@#%^*?~+=$&".contains(byte)).count();
    if letters == 0
        || (look.digits == 0 && symbols == 0)
        || distinct(value) < 4
        || is_algorithm(value)
        || (!quoted && look.digits == 0 && is_attribute(value))
    {
        return false;
    }
    (quoted || !is_expression(value)) && is_plausible(value)
}

/// Whether a bare value is the name of what follows, as in `name="password" required="required"`, or a
/// directive such as `#include`.
fn is_attribute(value: &[u8]) -> bool {
    let word =
        |text: &[u8]| text.iter().all(|byte| byte.is_ascii_alphabetic() || b"-_:".contains(byte));
    matches!(value, [name @ .., b'='] | [b'#', name @ ..] if word(name))
}

/// Whether a value is a word with a number behind it, as names of things are.
pub(super) fn is_numbered_word(value: &[u8]) -> bool {
    let digits = value.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let word = value.get(..value.len() - digits).unwrap_or_default();
    let plain = |byte: &u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-' | b'.' | b' ');
    word.iter().all(plain) && digits <= 4
}

/// Neither a placeholder nor a reference to something kept elsewhere.
pub(super) fn is_plausible(value: &[u8]) -> bool {
    const REFERENCES: [&[u8]; 12] = [
        b"${",
        b"$(",
        b"<",
        b"{",
        b"%(",
        b"[",
        b"process.",
        b"os.",
        b"env.",
        b"secret:",
        b"vault:",
        b"op:",
    ];
    const PLACEHOLDERS: [&[u8]; 12] = [
        b"example",
        b"placeholder",
        b"changeme",
        b"change_me",
        b"change-me",
        b"your_",
        b"your-",
        b"redacted",
        b"dummy",
        b"....",
        b"${",
        b"{{",
    ];
    let variable = matches!(value, [b'$', name, ..] if name.is_ascii_alphabetic() || *name == b'_')
        && value.iter().skip(1).all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let windows = matches!(value, [b'%', name @ .., b'%'] if name.iter().all(|byte| byte.is_ascii_alphabetic() || *byte == b'_'));
    let slashes = value.iter().filter(|byte| **byte == b'/').count();
    let path = value.starts_with(b"~/")
        || slashes >= 2 && matches!(value, [b'/' | b'.' | b'~', ..]) && !value.ends_with(b"=");
    !(variable || windows || path)
        && value.iter().all(|byte| byte.is_ascii_graphic() || !byte.is_ascii())
        && memchr::memmem::find(value, b"://").is_none()
        && !REFERENCES.iter().any(|start| value.starts_with(start))
        && !PLACEHOLDERS.iter().any(|word| contains_ignoring_case(value, word))
        && !is_crossed_out(value)
}

/// Whether a good part of a value is crosses in a row.
fn is_crossed_out(value: &[u8]) -> bool {
    let row = |cross: u8| value.windows(4).any(|four| four.iter().all(|byte| *byte == cross));
    let crosses = value.iter().filter(|byte| matches!(byte, b'x' | b'X' | b'*')).count();
    crosses * 5 >= value.len() * 2 && [b'x', b'X', b'*'].into_iter().any(row)
}

fn contains_ignoring_case(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word))
}

/// Names of algorithms and types hold digits but no secret.
fn is_algorithm(value: &[u8]) -> bool {
    const NAMES: [&[u8]; 23] = [
        b"sha1",
        b"sha224",
        b"sha256",
        b"sha384",
        b"sha512",
        b"sha-1",
        b"sha-256",
        b"sha-512",
        b"base64",
        b"argon2",
        b"argon2i",
        b"argon2id",
        b"pbkdf2",
        b"oauth2",
        b"aes128",
        b"aes256",
        b"aes-256",
        b"utf-8",
        b"utf-16",
        b"latin1",
        b"string1",
        b"bcrypt2",
        b"ed25519",
    ];
    value
        .split(|byte| matches!(byte, b'_' | b'.' | b'/' | b'$'))
        .any(|part| NAMES.iter().any(|name| part.eq_ignore_ascii_case(name)))
}

/// `user.password2`, `get_password(1)`, `params[:pw1]`: code, not a value.
fn is_expression(value: &[u8]) -> bool {
    let call = value.iter().any(|byte| b"()[]{}<>".contains(byte));
    let mut parts = value.split(|byte| *byte == b'.');
    let dotted = value.contains(&b'.')
        && parts.all(|part| {
            part.first().is_some_and(u8::is_ascii_alphabetic)
                && part.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        });
    let path = memchr::memmem::find(value, b"::").is_some();
    // `6.hours`, `16384u32`
    let count = value.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let typed = value.get(count..).is_some_and(|rest| {
        matches!(rest, [b'u' | b'i' | b'f', bits @ ..] if matches!(bits, b"8" | b"16" | b"32" | b"64" | b"128" | b"size"))
    });
    let unit = value.get(count..).and_then(|rest| rest.strip_prefix(b"."));
    let measured = unit.is_some_and(|unit| unit.iter().all(u8::is_ascii_lowercase));
    let amount = count > 0 && (typed || measured);
    let tag = matches!(value, [b'!', name @ ..] if name.iter().all(u8::is_ascii_alphabetic));
    call || dotted || path || amount || tag || matches!(value, [b'&' | b'@' | b'*', ..])
}

/// Whether a value is written as a UUID, and not all the same.
pub(super) fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Whether a value is a form to fill in: mostly `x` or `*`, or it tells the reader what to put there.
pub(super) fn is_blank(value: &[u8]) -> bool {
    const WORDS: [&[u8]; 4] = [b"your-", b"your_", b"replace", b"placeholder"];
    let crosses = value.iter().filter(|byte| matches!(byte, b'x' | b'X' | b'*')).count();
    let tail = value.get(value.len().saturating_sub(b"-here".len())..).unwrap_or_default();
    crosses * 2 > value.len()
        || is_crossed_out(value)
        || tail.eq_ignore_ascii_case(b"-here")
        || tail.eq_ignore_ascii_case(b"_here")
        || WORDS.iter().any(|word| contains_ignoring_case(value, word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_alone_can_be_a_secret_only_when_they_are_jumbled() {
        assert!(is_candidate(b"VrCdHGSIZQUuOxSnzUMwZtTHeQBRoXeTBhJNCriu"));
        for words in
            ["TheQuickBrownFoxJumpsOverTheLazyDogToday", "a-long-name-of-many-lower-case-words"]
        {
            assert!(!is_candidate(words.as_bytes()), "{words}");
        }
    }

    #[test]
    fn machine_made_values_look_random() {
        for value in [
            "4f3c2b1a0d9e8f7c6b5a4d3e2f1a0b9c",
            "Zk3vQ9tL2mXw8RbN5yHd",
            "aB3dE5fG7hJ9",
            "wJalr3UtnFEMI/K7MDENG/bPx9fiCYq2w8eKEY9",
            "9a8sd7f6g5h4j3k2l1",
        ] {
            assert!(is_random(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn words_references_and_ids_do_not() {
        for value in [
            "my-secret-token-2024",
            "550e8400-e29b-41d4-a716-446655440000",
            "${API_KEY_2024_PROD}",
            "/var/run/secrets/token1",
            "your-api-key-1234567890",
            "xxxxxxxxxxxxxxxx1234",
            "getUserAccessTokenV2",
            "2024-01-15T10:00:00Z",
            "12345678901234567890",
            "keep it simple",
        ] {
            assert!(!is_random(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn passwords_need_more_than_letters() {
        for value in ["hunter2", "Passw0rd!", "correct#horse", "s3cr3t-p4ss"] {
            assert!(is_password(value.as_bytes(), false), "{value}");
        }
        for value in [
            "string",
            "String",
            "sha256",
            "user.password2",
            "get_pw(1)",
            "$PASSWORD1",
            "<pass1>",
            "16384u32",
            "6.hours",
            "!secret",
            "%PASSWORD%",
            "~/pw1",
        ] {
            assert!(!is_password(value.as_bytes(), false), "{value}");
        }
    }
}
