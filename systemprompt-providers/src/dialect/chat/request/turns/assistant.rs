//! A turn of the assistant, written.

use std::ops::Range;

use serde_json::{Map, Value, json};
use systemprompt_core::llm::{
    Block, BlockKind, Dialect, Effort, LossKind, Message, ModelError, OpaqueState, Origin,
    ReasoningMode, ToolInput,
};

use super::super::super::reasoning::THINK;
use super::super::content::{content, instead, mark, part, text_part};
use super::super::encode::Writer;
use super::super::paths::Place;

/// A call that wants a result.
pub(super) struct Call {
    /// The id as the caller has it.
    pub(super) id: String,
    /// The id as it is sent.
    pub(super) sent: String,
    pub(super) place: Place,
}

/// Writes the messages of `range` as one, and gives back its calls.
pub(super) fn write(
    writer: &mut Writer<'_>,
    messages: &[Message],
    range: Range<usize>,
    out: &mut Vec<Value>,
) -> Result<Vec<Call>, ModelError> {
    let mut turn = Turn::default();
    for (place, block) in super::blocks(messages, range) {
        turn.add(writer, block, place)?;
    }
    let calls = std::mem::take(&mut turn.answers);
    out.extend(turn.message(writer));
    Ok(calls)
}

#[derive(Default)]
struct Turn {
    parts: Vec<Value>,
    refusal: String,
    calls: Vec<Value>,
    answers: Vec<Call>,
    /// Reasoning by the member that it goes back in.
    content: Vec<String>,
    other: Vec<String>,
    details: Vec<Value>,
    tags: String,
}

impl Turn {
    fn add(
        &mut self,
        writer: &mut Writer<'_>,
        block: &Block,
        place: Place,
    ) -> Result<(), ModelError> {
        match &block.kind {
            BlockKind::ToolUse { id, name, input, state } => {
                let sent = writer.ids.sent(id);
                let call = call(writer, &sent, name, input, state.as_ref(), place);
                self.calls.push(call);
                self.answers.push(Call { id: id.clone(), sent, place });
                mark(writer, None, block.cache, place);
            }
            BlockKind::Thinking { text, state } => {
                self.think(writer, block, text, state.as_ref(), place);
            }
            BlockKind::RedactedThinking(state) => {
                self.think(writer, block, "", Some(state), place);
            }
            BlockKind::Refusal { text } => self.refusal.push_str(text),
            // The wire has assistants that say texts alone.
            BlockKind::Image(_) => {
                self.parts.push(instead(writer, place, "[an image]"));
            }
            BlockKind::Document(_) => {
                self.parts.push(instead(writer, place, "[a document]"));
            }
            BlockKind::Audio(_) => self.parts.push(instead(writer, place, "[sound]")),
            BlockKind::Text { .. } | BlockKind::ToolResult { .. } | BlockKind::Unknown { .. } => {
                self.parts.extend(part(writer, block, place)?);
            }
        }
        Ok(())
    }

    /// Sends reasoning back to who made it, in the form it came in. What another made is not for it.
    fn think(
        &mut self,
        writer: &mut Writer<'_>,
        block: &Block,
        text: &str,
        state: Option<&OpaqueState>,
        place: Place,
    ) {
        if !is_own(writer, block.origin.as_ref(), state) {
            writer.lose(place, LossKind::Dropped);
            return;
        }
        if !writer.to.flags.replay_reasoning {
            writer.lose(place, LossKind::Hint);
            return;
        }
        match state.map(|state| state.data.as_str()) {
            Some(THINK) => self.tags.push_str(&format!("{THINK}\n{text}\n</think>\n\n")),
            Some("reasoning") => self.other.push(text.to_owned()),
            Some(data) if data.starts_with('[') => match serde_json::from_str(data) {
                Ok(Value::Array(details)) => self.details.extend(details),
                _ => self.content.push(text.to_owned()),
            },
            _ => self.content.push(text.to_owned()),
        }
    }

    /// The message, unless nothing is left of it.
    fn message(mut self, writer: &Writer<'_>) -> Option<Value> {
        if !self.tags.is_empty() {
            match self.parts.first_mut().and_then(|part| part.get_mut("text")) {
                Some(Value::String(text)) => text.insert_str(0, &self.tags),
                _ => self.parts.insert(0, text_part(&self.tags)),
            }
        }
        let reasons =
            !(self.content.is_empty() && self.other.is_empty() && self.details.is_empty());
        if !reasons && !self.calls.is_empty() && wants_reasoning(writer) {
            self.content.push(String::new());
        }
        let says = !self.parts.is_empty();
        if !says && !reasons && self.calls.is_empty() && self.refusal.is_empty() {
            return None;
        }
        let mut message = Map::new();
        message.insert("role".to_owned(), json!("assistant"));
        let said = match (says, self.calls.is_empty() && self.refusal.is_empty()) {
            (false, false) => Value::Null,
            _ => content(writer, self.parts),
        };
        message.insert("content".to_owned(), said);
        let mut insert = |name: &str, value: Value, is_empty: bool| {
            if !is_empty {
                message.insert(name.to_owned(), value);
            }
        };
        let (own, other) = (&self.content, &self.other);
        insert("reasoning_content", json!(own.join("\n\n")), own.is_empty());
        insert("reasoning", json!(other.join("\n\n")), other.is_empty());
        let no_details = self.details.is_empty();
        insert("reasoning_details", Value::Array(self.details), no_details);
        insert("refusal", json!(self.refusal), self.refusal.is_empty());
        let no_calls = self.calls.is_empty();
        insert("tool_calls", Value::Array(self.calls), no_calls);
        Some(Value::Object(message))
    }
}

/// Whether the upstream refuses calls without reasoning, as those of another model or an earlier time are.
fn wants_reasoning(writer: &Writer<'_>) -> bool {
    let off = writer.request.reasoning.as_ref().is_some_and(|asked| {
        asked.mode == Some(ReasoningMode::Disabled) || asked.effort == Some(Effort::None)
    });
    writer.to.flags.reasoning_required && !off
}

/// Whether reasoning may go to this upstream: it came from it, or from a Chat history that does not say
/// from whom. Reasoning of Anthropic is always signed; what is not came from elsewhere, and is text alone.
fn is_own(writer: &Writer<'_>, origin: Option<&Origin>, state: Option<&OpaqueState>) -> bool {
    let fits = |origin: &Origin| {
        let provider = origin.provider.as_deref();
        match origin.dialect {
            Dialect::Chat => provider.is_none_or(|name| name == &**writer.to.provider),
            Dialect::Anthropic => provider.is_none() && state.is_none(),
            Dialect::Responses | Dialect::Gemini => false,
        }
    };
    match state {
        Some(state) => fits(&state.origin),
        None => origin.is_none_or(fits),
    }
}

fn call(
    writer: &mut Writer<'_>,
    id: &str,
    name: &str,
    input: &ToolInput,
    state: Option<&OpaqueState>,
    place: Place,
) -> Value {
    let sent = writer.names.sent(name);
    let mut call = match input {
        ToolInput::Text(text) => {
            json!({"id": id, "type": "custom", "custom": {"name": sent, "input": text}})
        }
        ToolInput::Json(text) | ToolInput::Broken(text) => {
            json!({"id": id, "type": "function", "function": {"name": sent, "arguments": text}})
        }
    };
    if let Some(state) = state {
        let own = is_own(writer, None, Some(state));
        let extra = own.then(|| serde_json::from_str::<Value>(&state.data).ok()).flatten();
        match (extra, &mut call) {
            (Some(extra), Value::Object(call)) => {
                call.insert("extra_content".to_owned(), extra);
            }
            _ => writer.lose(place, LossKind::Dropped),
        }
    }
    call
}
