use serde_json::Value;

/// The canonical form of a JSON value (RFC 8785) that holds no fractions and no number beyond 2^53.
pub(super) fn canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            // Section 3.2.3: by UTF-16 code units.
            members.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            out.push('{');
            for (at, (name, member)) in members.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(name.as_str()).to_string());
                out.push(':');
                canonical(member, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                canonical(item, out);
            }
            out.push(']');
        }
        // Texts are escaped by the same rule (section 3.2.2.2) and whole numbers written alike.
        plain => out.push_str(&plain.to_string()),
    }
}

/// `value` itself where its canonical form is beyond doubt, and its text otherwise: the way fractions
/// and large numbers are written depends on who reads them.
pub(super) fn exact(value: &Value) -> Value {
    if is_exact(value) { value.clone() } else { Value::String(value.to_string()) }
}

fn is_exact(value: &Value) -> bool {
    const SAFE: i64 = 1 << 53;
    match value {
        Value::Object(members) => members.values().all(is_exact),
        Value::Array(items) => items.iter().all(is_exact),
        Value::Number(number) => number.as_i64().is_some_and(|n| (-SAFE..=SAFE).contains(&n)),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_are_sorted_as_utf_16() {
        // RFC 8785 section 3.2.3, as far as it holds no control characters.
        let value = json!({
            "\u{20ac}": "Euro Sign", "1": "One", "\u{fb33}": "Hebrew Letter Dalet With Dagesh",
            "\u{1f600}": "Emoji: Grinning Face", "\u{f6}": "Latin Small Letter O With Diaeresis",
        });
        let mut text = String::new();
        canonical(&value, &mut text);
        let places = ["One", "Latin", "Euro", "Emoji", "Hebrew"].map(|word| text.find(word));
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{text}");
    }

    #[test]
    fn what_is_not_exact_becomes_text() {
        assert_eq!(exact(&json!({ "a": [1, "b", null] })), json!({ "a": [1, "b", null] }));
        assert_eq!(exact(&json!({ "a": 1.5 })), json!("{\"a\":1.5}"));
        assert_eq!(exact(&json!([u64::MAX])), json!("[18446744073709551615]"));
    }
}
