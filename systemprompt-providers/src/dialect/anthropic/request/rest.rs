//! The members that the canonical form has no word for.

use std::collections::BTreeMap;

use serde_json::Value;
use systemprompt_core::llm::{Dialect, LossKind, ModelError, ModelRequest};

use super::super::json::ObjectOut;
use super::block_out::Writer;

/// Members of OpenAI that change no meaning where they are left out.
const HINTS: [&str; 9] = [
    "include",
    "metadata",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "safety_identifier",
    "store",
    "truncation",
    "user",
];

/// Refuses what would be another request if it were left out.
pub(super) fn refuse(request: &ModelRequest) -> Result<(), ModelError> {
    if request.dialect == Dialect::Anthropic {
        return Ok(());
    }
    for name in ["n", "candidateCount"] {
        if request.rest.get(name).and_then(Value::as_u64).is_some_and(|count| count > 1) {
            let message = format!("`{name}` must be 1: this model gives one answer");
            return Err(ModelError::invalid(name, message).with_code("unsupported_value"));
        }
    }
    for name in ["previous_response_id", "conversation", "prompt"] {
        if request.rest.get(name).is_some_and(|value| !value.is_null()) {
            let message =
                format!("`{name}` names what is kept elsewhere; send the whole conversation");
            return Err(ModelError::invalid(name, message).with_code("unsupported_value"));
        }
    }
    Ok(())
}

/// The members that only this wire has, by path.
pub(super) fn extras(request: &ModelRequest) -> BTreeMap<&str, &Value> {
    if request.dialect != Dialect::Anthropic {
        return BTreeMap::new();
    }
    request.rest.iter().map(|(name, value)| (name.as_str(), value)).collect()
}

impl Writer<'_> {
    /// Puts the members back that only this wire has, or notes those of another.
    pub(super) fn rest(&mut self, body: &mut ObjectOut) {
        let request = self.request;
        if !self.native() {
            for (name, value) in &request.rest {
                let hint = HINTS.contains(&name.as_str()) || is_default(name, value);
                self.losses.note(name, if hint { LossKind::Hint } else { LossKind::Dropped });
            }
            return;
        }
        let metadata = self.extras("metadata");
        if !metadata.is_empty() {
            let mut object = ObjectOut::default();
            for (name, value) in metadata {
                object.put(name, value);
            }
            body.put("metadata", object);
        }
        for (name, value) in &request.rest {
            match name.as_str() {
                "cache_control" if !self.target.flags.cache_ttl => {
                    body.put_new(name, self.without_ttl(value));
                }
                name if is_inside(name) => {}
                name => body.put_new(name, value),
            }
        }
    }

    fn without_ttl(&mut self, mark: &Value) -> Value {
        let mut mark = mark.clone();
        if mark.as_object_mut().and_then(|mark| mark.remove("ttl")).is_some() {
            self.losses.note("cache_control.ttl", LossKind::Hint);
        }
        mark
    }
}

/// Whether a member that was kept by its path stands inside of another.
fn is_inside(name: &str) -> bool {
    const PARENTS: [&str; 7] =
        ["messages", "metadata", "output_config", "system", "thinking", "tool_choice", "tools"];
    name.split_once('.').is_some_and(|(parent, _)| PARENTS.contains(&parent))
}

/// Whether a member says what is done anyway.
fn is_default(name: &str, value: &Value) -> bool {
    match name {
        "n" | "candidateCount" => value.as_u64() == Some(1),
        "logprobs" | "background" => *value == Value::Bool(false),
        "top_logprobs" => value.as_u64() == Some(0),
        "logit_bias" => value.as_object().is_some_and(serde_json::Map::is_empty),
        _ => value.is_null(),
    }
}
