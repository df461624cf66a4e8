//! Frames as the providers send them.

use serde_json::{Value, json};
use systemprompt::ai::scripted::{Script, sse};

/// Events with the names of their types: Anthropic and Responses.
pub(crate) fn named(events: &[Value]) -> Script {
    sse(events.iter().map(named_frame))
}

/// One of them.
pub(crate) fn named_frame(event: &Value) -> String {
    format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap())
}

/// Chunks of Chat Completions, with the mark of their end.
pub(crate) fn chunks(chunks: &[Value]) -> Script {
    unended(chunks).bytes("data: [DONE]\n\n")
}

/// The same without the mark.
pub(crate) fn unended(chunks: &[Value]) -> Script {
    sse(chunks.iter().map(|chunk| format!("data: {chunk}\n\n")))
}

/// Responses of Gemini.
pub(crate) fn gemini(responses: &[Value]) -> Script {
    sse(responses.iter().map(|response| format!("data: {response}\r\n\r\n")))
}

/// A chunk with a delta.
pub(crate) fn delta(delta: Value) -> Value {
    chunk(json!([{ "index": 0, "delta": delta, "finish_reason": null }]))
}

/// The chunk that ends an answer.
pub(crate) fn finish(reason: &str) -> Value {
    chunk(json!([{ "index": 0, "delta": {}, "finish_reason": reason }]))
}

/// The chunk that tells the usage.
pub(crate) fn usage(usage: Value) -> Value {
    let mut chunk = chunk(json!([]));
    chunk["usage"] = usage;
    chunk
}

pub(crate) fn chunk(choices: Value) -> Value {
    json!({
        "id": "chatcmpl-up", "object": "chat.completion.chunk", "created": 1_760_000_000,
        "model": "deepseek-v4-pro", "choices": choices,
    })
}

/// A whole answer of Chat Completions.
pub(crate) fn completion(message: Value, reason: &str, usage: Value) -> Script {
    Script::json(
        json!({
            "id": "chatcmpl-up", "object": "chat.completion", "created": 1_760_000_000,
            "model": "deepseek-v4-pro", "usage": usage,
            "choices": [{ "index": 0, "message": message, "finish_reason": reason }],
        })
        .to_string(),
    )
}

/// A whole answer of Anthropic.
pub(crate) fn message(content: Value, reason: &str, usage: Value) -> Script {
    Script::json(message_body(content, reason, usage).to_string())
}

pub(crate) fn message_body(content: Value, reason: &str, usage: Value) -> Value {
    json!({
        "id": "msg_up", "type": "message", "role": "assistant", "model": "claude-sonnet-4-6",
        "content": content, "stop_reason": reason, "stop_sequence": null, "usage": usage,
    })
}

/// The beginning of a stream of Anthropic.
pub(crate) fn message_start(usage: Value) -> Value {
    let mut message = message_body(json!([]), "", usage);
    message["stop_reason"] = Value::Null;
    json!({ "type": "message_start", "message": message })
}

/// A block of a stream of Anthropic.
pub(crate) fn block(index: usize, start: Value, deltas: &[Value]) -> Vec<Value> {
    let mut events =
        vec![json!({ "type": "content_block_start", "index": index, "content_block": start })];
    events.extend(
        deltas
            .iter()
            .map(|delta| json!({ "type": "content_block_delta", "index": index, "delta": delta })),
    );
    events.push(json!({ "type": "content_block_stop", "index": index }));
    events
}

/// A block of text.
pub(crate) fn text_block(index: usize, pieces: &[&str]) -> Vec<Value> {
    let deltas: Vec<_> =
        pieces.iter().map(|text| json!({ "type": "text_delta", "text": text })).collect();
    block(index, json!({ "type": "text", "text": "" }), &deltas)
}

/// A block with a call of a tool.
pub(crate) fn tool_block(index: usize, id: &str, name: &str, pieces: &[&str]) -> Vec<Value> {
    let deltas: Vec<_> = pieces
        .iter()
        .map(|json| json!({ "type": "input_json_delta", "partial_json": json }))
        .collect();
    block(index, json!({ "type": "tool_use", "id": id, "name": name, "input": {} }), &deltas)
}

/// The end of a stream of Anthropic.
pub(crate) fn message_end(reason: &str, usage: Value) -> Vec<Value> {
    vec![
        json!({ "type": "message_delta", "delta": { "stop_reason": reason, "stop_sequence": null }, "usage": usage }),
        json!({ "type": "message_stop" }),
    ]
}

/// A whole response of Gemini.
pub(crate) fn candidate(parts: Value, reason: &str, usage: Value) -> Value {
    let mut response = json!({
        "candidates": [{ "content": { "role": "model", "parts": parts }, "index": 0 }],
        "modelVersion": "gemini-3.5-flash", "responseId": "resp-up", "usageMetadata": usage,
    });
    if !reason.is_empty() {
        response["candidates"][0]["finishReason"] = reason.into();
    }
    response
}
