use serde_json::{Map, Value};

use systemprompt_core::llm::{LossKind, LossReport, ModelError};

mod compose;
mod fit;
mod keys;
mod whole;

pub(super) use whole::whole;

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
        self.fit(&mut to, path);
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
                    self.fit(&mut choice, path);
                    choices.push(Value::Object(choice));
                }
                to.insert("anyOf".to_owned(), Value::Array(choices));
            }
        }
        Ok(())
    }
}

/// What stands for anything: a text, which can say it all.
fn any() -> Schema {
    Schema::from_iter([("type".to_owned(), "STRING".into())])
}

fn object() -> Schema {
    Schema::from_iter([("type".to_owned(), "OBJECT".into())])
}
