//! Schemas for `parameters`: an unknown key there is refused upstream.

use std::fmt::Write;

use proptest::prelude::*;
use serde_json::json;

use super::*;

/// The keys of `Schema` that every version of the wire takes.
const KEYS: [&str; 20] = [
    "type",
    "format",
    "title",
    "description",
    "nullable",
    "enum",
    "items",
    "maxItems",
    "minItems",
    "properties",
    "required",
    "minProperties",
    "maxProperties",
    "minLength",
    "maxLength",
    "pattern",
    "default",
    "anyOf",
    "minimum",
    "maximum",
];

const TYPES: [&str; 6] = ["STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT"];

/// That `schema` has the form of the wire, all the way down.
fn check(schema: &Value) {
    let members = schema.as_object().unwrap();
    for key in members.keys() {
        assert!(KEYS.contains(&key.as_str()), "{key} in {schema}");
    }
    if let Some(choices) = members.get("anyOf") {
        assert_eq!(members.len(), 1, "a choice stands alone: {schema}");
        assert!(!choices.as_array().unwrap().is_empty());
        choices.as_array().unwrap().iter().for_each(check);
        return;
    }
    let name = members["type"].as_str().unwrap();
    assert!(TYPES.contains(&name), "{schema}");
    assert_eq!(members.contains_key("items"), name == "ARRAY", "{schema}");
    members.get("items").into_iter().for_each(check);
    let properties = members.get("properties").map(|all| all.as_object().unwrap());
    properties.into_iter().flatten().for_each(|(_, member)| check(member));
    for required in members.get("required").and_then(Value::as_array).into_iter().flatten() {
        assert!(properties.unwrap().contains_key(required.as_str().unwrap()), "{schema}");
    }
    for value in members.get("enum").and_then(Value::as_array).into_iter().flatten() {
        assert!(!value.as_str().unwrap().is_empty(), "{schema}");
    }
}

fn try_clean(schema: Value) -> Result<(Option<Value>, Sent), ModelError> {
    let mut request = asked("x");
    request.tools = vec![function("f", schema)];
    let flags = ProviderFlags { json_schema: false, ..ProviderFlags::default() };
    let sent = try_send(&request, "m", &Capabilities::default(), &flags)?;
    let declared = &sent.body["tools"][0]["functionDeclarations"][0];
    assert_eq!(declared.get("parametersJsonSchema"), None);
    let cleaned = declared.get("parameters").cloned();
    cleaned.iter().for_each(check);
    Ok((cleaned, sent))
}

/// The schema of the argument `x`.
fn clean(schema: Value) -> (Value, Sent) {
    let whole = json!({"type": "object", "properties": {"x": schema}});
    let (cleaned, sent) = try_clean(whole).unwrap();
    (cleaned.unwrap()["properties"]["x"].clone(), sent)
}

fn path(key: &str) -> String {
    format!("tools.0.input_schema.properties.x{key}")
}

#[test]
fn references_are_resolved_and_the_rest_is_cut_down() {
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "additionalProperties": false,
        "propertyNames": {"pattern": "^[a-z]+$"},
        "properties": {
            "kind": {"const": "circle"},
            "at": {"$ref": "#/$defs/point", "description": "where"},
            "pair": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}]},
            "count": {"type": ["integer", "null"], "exclusiveMinimum": 0, "multipleOf": 2},
        },
        "required": ["kind", "gone"],
        "$defs": {"point": {"type": "object", "properties": {"x": {"type": "number"}}, "required": ["x"]}},
    });
    let (cleaned, sent) = try_clean(schema).unwrap();
    assert_eq!(
        cleaned.unwrap(),
        json!({
            "type": "OBJECT",
            "properties": {
                "kind": {"type": "STRING", "format": "enum", "enum": ["circle"]},
                "at": {"type": "OBJECT", "description": "where",
                    "properties": {"x": {"type": "NUMBER"}}, "required": ["x"]},
                "pair": {"type": "ARRAY", "items": {"anyOf": [{"type": "STRING"}, {"type": "INTEGER"}]}},
                "count": {"type": "INTEGER", "nullable": true, "minimum": 1},
            },
            "required": ["kind"],
        })
    );
    for (key, what) in [
        ("$schema", LossKind::Hint),
        ("$defs", LossKind::Hint),
        ("additionalProperties", LossKind::Dropped),
        ("propertyNames", LossKind::Dropped),
        ("properties.pair.prefixItems", LossKind::Degraded),
        ("properties.count.multipleOf", LossKind::Dropped),
        ("required", LossKind::Degraded),
    ] {
        assert!(sent.lost(&format!("tools.0.input_schema.{key}"), what), "{key}");
    }
    assert!(!sent.losses.iter().any(|(field, _)| field.ends_with("exclusiveMinimum")));
}

#[test]
fn null_is_nullable_however_it_is_told() {
    for schema in [
        json!({"type": ["string", "null"]}),
        json!({"anyOf": [{"type": "string"}, {"type": "null"}]}),
        json!({"oneOf": [{"type": "null"}, {"type": "string"}]}),
        json!({"type": "string", "nullable": true}),
    ] {
        let (cleaned, sent) = clean(schema);
        assert_eq!(cleaned, json!({"type": "STRING", "nullable": true}));
        assert!(sent.losses.is_empty(), "{:?}", sent.losses);
    }
    let (cleaned, _) = clean(json!({"enum": ["a", null]}));
    assert_eq!(
        cleaned,
        json!({"type": "STRING", "format": "enum", "enum": ["a"], "nullable": true})
    );
}

#[test]
fn several_types_are_a_choice() {
    let (cleaned, _) = clean(json!({"type": ["string", "integer", "null"], "description": "d"}));
    let choice = |name| json!({"type": name, "nullable": true, "description": "d"});
    assert_eq!(cleaned, json!({"anyOf": [choice("STRING"), choice("INTEGER")]}));
    let (cleaned, _) = clean(json!({"type": ["array", "object"]}));
    let any = json!({"type": "ARRAY", "items": {"type": "STRING"}});
    assert_eq!(cleaned, json!({"anyOf": [any, {"type": "OBJECT"}]}));
    let (cleaned, sent) = clean(json!({"oneOf": [{"type": "string"}, {"type": "boolean"}]}));
    assert_eq!(cleaned, json!({"anyOf": [{"type": "STRING"}, {"type": "BOOLEAN"}]}));
    assert!(sent.lost(&path(".oneOf"), LossKind::Degraded));
}

#[test]
fn members_are_kept_beside_a_choice_of_rules() {
    let (cleaned, sent) = clean(json!({"type": "object", "properties": {"a": {"type": "string"}},
        "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}));
    assert_eq!(cleaned["properties"], json!({"a": {"type": "STRING"}}));
    assert!(sent.lost(&path(".anyOf"), LossKind::Dropped));
}

#[test]
fn all_of_several_are_one() {
    let (cleaned, sent) = clean(json!({"allOf": [
        {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
        {"type": "object", "properties": {"b": {"type": "string"}}, "required": ["b"]},
    ]}));
    assert_eq!(
        cleaned,
        json!({"type": "OBJECT", "properties": {"a": {"type": "STRING"}, "b": {"type": "STRING"}},
            "required": ["a", "b"]})
    );
    assert!(sent.losses.is_empty());
    let lists = |item: &str| json!({"type": "array", "items": {"type": item}});
    let (cleaned, sent) = clean(json!({"allOf": [lists("string"), lists("number")]}));
    assert_eq!(cleaned, json!({"type": "ARRAY", "items": {"type": "STRING"}}));
    assert!(sent.lost(&path(".allOf.1"), LossKind::Degraded));
    let (_, sent) = clean(json!({"allOf": [{"type": "string"}, {"type": "number"}]}));
    assert!(sent.lost(&path(".allOf.1"), LossKind::Degraded));
}

#[test]
fn values_are_texts() {
    let (cleaned, _) = clean(json!({"enum": [1, 2]}));
    assert_eq!(cleaned, json!({"type": "INTEGER", "format": "enum", "enum": ["1", "2"]}));
    let (cleaned, sent) = clean(json!({"const": true}));
    assert_eq!(cleaned, json!({"type": "BOOLEAN"}));
    assert!(sent.lost(&path(".const"), LossKind::Dropped));
    let (cleaned, sent) = clean(json!({"type": "string", "enum": ["", "a"]}));
    assert_eq!(cleaned["enum"], json!(["a"]));
    assert!(sent.lost(&path(".enum"), LossKind::Degraded));
}

#[test]
fn formats_that_are_not_known_are_left_out() {
    let (cleaned, sent) = clean(json!({"type": "string", "format": "uri"}));
    assert_eq!(cleaned, json!({"type": "STRING"}));
    assert!(sent.lost(&path(".format"), LossKind::Dropped));
    let (cleaned, _) = clean(json!({"type": "string", "format": "date-time"}));
    assert_eq!(cleaned["format"], "date-time");
}

#[test]
fn what_takes_anything_becomes_a_text() {
    for schema in [json!({}), json!(true), json!({"description": "d"}), json!({"type": "any"})] {
        let (cleaned, sent) = clean(schema);
        assert_eq!(cleaned["type"], "STRING");
        assert!(sent.lost(&path(""), LossKind::Degraded), "{:?}", sent.losses);
    }
    let (cleaned, _) = clean(json!({"type": "array"}));
    assert_eq!(cleaned, json!({"type": "ARRAY", "items": {"type": "STRING"}}));
}

#[test]
fn a_function_without_arguments_has_no_schema() {
    for schema in [json!({"type": "object"}), json!({"type": "object", "properties": {}})] {
        assert_eq!(try_clean(schema).unwrap().0, None);
    }
}

#[test]
fn a_schema_within_itself_ends() {
    let (cleaned, sent) = try_clean(json!({
        "$ref": "#/definitions/node",
        "definitions": {"node": {"type": "object", "properties": {
            "name": {"type": "string"},
            "children": {"type": "array", "items": {"$ref": "#/definitions/node"}},
        }}},
    }))
    .unwrap();
    let children = &cleaned.unwrap()["properties"]["children"];
    assert_eq!(*children, json!({"type": "ARRAY", "items": {"type": "OBJECT"}}));
    let field = "tools.0.input_schema.properties.children.items.$ref";
    assert!(sent.lost(field, LossKind::Degraded));
    let (cleaned, sent) = clean(json!({"$ref": "https://a.example/schema.json"}));
    assert_eq!(cleaned, json!({"type": "STRING"}));
    assert!(sent.lost(&path(".$ref"), LossKind::Dropped));
}

#[test]
fn references_that_double_at_every_step_are_refused() {
    let mut definitions = serde_json::Map::new();
    for n in 0..30 {
        let next = json!({"$ref": format!("#/$defs/d{}", n + 1)});
        let pair = json!({"type": "object", "properties": {"a": next, "b": next}});
        definitions.insert(format!("d{n}"), pair);
    }
    definitions.insert("d30".into(), json!({"type": "string"}));
    let error = try_clean(json!({"$ref": "#/$defs/d0", "$defs": definitions})).err().unwrap();
    assert_eq!(error.field.as_deref(), Some("tools.0.input_schema"));
}

#[test]
fn a_schema_with_many_losses_tells_of_some() {
    let members: serde_json::Map<String, Value> =
        (0..500).map(|n| (format!("m{n}"), json!({"type": "string", "not": {}}))).collect();
    let (_, sent) = try_clean(json!({"type": "object", "properties": members})).unwrap();
    assert_eq!(sent.losses.len(), 65);
    assert!(sent.lost("tools.0.input_schema", LossKind::Degraded));
}

/// Any JSON that looks like a schema.
fn schemas() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(true)),
        Just(json!({"type": "string", "format": "uri", "minLength": 1})),
        Just(json!({"type": ["integer", "null"], "exclusiveMaximum": 3.5})),
        Just(json!({"enum": ["a", 1, null]})),
        Just(json!({"const": 5, "default": 5})),
        Just(json!({"$ref": "#"})),
        Just(json!({"type": 7, "items": "no", "properties": [], "required": "x", "enum": {}})),
        Just(json!({"type": "array", "items": []})),
        any::<i64>().prop_map(|n| json!(n)),
    ];
    leaf.prop_recursive(4, 40, 4, |inner| {
        let list = proptest::collection::vec(inner.clone(), 0..3);
        let key = prop_oneof![
            Just("anyOf"),
            Just("oneOf"),
            Just("allOf"),
            Just("prefixItems"),
            Just("items"),
        ];
        prop_oneof![
            (key, list.clone()).prop_map(|(key, all)| json!({key: all, "title": "t"})),
            inner.clone().prop_map(|item| json!({"type": ["array", "object"], "items": item})),
            inner.clone().prop_map(|item| json!({"items": item, "uniqueItems": true})),
            list.prop_map(|all| {
                let members: serde_json::Map<String, Value> = all
                    .into_iter()
                    .enumerate()
                    .map(|(at, member)| {
                        let mut name = String::new();
                        write!(name, "p{at}").unwrap();
                        (name, member)
                    })
                    .collect();
                json!({"type": "object", "properties": members, "required": ["p0", "p9"],
                    "patternProperties": {}, "anyOf": [{"required": ["p0"]}, {}]})
            }),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_comes_in_what_goes_out_has_the_form(schema in schemas()) {
        // `try_clean` checks the form.
        _ = try_clean(json!({"type": "object", "properties": {"x": schema, "y": {"$ref": "#/properties/x"}}}));
    }
}
