//! SARIF 2.1.0 (OASIS).

use std::collections::BTreeMap;

use serde_json::{Value, json};
use systemprompt_governance::secret::Scanner;

use super::spot::Spot;

/// The log of one run. Rule ids are those of the scanner.
pub(super) fn document(spots: &[Spot]) -> Value {
    let names: BTreeMap<&str, (&str, Option<&str>)> =
        Scanner::formats().map(|format| (format.id, (format.name, format.source))).collect();
    let mut ids: Vec<&str> = spots.iter().map(|spot| &*spot.rule).collect();
    ids.sort_unstable();
    ids.dedup();
    let rules: Vec<Value> = ids
        .iter()
        .map(|id| {
            let (name, source) = names.get(id).copied().unwrap_or((id, None));
            let mut rule = json!({ "id": id, "shortDescription": { "text": name } });
            if let (Some(source), Some(rule)) = (source, rule.as_object_mut()) {
                rule.insert("helpUri".to_owned(), source.into());
            }
            rule
        })
        .collect();
    let results: Vec<Value> = spots.iter().map(result).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "systemprompt",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn result(spot: &Spot) -> Value {
    let level = if spot.confidence == "medium" { "warning" } else { "error" };
    json!({
        "ruleId": spot.rule,
        "level": level,
        "message": { "text": format!("A secret of {} ({})", spot.vendor, spot.rule) },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": uri(&spot.path) },
            "region": { "startLine": spot.line },
        }}],
        "partialFingerprints": { "secret/v1": spot.fingerprint },
        "properties": { "confidence": spot.confidence, "view": spot.view },
    })
}

/// The path as the path of a URI (RFC 3986, section 3.3).
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'\\' => uri.push('/'),
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_escaped() {
        assert_eq!(uri("a b/é.env"), "a%20b/%C3%A9.env");
    }
}
