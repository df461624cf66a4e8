//! What a schema says of values.

use serde_json::Value;
use systemprompt_core::llm::LossKind;

use super::fit::formats_of;
use super::{Cleaner, Schema};

impl<'a> Cleaner<'a> {
    /// `enum` and `const`: texts, or whole numbers as texts; `null` among them is `nullable`.
    pub(super) fn values(&mut self, from: &'a Schema, to: &mut Schema, path: &str) {
        let (key, all) = match (from.get("enum").and_then(Value::as_array), from.get("const")) {
            (_, Some(one)) => ("const", std::slice::from_ref(one)),
            (Some(all), None) => ("enum", all.as_slice()),
            (None, None) => return,
        };
        if all.contains(&Value::Null) {
            to.insert("nullable".to_owned(), Value::Bool(true));
        }
        let rest: Vec<&Value> = all.iter().filter(|value| !value.is_null()).collect();
        let texts = rest.iter().all(|value| value.is_string());
        let numbers = rest.iter().all(|value| value.is_i64() || value.is_u64());
        if rest.is_empty() || !(texts || numbers) {
            if !rest.is_empty() {
                self.lose(format!("{path}.{key}"), LossKind::Dropped);
            }
            if !to.contains_key("type") && rest.iter().all(|value| value.is_boolean()) {
                let name = if rest.is_empty() { "STRING" } else { "BOOLEAN" };
                to.insert("type".to_owned(), name.into());
            }
            return;
        }
        if to.contains_key("anyOf") {
            self.lose(format!("{path}.{key}"), LossKind::Dropped);
            return;
        }
        let words =
            rest.iter().map(|value| value.as_str().map_or_else(|| value.to_string(), Into::into));
        let words: Vec<Value> = words.filter(|word| !word.is_empty()).map(Value::String).collect();
        if words.len() < rest.len() {
            // The wire takes no empty word.
            self.lose(format!("{path}.{key}"), LossKind::Degraded);
        }
        to.insert("type".to_owned(), if texts { "STRING" } else { "INTEGER" }.into());
        if !words.is_empty() {
            to.insert("enum".to_owned(), Value::Array(words));
        }
    }

    /// The keys that are carried as they are, and those of bounds that lie outside of them.
    pub(super) fn bounds(&mut self, from: &'a Schema, to: &mut Schema, path: &str) {
        type Fits = fn(&Value) -> bool;
        let taken: [(&[&str], Fits); 4] = [
            (&["title", "description", "pattern"], Value::is_string),
            (&["minItems", "maxItems", "minLength", "maxLength"], Value::is_u64),
            (&["minProperties", "maxProperties"], Value::is_u64),
            (&["minimum", "maximum"], Value::is_number),
        ];
        for (keys, fits) in taken {
            for key in keys {
                match from.get(*key) {
                    Some(value) if fits(value) => _ = to.insert((*key).to_owned(), value.clone()),
                    Some(_) => self.lose(format!("{path}.{key}"), LossKind::Dropped),
                    None => {}
                }
            }
        }
        if let Some(value) = from.get("default").filter(|value| !value.is_null()) {
            to.insert("default".to_owned(), value.clone());
        }
        for (key, bound, step) in
            [("exclusiveMinimum", "minimum", 1), ("exclusiveMaximum", "maximum", -1)]
        {
            if let Some(limit) = from.get(key) {
                self.exclusive(limit, (bound, step), to, &format!("{path}.{key}"));
            }
        }
        if let Some(format) = from.get("format") {
            let name = to.get("type").and_then(Value::as_str).unwrap_or_default();
            let format = format.as_str().unwrap_or_default();
            if formats_of(name).contains(&format) {
                to.insert("format".to_owned(), format.into());
            } else if format != "enum" || !to.contains_key("enum") {
                self.lose(format!("{path}.format"), LossKind::Dropped);
            }
        }
    }

    /// A bound that `limit` lies outside of: the next whole number, or else the limit itself.
    fn exclusive(
        &mut self,
        limit: &Value,
        (bound, step): (&str, i64),
        to: &mut Schema,
        path: &str,
    ) {
        let is_whole = to.get("type").and_then(Value::as_str) == Some("INTEGER");
        let next = limit.as_i64().filter(|_| is_whole).and_then(|limit| limit.checked_add(step));
        if !limit.is_number() || to.contains_key(bound) {
            self.lose(path.to_owned(), LossKind::Dropped);
        } else if let Some(next) = next {
            to.insert(bound.to_owned(), next.into());
        } else {
            to.insert(bound.to_owned(), limit.clone());
            self.lose(path.to_owned(), LossKind::Degraded);
        }
    }

    /// Notes the keys that have no form.
    pub(super) fn left_out(&mut self, from: &'a Schema, path: &str) {
        for key in from.keys() {
            let what = match key.as_str() {
                "type" | "nullable" | "anyOf" | "oneOf" | "allOf" | "properties" | "required"
                | "items" | "prefixItems" | "enum" | "const" | "title" | "description"
                | "pattern" | "minItems" | "maxItems" | "minLength" | "maxLength"
                | "minProperties" | "maxProperties" | "minimum" | "maximum" | "default"
                | "exclusiveMinimum" | "exclusiveMaximum" | "format" => continue,
                // They hold no value to anything.
                "$schema" | "$id" | "$defs" | "definitions" | "$comment" | "$anchor"
                | "examples" | "example" | "deprecated" | "readOnly" | "writeOnly" => {
                    LossKind::Hint
                }
                _ => LossKind::Dropped,
            };
            self.lose(format!("{path}.{key}"), what);
        }
    }
}
