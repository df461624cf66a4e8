//! JSON Schemas as structured outputs and tools of Anthropic take them (as the official SDK's
//! `transform_schema` makes them).

use serde_json::{Map, Value, json};

/// The formats of strings that are held to.
const FORMATS: [&str; 10] =
    ["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"];
/// What a schema may say beside its type.
const KNOWN: [&str; 14] = [
    "type",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "enum",
    "const",
    "anyOf",
    "allOf",
    "$ref",
    "$defs",
    "definitions",
    "description",
    "title",
];
/// How deep a schema may be nested; what is deeper stays as it is.
const DEPTH: usize = 64;

/// Holds every object of `schema` to its properties, and moves what is not taken into the description.
/// Returns whether anything was moved or narrowed.
pub(super) fn structured(schema: &mut Value) -> bool {
    narrow(schema, DEPTH)
}

fn narrow(schema: &mut Value, depth: usize) -> bool {
    let Some(members) = schema.as_object_mut() else { return false };
    if depth == 0 {
        return false;
    }
    let mut lossy = false;
    if !members.contains_key("anyOf")
        && let Some(one_of) = members.remove("oneOf")
    {
        members.insert("anyOf".to_owned(), one_of);
    }
    for name in ["$defs", "definitions", "properties"] {
        for inner in members.get_mut(name).and_then(Value::as_object_mut).into_iter().flatten() {
            lossy |= narrow(inner.1, depth - 1);
        }
    }
    for name in ["anyOf", "allOf"] {
        for inner in members.get_mut(name).and_then(Value::as_array_mut).into_iter().flatten() {
            lossy |= narrow(inner, depth - 1);
        }
    }
    if let Some(items) = members.get_mut("items") {
        lossy |= narrow(items, depth - 1);
    }
    if is_object(members) {
        members.entry("type").or_insert_with(|| json!("object"));
        members.entry("properties").or_insert_with(|| json!({}));
        let before = members.insert("additionalProperties".to_owned(), Value::Bool(false));
        lossy |= before.is_some_and(|before| before != Value::Bool(false));
    }
    describe_the_rest(members) || lossy
}

fn is_object(members: &Map<String, Value>) -> bool {
    match members.get("type") {
        Some(Value::String(kind)) => kind == "object",
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "object"),
        _ => members.contains_key("properties"),
    }
}

/// Moves members that are not taken into the description, so that the model may still follow them.
fn describe_the_rest(members: &mut Map<String, Value>) -> bool {
    let unknown: Vec<String> = members
        .iter()
        .filter(|(name, value)| !is_taken(name, value))
        .map(|(name, _)| name.clone())
        .collect();
    let said: Vec<String> = unknown
        .iter()
        .filter_map(|name| members.remove(name).map(|value| (name, value)))
        .filter(|(name, _)| !matches!(name.as_str(), "$schema" | "$id" | "$comment"))
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    if said.is_empty() {
        return false;
    }
    let said = format!("{{{}}}", said.join(", "));
    let description = match members.get("description").and_then(Value::as_str) {
        Some(before) => format!("{before}\n\n{said}"),
        None => said,
    };
    members.insert("description".to_owned(), Value::String(description));
    true
}

fn is_taken(name: &str, value: &Value) -> bool {
    match name {
        "format" => value.as_str().is_some_and(|format| FORMATS.contains(&format)),
        "minItems" => matches!(value.as_u64(), Some(0 | 1)),
        name => KNOWN.contains(&name),
    }
}

/// The arguments of a tool: an object at the top, without alternatives there. Returns whether anything
/// was widened.
pub(super) fn arguments(schema: &mut Value) -> bool {
    let Some(members) = schema.as_object_mut() else {
        let lossy = !schema.is_null();
        *schema = json!({"type": "object", "properties": {}});
        return lossy;
    };
    let mut lossy = false;
    for name in ["anyOf", "oneOf", "allOf"] {
        let Some(Value::Array(variants)) = members.remove(name) else { continue };
        lossy = true;
        merge(members, variants, name == "allOf");
    }
    if members.get("type").and_then(Value::as_str) != Some("object") {
        lossy |= members.contains_key("type");
        members.insert("type".to_owned(), json!("object"));
    }
    members.entry("properties").or_insert_with(|| json!({}));
    lossy
}

/// Takes over the properties of `variants`; only what all of them ask for is required.
fn merge(members: &mut Map<String, Value>, variants: Vec<Value>, all: bool) {
    for variant in variants {
        let Value::Object(variant) = variant else { continue };
        for (name, value) in variant {
            match (name.as_str(), value) {
                ("properties", Value::Object(properties)) => {
                    let own = members.entry("properties").or_insert_with(|| json!({}));
                    let Some(own) = own.as_object_mut() else { continue };
                    for (name, value) in properties {
                        own.entry(name).or_insert(value);
                    }
                }
                ("required", Value::Array(names)) if all => {
                    let own = members.entry("required").or_insert_with(|| json!([]));
                    if let Some(own) = own.as_array_mut() {
                        own.extend(names);
                    }
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_object_is_closed() {
        let mut schema = json!({"type": "object", "properties": {
            "a": {"type": "array", "items": {"type": "object", "properties": {}}}}});
        assert!(!structured(&mut schema));
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(schema["properties"]["a"]["items"]["additionalProperties"], false);
    }

    #[test]
    fn what_is_not_taken_is_said_in_the_description() {
        let mut schema = json!({"type": "integer", "minimum": 1, "description": "A number"});
        assert!(structured(&mut schema));
        assert_eq!(schema, json!({"type": "integer", "description": "A number\n\n{minimum: 1}"}));
    }

    #[test]
    fn a_property_may_be_called_like_a_keyword() {
        let mut schema = json!({"type": "object", "properties": {"minimum": {"type": "string"}}});
        assert!(!structured(&mut schema));
        assert_eq!(schema["properties"]["minimum"], json!({"type": "string"}));
    }

    #[test]
    fn one_of_becomes_any_of_or_is_said() {
        let mut schema = json!({"oneOf": [{"type": "string"}]});
        assert!(!structured(&mut schema));
        assert_eq!(schema, json!({"anyOf": [{"type": "string"}]}));
        let mut schema = json!({"anyOf": [{"type": "null"}], "oneOf": [{"type": "string"}]});
        assert!(structured(&mut schema));
        assert_eq!(schema["description"], "{oneOf: [{\"type\":\"string\"}]}");
    }

    #[test]
    fn an_open_object_is_narrowed() {
        let mut schema = json!({"type": "object", "additionalProperties": true});
        assert!(structured(&mut schema));
        assert_eq!(
            schema,
            json!({"type": "object", "properties": {}, "additionalProperties": false})
        );
    }

    #[test]
    fn arguments_are_an_object() {
        let mut schema = json!({"anyOf": [
            {"properties": {"a": {}}, "required": ["a"]}, {"properties": {"b": {}}}]});
        assert!(arguments(&mut schema));
        assert_eq!(schema, json!({"type": "object", "properties": {"a": {}, "b": {}}}));
        let mut none = json!({});
        assert!(!arguments(&mut none));
        assert_eq!(none, json!({"type": "object", "properties": {}}));
    }
}
