//! As much of JSON Schema as the OpenAPI document uses; a keyword it does not know is an error.

use serde_json::{Map, Value};

/// The places where `value` is not as `schema` says; empty when it is.
pub(super) fn faults(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(document, schema, value, "$", &mut found);
    found
}

fn check(document: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    let Some(schema) = schema.as_object() else {
        assert!(schema.is_boolean(), "no schema: {schema}");
        if schema == &Value::Bool(false) {
            found.push(format!("{at}: nothing may be here"));
        }
        return;
    };
    let mut fault = |text: String| found.push(format!("{at}: {text}"));
    for (keyword, rule) in schema {
        match keyword.as_str() {
            "description" | "title" | "examples" | "default" | "format" | "contentMediaType" => {}
            "additionalProperties" => {}
            "type" if !has_type(value, rule) => fault(format!("{value} is no {rule}")),
            "const" if value != rule => fault(format!("{value} is not {rule}")),
            "enum" if !rule.as_array().unwrap().contains(value) => {
                fault(format!("{value} is none of {rule}"));
            }
            "minimum" if value.as_f64() < rule.as_f64() => fault(format!("{value} < {rule}")),
            "minItems"
                if value.as_array().is_some_and(|a| (a.len() as u64) < rule.as_u64().unwrap()) =>
            {
                fault("too few items".into());
            }
            "pattern" => assert!(rule.is_string()),
            "required" => {
                for name in rule.as_array().unwrap() {
                    if value.is_object() && value.get(name.as_str().unwrap()).is_none() {
                        fault(format!("{name} is missing"));
                    }
                }
            }
            "type" | "const" | "enum" | "minimum" | "maximum" | "minItems" | "maxItems"
            | "minLength" | "maxLength" | "properties" | "items" | "$ref" | "oneOf" => {}
            other => panic!("unknown keyword {other}"),
        }
    }
    descend(document, schema, value, at, found);
}

fn descend(
    document: &Value,
    schema: &Map<String, Value>,
    value: &Value,
    at: &str,
    found: &mut Vec<String>,
) {
    if let Some(Value::String(reference)) = schema.get("$ref") {
        let target = document.pointer(reference.trim_start_matches('#'));
        check(document, target.unwrap_or_else(|| panic!("{reference}")), value, at, found);
    }
    if let Some(Value::Array(choices)) = schema.get("oneOf") {
        let fitting = choices.iter().filter(|choice| faults(document, choice, value).is_empty());
        if fitting.count() != 1 {
            found.push(format!("{at}: {value} does not fit exactly one choice"));
        }
    }
    if let (Some(items), Some(values)) = (schema.get("items"), value.as_array()) {
        for (index, value) in values.iter().enumerate() {
            check(document, items, value, &format!("{at}[{index}]"), found);
        }
    }
    let Some(members) = value.as_object() else { return };
    let none = Map::new();
    let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
    for (name, value) in members {
        let other = schema.get("additionalProperties");
        if let Some(schema) = properties.get(name).or(other) {
            check(document, schema, value, &format!("{at}.{name}"), found);
        }
    }
}

fn has_type(value: &Value, rule: &Value) -> bool {
    let one = |name: &str| match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("unknown type {other}"),
    };
    match rule {
        Value::Array(names) => names.iter().any(|name| one(name.as_str().unwrap())),
        name => one(name.as_str().unwrap()),
    }
}
