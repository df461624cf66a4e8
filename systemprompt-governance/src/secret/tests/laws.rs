//! Laws that hold for every text.

use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::dice::Dice;
use super::*;

const TOKENS: &[&str] = &[
    "AKIA{u16}",
    "ghp_{a36}",
    "xoxb-{d12}-{d13}-{a24}",
    "sk-ant-api03-{w93}AA",
    "-----BEGIN EC PRIVATE KEY-----\n{b64}\n-----END EC PRIVATE KEY-----",
    "postgres://app:{a16}@db:5432/app",
    "glpat-{w20}",
    "sp_live_k7f3_{h64}",
];

/// JSON as tools send it: words, numbers, paths, in a few levels.
fn benign() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i32>().prop_map(|n| json!(n)),
        "[a-z]{1,8}( [a-zA-Z,.]{1,9}){0,12}".prop_map(Value::String),
        "(/[a-z]{1,8}){1,5}\\.rs".prop_map(Value::String),
        "\\PC{0,24}".prop_map(Value::String),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::btree_map("[a-z_]{1,9}", inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Puts `token` somewhere into `document`: as a value, inside a text, or as a key.
fn plant(document: Value, token: &str, dice: &mut Dice) -> Value {
    match document {
        Value::Array(mut items) if !items.is_empty() && dice.below(4) > 0 => {
            let at = dice.below(items.len());
            items[at] = plant(items[at].take(), token, dice);
            Value::Array(items)
        }
        Value::Object(mut members) if !members.is_empty() && dice.below(4) > 0 => {
            let key = members.keys().nth(dice.below(members.len())).unwrap().clone();
            let value = members.remove(&key).unwrap();
            members.insert(key, plant(value, token, dice));
            Value::Object(members)
        }
        other => match dice.below(4) {
            0 => json!(token),
            1 => json!(format!("it is {token}, isn't it")),
            2 => json!({ token: other }),
            _ => json!([other, { "deep": [token] }]),
        },
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn a_planted_token_is_always_found_and_never_told(
        document in benign(), seed in any::<u64>(), which in 0..TOKENS.len()
    ) {
        let mut dice = Dice(seed);
        let filled = dice.fill_parts(TOKENS[which]);
        let document = plant(document, &filled.text, &mut dice).to_string();
        let scanner = scanner();
        let finding = scanner.scan_arguments(&arguments(&document));
        prop_assert!(finding.is_some(), "{document}");
        let told = format!("{:?}", scanner.find_all(&arguments(&document)));
        prop_assert!(filled.parts.iter().all(|part| part.len() < 6 || !told.contains(&**part)));
    }

    #[test]
    fn redaction_leaves_no_part_of_a_token(
        before in "\\PC{0,40}", after in "\\PC{0,40}", seed in any::<u64>(), which in 0..TOKENS.len()
    ) {
        let filled = Dice(seed).fill_parts(TOKENS[which]);
        let scanner = scanner();
        let text = format!("{before} {} {after}", filled.text);
        let clean = scanner.redact(&text);
        prop_assert!(filled.parts.iter().all(|part| part.len() < 6 || !clean.contains(&**part)));
    }

    #[test]
    fn any_text_can_be_scanned_and_a_clean_one_stays_as_it_is(text in "\\PC*") {
        let scanner = scanner();
        let found = scanner.scan_text(&text);
        let clean = scanner.redact(&text);
        prop_assert_eq!(found.is_none(), matches!(clean, std::borrow::Cow::Borrowed(_)));
    }

    #[test]
    fn any_mixture_of_what_rules_look_for_can_be_scanned(
        parts in prop::collection::vec(
            prop_oneof![
                Just("-----BEGIN "), Just("PRIVATE KEY-----"), Just("password"), Just("="), Just(": \""),
                Just("://"), Just("@"), Just("Bearer "), Just("Basic "), Just("sk-"), Just("eyJ"), Just("."),
                Just("é"), Just("\\n"), Just("\u{10ffff}"), Just("Q~"), Just(":AA"), Just("1234567890abcdef"),
                Just(" is "), Just("--token "), Just("<secret>"), Just("'"), Just("\n"),
            ],
            0..40,
        )
    ) {
        let text: String = parts.concat();
        let scanner = scanner();
        let clean = scanner.redact(&text).into_owned();
        prop_assert_eq!(scanner.scan_text(&text).is_none(), clean == text);
    }
}

/// What looks like the start of a secret over and over must not cost more than it is long.
#[test]
fn hostile_repetitions_are_answered() {
    let scanner = scanner();
    for unit in [
        "a",
        "key:",
        "sk-",
        "eyJ",
        "://",
        "password=",
        "Bearer ",
        "Basic ",
        "-----BEGIN ",
        "AKIA",
        "PuTTY-User-Key-File-",
        "eyJa.",
        "'",
        "-----BEGIN PRIVATE KEY-----\nMIIE",
        "xoxb-",
        "a1b2c3d4e5f6g7h8.",
        "secret: ",
        "0123456789:AA",
        " ",
    ] {
        let text = unit.repeat((1 << 16) / unit.len());
        let _ = scanner.scan_text(&text);
        let _ = scanner.redact(&text);
    }
    let mut keys = String::from("{");
    for n in 0..20_000 {
        let _ = write!(keys, "\"token{n}\":\"sk-sk-\",");
    }
    keys.push_str("\"z\":0}");
    let _ = scanner.scan_arguments(&arguments(&keys));
}

/// Whether a place was found before must be asked in less than the number of places that were.
#[test]
fn tens_of_thousands_of_secrets_are_all_found() {
    let mut dice = Dice(17);
    let mut text = String::new();
    let mut count = 0;
    while text.len() < 1 << 20 {
        let id = dice.fill("AKIA{u16}");
        // Every other one is written in another way.
        let first = if count % 2 == 0 { "A" } else { "%41" };
        let _ = writeln!(text, "{first}{}.", &id[1..]);
        count += 1;
    }
    assert!(count > 40_000);
    assert_eq!(scanner().find_in_text(&text).len(), count);
}
