//! However a tool cuts and encodes what it was given, it does not come through.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use proptest::prelude::*;
use systemprompt_core::secret::Secret;
use systemprompt_custody::inject::{EchoFilter, NamedSecret};

use crate::house::{TOKEN, assert_clean};

fn filter(secrets: &[(&str, &str)]) -> EchoFilter {
    let secrets: Vec<(NamedSecret, Secret<String>)> = secrets
        .iter()
        .map(|(name, value)| (name.parse().unwrap(), Secret::new((*value).to_owned())))
        .collect();
    EchoFilter::new(secrets.iter().map(|(name, value)| (name, value)))
}

fn redact(secrets: &[(&str, &str)], text: &str) -> String {
    String::from_utf8(filter(secrets).redact(text.as_bytes()).into_owned()).unwrap()
}

/// The text in pieces that end at `cuts`, filtered as a stream.
fn in_pieces(filter: &EchoFilter, text: &[u8], cuts: &[usize]) -> Vec<u8> {
    let mut cuts: Vec<_> = cuts.iter().map(|cut| cut % (text.len() + 1)).collect();
    cuts.push(text.len());
    cuts.sort_unstable();
    let mut stream = filter.stream();
    let mut out = Vec::new();
    let mut done = 0;
    for cut in cuts {
        out.extend(stream.push(&text[done..cut]));
        done = cut;
    }
    out.extend(stream.finish());
    out
}

#[test]
fn every_encoding_of_a_value_is_replaced() {
    let wide: String = TOKEN.bytes().map(|byte| format!("{byte:02x} ")).collect();
    let percent: String = TOKEN.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let escaped: String = TOKEN.bytes().map(|byte| format!("\\x{byte:02x}")).collect();
    let unicode: String = TOKEN.chars().map(|c| format!("\\u{:04X}", u32::from(c))).collect();
    for (form, rest) in [
        (TOKEN.to_owned(), ""),
        (hex::encode(TOKEN), ""),
        (hex::encode_upper(TOKEN), ""),
        (wide, " "),
        (percent, ""),
        (escaped, ""),
        (unicode, ""),
        (TOKEN.replace('/', "\\/"), ""),
        (url::form_urlencoded::byte_serialize(TOKEN.as_bytes()).collect(), ""),
        (STANDARD.encode(TOKEN), ""),
        (URL_SAFE.encode(TOKEN), ""),
    ] {
        let out = redact(&[("key", TOKEN)], &format!("<{form}>"));
        assert_eq!(out, format!("<[redacted:secret://key]{rest}>"), "{form}");
    }
}

#[test]
fn base64_is_found_wherever_the_value_stands_in_it() {
    for before in ["", "a", "ab", "abc", "Authorization: Bearer "] {
        for after in ["", "\n", "; x=1", "\u{00ff}"] {
            let encoded = STANDARD.encode(format!("{before}{TOKEN}{after}"));
            let out = redact(&[("key", TOKEN)], &encoded);
            assert!(out.contains("[redacted:secret://key]"), "{before}|{after}: {out}");
            assert_clean(out.as_bytes(), TOKEN);
            // No more than the characters at the edges is left of what surrounds it.
            let left = out.replace("[redacted:secret://key]", "").len();
            assert!(left <= (before.len() + after.len()) * 4 / 3 + 6, "{before}|{after}: {out}");
        }
    }
}

#[test]
fn wrapped_lines_hide_nothing() {
    let key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQ\nEFAASCBKcwggSjAgEAAoIB\n-----END PRIVATE KEY-----\n";
    let wrap = |text: &str, width| {
        let lines: Vec<_> = text.as_bytes().chunks(width).map(String::from_utf8_lossy).collect();
        lines.join("\r\n")
    };
    let json = serde_json::to_string(&serde_json::json!({ "key": key })).unwrap();
    for echo in [
        key.to_owned(),
        key.replace('\n', "\r\n    "),
        key.replace('\n', " "),
        wrap(&STANDARD.encode(key), 76),
        wrap(&STANDARD.encode(key), 4),
        wrap(&hex::encode(key), 60),
        json.clone(),
        serde_json::to_string(&json).unwrap(),
    ] {
        let out = redact(&[("key", key)], &format!("begin {echo} end"));
        assert!(out.contains("[redacted:secret://key]"), "{echo} gave {out}");
        for line in ["MIIEvQIBADANBgkqhkiG9w0BAQ", "EFAASCBKcwggSjAgEAAoIB"] {
            assert_clean(out.as_bytes(), line);
        }
    }
}

#[test]
fn values_that_overlap_are_left_out_whole() {
    let secrets = [("outer", "abcdefghijkl"), ("inner", "cdefghij"), ("next", "ghijklmnop")];
    assert_eq!(redact(&secrets, "-abcdefghijkl-"), "-[redacted:secret://outer]-");
    assert_eq!(redact(&secrets, "-abcdefghijklmnop-"), "-[redacted:secret://outer]-");
    assert_eq!(
        redact(&secrets, "-cdefghij-ghijklmnop"),
        "-[redacted:secret://inner]-[redacted:secret://next]"
    );
    let repeated = "z".repeat(30);
    assert_eq!(redact(&[("z", "zzzzzzzz")], &format!("a{repeated}b")), "a[redacted:secret://z]b");
}

#[test]
fn basic_credentials_are_found_decoded() {
    let value = STANDARD.encode("service:correct horse");
    let secrets = [("basic", value.as_str())];
    assert_eq!(redact(&secrets, "user service:correct horse"), "user [redacted:secret://basic]");
    assert_eq!(redact(&secrets, "pw=correct horse;"), "pw=[redacted:secret://basic];");
}

#[test]
fn output_without_values_is_lent_as_it_is() {
    let filter = filter(&[("key", TOKEN), ("short", "abc")]);
    for text in ["", "abc", "tok_9f8Q", "nothing to see", "tok_9f8Q+z7/Lk3=vR2~y"] {
        assert!(matches!(filter.redact(text.as_bytes()), Cow::Borrowed(_)), "{text}");
    }
}

#[test]
fn a_stream_holds_back_only_what_may_be_a_value() {
    let filter = filter(&[("key", TOKEN)]);
    let mut stream = filter.stream();
    assert_eq!(stream.push(b"{\"id\":1}\n"), b"{\"id\":1}\n");
    assert_eq!(stream.push(b"see tok_9f8Q+z7"), b"see ");
    assert_eq!(stream.push(b"/Lk3=vR2~"), b"");
    assert_eq!(stream.push(b"x done"), b"[redacted:secret://key] done");
    assert_eq!(stream.push(b"tok_"), b"");
    assert_eq!(stream.push(b"nothing"), b"tok_nothing");
    assert_eq!(stream.push(b"tok_9f8Q"), b"");
    assert_eq!(stream.finish(), b"tok_9f8Q");
}

#[test]
fn a_line_that_has_ended_is_let_out() {
    let filter = filter(&[("key", TOKEN)]);
    for ending in "tokGb20d9r74%".chars() {
        let mut stream = filter.stream();
        let line = format!("lines end with {ending}\n");
        assert_eq!(stream.push(line.as_bytes()), line.as_bytes(), "{ending}");
    }
    // Unless it is longer than chance would have it.
    let mut stream = filter.stream();
    assert_eq!(stream.push(b"wrapped tok_9\n"), b"wrapped ");
    assert_eq!(stream.push(b"f8Q+z7/Lk3=vR2~x\n"), b"[redacted:secret://key]\n");
    // A line break in the value itself is part of it, however early.
    assert_eq!(
        redact(&[("key", "ab\ncdefghij")], "-ab\ncdefghij-ab\r\n  cdefghij-"),
        "-[redacted:secret://key]-[redacted:secret://key]-"
    );
}

#[test]
fn white_space_without_end_is_not_held_back_without_end() {
    let filter = filter(&[("key", TOKEN)]);
    let mut stream = filter.stream();
    let mut out = stream.push(b"tok_9f8Q");
    for _ in 0..100 {
        out.extend(stream.push(&[b' '; 1000]));
    }
    assert_eq!(out.len(), 8 + 100_000);
    assert_eq!(out[..8], *b"tok_9f8Q");
}

/// What a tool might do with a value.
fn encode(value: &str, way: usize) -> Vec<u8> {
    match way % 9 {
        0 => value.to_owned(),
        1 => hex::encode(value),
        2 => hex::encode_upper(value),
        3 => STANDARD.encode(value),
        4 => STANDARD.encode(format!("x{value}y")),
        5 => URL_SAFE.encode(format!("xx{value}yy")),
        6 => url::form_urlencoded::byte_serialize(value.as_bytes()).collect(),
        7 => serde_json::to_string(value).unwrap(),
        _ => value.bytes().map(|byte| format!("%{byte:02X}")).collect(),
    }
    .into_bytes()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_cut_of_the_output_is_filtered_the_same(
        first in "[ -~]{0,4}[a-c]{8,14}|[!-~]{8,40}|[!-~]{4}[äé\"\\\\/ \n]{0,6}[!-~]{6,9}",
        second in "[a-c]{8,10}|[!-~]{8,20}",
        pieces in prop::collection::vec((".{0,12}", 0_usize..40), 0..6),
        cuts in prop::collection::vec(0_usize..2000, 0..12),
    ) {
        let filter = filter(&[("first", &first), ("second", &second)]);
        let mut text = Vec::new();
        for (other, way) in &pieces {
            text.extend(other.as_bytes());
            let value = if way % 2 == 0 { &first } else { &second };
            if *way < 30 {
                text.extend(encode(value, *way));
            } else {
                text.extend(value.bytes().take(5));
            }
        }
        let whole = filter.redact(&text).into_owned();
        prop_assert_eq!(&in_pieces(&filter, &text, &cuts), &whole);
        let bytes: Vec<_> = (0..text.len()).collect();
        prop_assert_eq!(&in_pieces(&filter, &text, &bytes), &whole);
        let shown = String::from_utf8_lossy(&whole).replace("[redacted:secret://first]", "\u{1}");
        let shown = shown.replace("[redacted:secret://second]", "\u{1}");
        for value in [&first, &second] {
            assert_clean(shown.as_bytes(), value.trim());
        }
    }

    #[test]
    fn what_holds_no_value_is_not_changed(text in "[a-z \n{}\":]{0,200}", cut in 0_usize..200) {
        let filter = filter(&[("key", TOKEN)]);
        prop_assert_eq!(in_pieces(&filter, text.as_bytes(), &[cut]), text.as_bytes());
    }
}
