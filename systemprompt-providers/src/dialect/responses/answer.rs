//! Whole answers of a provider.

use serde_json::Value;
use systemprompt_core::llm::{
    Answer, Block, BlockKind, Dialect, ErrorKind, ModelError, OpaqueState, Origin, StopReason,
    ToolInput, Usage,
};

use super::request::joined;
use super::{error, usage};
use crate::dialect::Source;

/// Reads an answer.
pub(super) fn decode(body: &[u8], from: &Source) -> Result<Answer, ModelError> {
    let response: Value = serde_json::from_slice(body)
        .map_err(|error| no_answer(&format!("the upstream's answer is not JSON: {error}")))?;
    if let Some(failure) = failure(&response) {
        return Err(failure);
    }
    let status = text(&response, "status");
    if matches!(status, "queued" | "in_progress") {
        let message = format!("the upstream's answer is not done: its status is `{status}`");
        return Err(no_answer(&message));
    }
    let Some(Value::Array(output)) = response.get("output") else {
        return Err(no_answer("the upstream's answer has no `output`"));
    };
    let origin = origin(from);
    let mut content = Vec::new();
    for item in output {
        for kind in blocks(item, from, &origin)? {
            content.push(Block { origin: Some(origin.clone()), ..Block::new(kind) });
        }
    }
    let tools = content.iter().any(|block| matches!(block.kind, BlockKind::ToolUse { .. }));
    let refused = content.iter().any(|block| matches!(block.kind, BlockKind::Refusal { .. }));
    let mut used = Usage::default();
    if let Some(said) = response.get("usage") {
        used.apply(&usage::decode(said, from.usage_mode));
    }
    Ok(Answer {
        id: text(&response, "id").to_owned(),
        model: text(&response, "model").to_owned(),
        content,
        stop_reason: stop_reason(&response, tools, refused),
        stop_sequence: None,
        usage: used,
    })
}

/// What state of this answer can be read by.
pub(super) fn origin(from: &Source) -> Origin {
    Origin { dialect: Dialect::Responses, provider: Some(from.provider.clone()) }
}

/// Why a response object is no answer, if it is none.
pub(super) fn failure(response: &Value) -> Option<ModelError> {
    let status = text(response, "status");
    let error = response.get("error").filter(|error| !error.is_null());
    match (status, error) {
        (_, Some(said)) => Some(error::in_answer(said)),
        ("failed", None) => Some(error::in_answer(&Value::Null)),
        ("cancelled", None) => Some(
            ModelError::new(ErrorKind::Api, "the upstream cancelled the answer")
                .with_code("cancelled"),
        ),
        _ => None,
    }
}

/// Why a response object ended. Some servers call an answer whole whose last item is not.
pub(super) fn stop_reason(response: &Value, tools: bool, refused: bool) -> StopReason {
    let last = response.pointer("/output").and_then(Value::as_array).and_then(|all| all.last());
    let broken_off = last.is_some_and(|item| text(item, "status") == "incomplete");
    let reason = response.pointer("/incomplete_details/reason").and_then(Value::as_str);
    match (text(response, "status"), reason) {
        (_, Some("max_output_tokens")) => StopReason::MaxTokens,
        (_, Some("content_filter")) => StopReason::ContentFilter,
        (_, Some(reason)) => StopReason::Other(reason.to_owned()),
        ("incomplete", None) => StopReason::MaxTokens,
        _ if broken_off => StopReason::MaxTokens,
        _ if tools => StopReason::ToolUse,
        _ if refused => StopReason::Refusal,
        _ => StopReason::EndTurn,
    }
}

/// The blocks of an item of `output`.
fn blocks(item: &Value, from: &Source, origin: &Origin) -> Result<Vec<BlockKind>, ModelError> {
    Ok(match text(item, "type") {
        "message" => parts(item).iter().filter_map(part).collect(),
        "reasoning" => {
            let text = thought(item);
            let state = state(item, origin);
            if text.is_empty() && state.is_none() {
                Vec::new()
            } else {
                vec![BlockKind::Thinking { text, state }]
            }
        }
        "function_call" => {
            let (id, name) = call(item, from)?;
            vec![BlockKind::ToolUse {
                id,
                name,
                input: ToolInput::from_json_text(text(item, "arguments")),
                state: None,
            }]
        }
        "custom_tool_call" => {
            let (id, name) = call(item, from)?;
            let input = ToolInput::Text(text(item, "input").to_owned());
            vec![BlockKind::ToolUse { id, name, input, state: None }]
        }
        _ => vec![BlockKind::Unknown { value: item.clone() }],
    })
}

/// The parts of a message.
pub(super) fn parts(item: &Value) -> &[Value] {
    item.get("content").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn part(part: &Value) -> Option<BlockKind> {
    match text(part, "type") {
        "refusal" => {
            let text = text(part, "refusal").to_owned();
            (!text.is_empty()).then_some(BlockKind::Refusal { text })
        }
        "output_text" | "text" => {
            let text = text(part, "text").to_owned();
            (!text.is_empty()).then_some(BlockKind::Text { text })
        }
        _ => Some(BlockKind::Unknown { value: part.clone() }),
    }
}

/// The text of a reasoning item: what the model thought, or else what was made of it.
fn thought(item: &Value) -> String {
    let texts = |name| {
        let parts = item.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        joined(parts.iter().map(|part| text(part, "text")))
    };
    let raw = texts("content");
    if raw.is_empty() { texts("summary") } else { raw }
}

/// The state of a reasoning item.
pub(super) fn state(item: &Value, origin: &Origin) -> Option<OpaqueState> {
    let data = text(item, "encrypted_content");
    let id = text(item, "id");
    (!data.is_empty()).then(|| OpaqueState {
        origin: origin.clone(),
        id: (!id.is_empty()).then(|| id.to_owned()),
        data: data.to_owned(),
    })
}

/// The id of a call, and the tool as the caller named it.
pub(super) fn call(item: &Value, from: &Source) -> Result<(String, String), ModelError> {
    let name = text(item, "name");
    let id = match text(item, "call_id") {
        "" => text(item, "id"),
        id => id,
    };
    if name.is_empty() || id.is_empty() {
        return Err(no_answer("the upstream calls a tool without saying which, or without an id"));
    }
    Ok((id.to_owned(), from.tool_name(name)))
}

/// A text member, empty where there is none.
pub(super) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn no_answer(message: &str) -> ModelError {
    ModelError::new(ErrorKind::BadGateway, message).with_code("upstream_bad_answer")
}
