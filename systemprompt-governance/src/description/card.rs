use serde_json::Value;
use systemprompt_core::call::{Digest, ToolRef};

/// All that a server says about one of its tools.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolCard {
    /// The tool.
    pub tool: ToolRef,
    /// Its title, if any.
    pub title: Option<String>,
    /// What it says it does.
    pub description: String,
    /// JSON Schema of its arguments.
    pub input_schema: Value,
    /// JSON Schema of its results, if any.
    pub output_schema: Option<Value>,
    /// Hints about its behaviour and whatever else belongs to it; `null` when there are none.
    pub annotations: Value,
}

impl ToolCard {
    /// SHA-256 over all of it. The order of members does not matter, since it has no meaning in JSON (RFC 8259
    /// section 4).
    #[must_use]
    pub fn digest(&self) -> Digest {
        let all = [
            Value::from(self.tool.qualified()),
            self.title.as_deref().into(),
            self.description.as_str().into(),
            self.input_schema.clone(),
            self.output_schema.clone().into(),
            self.annotations.clone(),
        ];
        let mut text = b"systemprompt tool card v1\0".to_vec();
        all.iter().for_each(|part| write(part, &mut text));
        Digest::of(&text)
    }

    /// Every text of the card with its place: `title`, `description`, and the strings and keys of schemas and
    /// annotations.
    pub(super) fn texts(&self) -> Vec<(String, &str)> {
        let mut texts = vec![("name".to_owned(), self.tool.qualified())];
        texts.extend(self.title.as_deref().map(|title| ("title".to_owned(), title)));
        texts.push(("description".to_owned(), &self.description));
        collect("input_schema", &self.input_schema, &mut texts);
        if let Some(schema) = &self.output_schema {
            collect("output_schema", schema, &mut texts);
        }
        collect("annotations", &self.annotations, &mut texts);
        texts
    }
}

/// Writes a value without spaces, the members of objects by their keys.
fn write(value: &Value, text: &mut Vec<u8>) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(key, _)| *key);
            text.push(b'{');
            for (key, value) in members {
                write(&Value::from(key.as_str()), text);
                write(value, text);
            }
            text.push(b'}');
        }
        Value::Array(items) => {
            text.push(b'[');
            for item in items {
                write(item, text);
                text.push(b',');
            }
            text.push(b']');
        }
        // A string with its quotes, a number, a word: none is the beginning of another one.
        scalar => {
            text.extend_from_slice(scalar.to_string().as_bytes());
            text.push(b' ');
        }
    }
}

fn collect<'v>(path: &str, value: &'v Value, texts: &mut Vec<(String, &'v str)>) {
    match value {
        Value::String(text) => texts.push((path.to_owned(), text)),
        Value::Array(items) => {
            let item =
                |(at, item): (usize, &'v Value)| collect(&format!("{path}[{at}]"), item, texts);
            items.iter().enumerate().for_each(item);
        }
        Value::Object(members) => {
            for (at, (key, value)) in members.iter().enumerate() {
                let plain = key.len() <= 64
                    && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
                let below = match plain {
                    true => format!("{path}.{key}"),
                    false => format!("{path}[key:{at}]"),
                };
                texts.push((format!("{path}[key:{at}]"), key));
                collect(&below, value, texts);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn card() -> ToolCard {
        ToolCard {
            tool: ToolRef::parse(Some("git"), "push").unwrap(),
            title: None,
            description: "Pushes a branch.".into(),
            input_schema: json!({ "type": "object", "properties": { "a": {}, "b": {} } }),
            output_schema: None,
            annotations: json!({ "readOnlyHint": false }),
        }
    }

    #[test]
    fn the_digest_follows_every_change_but_that_of_order() {
        let first = card().digest();
        let schema = json!({ "properties": { "b": {}, "a": {} }, "type": "object" });
        assert_eq!(ToolCard { input_schema: schema, ..card() }.digest(), first);
        for changed in [
            ToolCard { tool: ToolRef::parse(Some("got"), "push").unwrap(), ..card() },
            ToolCard { title: Some(String::new()), ..card() },
            ToolCard { description: "Pushes a branch. ".into(), ..card() },
            ToolCard { input_schema: json!({ "type": "object" }), ..card() },
            ToolCard { output_schema: Some(Value::Null), ..card() },
            ToolCard { annotations: json!({ "readOnlyHint": true }), ..card() },
            ToolCard { annotations: json!({ "readOnlyHint": "false" }), ..card() },
        ] {
            // A schema that is null says as much as none.
            let same = changed.output_schema.is_some();
            assert_eq!(changed.digest() == first, same, "{changed:?}");
        }
    }
}
