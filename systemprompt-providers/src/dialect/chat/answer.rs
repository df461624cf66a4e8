//! Whole answers.

use bytes::Bytes;
use serde_json::{Map, Value, json};
use systemprompt_core::llm::{
    Answer, AnswerCollector, BlockKind, Dialect, ErrorKind, LossKind, LossReport, ModelError,
    OpaqueState, Origin, ToolInput,
};

use super::reasoning::{Carrier, entry};
use super::stream::{Decoder, Seen, finish_word, known};
use super::usage;
use crate::dialect::{Reply, Source};

/// Reads an answer, in the same way as the one chunk of a stream.
pub(super) fn decode(body: &[u8], from: &Source) -> Result<Answer, ModelError> {
    let malformed = |message: &str| {
        ModelError::new(ErrorKind::BadGateway, message).with_code("upstream_malformed")
    };
    let value: Value = serde_json::from_slice(body)
        .map_err(|error| malformed(&format!("the answer of the upstream is not JSON: {error}")))?;
    if let Some(error) = super::error::within(&value) {
        return Err(error);
    }
    let choices = value.get("choices").and_then(Value::as_array);
    if choices.is_none_or(Vec::is_empty) {
        return Err(malformed("the answer of the upstream has no `choices`"));
    }
    let mut events = Vec::new();
    Decoder::new(from).whole(&value, &mut events);
    let mut collector = AnswerCollector::default();
    events.into_iter().for_each(|event| collector.push(event));
    let mut answer = collector.finish()?;
    let origin = Origin { dialect: Dialect::Chat, provider: Some(from.provider.clone()) };
    for block in &mut answer.content {
        block.origin = Some(origin.clone());
    }
    Ok(answer)
}

/// Writes an answer.
pub(super) fn encode(answer: &Answer, to: &Reply, losses: &mut LossReport) -> Bytes {
    let mut message = Message::default();
    for (index, block) in answer.content.iter().enumerate() {
        message.add(index, &block.kind, losses);
    }
    let seen = Seen { calls: !message.calls.is_empty(), refused: !message.refusal.is_empty() };
    let sequence = answer.stop_sequence.as_deref();
    let word = finish_word(&answer.stop_reason, sequence, seen, losses);
    let id = if answer.id.is_empty() { &to.id } else { &answer.id };
    let value = json!({
        "id": id,
        "object": "chat.completion",
        "created": to.created,
        "model": to.model,
        "choices": [{
            "index": 0,
            "message": message.into_value(),
            "logprobs": null,
            "finish_reason": word,
        }],
        "usage": usage::write(&answer.usage),
    });
    value.to_string().into()
}

#[derive(Default)]
struct Message {
    content: Option<String>,
    refusal: String,
    thoughts: Vec<String>,
    details: Vec<Value>,
    calls: Vec<Value>,
    others: Map<String, Value>,
}

impl Message {
    fn add(&mut self, index: usize, kind: &BlockKind, losses: &mut LossReport) {
        match kind {
            BlockKind::Text { text } => self.content.get_or_insert_default().push_str(text),
            BlockKind::Refusal { text } => self.refusal.push_str(text),
            BlockKind::Thinking { text, state } => {
                if !text.is_empty() {
                    self.thoughts.push(text.clone());
                }
                if let Some(state) = state {
                    self.detail(Carrier::Thinking(text), state);
                }
            }
            BlockKind::RedactedThinking(state) => self.detail(Carrier::Redacted, state),
            BlockKind::ToolUse { id, name, input, state } => {
                if let Some(state) = state {
                    self.detail(Carrier::ToolUse(id), state);
                }
                self.calls.push(call(id, name, input));
            }
            BlockKind::Unknown { value } => match known(value) {
                Some((name, values)) => {
                    self.others.insert(name.to_owned(), values.clone());
                }
                None => losses.note(format!("content.{index}"), LossKind::Dropped),
            },
            BlockKind::Image(_)
            | BlockKind::Document(_)
            | BlockKind::Audio(_)
            | BlockKind::ToolResult { .. } => {
                losses.note(format!("content.{index}"), LossKind::Dropped);
            }
        }
    }

    fn detail(&mut self, carrier: Carrier<'_>, state: &OpaqueState) {
        self.details.push(entry(carrier, state, self.details.len()));
    }

    fn into_value(self) -> Value {
        let mut message = self.others;
        let mut insert = |name: &str, value: Value| message.insert(name.to_owned(), value);
        insert("role", json!("assistant"));
        insert("content", json!(self.content));
        let refusal = (!self.refusal.is_empty()).then_some(self.refusal);
        insert("refusal", json!(refusal));
        if !self.thoughts.is_empty() {
            insert("reasoning_content", json!(self.thoughts.join("\n\n")));
        }
        if !self.details.is_empty() {
            insert("reasoning_details", Value::Array(self.details));
        }
        if !self.calls.is_empty() {
            insert("tool_calls", Value::Array(self.calls));
        }
        Value::Object(message)
    }
}

fn call(id: &str, name: &str, input: &ToolInput) -> Value {
    match input {
        ToolInput::Text(text) => {
            json!({"id": id, "type": "custom", "custom": {"name": name, "input": text}})
        }
        ToolInput::Json(text) | ToolInput::Broken(text) => {
            json!({"id": id, "type": "function", "function": {"name": name, "arguments": text}})
        }
    }
}
