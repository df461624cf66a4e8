//! OCSF events against the published schema, reduced to what is used of it (`ocsf/README.md`).

use std::collections::BTreeSet;

use serde_json::Value;
use systemprompt_audit::export::Format;
use systemprompt_core::call::Digest;

use super::formats::encode;
use super::samples::samples;

const SCHEMA: &str = include_str!("ocsf/api_activity.json");

#[tokio::test]
async fn every_event_is_valid() {
    let schema = schema();
    for event in samples().await {
        let line = encode(Format::Ocsf, &event);
        let value = serde_json::from_str(&line).unwrap();
        let faults = check(&schema, &value);
        assert!(faults.is_empty(), "{faults:#?}\n{value:#}");
    }
}

#[tokio::test]
async fn the_checker_finds_what_is_wrong() {
    type Break = fn(&mut Value);
    let schema = schema();
    let event = samples().await.remove(0);
    let sound: Value = serde_json::from_str(&encode(Format::Ocsf, &event)).unwrap();
    let breaks: [(&str, Break); 9] = [
        ("no `severity_id`", |e| drop(e.as_object_mut().unwrap().remove("severity_id"))),
        ("unknown `colour`", |e| e["colour"] = "red".into()),
        ("unknown `metadata.colour`", |e| e["metadata"]["colour"] = "red".into()),
        ("`action_id` is none of", |e| e["action_id"] = 77.into()),
        ("`time` is no integer", |e| e["time"] = "now".into()),
        ("no `metadata.product`", |e| {
            drop(e["metadata"].as_object_mut().unwrap().remove("product"));
        }),
        ("none of", |e| e["actor"] = serde_json::json!({})),
        ("profile `trace`", |e| e["metadata"]["profiles"] = serde_json::json!(["ai_operation"])),
        ("`type_uid`", |e| e["type_uid"] = 600_301.into()),
    ];
    for (expected, break_it) in breaks {
        let mut broken = sound.clone();
        break_it(&mut broken);
        let faults = check(&schema, &broken);
        assert!(faults.iter().any(|fault| fault.contains(expected)), "{expected}: {faults:?}");
    }
}

/// The fingerprint can be checked by anyone who has the event and nothing else: it is taken over the
/// canonical form (RFC 8785) of the event without the fingerprint.
#[tokio::test]
async fn the_fingerprint_is_that_of_the_event() {
    for event in samples().await {
        let mut value: Value = serde_json::from_str(&encode(Format::Ocsf, &event)).unwrap();
        let attestation = value["attestation_list"][0].as_object_mut().unwrap();
        let fingerprint = attestation.remove("fingerprint").unwrap();
        // Keys are ASCII or sorted by code points below the surrogates, which this map does.
        let digest = Digest::of(value.to_string().as_bytes());
        assert_eq!(fingerprint["value"], digest.to_string(), "{}", event.kind);
    }
}

#[tokio::test]
async fn a_leak_is_an_alert_and_says_so() {
    let events = samples().await;
    let leak = events.iter().find(|e| e.reason_code.as_deref() == Some("secret_detected"));
    let value: Value = serde_json::from_str(&encode(Format::Ocsf, leak.unwrap())).unwrap();
    assert_eq!(value["class_uid"], 6003);
    assert_eq!(value["is_alert"], true);
    assert_eq!(value["severity_id"], 4);
    assert_eq!(value["status_code"], "secret_detected");
    assert_eq!(value["disposition"], "Blocked");
}

fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap()
}

/// Everything about `event` that the schema does not allow.
fn check(schema: &Value, event: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let class = &schema["class"];
    let profiles: BTreeSet<&str> = event["metadata"]["profiles"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for name in event.as_object().unwrap().keys() {
        if let Some(profile) = class["attributes"][name]["profile"].as_str()
            && !profiles.contains(profile)
        {
            faults.push(format!("`{name}` needs the profile `{profile}`"));
        }
    }
    object(schema, class, event, "", &mut faults);
    if event["metadata"]["version"] != schema["version"] {
        faults.push("another version".to_owned());
    }
    let activity = event["activity_id"].as_i64().unwrap_or(-1);
    if event["type_uid"].as_i64() != Some(6003 * 100 + activity) {
        faults.push("`type_uid` does not go with the class and activity".to_owned());
    }
    faults
}

fn object(schema: &Value, definition: &Value, value: &Value, path: &str, faults: &mut Vec<String>) {
    let Some(members) = value.as_object() else {
        faults.push(format!("`{path}` is no object"));
        return;
    };
    let place = |name: &str| match path {
        "" => name.to_owned(),
        path => format!("{path}.{name}"),
    };
    for name in names(&definition["required"]) {
        if !members.contains_key(name) {
            faults.push(format!("no `{}`", place(name)));
        }
    }
    let any = names(&definition["at_least_one"]);
    if !any.is_empty() && !any.iter().any(|name| members.contains_key(*name)) {
        faults.push(format!("`{path}` has none of {any:?}"));
    }
    if definition["open"] == true {
        return;
    }
    for (name, member) in members {
        match definition["attributes"].get(name) {
            None => faults.push(format!("unknown `{}`", place(name))),
            Some(attribute) if attribute["array"] == true => match member.as_array() {
                Some(items) => items.iter().for_each(|item| {
                    self::attribute(schema, attribute, item, &place(name), faults)
                }),
                None => faults.push(format!("`{}` is no list", place(name))),
            },
            Some(attribute) => self::attribute(schema, attribute, member, &place(name), faults),
        }
    }
}

fn attribute(
    schema: &Value,
    attribute: &Value,
    value: &Value,
    path: &str,
    faults: &mut Vec<String>,
) {
    if let Some(name) = attribute["object"].as_str() {
        match schema["objects"].get(name) {
            Some(definition) => object(schema, definition, value, path, faults),
            None => {
                faults.push(format!("`{path}`: the object `{name}` is not in the reduced schema"))
            }
        }
        return;
    }
    let kind = attribute["type"].as_str().unwrap();
    let right = match kind {
        "integer" => value.is_i64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        _ => true,
    };
    if !right {
        faults.push(format!("`{path}` is no {kind}"));
    }
    if let Some(allowed) = attribute["enum"].as_array()
        && !allowed.contains(value)
    {
        faults.push(format!("`{path}` is none of {allowed:?}"));
    }
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}
