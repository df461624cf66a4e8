use std::collections::BTreeMap;

use serde_json::{Value, json};
use systemprompt_core::llm::{ErrorKind, ModelError, StopReason, StreamEvent};

use super::super::error;
use super::super::reasoning::detail_text;
use super::super::usage::UsageReader;
use super::blocks::{Blocks, Piece, bad};
use super::plain::PlainChunk;
use super::tags::{Piece as Said, ThinkTags};
use super::thought::Way;
use crate::dialect::{Source, StreamDecoder, UsageMode};
use crate::sse::Frame;

/// The number of the one call of the older form, `function_call`.
const FUNCTION: u64 = u64::MAX;

/// Reads chunks. A whole answer is read as one chunk, so that both are understood alike.
pub(in super::super) struct Decoder {
    mode: UsageMode,
    id: String,
    model: String,
    started: bool,
    ended: bool,
    reason: Option<String>,
    usage: UsageReader,
    blocks: Blocks,
    tags: ThinkTags,
    /// What no other wire knows (`annotations`, `audio`), by name.
    extras: BTreeMap<&'static str, Vec<Value>>,
}

type Out<'a> = &'a mut Vec<StreamEvent>;

impl Decoder {
    pub(in super::super) fn new(source: &Source) -> Self {
        Self {
            mode: source.usage_mode,
            id: String::new(),
            model: String::new(),
            started: false,
            ended: false,
            reason: None,
            usage: UsageReader::default(),
            blocks: Blocks::new(source.clone()),
            tags: ThinkTags::default(),
            extras: BTreeMap::new(),
        }
    }

    /// Reads a whole answer.
    pub(in super::super) fn whole(mut self, answer: &Value, out: Out<'_>) {
        match self.chunk(answer, out) {
            Ok(()) => {
                // There is no other way for it to end.
                self.reason.get_or_insert_with(|| "unspecified".to_owned());
                self.end(out);
            }
            Err(error) => self.fail(error, out),
        }
    }

    fn chunk(&mut self, chunk: &Value, out: Out<'_>) -> Result<(), ModelError> {
        if let Some(error) = error::within(chunk) {
            return Err(error);
        }
        if !chunk.is_object() {
            return Err(bad("the upstream sent a chunk that is no JSON object"));
        }
        keep_first(&mut self.id, chunk.get("id"));
        keep_first(&mut self.model, chunk.get("model"));
        // Chunks without choices are sent by filters, and for usage.
        for choice in chunk.get("choices").and_then(Value::as_array).into_iter().flatten() {
            if choice.get("index").and_then(Value::as_u64).unwrap_or_default() == 0 {
                self.choice(choice, out)?;
            }
        }
        self.usage(chunk.get("usage"), out);
        self.usage(chunk.get("x_groq").and_then(|groq| groq.get("usage")), out);
        Ok(())
    }

    /// What [`chunk`](Self::chunk) does with a chunk that is nothing but text.
    fn plain(&mut self, chunk: &PlainChunk<'_>, out: Out<'_>) -> Result<(), ModelError> {
        for (to, text) in [(&mut self.id, &chunk.id), (&mut self.model, &chunk.model)] {
            if to.is_empty() {
                text.as_ref().clone_into(to);
            }
        }
        self.start(out);
        self.content(chunk.text(), out)
    }

    fn choice(&mut self, choice: &Value, out: Out<'_>) -> Result<(), ModelError> {
        self.start(out);
        if let Some(delta) = choice.get("delta") {
            self.delta(delta, false, out)?;
        } else if let Some(message) = choice.get("message") {
            self.delta(message, true, out)?;
        }
        // Moonshot.
        self.usage(choice.get("usage"), out);
        if let Some(reason) = text(choice, "finish_reason") {
            if let Some(error) = failure(reason) {
                return Err(error);
            }
            self.reason = Some(reason.to_owned());
        }
        Ok(())
    }

    fn delta(&mut self, delta: &Value, whole: bool, out: Out<'_>) -> Result<(), ModelError> {
        self.reasoning(delta, out)?;
        match delta.get("content") {
            Some(Value::String(text)) => self.content(text, out)?,
            Some(Value::Array(parts)) => parts.iter().try_for_each(|part| self.part(part, out))?,
            _ => {}
        }
        if let Some(refusal) = text(delta, "refusal") {
            self.flush(out)?;
            self.blocks.refusal(refusal, out)?;
        }
        let calls = delta.get("tool_calls").and_then(Value::as_array);
        for (at, call) in calls.into_iter().flatten().enumerate() {
            let number =
                if whole { Some(at as u64) } else { call.get("index").and_then(Value::as_u64) };
            self.call(call, number, out)?;
        }
        if let Some(function) = delta.get("function_call").filter(|value| value.is_object()) {
            self.call(&json!({"function": function}), Some(FUNCTION), out)?;
        }
        self.extra("annotations", delta.get("annotations"))?;
        self.extra("audio", delta.get("audio"))
    }

    /// Reasoning beside the text: `reasoning_content`, else `reasoning`, else the texts of
    /// `reasoning_details`; servers that send several say the same in each.
    fn reasoning(&mut self, delta: &Value, out: Out<'_>) -> Result<(), ModelError> {
        let details = delta.get("reasoning_details").and_then(Value::as_array);
        let details = details.map(Vec::as_slice).unwrap_or_default();
        let (said, way) = match (text(delta, "reasoning_content"), text(delta, "reasoning")) {
            (Some(said), _) => (said.to_owned(), Way::Content),
            (None, Some(said)) => (said.to_owned(), Way::Other),
            (None, None) => (details.iter().filter_map(detail_text).collect(), Way::Content),
        };
        if said.is_empty() && details.is_empty() {
            return Ok(());
        }
        self.tags.none();
        self.flush(out)?;
        self.blocks.thought(&said, way, details, out)
    }

    fn content(&mut self, text: &str, out: Out<'_>) -> Result<(), ModelError> {
        if text.is_empty() {
            return Ok(());
        }
        if self.tags.is_text() {
            return self.blocks.text(text, out);
        }
        self.tags.push(text).into_iter().try_for_each(|piece| self.say(piece, out))
    }

    fn say(&mut self, piece: Said, out: Out<'_>) -> Result<(), ModelError> {
        match piece {
            Said::Text(text) => self.blocks.text(&text, out),
            Said::Thought(text) => self.blocks.thought(&text, Way::Tags, &[], out),
        }
    }

    /// Says what was held back to look for tags, before something else is said.
    fn flush(&mut self, out: Out<'_>) -> Result<(), ModelError> {
        self.tags.finish().map_or(Ok(()), |piece| self.say(piece, out))
    }

    /// A part of a content that is an array (Mistral).
    fn part(&mut self, part: &Value, out: Out<'_>) -> Result<(), ModelError> {
        match (text(part, "type"), part.get("text"), part.get("thinking")) {
            (_, Some(Value::String(text)), _) => self.content(text, out),
            (Some("thinking"), _, Some(Value::String(text))) => {
                self.tags.none();
                self.blocks.thought(text, Way::Content, &[], out)
            }
            (Some("thinking"), _, Some(Value::Array(parts))) => {
                let said: String = parts.iter().filter_map(detail_text).collect();
                self.tags.none();
                self.blocks.thought(&said, Way::Content, &[], out)
            }
            _ => self.extra("content", Some(&json!([part]))),
        }
    }

    fn call(&mut self, call: &Value, number: Option<u64>, out: Out<'_>) -> Result<(), ModelError> {
        self.flush(out)?;
        let is_text = call.get("custom").is_some_and(Value::is_object);
        let inner = call.get(if is_text { "custom" } else { "function" });
        let member = |name: &str| inner.and_then(|inner| inner.get(name));
        // Some servers send the object itself.
        let input = match member(if is_text { "input" } else { "arguments" }) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
        };
        let piece = Piece {
            number,
            id: text(call, "id").unwrap_or_default(),
            name: member("name").and_then(Value::as_str).unwrap_or_default(),
            input: &input,
            is_text,
            extra: call.get("extra_content").filter(|extra| !extra.is_null()),
        };
        self.blocks.call(piece, out)
    }

    fn extra(&mut self, name: &'static str, value: Option<&Value>) -> Result<(), ModelError> {
        let values = match value {
            None | Some(Value::Null) => return Ok(()),
            Some(Value::Array(values)) => values.clone(),
            Some(value) => vec![value.clone()],
        };
        self.blocks.keep(values.iter().map(|value| value.to_string().len()).sum())?;
        if !values.is_empty() {
            self.extras.entry(name).or_default().extend(values);
        }
        Ok(())
    }

    fn usage(&mut self, usage: Option<&Value>, out: Out<'_>) {
        if let Some(update) = usage.and_then(|usage| self.usage.read(usage, self.mode)) {
            self.start(out);
            out.push(StreamEvent::Usage(update));
        }
    }

    fn start(&mut self, out: Out<'_>) {
        if !self.started {
            self.started = true;
            self.blocks.answer.clone_from(&self.id);
            out.push(StreamEvent::Start { id: self.id.clone(), model: self.model.clone() });
        }
    }

    fn end(&mut self, out: Out<'_>) {
        let Some(reason) = self.reason.take().filter(|_| self.started) else {
            return self.fail(cut_off(), out);
        };
        if let Err(error) = self.flush(out).and_then(|()| self.blocks.finish(out)) {
            return self.fail(error, out);
        }
        self.ended = true;
        for (name, values) in std::mem::take(&mut self.extras) {
            self.blocks.unknown(json!({name: values}), out);
        }
        let reason = stop_reason(&reason, self.blocks.has_calls(), self.blocks.refused);
        out.push(StreamEvent::Stop { reason, stop_sequence: None });
    }

    fn fail(&mut self, error: ModelError, out: Out<'_>) {
        self.ended = true;
        out.push(StreamEvent::Error(error));
    }
}

impl StreamDecoder for Decoder {
    fn push(&mut self, frame: &Frame, out: &mut Vec<StreamEvent>) {
        if self.ended {
            return;
        }
        let Some(data) = &frame.data else {
            out.push(StreamEvent::Ping);
            return;
        };
        let data = data.trim_ascii();
        if data.is_empty() {
            return;
        }
        if data == b"[DONE]" {
            return self.end(out);
        }
        if let Some(chunk) = PlainChunk::read(data) {
            if let Err(error) = self.plain(&chunk, out) {
                self.fail(error, out);
            }
            return;
        }
        let read = match serde_json::from_slice::<Value>(data) {
            Ok(chunk) => self.chunk(&chunk, out),
            // Cut off inside what follows the end: the answer is whole all the same.
            Err(_) if self.reason.is_some() => Ok(()),
            Err(_) => Err(bad("the upstream sent a chunk that is no JSON")),
        };
        if let Err(error) = read {
            self.fail(error, out);
        }
    }

    fn finish(&mut self, out: &mut Vec<StreamEvent>) {
        if !self.ended {
            self.end(out);
        }
    }
}

/// The answer ended before it was whole.
pub(in super::super) fn cut_off() -> ModelError {
    ModelError::new(
        ErrorKind::BadGateway,
        "the upstream ended its stream before the answer was whole",
    )
    .with_code("upstream_cut_off")
}

/// A string that says something.
fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn keep_first(to: &mut String, value: Option<&Value>) {
    if to.is_empty()
        && let Some(text) = value.and_then(Value::as_str)
    {
        text.clone_into(to);
    }
}

/// The reasons that say the upstream failed: half an answer is no answer.
fn failure(reason: &str) -> Option<ModelError> {
    let kind = match reason {
        // DeepSeek.
        "insufficient_system_resource" => ErrorKind::Overloaded,
        // OpenRouter, vLLM and Zhipu.
        "error" | "abort" | "network_error" => ErrorKind::Api,
        _ => return None,
    };
    let message = format!("the upstream broke its answer off: `{reason}`");
    Some(ModelError::new(kind, message).with_code(reason))
}

/// Why the answer ended. Calls that are there want to be run whatever the word; a word for calls that are not
/// there would leave the caller waiting.
fn stop_reason(word: &str, calls: bool, refused: bool) -> StopReason {
    match word {
        "stop" | "eos" | "end_turn" | "tool_calls" | "function_call" | "unspecified" if calls => {
            StopReason::ToolUse
        }
        "stop" | "eos" | "end_turn" if refused => StopReason::Refusal,
        "stop" | "eos" | "end_turn" | "tool_calls" | "function_call" => StopReason::EndTurn,
        "length" | "max_tokens" | "model_length" => StopReason::MaxTokens,
        "model_context_window_exceeded" => StopReason::ContextWindow,
        "content_filter" | "sensitive" => StopReason::ContentFilter,
        "refusal" => StopReason::Refusal,
        other => StopReason::Other(other.to_owned()),
    }
}
