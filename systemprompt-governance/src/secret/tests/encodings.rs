//! Twenty-seven ways to write a token down, of which all but two are seen through.

use std::fmt::Write as _;
use std::io::Write as _;

use ::base64::Engine as _;
use ::base64::prelude::{BASE64_STANDARD as STANDARD, BASE64_URL_SAFE_NO_PAD as URL};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::dice::Dice;
use super::*;

type Encoding = (&'static str, fn(&str) -> Value);

const ENCODINGS: &[Encoding] = &[
    ("plain", |token| json!({ "note": token })),
    ("json key", |token| json!({ token: 1 })),
    ("json in json", |token| json!({ "body": json!({ "note": token }).to_string() })),
    ("base64", |token| json!({ "data": STANDARD.encode(token) })),
    (
        "base64 in a text",
        |token| json!({ "text": format!("run echo {} | base64 -d now", STANDARD.encode(token)) }),
    ),
    ("base64url without padding", |token| json!({ "data": URL.encode(token) })),
    ("base64 twice", |token| json!({ "data": STANDARD.encode(STANDARD.encode(token)) })),
    ("gzip in base64", |token| {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(token.as_bytes()).unwrap();
        json!({ "data": STANDARD.encode(gzip.finish().unwrap()) })
    }),
    ("hex", |token| json!({ "data": hex::encode(token) })),
    ("reversed", |token| json!({ "data": token.chars().rev().collect::<String>() })),
    ("rot13", |token| json!({ "data": token.chars().map(rot13).collect::<String>() })),
    (
        "one character escaped",
        |token| json!({ "code": format!("\\u{:04x}{}", u32::from(token.as_bytes()[0]), &token[1..]) }),
    ),
    ("all escaped", |token| json!({ "code": each(token, |byte| format!("\\u{byte:04x}")) })),
    ("percent", |token| json!({ "url": each(token, |byte| format!("%{byte:02X}")) })),
    (
        "percent in part",
        |token| json!({ "url": format!("https://x.example/?q={}%{:02x}{}", &token[..2], token.as_bytes()[2], &token[3..]) }),
    ),
    ("html entities", |token| json!({ "html": each(token, |byte| format!("&#{byte};")) })),
    ("utf-16 in base64", |token| {
        let wide: Vec<u8> = token.encode_utf16().flat_map(u16::to_le_bytes).collect();
        json!({ "data": STANDARD.encode(&wide) })
    }),
    ("zero width", |token| json!({ "text": format!("{}\u{200b}{}", &token[..6], &token[6..]) })),
    ("soft hyphen", |token| json!({ "text": format!("{}\u{ad}{}", &token[..3], &token[3..]) })),
    (
        "look-alikes",
        |token| json!({ "text": token.replace('A', "А").replace('o', "о").replace('x', "х").replace('p', "р") }),
    ),
    (
        "full width",
        |token| json!({ "text": token.chars().map(|c| char::from_u32(u32::from(c) + 0xfee0).unwrap()).collect::<String>() }),
    ),
    (
        "tag characters",
        |token| json!({ "text": format!("hi{}", token.chars().map(|c| char::from_u32(u32::from(c) + 0xe_0000).unwrap()).collect::<String>()) }),
    ),
    (
        "spaced letters",
        |token| json!({ "text": token.chars().map(String::from).collect::<Vec<_>>().join(" ") }),
    ),
    ("two fields", |token| json!({ "a": &token[..9], "b": &token[9..] })),
    ("an array", |token| {
        let third = token.len() / 3;
        json!({ "parts": [&token[..third], &token[third..2 * third], &token[2 * third..]] })
    }),
    ("a line break", |token| json!({ "text": format!("{}\n{}", &token[..11], &token[11..]) })),
    (
        "concatenation",
        |token| json!({ "code": format!("const k = '{}' + '{}';", &token[..7], &token[7..]) }),
    ),
];

const TOKENS: &[(&str, &str)] = &[
    ("aws-access-key-id", "AKIA{u16}"),
    ("github-token", "ghp_{a36}"),
    ("slack-token", "xoxb-{d12}-{d13}-{a24}"),
];

/// What is not seen through, as `docs/secret-scanner.md` says.
const UNSEEN: &[&str] = &["reversed", "rot13"];

fn each(token: &str, write: impl Fn(u8) -> String) -> String {
    token.bytes().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{}", write(byte));
        text
    })
}

fn rot13(unit: char) -> char {
    let turn = |base: u8| char::from((unit as u8 - base + 13) % 26 + base);
    match unit {
        'a'..='z' => turn(b'a'),
        'A'..='Z' => turn(b'A'),
        other => other,
    }
}

#[test]
fn all_encodings_but_two_are_seen_through() {
    assert_eq!(ENCODINGS.len(), 27);
    let mut dice = Dice(11);
    let mut wrong = Vec::new();
    for (rule, template) in TOKENS {
        for round in 0..10 {
            let token = dice.fill(template);
            for (name, encode) in ENCODINGS {
                let document = encode(&token).to_string();
                let found = scanner().find_all(&arguments(&document));
                let seen = found.iter().any(|finding| *finding.rule == **rule);
                if seen == UNSEEN.contains(name) {
                    wrong.push(format!("{round} {name}: {document} gives {found:?}"));
                }
                assert!(!format!("{found:?}").contains(&token[6..]), "{name}");
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

/// Writes a token in another way.
type Encode = fn(&str) -> String;

/// More ways to write a token, which need no more of a document than a text.
const OTHERS: &[(&str, Encode)] = &[
    ("base64 behind 1", |token| format!("{}{}", "z", STANDARD.encode(token))),
    ("base64 behind 2", |token| format!("blob {}{}", "_9", STANDARD.encode(token))),
    ("base64 behind 3", |token| format!("{}{}", "k-Q", URL.encode(token))),
    ("base64 behind a word", |token| {
        format!("{}{}", "prefix-", STANDARD.encode(format!("the token is {token}, so")))
    }),
    ("base64 within a text", |token| {
        format!("{}{}", "v1_", URL.encode(format!("{{\"token\": \"{token}\"}}")))
    }),
    ("many in base64", |token| {
        let words = |text: &str| STANDARD.encode(text);
        let word = words("just a few words");
        format!("{word} {} {word}", words(token))
    }),
    ("hex behind 0x", |token| format!("0x{}", hex::encode(token))),
    ("%u", |token| each(token, |byte| format!("%u{byte:04X}"))),
    ("%u in part", |token| format!("{}%u{:04x}{}", &token[..2], token.as_bytes()[2], &token[3..])),
    ("colour", |token| format!("is \x1b[32m{}\x1b[1;31m{}\x1b[0m.", &token[..7], &token[7..])),
    ("colour as an escape", |token| format!(r"\x1b[32m{}\033[0m{}", &token[..7], &token[7..])),
    ("quoted-printable", |token| format!("so {}=\r\n{} and", &token[..11], &token[11..])),
    ("three lines of two tokens", |token| {
        format!("{}\n{}\n{}", "a1b2c3d4e5f6g7", &token[..11], &token[11..])
    }),
];

#[test]
fn other_ways_are_seen_through() {
    let mut dice = Dice(23);
    for (rule, template) in TOKENS {
        for _ in 0..10 {
            let token = dice.fill(template);
            for (name, encode) in OTHERS {
                let text = encode(&token);
                let found = scanner().find_in_text(&text);
                assert!(found.iter().any(|f| *f.finding.rule == **rule), "{name}: {text}");
                let spans = found.iter().map(|f| f.span.clone());
                assert!(spans.is_sorted_by(|one, next| one.end <= next.start), "{name}");
            }
        }
    }
}

#[test]
fn one_secret_has_one_fingerprint_however_it_is_written() {
    let token = Dice(3).fill("ghp_{a36}");
    let prints: Vec<_> = ENCODINGS
        .iter()
        .filter(|(name, _)| !UNSEEN.contains(name))
        .map(|(_, encode)| {
            let found = scanner().find_all(&arguments(&encode(&token).to_string()));
            found.into_iter().find(|f| &*f.rule == "github-token").unwrap().fingerprint
        })
        .collect();
    assert!(prints.iter().all(|print| *print == prints[0]), "{prints:?}");
}

#[test]
fn a_finding_names_the_steps_that_led_to_it() {
    let token = Dice(4).fill("ghp_{a36}");
    let twice = STANDARD.encode(STANDARD.encode(&token));
    for (text, view) in [
        (token.clone(), "plain"),
        (format!("x={twice}"), "base64>base64"),
        (each(&token, |byte| format!("%25{byte:02X}")), "percent>percent"),
    ] {
        let found = scanner().find_in_text(&text);
        assert_eq!((found.len(), &*found[0].finding.view), (1, view), "{text}");
    }
}

#[test]
fn the_span_of_a_decoded_secret_is_where_it_is_written() {
    let token = Dice(5).fill("ghp_{a36}");
    let written = each(&token, |byte| format!("&#x{byte:x};"));
    let text = format!("some words before it {written} and some behind");
    let found = scanner().find_in_text(&text);
    assert_eq!(&text[found[0].span.clone()], written);
    let clean = scanner().redact(&text);
    assert_eq!(clean, "some words before it [redacted:github-token] and some behind");
}
