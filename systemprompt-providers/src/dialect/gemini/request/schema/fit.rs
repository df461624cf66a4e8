//! The last look at a schema: that it has a type, that its keys are those of the type, and that a choice stands
//! alone.

use serde_json::Value;
use systemprompt_core::llm::LossKind;

use super::{Cleaner, Schema, any};

/// The keys of schemas of any type.
const COMMON: [&str; 5] = ["type", "title", "description", "nullable", "default"];

/// The further keys of schemas of `name`.
fn keys_of(name: &str) -> &'static [&'static str] {
    match name {
        "STRING" => &["format", "enum", "minLength", "maxLength", "pattern"],
        "INTEGER" => &["format", "enum", "minimum", "maximum"],
        "NUMBER" => &["format", "minimum", "maximum"],
        "ARRAY" => &["items", "minItems", "maxItems"],
        "OBJECT" => &["properties", "required", "minProperties", "maxProperties"],
        _ => &[],
    }
}

/// The formats of values of `name`, but for `enum`.
pub(super) fn formats_of(name: &str) -> &'static [&'static str] {
    match name {
        "STRING" => &["date-time"],
        "NUMBER" => &["float", "double"],
        "INTEGER" => &["int32", "int64"],
        _ => &[],
    }
}

impl Cleaner<'_> {
    /// Every schema needs a type, or a choice; what takes anything becomes a text.
    pub(super) fn typed(&mut self, to: &mut Schema, path: &str) {
        if to.contains_key("type") || to.contains_key("anyOf") {
            return;
        }
        let name = if to.contains_key("properties") {
            "OBJECT"
        } else if to.contains_key("items") {
            "ARRAY"
        } else {
            self.lose(path.to_owned(), LossKind::Degraded);
            "STRING"
        };
        to.insert("type".to_owned(), name.into());
    }

    /// A choice must stand alone: what stands beside it goes into it, as far as that is possible.
    pub(super) fn choice_alone(&mut self, to: &mut Schema, path: &str) {
        let Some(Value::Array(mut choices)) = to.remove("anyOf") else { return };
        for (key, value) in std::mem::take(to) {
            if key != "nullable" && key != "description" {
                self.lose(format!("{path}.{key}"), LossKind::Dropped);
                continue;
            }
            for choice in choices.iter_mut().filter_map(Value::as_object_mut) {
                choice.entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
        to.insert("anyOf".to_owned(), Value::Array(choices));
    }

    /// Leaves the keys out that are of another type, as parts that were put together may have brought them in.
    pub(super) fn fit(&mut self, to: &mut Schema, path: &str) {
        let Some(name) = to.get("type").and_then(Value::as_str).map(str::to_owned) else { return };
        let fits = |key: &str| COMMON.contains(&key) || keys_of(&name).contains(&key);
        let others: Vec<String> = to.keys().filter(|key| !fits(key)).cloned().collect();
        for key in others {
            to.remove(&key);
            // `format` stands beside `enum`, and goes with it.
            if key != "format" {
                self.lose(format!("{path}.{key}"), LossKind::Dropped);
            }
        }
        let format = to.get("format").and_then(Value::as_str).unwrap_or_default();
        let wanted = if to.contains_key("enum") { &["enum"] } else { formats_of(&name) };
        if !wanted.contains(&format) {
            to.remove("format");
        }
        if to.contains_key("enum") {
            to.insert("format".to_owned(), "enum".into());
        }
        if name == "ARRAY" && !to.contains_key("items") {
            self.lose(format!("{path}.items"), LossKind::Degraded);
            to.insert("items".to_owned(), Value::Object(any()));
        }
    }
}
