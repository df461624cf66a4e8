use std::sync::Arc;

use serde_json::{Map, Value, json};
use systemprompt_core::llm::{
    Block, BlockKind, CacheMark, Dialect, LossKind, LossReport, Media, MediaSource, Message,
    ModelRequest, OpaqueState, Role, ToolInput,
};

use super::calls::{Calls, Place};
use super::names::Names;
use super::part;
use crate::dialect::Target;

/// What a call without a result is answered with, so that the provider takes the conversation.
const NO_RESULT: &str = "Error: this call was interrupted; there is no result.";

/// Writes the conversation as items of `input`. `stored` says whether the provider keeps answers.
pub(super) fn encode(
    request: &ModelRequest,
    to: &Target<'_>,
    names: &Names,
    stored: bool,
    losses: &mut LossReport,
) -> Vec<Value> {
    let calls = Calls::of(&request.messages);
    let mut items = Items { request, to, names, calls, stored, losses, items: Vec::new() };
    for (at, message) in request.messages.iter().enumerate() {
        items.message(at, message);
    }
    items.finish()
}

struct Items<'a> {
    request: &'a ModelRequest,
    to: &'a Target<'a>,
    names: &'a Names,
    calls: Calls,
    stored: bool,
    losses: &'a mut LossReport,
    items: Vec<Item>,
}

struct Item {
    value: Value,
    kind: ItemKind,
    /// Where the caller has it.
    path: String,
}

#[derive(PartialEq, Eq)]
enum ItemKind {
    Reasoning,
    /// Another item that the model made.
    Made,
    Said,
}

impl Items<'_> {
    fn message(&mut self, at: usize, message: &Message) {
        let mut parts = Vec::new();
        for (number, block) in message.content.iter().enumerate() {
            let path = self.path(at, number, block);
            if is_part(&block.kind) {
                parts.extend(self.part(message.role, block, &path));
            } else {
                self.flush(at, message.role, &mut parts);
                self.item((at, number), block, path);
            }
        }
        self.flush(at, message.role, &mut parts);
    }

    /// The path of a block, as the caller's dialect names it.
    fn path(&self, at: usize, number: usize, block: &Block) -> String {
        match self.request.dialect {
            Dialect::Responses if !is_part(&block.kind) => format!("input.{at}"),
            Dialect::Responses => format!("input.{at}.content.{number}"),
            Dialect::Gemini => format!("contents.{at}.parts.{number}"),
            Dialect::Anthropic | Dialect::Chat => format!("messages.{at}.content.{number}"),
        }
    }

    fn flush(&mut self, at: usize, role: Role, parts: &mut Vec<Value>) {
        if parts.is_empty() {
            return;
        }
        let (role, kind) = match role {
            Role::System => ("system", ItemKind::Said),
            Role::User => ("user", ItemKind::Said),
            Role::Assistant => ("assistant", ItemKind::Made),
        };
        let content = std::mem::take(parts);
        let value = json!({ "type": "message", "role": role, "content": content });
        self.items.push(Item { value, kind, path: format!("messages.{at}") });
    }

    fn push(&mut self, value: Value, kind: ItemKind, path: String) {
        self.items.push(Item { value, kind, path });
    }

    /// Writes a block that is an item of its own.
    fn item(&mut self, place: Place, block: &Block, path: String) {
        match &block.kind {
            BlockKind::ToolUse { id, name, input, state } => {
                self.no_mark(block.cache, &path);
                if state.is_some() {
                    self.losses.note(format!("{path}.thought_signature"), LossKind::Dropped);
                }
                self.call(place, id, name, input, path);
            }
            BlockKind::ToolResult { tool_use_id, content, is_error } => {
                self.result(place, tool_use_id, content, *is_error, block.cache, path);
            }
            BlockKind::Thinking { text, state } => self.reasoning(text, state.as_ref(), path),
            // What another dialect had to call so, for want of words, may be ours.
            BlockKind::RedactedThinking(state) => self.reasoning("", Some(state), path),
            BlockKind::Unknown { value } if self.request.dialect == Dialect::Responses => {
                self.push(value.clone(), ItemKind::Made, path);
            }
            _ => self.losses.note(path, LossKind::Dropped),
        }
    }

    fn call(&mut self, place: Place, id: &str, name: &str, input: &ToolInput, path: String) {
        let call_id = self.names.call(id);
        let name = self.names.tool(name);
        let text = matches!(input, ToolInput::Text(_));
        let value = if text {
            json!({
                "type": "custom_tool_call", "call_id": call_id, "name": name,
                "input": input.as_str(),
            })
        } else {
            json!({
                "type": "function_call", "call_id": call_id, "name": name,
                "arguments": input.as_str(),
            })
        };
        self.push(value, ItemKind::Made, path.clone());
        if !self.calls.is_answered(place) {
            self.losses.note(path.as_str(), LossKind::Degraded);
            let value = output(call_id, text, json!(NO_RESULT));
            self.push(value, ItemKind::Said, path);
        }
    }

    fn result(
        &mut self,
        place: Place,
        id: &str,
        content: &[Block],
        is_error: bool,
        cache: Option<CacheMark>,
        path: String,
    ) {
        let member = if self.request.dialect == Dialect::Responses { "output" } else { "content" };
        let mut parts: Vec<Value> = content
            .iter()
            .enumerate()
            .filter_map(|(number, block)| {
                self.part(Role::User, block, &format!("{path}.{member}.{number}"))
            })
            .collect();
        if is_error {
            // The wire has no word for it; the model reads it instead.
            self.losses.note(format!("{path}.is_error"), LossKind::Degraded);
            say_error(&mut parts);
        }
        match (cache, parts.last_mut()) {
            (Some(cache), Some(last)) if self.to.capabilities.cache_breakpoints => {
                part::mark(last, cache);
            }
            (cache, _) => self.no_mark(cache, &path),
        }
        let Some(text) = self.calls.answers(place) else {
            // A result without a call is refused; what it says is still said.
            self.losses.note(path.as_str(), LossKind::Degraded);
            parts.insert(
                0,
                json!({ "type": "input_text", "text": format!("[result of the tool call {id}]") }),
            );
            let value = json!({ "type": "message", "role": "user", "content": parts });
            self.push(value, ItemKind::Said, path);
            return;
        };
        let value = output(self.names.call(id), text, in_short(parts));
        self.push(value, ItemKind::Said, path);
    }

    /// Writes reasoning for the provider that made it. Another cannot read it and refuses the request.
    fn reasoning(&mut self, text: &str, state: Option<&OpaqueState>, path: String) {
        let own = |state: &&OpaqueState| {
            let made_here = |provider: &Arc<str>| provider == self.to.provider;
            let here = state.origin.provider.as_ref().is_none_or(made_here);
            let kept = self.stored && state.id.is_some();
            state.origin.dialect == Dialect::Responses && here && (kept || !state.data.is_empty())
        };
        let Some(state) = state.filter(own) else {
            self.losses.note(path, LossKind::Dropped);
            return;
        };
        let summary: Vec<Value> = (!text.is_empty())
            .then(|| json!({ "type": "summary_text", "text": text }))
            .into_iter()
            .collect();
        let mut value = Map::new();
        value.insert("type".to_owned(), json!("reasoning"));
        value.insert("summary".to_owned(), Value::Array(summary));
        // One that it does not know is worse than none.
        if let Some(id) = &state.id {
            value.insert("id".to_owned(), json!(id));
        }
        if !state.data.is_empty() {
            value.insert("encrypted_content".to_owned(), json!(state.data));
        }
        self.push(Value::Object(value), ItemKind::Reasoning, path);
    }

    /// Writes a block that is a part of a message, or of the output of a tool.
    fn part(&mut self, role: Role, block: &Block, path: &str) -> Option<Value> {
        let text = |text: &str| match role {
            Role::Assistant => json!({ "type": "output_text", "text": text, "annotations": [] }),
            Role::System | Role::User => json!({ "type": "input_text", "text": text }),
        };
        let mut part = match &block.kind {
            BlockKind::Text { text: said } | BlockKind::Refusal { text: said }
                if said.is_empty() =>
            {
                self.no_mark(block.cache, path);
                return None;
            }
            BlockKind::Text { text: said } => text(said),
            BlockKind::Refusal { text: said } if role == Role::Assistant => {
                json!({ "type": "refusal", "refusal": said })
            }
            BlockKind::Refusal { text: said } => text(said),
            BlockKind::Image(media) | BlockKind::Document(media) | BlockKind::Audio(media) => {
                match self.medium(role, &block.kind, media) {
                    Some(part) => part,
                    None => {
                        self.losses.note(path, LossKind::Degraded);
                        text(&instead_of(&block.kind, media))
                    }
                }
            }
            BlockKind::Unknown { value } if self.request.dialect == Dialect::Responses => {
                value.clone()
            }
            _ => {
                self.losses.note(path, LossKind::Dropped);
                return None;
            }
        };
        match block.cache {
            Some(cache) if role != Role::Assistant && self.to.capabilities.cache_breakpoints => {
                part::mark(&mut part, cache);
            }
            cache => self.no_mark(cache, path),
        }
        Some(part)
    }

    fn medium(&self, role: Role, kind: &BlockKind, media: &Media) -> Option<Value> {
        // The file of another provider is none here.
        let foreign = matches!(media.source, MediaSource::File { .. })
            && !matches!(self.request.dialect, Dialect::Responses | Dialect::Chat);
        if role != Role::User || foreign {
            return None;
        }
        match kind {
            BlockKind::Image(_) if self.to.capabilities.images => part::image_part(media),
            BlockKind::Document(_) => part::file_part(media),
            // It has a word of its own for sound, which only those know who say it.
            BlockKind::Audio(_) if self.request.dialect == Dialect::Responses => {
                part::audio_part(media)
            }
            _ => None,
        }
    }

    fn no_mark(&mut self, cache: Option<CacheMark>, path: &str) {
        if cache.is_some() {
            let member = mark_name(self.request.dialect);
            self.losses.note(format!("{path}.{member}"), LossKind::Hint);
        }
    }

    /// Leaves out reasoning that nothing follows, as of an answer that was broken off: OpenAI refuses it.
    fn finish(self) -> Vec<Value> {
        let mut followed = false;
        let mut kept = Vec::with_capacity(self.items.len());
        for item in self.items.into_iter().rev() {
            match item.kind {
                ItemKind::Reasoning if !followed => {
                    self.losses.note(item.path, LossKind::Dropped);
                    continue;
                }
                ItemKind::Reasoning => {}
                ItemKind::Made => followed = true,
                ItemKind::Said => followed = false,
            }
            kept.push(item.value);
        }
        kept.reverse();
        kept
    }
}

/// The caller's name of a cache mark.
pub(super) const fn mark_name(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Anthropic => "cache_control",
        Dialect::Chat | Dialect::Responses | Dialect::Gemini => "prompt_cache_breakpoint",
    }
}

/// Whether a block is a part of a message; the others are items.
fn is_part(kind: &BlockKind) -> bool {
    match kind {
        BlockKind::Text { .. }
        | BlockKind::Refusal { .. }
        | BlockKind::Image(_)
        | BlockKind::Document(_)
        | BlockKind::Audio(_) => true,
        BlockKind::Unknown { value } => value
            .get("type")
            .and_then(Value::as_str)
            .is_some_and(|kind| kind.starts_with("input_") || kind.starts_with("output_")),
        BlockKind::ToolUse { .. }
        | BlockKind::ToolResult { .. }
        | BlockKind::Thinking { .. }
        | BlockKind::RedactedThinking(_) => false,
    }
}

/// What stands where a medium cannot.
fn instead_of(kind: &BlockKind, media: &Media) -> String {
    let what = match (kind, &media.source) {
        (BlockKind::Document(_), MediaSource::Text { text }) => {
            return match &media.title {
                Some(title) => format!("{title}\n\n{text}"),
                None => text.clone(),
            };
        }
        (BlockKind::Image(_), _) => "image",
        (BlockKind::Audio(_), _) => "audio",
        _ => "document",
    };
    match &media.title {
        Some(title) => format!("[{what} `{title}` left out: it cannot be sent to this model]"),
        None => format!("[{what} left out: it cannot be sent to this model]"),
    }
}

fn output(call_id: &str, text: bool, output: Value) -> Value {
    let kind = if text { "custom_tool_call_output" } else { "function_call_output" };
    json!({ "type": kind, "call_id": call_id, "output": output })
}

/// A text alone needs no parts, which is what every server of this wire reads.
fn in_short(mut parts: Vec<Value>) -> Value {
    match parts.as_mut_slice() {
        [] => json!(""),
        [Value::Object(part)]
            if part.len() == 2
                && part.get("type").and_then(Value::as_str) == Some("input_text") =>
        {
            part.remove("text").unwrap_or_default()
        }
        _ => Value::Array(parts),
    }
}

fn say_error(parts: &mut Vec<Value>) {
    let text = parts.first_mut().and_then(|part| part.get_mut("text"));
    match text {
        Some(Value::String(text)) if text.starts_with("Error") => {}
        Some(Value::String(text)) => text.insert_str(0, "Error: "),
        _ => parts.insert(0, json!({ "type": "input_text", "text": "Error: the tool failed." })),
    }
}
