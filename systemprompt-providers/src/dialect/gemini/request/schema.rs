use serde_json::{Map, Value, json};

use crate::canonical::{LossKind, LossReport, ModelError};

/// How deep a schema may go, references resolved.
const DEPTH_LIMIT: usize = 32;

/// How many schemas one may hold, references resolved: they can double at every step.
const NODE_LIMIT: usize = 4_096;

/// How many losses of one schema are told one by one.
const LOSS_LIMIT: usize = 64;

const TYPES: [&str; 6] = ["string", "number", "integer", "boolean", "array", "object"];

/// Writes the JSON Schema `schema`, which stands at `field`, in the subset of OpenAPI that `parameters` and
/// `responseSchema` take; every other key is refused upstream. Local references are resolved, `const` becomes
/// an `enum`, lists of types become `nullable` or `anyOf`; what has no form is left out and noted.
pub(super) fn cleaned(
    schema: &Value,
    field: &str,
    losses: &mut LossReport,
) -> Result<Value, ModelError> {
    let mut cleaner =
        Cleaner { root: schema, field, losses, lost: 0, nodes: 0, references: Vec::new() };
    cleaner.schema(schema, field, 0).map(Value::Object)
}

struct Cleaner<'a> {
    root: &'a Value,
    /// Where the whole schema stands.
    field: &'a str,
    losses: &'a mut LossReport,
    lost: usize,
    nodes: usize,
    /// The references that are being resolved.
    references: Vec<&'a str>,
}

type Schema = Map<String, Value>;

impl<'a> Cleaner<'a> {
    fn lose(&mut self, field: String, what: LossKind) {
        self.lost = self.lost.saturating_add(1);
        if self.lost <= LOSS_LIMIT {
            self.losses.note(field, what);
        } else {
            self.losses.note(self.field, LossKind::Degraded);
        }
    }

    fn schema(&mut self, value: &'a Value, path: &str, depth: usize) -> Result<Schema, ModelError> {
        self.nodes = self.nodes.saturating_add(1);
        if self.nodes > NODE_LIMIT || depth > DEPTH_LIMIT {
            let message = "the schema is too large or too deep once its references are resolved";
            return Err(ModelError::invalid(self.field, message));
        }
        let Some(from) = value.as_object() else {
            // `true` takes anything; so does what is no schema at all.
            self.lose(path.to_owned(), LossKind::Degraded);
            return Ok(any());
        };
        if let Some(reference) = from.get("$ref").and_then(Value::as_str) {
            return self.referred(reference, from, path, depth);
        }
        let mut to = Schema::new();
        self.types(from, &mut to, path, depth)?;
        self.choices(from, &mut to, path, depth)?;
        self.members(from, &mut to, path, depth)?;
        self.items(from, &mut to, path, depth)?;
        self.values(from, &mut to, path);
        self.bounds(from, &mut to, path);
        self.left_out(from, path);
        self.typed(&mut to, path);
        self.choice_alone(&mut to, path);
        Ok(to)
    }

    /// What `$ref` refers to, with the description that stands beside it.
    fn referred(
        &mut self,
        reference: &'a str,
        from: &'a Schema,
        path: &str,
        depth: usize,
    ) -> Result<Schema, ModelError> {
        let target = reference.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer));
        let Some(target) = target else {
            self.lose(format!("{path}.$ref"), LossKind::Dropped);
            return Ok(any());
        };
        if self.references.contains(&reference) {
            // A schema within itself cannot be written out.
            self.lose(format!("{path}.$ref"), LossKind::Degraded);
            return Ok(object());
        }
        self.references.push(reference);
        let resolved = self.schema(target, path, depth + 1);
        self.references.pop();
        let mut to = resolved?;
        if let Some(description) = from.get("description").filter(|text| text.is_string()) {
            to.insert("description".to_owned(), description.clone());
        }
        Ok(to)
    }

    /// `type`: one, or several, of which `null` is `nullable`.
    fn types(
        &mut self,
        from: &'a Schema,
        to: &mut Schema,
        path: &str,
        depth: usize,
    ) -> Result<(), ModelError> {
        let names: Vec<&str> = match from.get("type") {
            Some(Value::String(name)) => vec![name],
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        if from.get("nullable") == Some(&Value::Bool(true)) || names.contains(&"null") {
            to.insert("nullable".to_owned(), Value::Bool(true));
        }
        let (known, unknown): (Vec<&str>, Vec<&str>) =
            names.into_iter().filter(|name| *name != "null").partition(|name| TYPES.contains(name));
        if !unknown.is_empty() {
            self.lose(format!("{path}.type"), LossKind::Degraded);
        }
        match known.as_slice() {
            [] => {}
            [name] => {
                to.insert("type".to_owned(), Value::String(name.to_ascii_uppercase()));
            }
            several => {
                let mut choices = Vec::new();
                for name in several {
                    let mut choice = Schema::new();
                    choice.insert("type".to_owned(), Value::String(name.to_ascii_uppercase()));
                    match *name {
                        "object" => self.members(from, &mut choice, path, depth)?,
                        "array" => self.items(from, &mut choice, path, depth)?,
                        _ => {}
                    }
                    choices.push(Value::Object(choice));
                }
                to.insert("anyOf".to_owned(), Value::Array(choices));
            }
        }
        Ok(())
    }

    /// `anyOf`, `oneOf`, `allOf`.
    fn choices(
        &mut self,
        from: &'a Schema,
        to: &mut Schema,
        path: &str,
        depth: usize,
    ) -> Result<(), ModelError> {
        for key in ["anyOf", "oneOf"] {
            let Some(all) = from.get(key).and_then(Value::as_array) else { continue };
            let null = |choice: &&Value| choice.get("type").and_then(Value::as_str) == Some("null");
            if all.iter().any(|choice| null(&choice)) {
                to.insert("nullable".to_owned(), Value::Bool(true));
            }
            let mut choices = Vec::new();
            for (at, choice) in all.iter().enumerate().filter(|(_, choice)| !null(choice)) {
                choices.push(self.schema(choice, &format!("{path}.{key}.{at}"), depth + 1)?);
            }
            if key == "oneOf" && choices.len() > 1 {
                self.lose(format!("{path}.oneOf"), LossKind::Degraded);
            }
            let has_own_form = from.contains_key("properties") || from.contains_key("items");
            if let [only] = choices.as_slice() {
                merge(to, only.clone());
            } else if !choices.is_empty() && (has_own_form || to.contains_key("anyOf")) {
                // A choice between rules for members that are told beside it.
                self.lose(format!("{path}.{key}"), LossKind::Dropped);
            } else if !choices.is_empty() {
                let choices = choices.into_iter().map(Value::Object).collect();
                to.insert("anyOf".to_owned(), Value::Array(choices));
                // A choice has its own type.
                to.remove("type");
            }
        }
        if let Some(all) = from.get("allOf").and_then(Value::as_array) {
            for (at, part) in all.iter().enumerate() {
                let part = self.schema(part, &format!("{path}.allOf.{at}"), depth + 1)?;
                if !merge(to, part) {
                    self.lose(format!("{path}.allOf.{at}"), LossKind::Degraded);
                }
            }
        }
        Ok(())
    }

    /// `properties` and `required`, which names those alone.
    fn members(
        &mut self,
        from: &'a Schema,
        to: &mut Schema,
        path: &str,
        depth: usize,
    ) -> Result<(), ModelError> {
        if to.contains_key("anyOf") {
            return Ok(());
        }
        if let Some(members) = from.get("properties").and_then(Value::as_object) {
            let mut properties = Schema::new();
            for (name, member) in members {
                let member =
                    self.schema(member, &format!("{path}.properties.{name}"), depth + 1)?;
                properties.insert(name.clone(), Value::Object(member));
            }
            if !properties.is_empty() {
                merge(
                    to,
                    Schema::from_iter([("properties".to_owned(), Value::Object(properties))]),
                );
            }
        }
        let known = to.get("properties").and_then(Value::as_object);
        let is_known = |name: &&Value| {
            name.as_str().is_some_and(|name| known.is_some_and(|known| known.contains_key(name)))
        };
        let Some(names) = from.get("required").and_then(Value::as_array) else { return Ok(()) };
        let required: Vec<Value> = names.iter().filter(is_known).cloned().collect();
        if required.len() < names.len() {
            self.lose(format!("{path}.required"), LossKind::Degraded);
        }
        if !required.is_empty() {
            merge(to, Schema::from_iter([("required".to_owned(), Value::Array(required))]));
        }
        Ok(())
    }

    /// `items`; the schemas of a tuple (`prefixItems`, or a list in `items`) become a choice.
    fn items(
        &mut self,
        from: &'a Schema,
        to: &mut Schema,
        path: &str,
        depth: usize,
    ) -> Result<(), ModelError> {
        if to.contains_key("anyOf") {
            return Ok(());
        }
        let tuple = ["prefixItems", "items"]
            .iter()
            .find_map(|key| Some((*key, from.get(*key)?.as_array()?)));
        let items = match (tuple, from.get("items")) {
            (Some((key, all)), _) => {
                self.lose(format!("{path}.{key}"), LossKind::Degraded);
                let mut choices = Vec::new();
                for (at, item) in all.iter().enumerate() {
                    let item = self.schema(item, &format!("{path}.{key}.{at}"), depth + 1)?;
                    if !choices.contains(&Value::Object(item.clone())) {
                        choices.push(Value::Object(item));
                    }
                }
                match choices.as_slice() {
                    [] => Value::Object(any()),
                    [only] => only.clone(),
                    _ => json!({ "anyOf": choices }),
                }
            }
            (None, Some(items)) => {
                Value::Object(self.schema(items, &format!("{path}.items"), depth + 1)?)
            }
            (None, None) if to.get("type").and_then(Value::as_str) == Some("ARRAY") => {
                self.lose(format!("{path}.items"), LossKind::Degraded);
                Value::Object(any())
            }
            (None, None) => return Ok(()),
        };
        to.insert("items".to_owned(), items);
        Ok(())
    }

    /// `enum` and `const`: texts, or whole numbers as texts; `null` among them is `nullable`.
    fn values(&mut self, from: &'a Schema, to: &mut Schema, path: &str) {
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
        let texts_of = rest.iter().map(|value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        let texts_of: Vec<Value> =
            texts_of.filter(|text| !text.is_empty()).map(Value::String).collect();
        if texts_of.len() < rest.len() {
            // The wire takes no empty word.
            self.lose(format!("{path}.{key}"), LossKind::Degraded);
        }
        let kind = if texts { "STRING" } else { "INTEGER" };
        if !to.contains_key("anyOf") {
            to.insert("type".to_owned(), kind.into());
            if !texts_of.is_empty() {
                to.insert("format".to_owned(), "enum".into());
                to.insert("enum".to_owned(), Value::Array(texts_of));
            }
        } else {
            self.lose(format!("{path}.{key}"), LossKind::Dropped);
        }
    }

    /// The keys that are carried as they are, and those of bounds that lie outside of them.
    fn bounds(&mut self, from: &'a Schema, to: &mut Schema, path: &str) {
        for key in ["title", "description", "pattern"] {
            carry(key, from, to, Value::is_string);
        }
        for key in
            ["minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"]
        {
            carry(key, from, to, Value::is_u64);
        }
        for key in ["minimum", "maximum"] {
            carry(key, from, to, Value::is_number);
        }
        carry("default", from, to, |value| !value.is_null());
        for (key, bound, step) in
            [("exclusiveMinimum", "minimum", 1), ("exclusiveMaximum", "maximum", -1)]
        {
            let Some(limit) = from.get(key) else { continue };
            if !limit.is_number() || to.contains_key(bound) {
                self.lose(format!("{path}.{key}"), LossKind::Dropped);
            } else if to.get("type").and_then(Value::as_str) == Some("INTEGER")
                && let Some(next) = limit.as_i64().and_then(|limit| limit.checked_add(step))
            {
                to.insert(bound.to_owned(), next.into());
            } else {
                to.insert(bound.to_owned(), limit.clone());
                self.lose(format!("{path}.{key}"), LossKind::Degraded);
            }
        }
        if let Some(format) = from.get("format").and_then(Value::as_str) {
            let taken: &[&str] = match to.get("type").and_then(Value::as_str) {
                Some("STRING") => &["date-time", "enum"],
                Some("NUMBER") => &["float", "double"],
                Some("INTEGER") => &["int32", "int64"],
                _ => &[],
            };
            if taken.contains(&format) && !to.contains_key("format") {
                to.insert("format".to_owned(), format.into());
            } else if !to.contains_key("format") {
                self.lose(format!("{path}.format"), LossKind::Dropped);
            }
        }
    }

    /// Notes the keys that have no form.
    fn left_out(&mut self, from: &'a Schema, path: &str) {
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

    /// Every schema needs a type, or a choice; what takes anything becomes a text.
    fn typed(&mut self, to: &mut Schema, path: &str) {
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
    fn choice_alone(&mut self, to: &mut Schema, path: &str) {
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
}

fn carry(key: &str, from: &Schema, to: &mut Schema, fits: impl Fn(&Value) -> bool) {
    if let Some(value) = from.get(key).filter(|value| fits(value)) {
        to.insert(key.to_owned(), value.clone());
    }
}

/// What stands for anything: a text, which can say it all.
fn any() -> Schema {
    Schema::from_iter([("type".to_owned(), "STRING".into())])
}

fn object() -> Schema {
    Schema::from_iter([("type".to_owned(), "OBJECT".into())])
}

/// Adds what `part` says to `to`. Whether nothing of it was at odds with what `to` said.
fn merge(to: &mut Schema, part: Schema) -> bool {
    let mut whole = true;
    for (key, value) in part {
        match (to.get_mut(&key), value) {
            (None, value) => {
                to.insert(key, value);
            }
            (Some(Value::Object(members)), Value::Object(more)) => {
                for (name, member) in more {
                    whole &= members.get(&name).is_none_or(|known| *known == member);
                    members.entry(name).or_insert(member);
                }
            }
            (Some(Value::Array(all)), Value::Array(more)) if key == "required" => {
                let new = more.into_iter().filter(|name| !all.contains(name)).collect::<Vec<_>>();
                all.extend(new);
            }
            (Some(known), value) => whole &= *known == value,
        }
    }
    whole
}
