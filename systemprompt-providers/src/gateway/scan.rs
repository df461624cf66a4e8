use std::ops::Range;

use systemprompt_core::call::Door;
use systemprompt_core::content::{Content, ContentBody, ContentOrigin, ContentVerdict};
use systemprompt_core::llm::{Dialect, ModelError};
use systemprompt_core::policy::SecretDirection;

use super::body::{Edits, RequestBody};
use super::refusal::withheld;
use super::{Caller, ModelGateway};

/// A part of a request that is looked through by itself: what was clean once is known again.
struct Part {
    field: String,
    place: Range<usize>,
    direction: SecretDirection,
}

impl ModelGateway {
    /// Looks through all texts of a request. Returns it with what the policy wants changed.
    ///
    /// # Errors
    /// [`ModelError`] with the code of the reason, and where, when the policy lets no request pass with what
    /// was found.
    pub(super) async fn scan(
        &self,
        caller: &Caller,
        dialect: Dialect,
        body: RequestBody,
    ) -> Result<RequestBody, ModelError> {
        let mut edits = Edits::default();
        for part in parts(dialect, &body) {
            let json = ContentBody::Json(body.at(&part.place));
            match self.look(caller, part.direction, json).await {
                ContentVerdict::Pass => {}
                ContentVerdict::Rewritten(text) => edits.replace(part.place, text),
                ContentVerdict::Withheld(reason) => return Err(withheld(&part.field, &reason)),
            }
        }
        if edits.is_empty() {
            return Ok(body);
        }
        RequestBody::read(body.with(edits))
    }

    /// Looks through a text on its way, by what the policy says of secrets.
    pub(super) async fn look(
        &self,
        caller: &Caller,
        direction: SecretDirection,
        body: ContentBody<'_>,
    ) -> ContentVerdict {
        let origin = ContentOrigin {
            direction,
            principal: &caller.principal,
            tool: None,
            door: Door::Gateway,
            context: &caller.context,
        };
        self.parts().inspect.inspect(Content { origin, body }).await.verdict
    }
}

/// The parts of a request. What follows the last turn of the model is new; what is before was seen already.
fn parts(dialect: Dialect, body: &RequestBody) -> Vec<Part> {
    let turns = if dialect == Dialect::Responses { "input" } else { "messages" };
    let mut parts = Vec::new();
    for (key, place) in body.members() {
        let part = |direction| Part { field: key.to_owned(), place: place.clone(), direction };
        match key {
            _ if key == turns => {
                let items = body.items(place);
                if items.is_empty() {
                    parts.push(part(SecretDirection::Prompt));
                }
                let last = items.iter().rposition(|item| is_models(body.at(item)));
                let first_new = last.map_or(0, |last| last + 1);
                parts.extend(items.into_iter().enumerate().map(|(at, place)| {
                    let direction = match at < first_new {
                        true => SecretDirection::History,
                        false if is_result(body.at(&place)) => SecretDirection::Result,
                        false => SecretDirection::Prompt,
                    };
                    Part { field: format!("{key}.{at}"), place, direction }
                }));
            }
            "tools" => parts.push(part(SecretDirection::Description)),
            "system" | "instructions" => parts.push(part(SecretDirection::History)),
            _ if holds_text(body.at(place)) => parts.push(part(SecretDirection::Prompt)),
            _ => {}
        }
    }
    parts
}

/// Where the parts of a request are.
#[cfg(fuzzing)]
pub(super) fn places(dialect: Dialect, body: &RequestBody) -> Vec<Range<usize>> {
    parts(dialect, body).into_iter().map(|part| part.place).collect()
}

/// Whether a value can hold a text that is worth a look.
fn holds_text(value: &str) -> bool {
    const SHORTEST: usize = 8;
    value.len() >= SHORTEST && value.starts_with(['"', '{', '['])
}

#[derive(serde::Deserialize)]
struct Head<'i> {
    #[serde(borrow, default)]
    role: Option<std::borrow::Cow<'i, str>>,
    #[serde(borrow, default, rename = "type")]
    kind: Option<std::borrow::Cow<'i, str>>,
    #[serde(borrow, default)]
    content: Option<&'i serde_json::value::RawValue>,
}

/// Whether the model made an item of a conversation.
fn is_models(item: &str) -> bool {
    let Ok(head) = serde_json::from_str::<Head<'_>>(item) else { return false };
    let made = ["function_call", "custom_tool_call", "reasoning"];
    head.role.as_deref() == Some("assistant")
        || head.kind.is_some_and(|kind| made.contains(&&*kind))
}

/// Whether an item is what a tool returned.
fn is_result(item: &str) -> bool {
    let Ok(head) = serde_json::from_str::<Head<'_>>(item) else { return false };
    let inner = head.content.is_some_and(|content| content.get().contains("\"tool_result\""));
    head.role.as_deref() == Some("tool")
        || head.kind.is_some_and(|kind| kind.ends_with("_call_output"))
        || inner
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn what_is_new_is_told_from_what_was_seen() {
        let body = r#"{"model":"m","max_tokens":1000000,"system":"be kind","messages":[
            {"role":"user","content":"a"},{"role":"assistant","content":"b"},
            {"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"c"}]},
            {"role":"user","content":"d"}],"tools":[{"name":"x"}],"metadata":{"user_id":"u"}}"#;
        let body = RequestBody::read(Bytes::from_static(body.as_bytes())).unwrap();
        let parts = parts(Dialect::Anthropic, &body);
        let told: Vec<_> =
            parts.iter().map(|part| (part.field.as_str(), part.direction.as_str())).collect();
        assert_eq!(
            told,
            [
                ("system", "history"),
                ("messages.0", "history"),
                ("messages.1", "history"),
                ("messages.2", "result"),
                ("messages.3", "prompt"),
                ("tools", "description"),
                ("metadata", "prompt"),
            ]
        );
    }
}
