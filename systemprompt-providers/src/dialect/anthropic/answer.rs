//! Whole answers, and what streams and whole answers share: blocks and reasons to stop.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use systemprompt_core::llm::{
    Answer, Block, BlockKind, Dialect, ErrorKind, LossKind, LossReport, ModelError, OpaqueState,
    Origin, StopReason, ToolInput, Usage,
};

use super::envelope;
use super::error;
use super::json::{ObjectOut, Text, raw};
use super::names::{TEXT_ARGUMENT, is_text_tool};
use super::usage::{self, UsageReader, WireUsage};
use crate::dialect::{Reply, Source};

/// The blocks of an answer that only this wire has and its clients know.
const OWN_BLOCKS: [&str; 9] = [
    "server_tool_use",
    "web_search_tool_result",
    "web_fetch_tool_result",
    "code_execution_tool_result",
    "bash_code_execution_tool_result",
    "text_editor_code_execution_tool_result",
    "tool_search_tool_result",
    "container_upload",
    "mcp_tool_result",
];

/// Whether clients of this wire know a block of this type; a type of another wire would make them fail.
pub(super) fn is_own(value: &Value) -> bool {
    let kind = value.get("type").and_then(Value::as_str);
    kind.is_some_and(|kind| OWN_BLOCKS.contains(&kind) || kind == "mcp_tool_use")
}

/// Whether a block calls a tool of the provider, whose input comes in pieces.
pub(super) fn is_server_call(value: &Value) -> bool {
    let kind = value.get("type").and_then(Value::as_str);
    matches!(kind, Some("server_tool_use" | "mcp_tool_use"))
}

/// Reads why an answer ended.
pub(super) fn stop_reason(word: &str) -> StopReason {
    match word {
        "end_turn" => StopReason::EndTurn,
        "max_tokens" => StopReason::MaxTokens,
        "model_context_window_exceeded" => StopReason::ContextWindow,
        "stop_sequence" => StopReason::StopSequence,
        "tool_use" => StopReason::ToolUse,
        "pause_turn" => StopReason::Pause,
        "refusal" => StopReason::Refusal,
        other => StopReason::Other(other.to_owned()),
    }
}

/// Writes why an answer ended. A reason of another wire is the end of a turn, which is noted.
pub(super) fn stop_word(reason: &StopReason, losses: &mut LossReport) -> &'static str {
    match reason {
        StopReason::EndTurn => "end_turn",
        StopReason::MaxTokens => "max_tokens",
        StopReason::ContextWindow => "model_context_window_exceeded",
        StopReason::StopSequence => "stop_sequence",
        StopReason::ToolUse => "tool_use",
        StopReason::Pause => "pause_turn",
        StopReason::Refusal | StopReason::ContentFilter => "refusal",
        StopReason::Other(_) => {
            losses.note("stop_reason", LossKind::Degraded);
            "end_turn"
        }
    }
}

/// Whether the answer may end in the middle of a call's arguments.
pub(super) const fn cuts_off(reason: &StopReason) -> bool {
    matches!(
        reason,
        StopReason::MaxTokens
            | StopReason::ContextWindow
            | StopReason::Refusal
            | StopReason::ContentFilter
            | StopReason::StopSequence
    )
}

/// Writes a whole answer.
pub(super) fn encode(answer: &Answer, to: &Reply, losses: &mut LossReport) -> Bytes {
    let mut content = Vec::with_capacity(answer.content.len());
    for (at, block) in answer.content.iter().enumerate() {
        push_block(&format!("content.{at}"), block, to, &mut content, losses);
    }
    let mut body = ObjectOut::default();
    body.put("id", if answer.id.is_empty() { &to.id } else { &answer.id });
    body.put("type", "message");
    body.put("role", "assistant");
    body.put("model", &to.model);
    body.put("content", content);
    body.put("stop_reason", stop_word(&answer.stop_reason, losses));
    body.put("stop_sequence", &answer.stop_sequence);
    body.put("usage", usage::write(&answer.usage));
    raw(body).get().to_owned().into()
}

fn push_block(
    path: &str,
    block: &Block,
    to: &Reply,
    content: &mut Vec<ObjectOut>,
    losses: &mut LossReport,
) {
    match &block.kind {
        BlockKind::Text { text } | BlockKind::Refusal { text } => {
            let mut object = ObjectOut::of("text");
            object.put("text", text);
            content.push(object);
        }
        BlockKind::Thinking { text, state } => {
            let mut object = ObjectOut::of("thinking");
            object.put("thinking", text);
            let signature = state.as_ref().map(|state| envelope::wrap(state, None));
            object.put("signature", signature.as_deref().unwrap_or(envelope::UNSIGNED));
            content.push(object);
        }
        BlockKind::RedactedThinking(state) => content.push(redacted(state, None)),
        BlockKind::ToolUse { id, name, input, state } => {
            let id = call_id(id, &to.id, content.len());
            if let Some(state) = state {
                content.push(redacted(state, Some(&id)));
            }
            let mut object = ObjectOut::of("tool_use");
            object.put("id", id);
            object.put("name", name);
            object.put("input", input_object(path, input, losses));
            content.push(object);
        }
        BlockKind::Unknown { value } if is_own(value) => {
            content.push(ObjectOut::as_it_stood(value));
        }
        _ => losses.note(path, LossKind::Dropped),
    }
}

/// The id of a call, which must have one for its result to name.
pub(super) fn call_id<'a>(id: &'a str, reply: &str, at: usize) -> Cow<'a, str> {
    if id.is_empty() { Cow::Owned(format!("toolu_{reply}_{at}")) } else { Cow::Borrowed(id) }
}

/// State as a block of its own; `call` is the id of the call that it belongs to.
pub(super) fn redacted(state: &OpaqueState, call: Option<&str>) -> ObjectOut {
    let mut object = ObjectOut::of("redacted_thinking");
    object.put("data", envelope::wrap(state, call));
    object
}

/// Arguments as the object they must be. A text stands in one argument; what is broken stands in
/// `INVALID_JSON`, as Anthropic's guide to streamed input asks for, so that it is never run by mistake.
fn input_object(path: &str, input: &ToolInput, losses: &mut LossReport) -> Box<RawValue> {
    let wrapped = |name: &str, text: &str| {
        let mut object = ObjectOut::default();
        object.put(name, text);
        raw(object)
    };
    match input {
        ToolInput::Json(text) => serde_json::from_str::<Box<RawValue>>(text)
            .unwrap_or_else(|_| wrapped("INVALID_JSON", text)),
        ToolInput::Text(text) => wrapped(TEXT_ARGUMENT, text),
        ToolInput::Broken(text) => {
            losses.note(format!("{path}.input"), LossKind::Degraded);
            wrapped("INVALID_JSON", text)
        }
    }
}

#[derive(Deserialize)]
struct WireAnswer<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Text<'a>>,
    #[serde(default)]
    id: String,
    #[serde(default)]
    model: String,
    #[serde(borrow)]
    content: Option<Vec<&'a RawValue>>,
    stop_reason: Option<String>,
    stop_sequence: Option<String>,
    #[serde(default)]
    usage: Option<WireUsage>,
}

/// Reads a whole answer.
pub(super) fn decode(body: &[u8], from: &Source) -> Result<Answer, ModelError> {
    let answer: WireAnswer<'_> = serde_json::from_slice(body).map_err(|_| no_answer(body))?;
    if answer.kind.as_ref().is_some_and(|kind| kind.0 != "message") {
        return Err(no_answer(body));
    }
    let (Some(content), Some(stop_reason)) = (answer.content, &answer.stop_reason) else {
        return Err(no_answer(body));
    };
    let origin = origin(from);
    let content: Option<Vec<Block>> =
        content.into_iter().map(|raw| read_block(raw, &origin, from)).collect();
    let mut usage = Usage::default();
    if let Some(said) = answer.usage {
        usage.apply(&UsageReader::new(from.usage_mode).update(said));
    }
    Ok(Answer {
        id: answer.id,
        model: answer.model,
        content: content.ok_or_else(|| no_answer(body))?,
        stop_reason: self::stop_reason(stop_reason),
        stop_sequence: answer.stop_sequence,
        usage,
    })
}

/// The error of a body that is no answer: the one that it says, or that it makes no sense.
fn no_answer(body: &[u8]) -> ModelError {
    match serde_json::from_slice::<Value>(body) {
        Ok(value) if value.get("error").is_some() => error::read(&value, ErrorKind::Api),
        _ => ModelError::new(ErrorKind::BadGateway, "the answer of the provider cannot be read")
            .with_code("upstream_unreadable"),
    }
}

/// Where blocks of a provider are made.
pub(super) fn origin(from: &Source) -> Origin {
    Origin { dialect: Dialect::Anthropic, provider: Some(from.provider.clone()) }
}

/// State that a provider made.
pub(super) fn state(origin: &Origin, data: String) -> OpaqueState {
    OpaqueState { origin: origin.clone(), id: None, data }
}

#[derive(Deserialize)]
struct WireBlock<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    text: Option<String>,
    thinking: Option<String>,
    signature: Option<String>,
    data: Option<String>,
    id: Option<String>,
    name: Option<String>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
}

fn read_block(raw: &RawValue, origin: &Origin, from: &Source) -> Option<Block> {
    let block = serde_json::from_str::<WireBlock<'_>>(raw.get()).ok();
    let kind = match block {
        Some(block) => match block.kind.0.as_ref() {
            "text" => BlockKind::Text { text: block.text.unwrap_or_default() },
            "thinking" => BlockKind::Thinking {
                text: block.thinking.unwrap_or_default(),
                state: block
                    .signature
                    .filter(|data| !data.is_empty())
                    .map(|data| state(origin, data)),
            },
            "redacted_thinking" => {
                BlockKind::RedactedThinking(state(origin, block.data.unwrap_or_default()))
            }
            "tool_use" => {
                let sent = block.name.unwrap_or_default();
                let input = block.input.map_or("", RawValue::get);
                BlockKind::ToolUse {
                    id: block.id.unwrap_or_default(),
                    name: from.tool_name(&sent),
                    input: if is_text_tool(&sent, from) {
                        ToolInput::Text(text_argument(input))
                    } else {
                        ToolInput::from_json_text(input)
                    },
                    state: None,
                }
            }
            _ => BlockKind::Unknown { value: serde_json::from_str(raw.get()).ok()? },
        },
        // A block of another type may have members of the same names and other types.
        None => {
            let value: Value = serde_json::from_str(raw.get()).ok()?;
            value.get("type")?.as_str()?;
            BlockKind::Unknown { value }
        }
    };
    Some(Block { kind, cache: None, origin: Some(origin.clone()) })
}

/// The text that a text tool was called with; what the model wrote where it is no such call.
pub(super) fn text_argument(input: &str) -> String {
    let object = serde_json::from_str::<serde_json::Map<String, Value>>(input).ok();
    match object.and_then(|mut object| object.remove(TEXT_ARGUMENT)) {
        Some(Value::String(text)) => text,
        _ => input.to_owned(),
    }
}
