//! Schemas for the members that take JSON Schema.

use serde_json::Value;

/// `schema` as `parametersJsonSchema` and `responseJsonSchema` take it: without the name of its draft, and with its
/// definitions under `$defs`, the one place where they are looked for. Nothing else is changed.
pub(in super::super) fn whole(schema: &Value) -> Value {
    let mut schema = schema.clone();
    let Some(members) = schema.as_object_mut() else { return schema };
    members.remove("$schema");
    if !members.contains_key("$defs")
        && let Some(definitions) = members.remove("definitions")
    {
        members.insert("$defs".to_owned(), definitions);
        moved(&mut schema);
    }
    schema
}

/// Lets references follow the definitions.
fn moved(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                match member {
                    Value::String(reference) if key == "$ref" => {
                        if let Some(rest) = reference.strip_prefix("#/definitions/") {
                            *reference = format!("#/$defs/{rest}");
                        }
                    }
                    member => moved(member),
                }
            }
        }
        Value::Array(all) => all.iter_mut().for_each(moved),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn definitions_are_where_they_are_looked_for() {
        let old = json!({
            "$schema": "http://json-schema.org/draft-07/schema#",
            "type": "object",
            "properties": {
                "a": {"$ref": "#/definitions/a"},
                "$ref": {"type": "string"},
                "$schema": {"const": "#/definitions/a"},
            },
            "definitions": {"a": {"anyOf": [{"$ref": "#/definitions/a"}, {"type": "null"}]}},
        });
        let new = json!({
            "type": "object",
            "properties": {
                "a": {"$ref": "#/$defs/a"},
                "$ref": {"type": "string"},
                "$schema": {"const": "#/definitions/a"},
            },
            "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/a"}, {"type": "null"}]}},
        });
        assert_eq!(whole(&old), new);
        assert_eq!(whole(&new), new);
    }
}
