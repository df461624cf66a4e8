//! Both sides of the wire, by what goes wrong on it. Numbers of reports stand beside the tests they led to.

mod front_answer;
mod front_request;
mod laws;
mod upstream_answer;
mod upstream_request;
mod upstream_stream;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use systemprompt_core::llm::*;

use super::grammar::ChatGrammar;
use super::{ChatFront, ChatUpstream};
use crate::dialect::*;
use crate::sse::{Frame, FrameSplitter};

fn source() -> Source {
    Source {
        provider: Arc::from("kimi"),
        usage_mode: UsageMode::Native,
        tool_names: Arc::new(BTreeMap::new()),
    }
}

fn frames(text: &str) -> Vec<Frame> {
    let mut splitter = FrameSplitter::from(Bytes::copy_from_slice(text.as_bytes()));
    let mut frames = Vec::new();
    while let Some(frame) = splitter.next_frame().unwrap() {
        frames.push(frame);
    }
    frames.extend(splitter.finish());
    frames
}

/// The events of a stream, which must keep the rules of all streams.
fn events(text: &str) -> Vec<StreamEvent> {
    let mut decoder = ChatUpstream.stream_decoder(&source());
    let mut events = Vec::new();
    for frame in frames(text) {
        decoder.push(&frame, &mut events);
    }
    decoder.finish(&mut events);
    check(&events);
    events
}

/// What [`StreamEvent`] promises; here nothing at all follows the end, and usage the start.
fn check(events: &[StreamEvent]) {
    let (mut order, mut started) = (EventOrder::default(), false);
    for event in events {
        assert!(!order.is_over(), "after the end: {event:?}");
        started |= matches!(event, StreamEvent::Start { .. });
        assert!(started || !matches!(event, StreamEvent::Usage(_)), "{event:?}");
        order.take(event).unwrap_or_else(|fault| panic!("{fault}: {event:?}"));
    }
    assert!(order.is_over(), "no end: {events:?}");
}

/// The answer of a stream.
fn collect(text: &str) -> Result<Answer, ModelError> {
    let mut collector = AnswerCollector::default();
    events(text).into_iter().for_each(|event| collector.push(event));
    collector.finish()
}

/// A stream of chunks with these choices' deltas, then an end with this reason.
fn stream(deltas: &[Value], reason: &str) -> String {
    let mut text = String::new();
    for delta in deltas {
        text.push_str(&data(&chunk(delta.clone(), Value::Null)));
    }
    text.push_str(&data(&chunk(json!({}), json!(reason))));
    text + "data: [DONE]\n\n"
}

fn chunk(delta: Value, reason: Value) -> Value {
    json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "up",
        "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})
}

fn data(value: &Value) -> String {
    format!("data: {value}\n\n")
}

fn target(provider: &Arc<str>) -> Target<'_> {
    static CAPABILITIES: std::sync::LazyLock<Capabilities> =
        std::sync::LazyLock::new(Capabilities::default);
    static FLAGS: std::sync::LazyLock<ProviderFlags> =
        std::sync::LazyLock::new(ProviderFlags::default);
    Target { provider, model: "up", capabilities: &CAPABILITIES, flags: &FLAGS }
}

/// The body that is sent, and what was lost.
fn sent(request: &ModelRequest) -> (Value, Vec<String>) {
    sent_with(request, &Capabilities::default(), &ProviderFlags::default()).unwrap()
}

fn sent_with(
    request: &ModelRequest,
    capabilities: &Capabilities,
    flags: &ProviderFlags,
) -> Result<(Value, Vec<String>), ModelError> {
    let provider = Arc::from("kimi");
    let to = Target { capabilities, flags, ..target(&provider) };
    let sent = ChatUpstream.encode_request(request, &to)?;
    assert_eq!(sent.path, "/v1/chat/completions");
    let losses = sent.losses.losses().iter();
    let losses = losses.map(|loss| format!("{}={}", loss.field, loss.what.as_str())).collect();
    Ok((serde_json::from_slice(&sent.body).unwrap(), losses))
}

fn decode(body: Value) -> ModelRequest {
    ChatFront.decode_request(body.to_string().as_bytes()).unwrap()
}

fn refused(body: Value) -> ModelError {
    let error = ChatFront.decode_request(body.to_string().as_bytes()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::InvalidRequest);
    error
}

fn reply(stream_usage: bool) -> Reply {
    Reply {
        id: "chatcmpl-own".to_owned(),
        model: "alias".to_owned(),
        created: 1_700_000_000,
        stream_usage,
        request: Arc::new(ModelRequest::new(Dialect::Chat, "alias")),
    }
}

/// The stream that events make, which must keep the grammar; its chunks, errors and `[DONE]`; its losses.
fn written(events: &[StreamEvent], stream_usage: bool) -> (Vec<Value>, String) {
    let mut encoder = ChatFront.stream_encoder(&reply(stream_usage));
    let mut out = Vec::new();
    events.iter().for_each(|event| encoder.push(event, &mut out));
    encoder.finish(&mut out);
    let text = String::from_utf8(out).unwrap();
    ChatGrammar::check(text.as_bytes(), stream_usage)
        .unwrap_or_else(|wrong| panic!("{wrong}\n{text}"));
    let chunks = frames(&text).into_iter().filter_map(|frame| {
        let data = frame.data?;
        Some(serde_json::from_slice(&data).unwrap_or_else(|_| json!("[DONE]")))
    });
    (chunks.collect(), encoder.losses().to_string())
}

/// The deltas of chunks that have one.
fn deltas(chunks: &[Value]) -> Vec<Value> {
    let deltas = chunks.iter().filter_map(|chunk| chunk.pointer("/choices/0/delta").cloned());
    deltas.collect()
}

fn message(role: Role, content: Vec<Block>) -> Message {
    Message { role, content }
}

fn tool_use(id: &str, name: &str, input: &str) -> Block {
    Block::new(BlockKind::ToolUse {
        id: id.into(),
        name: name.into(),
        input: ToolInput::from_json_text(input),
        state: None,
    })
}

fn result(id: &str, content: Vec<Block>, is_error: bool) -> Block {
    Block::new(BlockKind::ToolResult { tool_use_id: id.into(), content, is_error })
}

fn image(data: &str) -> Block {
    Block::new(BlockKind::Image(Media {
        source: MediaSource::Base64 { media_type: "image/png".into(), data: data.into() },
        title: None,
        detail: None,
    }))
}

fn opaque(dialect: Dialect, provider: &str, data: &str) -> OpaqueState {
    let provider = (!provider.is_empty()).then(|| Arc::from(provider));
    OpaqueState { origin: Origin { dialect, provider }, id: None, data: data.into() }
}

fn thinking(text: &str, state: Option<OpaqueState>) -> Block {
    Block::new(BlockKind::Thinking { text: text.into(), state })
}

fn function(name: &str) -> Tool {
    Tool {
        kind: ToolKind::Function {
            schema: json!({"type": "object", "properties": {}}),
            strict: None,
        },
        name: name.into(),
        description: None,
        cache: None,
    }
}
