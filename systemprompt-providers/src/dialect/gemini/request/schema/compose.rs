//! Schemas within schemas.

use serde_json::{Value, json};
use systemprompt_core::llm::{LossKind, ModelError};

use super::{Cleaner, Schema, any};

impl<'a> Cleaner<'a> {
    /// `anyOf`, `oneOf`, `allOf`.
    pub(super) fn choices(
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
    pub(super) fn members(
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
    pub(super) fn items(
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
            (None, None) => return Ok(()),
        };
        to.insert("items".to_owned(), items);
        Ok(())
    }
}

/// Adds what `part` says to `to`. Whether nothing of it was at odds with what `to` said.
fn merge(to: &mut Schema, part: Schema) -> bool {
    let mut whole = true;
    for (key, value) in part {
        match (to.get_mut(&key), value) {
            (None, value) => {
                to.insert(key, value);
            }
            (Some(Value::Object(members)), Value::Object(more)) if key == "properties" => {
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
