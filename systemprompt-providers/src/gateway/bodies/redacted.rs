use systemprompt_core::secret::Redact;

/// What stands for a text that cannot be read.
const UNREADABLE: &str = "\"[unreadable]\"";

/// The first `most` bytes of a JSON text without its secrets, and whether there is more of it. Each text in it is
/// looked through as it is meant, without escapes, and whole, so that no secret is cut in two.
pub(super) fn redacted(json: &str, most: usize, redact: &dyn Redact) -> (String, bool) {
    let (mut clean, mut rest) = (String::new(), json);
    while clean.len() <= most && !rest.is_empty() {
        let Some(start) = rest.find('"') else {
            clean.push_str(rest);
            rest = "";
            break;
        };
        let (between, behind) = rest.split_at(start);
        clean.push_str(between);
        let (literal, behind) = behind.split_at(end_of_literal(behind));
        clean.push_str(&redacted_literal(literal, redact));
        rest = behind;
    }
    // What is a secret by the name beside it.
    let mut clean = redact.redact(&clean).into_owned();
    let is_cut = clean.len() > most || !rest.is_empty();
    clean.truncate(clean.floor_char_boundary(most.min(clean.len())));
    (clean, is_cut)
}

/// Where the literal that `text` begins with ends, its quotes included.
fn end_of_literal(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// A literal as it stands, unless there is a secret in it.
fn redacted_literal(literal: &str, redact: &dyn Redact) -> String {
    let Ok(text) = serde_json::from_str::<String>(literal) else {
        return UNREADABLE.to_owned();
    };
    let clean = redact.redact(&text);
    if clean == text {
        return literal.to_owned();
    }
    serde_json::to_string(&clean).unwrap_or_else(|_| UNREADABLE.to_owned())
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const SECRET: &str = "line-1\n\"KEY\"\u{e9}";

    struct Hide;

    impl Redact for Hide {
        fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
            text.replace(SECRET, "[x]").into()
        }
    }

    #[test]
    fn every_other_byte_stays() {
        for text in [
            r#"{ "b" : [1.0, 1e400, -0],"a":"\u00e9\/\"", "a2":"" }"#,
            "[]",
            "null",
            r#"  "x"  "#,
            "",
        ] {
            assert_eq!(redacted(text, 1000, &Hide), (text.to_owned(), false));
        }
    }

    #[test]
    fn a_secret_is_found_however_it_is_escaped() {
        for literal in [
            r#""a line-1\n\"KEY\"é b""#,
            r#""a line\u002d1\u000a\u0022KEY\u0022\u00e9 b""#,
            r#""\u0061 \u006cine-1\n\"KE\u0059\"é b""#,
        ] {
            let (clean, _) = redacted(&format!("[{literal},{{{literal}:1}}]"), 1000, &Hide);
            assert_eq!(clean, r#"["a [x] b",{"a [x] b":1}]"#, "{literal}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        for (text, clean) in [
            (r#"["\ud800 KEY", 1]"#, r#"["[unreadable]", 1]"#),
            (r#"["never ended KEY"#, r#"["[unreadable]""#),
        ] {
            assert_eq!(redacted(text, 1000, &Hide).0, clean);
        }
    }

    proptest! {
        #[test]
        fn no_cut_shows_a_part_of_a_secret(
            before in ".{0,20}", between in ".{0,20}", most in 0_usize..200,
        ) {
            let text = json!([before, format!("{between}{SECRET}"), SECRET, {SECRET: between}]);
            let whole = redacted(&text.to_string(), usize::MAX, &Hide).0;
            let (clean, was_cut) = redacted(&text.to_string(), most, &Hide);
            prop_assert!(clean.len() <= most);
            prop_assert!(whole.starts_with(&clean), "{whole}\n{clean}");
            prop_assert_eq!(was_cut, clean.len() < whole.len());
            prop_assert!(!whole.contains("KEY"));
            let expected = json!([before, format!("{between}[x]"), "[x]", {"[x]": between}]);
            prop_assert_eq!(serde_json::from_str::<Value>(&whole).unwrap(), expected);
        }
    }
}
