//! A reader of the JSON Schema: every key with what a person wants to know about it.

use serde_json::Value;
use systemprompt_core::config::json_schema;

/// A key of the profile.
#[derive(Debug)]
pub(crate) struct Key {
    /// Its path; `[]` stands for any item, `<name>` for any key of a mapping.
    pub(crate) path: String,
    pub(crate) description: String,
    /// What an item of the list is, or what the choices mean.
    pub(crate) more: Vec<String>,
    pub(crate) type_name: String,
    pub(crate) required: bool,
    pub(crate) default: Option<Value>,
    /// The keys below it, or below its items.
    pub(crate) below: Vec<Key>,
    /// Only one of the keys below it is given.
    pub(crate) one_of: bool,
    /// It is a mapping by names that are made up, with the keys below it in every entry.
    pub(crate) entries: bool,
}

/// All keys, as a tree, in alphabetical order.
pub(crate) fn keys() -> Vec<Key> {
    let schema = json_schema();
    Reader { root: &schema }.properties(&schema, "")
}

struct Reader<'s> {
    root: &'s Value,
}

impl<'s> Reader<'s> {
    fn properties(&self, schema: &'s Value, path: &str) -> Vec<Key> {
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        let Some(properties) = schema["properties"].as_object() else { return Vec::new() };
        let joint = if path.is_empty() { "" } else { "." };
        properties
            .iter()
            .map(|(name, property)| Key {
                required: required.contains(&name.as_str().into()),
                ..self.key(property, format!("{path}{joint}{name}"))
            })
            .collect()
    }

    fn key(&self, property: &'s Value, path: String) -> Key {
        let target = self.target(property);
        let entries = target.get("additionalProperties").filter(|entry| entry.is_object());
        let (items, below_path) = match (target.get("items"), entries) {
            (Some(items), _) => (self.target(items), format!("{path}[]")),
            (None, Some(entry)) => (self.target(entry), format!("{path}.<name>")),
            (None, None) => (target, path.clone()),
        };
        let mut below = self.properties(items, &below_path);
        let one_of = below.is_empty();
        for alternative in items["oneOf"].as_array().into_iter().flatten() {
            let keys = self.properties(alternative, &below_path);
            let description = text(alternative, "description");
            below.extend(
                keys.into_iter().map(|key| Key { description: description.clone(), ..key }),
            );
        }
        let description = match text(property, "description") {
            own if own.is_empty() => text(target, "description"),
            own => own,
        };
        let item = text(items, "description");
        let more = match self.meanings(target) {
            meanings if meanings.is_empty() && item != description && !item.is_empty() => {
                vec![item]
            }
            meanings => meanings,
        };
        Key {
            path,
            description,
            more,
            type_name: self.type_name(property),
            required: false,
            default: property.get("default").cloned(),
            one_of: one_of && !below.is_empty(),
            entries: entries.is_some() && !below.is_empty(),
            below,
        }
    }

    /// The schema that is meant: references followed, `null` beside it left out. Of a short and a long
    /// form it is the long one, which has the keys.
    fn target(&self, schema: &'s Value) -> &'s Value {
        let schema = self.followed(schema);
        self.alternatives(schema).last().map_or(schema, |last| self.target(last))
    }

    fn followed(&self, schema: &'s Value) -> &'s Value {
        match schema["$ref"].as_str() {
            Some(reference) => {
                self.followed(self.root.pointer(reference.trim_start_matches('#')).unwrap())
            }
            None => schema,
        }
    }

    fn alternatives(&self, schema: &'s Value) -> Vec<&'s Value> {
        let alternatives = schema["anyOf"].as_array().into_iter().flatten();
        alternatives.filter(|alternative| alternative["type"] != "null").collect()
    }

    fn type_name(&self, schema: &'s Value) -> String {
        let schema = self.followed(schema);
        let alternatives = self.alternatives(schema);
        if !alternatives.is_empty() {
            let names: Vec<_> = alternatives.into_iter().map(|each| self.type_name(each)).collect();
            return names.join(" or ");
        }
        if let Some(items) = schema.get("items") {
            return format!("list of {}", self.type_name(items));
        }
        let choices = self.choices(schema);
        if !choices.is_empty() {
            return choices.join(", ");
        }
        let name = match &schema["type"] {
            Value::Array(names) => {
                names.iter().find(|name| *name != "null").and_then(Value::as_str)
            }
            name => name.as_str(),
        };
        match name {
            Some("integer") => "whole number",
            Some("string") => "text",
            Some("boolean") => "`true`, `false`",
            Some("object") => "mapping",
            _ if schema.get("oneOf").is_some() => "mapping with one key",
            _ => "anything",
        }
        .to_owned()
    }

    /// What each choice means.
    fn meanings(&self, schema: &Value) -> Vec<String> {
        let described = schema["oneOf"].as_array().into_iter().flatten();
        described
            .filter_map(|choice| {
                Some(format!("`{}`: {}", choice["const"].as_str()?, text(choice, "description")))
            })
            .collect()
    }

    /// The values a choice allows.
    fn choices(&self, schema: &Value) -> Vec<String> {
        let plain = schema["enum"].as_array().into_iter().flatten();
        let described = schema["oneOf"].as_array().into_iter().flatten();
        plain
            .chain(described.flat_map(|alternative| match alternative["enum"].as_array() {
                Some(names) => names.iter().collect(),
                None => alternative.get("const").into_iter().collect::<Vec<_>>(),
            }))
            .filter_map(Value::as_str)
            .map(|name| format!("`{name}`"))
            .collect()
    }
}

fn text(schema: &Value, key: &str) -> String {
    schema[key].as_str().unwrap_or_default().replace('\n', " ")
}
