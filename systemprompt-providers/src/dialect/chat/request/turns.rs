//! The messages of a request, written.
//!
//! The wire wants every call of an assistant message answered by `tool` messages right after it. Other
//! wires have the results anywhere in the next turn, beside texts and pictures, so a turn is written whole:
//! the assistant, the results in the order of the calls, their pictures, and then what the user says.

mod assistant;

use std::collections::{HashMap, HashSet, VecDeque};
use std::ops::Range;

use serde_json::{Value, json};
use systemprompt_core::llm::{Block, BlockKind, Dialect, LossKind, Message, ModelError, Role};

use self::assistant::Call;
use super::content::{content, mark, part, plain, text_part};
use super::encode::Writer;
use super::paths::Place;

pub(super) fn write(writer: &mut Writer<'_>) -> Result<Vec<Value>, ModelError> {
    let mut out = Vec::new();
    system(writer, &mut out)?;
    let request = writer.request;
    let messages = without_beginning(writer, &request.messages);
    let mut at = 0;
    while let Some(message) = messages.get(at) {
        let (end, calls) = if message.role == Role::Assistant {
            let end = run(writer, messages, at);
            (end, assistant::write(writer, messages, at..end, &mut out)?)
        } else {
            (at, Vec::new())
        };
        let others = messages.iter().skip(end);
        let next = end + others.take_while(|message| message.role != Role::Assistant).count();
        answers(writer, messages, end..next, &calls, &mut out)?;
        at = next;
    }
    if out.is_empty() {
        return Err(ModelError::invalid("messages", "there is nothing in the request to send"));
    }
    Ok(out)
}

fn system(writer: &mut Writer<'_>, out: &mut Vec<Value>) -> Result<(), ModelError> {
    let mut parts = Vec::new();
    for (at, block) in writer.request.system.iter().enumerate() {
        parts.extend(part(writer, block, Place::System(at))?);
    }
    if !parts.is_empty() {
        out.push(json!({"role": "system", "content": content(writer, parts)}));
    }
    Ok(())
}

/// The messages without the beginning of the answer, where the model cannot go on from it.
fn without_beginning<'a>(writer: &mut Writer<'_>, messages: &'a [Message]) -> &'a [Message] {
    let Some((last, before)) = messages.split_last() else { return messages };
    let calls = last.content.iter().any(|block| matches!(block.kind, BlockKind::ToolUse { .. }));
    if last.role != Role::Assistant || calls || writer.to.capabilities.prefill {
        return messages;
    }
    writer.losses.note(writer.paths.message(before.len()), LossKind::Dropped);
    before
}

/// Where the turn of the assistant ends that begins at `start`. Messages of this wire stay apart unless a
/// call would lose its results.
fn run(writer: &Writer<'_>, messages: &[Message], start: usize) -> usize {
    let merges = writer.request.dialect != Dialect::Chat;
    let mut calls = false;
    let mut end = start;
    while let Some(message) = messages.get(end)
        && message.role == Role::Assistant
        && (end == start || merges || calls)
    {
        calls |=
            message.content.iter().any(|block| matches!(block.kind, BlockKind::ToolUse { .. }));
        end += 1;
    }
    end
}

/// Writes what stands between two turns of the assistant.
fn answers(
    writer: &mut Writer<'_>,
    messages: &[Message],
    range: Range<usize>,
    calls: &[Call],
    out: &mut Vec<Value>,
) -> Result<(), ModelError> {
    let mut results: HashMap<&str, VecDeque<(Place, &Block)>> = HashMap::new();
    for (place, block) in blocks(messages, range.clone()) {
        if let BlockKind::ToolResult { tool_use_id, .. } = &block.kind {
            results.entry(tool_use_id).or_default().push_back((place, block));
        }
    }
    let (mut used, mut media) = (HashSet::new(), Vec::new());
    for call in calls {
        match results.get_mut(call.id.as_str()).and_then(VecDeque::pop_front) {
            Some((place, block)) => {
                if let Place::Message(message, part) = place {
                    used.insert((message, part));
                }
                out.push(result(writer, call, block, place, &mut media)?);
            }
            None => out.push(no_result(writer, call)),
        }
    }
    if !media.is_empty() {
        out.push(json!({"role": "user", "content": media}));
    }
    for at in range {
        let Some(message) = messages.get(at) else { continue };
        let mut parts = Vec::new();
        for (inner, block) in message.content.iter().enumerate() {
            if !used.contains(&(at, inner)) {
                parts.extend(part(writer, block, Place::Message(at, inner))?);
            }
        }
        if parts.is_empty() && !message.content.is_empty() {
            continue;
        }
        let role = if message.role == Role::System { "system" } else { "user" };
        out.push(json!({"role": role, "content": content(writer, parts)}));
    }
    Ok(())
}

fn blocks(messages: &[Message], range: Range<usize>) -> impl Iterator<Item = (Place, &Block)> {
    let messages = messages.iter().enumerate().skip(range.start).take(range.len());
    messages.flat_map(|(at, message)| {
        let blocks = message.content.iter().enumerate();
        blocks.map(move |(inner, block)| (Place::Message(at, inner), block))
    })
}

/// A call that was never answered, as after an interruption: without an answer the whole request is
/// refused.
fn no_result(writer: &mut Writer<'_>, call: &Call) -> Value {
    writer.lose(call.place, LossKind::Degraded);
    json!({
        "role": "tool",
        "tool_call_id": call.sent,
        "content": "Error: the tool gave no result; the call was interrupted.",
    })
}

/// A `tool` message. Pictures and files, which it cannot hold, go to `media`.
fn result(
    writer: &mut Writer<'_>,
    call: &Call,
    block: &Block,
    place: Place,
    media: &mut Vec<Value>,
) -> Result<Value, ModelError> {
    let BlockKind::ToolResult { content: blocks, is_error, .. } = &block.kind else {
        return Ok(no_result(writer, call));
    };
    let mut parts = Vec::new();
    let mut labelled = false;
    for (at, block) in blocks.iter().enumerate() {
        let place = inner(place, at);
        let Some(part) = part(writer, block, place)? else {
            if let BlockKind::Unknown { .. } = block.kind {
                parts.push(text_part("[a part of the result that cannot be shown]"));
            }
            continue;
        };
        if part.get("type").and_then(Value::as_str) == Some("text") {
            parts.push(part);
            continue;
        }
        if !labelled {
            media.push(text_part(&format!("From the result of the tool call `{}`:", call.sent)));
            labelled = true;
        }
        parts.push(text_part(&format!("[{}: in the next message]", kind_of(block))));
        media.push(part);
    }
    if *is_error {
        say_error(&mut parts);
    }
    mark(writer, parts.last_mut(), block.cache, place);
    Ok(json!({
        "role": "tool",
        "tool_call_id": call.sent,
        "content": content(writer, parts),
    }))
}

const fn inner(place: Place, at: usize) -> Place {
    match place {
        Place::Message(message, part) => Place::Result(message, part, at),
        other => other,
    }
}

const fn kind_of(block: &Block) -> &'static str {
    match block.kind {
        BlockKind::Image(_) => "an image",
        BlockKind::Document(_) => "a document",
        BlockKind::Audio(_) => "sound",
        _ => "a part",
    }
}

/// The wire has no word for a tool that failed.
fn say_error(parts: &mut Vec<Value>) {
    match parts.first_mut() {
        Some(first) if plain(first).is_some() || first.get("text").is_some() => {
            let text = first.get("text").and_then(Value::as_str).unwrap_or_default();
            let said =
                if text.starts_with("Error:") { text.to_owned() } else { format!("Error: {text}") };
            if let Value::Object(first) = first {
                first.insert("text".to_owned(), json!(said));
            }
        }
        _ => parts.insert(0, text_part("Error: the tool failed.")),
    }
}
