use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use systemprompt_core::llm::{AnswerCollector, Loss, LossKind, StreamEvent};

use super::grammar::{self, Ending};
use super::*;
use crate::dialect::{Capabilities, ProviderFlags, UsageMode};
use crate::sse::FrameSplitter;

mod answer;
mod front;
mod golden;
mod grammar_rules;
mod laws;
mod read;
mod round;
mod upstream;
mod write;

fn decode(body: &Value) -> ModelRequest {
    ResponsesFront.decode_request(body.to_string().as_bytes()).unwrap()
}

fn refused(body: &Value) -> ModelError {
    ResponsesFront.decode_request(body.to_string().as_bytes()).unwrap_err()
}

fn reply_to(request: ModelRequest) -> Reply {
    Reply {
        id: "req_1".to_owned(),
        model: request.model.clone(),
        created: 1_800_000_000,
        stream_usage: false,
        request: Arc::new(request),
    }
}

fn reply() -> Reply {
    reply_to(ModelRequest::new(Dialect::Responses, "house-model"))
}

fn source() -> Source {
    Source {
        provider: "openai".into(),
        usage_mode: UsageMode::Native,
        tool_names: Arc::new(BTreeMap::new()),
    }
}

fn encode_for(request: &ModelRequest, capabilities: &Capabilities) -> UpstreamRequest {
    try_encode(request, capabilities).unwrap()
}

fn try_encode(
    request: &ModelRequest,
    capabilities: &Capabilities,
) -> Result<UpstreamRequest, ModelError> {
    let provider: Arc<str> = "openai".into();
    let flags = ProviderFlags::default();
    let to = Target { provider: &provider, model: "gpt-6", capabilities, flags: &flags };
    ResponsesUpstream.encode_request(request, &to)
}

/// The body for a model that can do everything, and the losses.
fn sent(request: &ModelRequest) -> (Value, Vec<(String, LossKind)>) {
    let sent = encode_for(request, &Capabilities::default());
    (serde_json::from_slice(&sent.body).unwrap(), losses(&sent.losses))
}

fn losses(report: &LossReport) -> Vec<(String, LossKind)> {
    report.losses().iter().map(|Loss { field, what }| (field.clone(), *what)).collect()
}

/// The stream of `events`, which keeps to the grammar wherever they end.
fn stream_of(reply: &Reply, events: &[StreamEvent]) -> (Vec<u8>, Ending, LossReport) {
    let mut encoder = ResponsesFront.stream_encoder(reply);
    let mut out = Vec::new();
    for event in events {
        encoder.push(event, &mut out);
    }
    encoder.finish(&mut out);
    let ending = grammar::check(&out);
    let ending =
        ending.unwrap_or_else(|error| panic!("{error}\n{}", String::from_utf8_lossy(&out)));
    (out, ending, encoder.losses().clone())
}

/// The data of the events of a stream.
fn events_of(stream: &[u8]) -> Vec<Value> {
    let mut splitter = FrameSplitter::new(1 << 24);
    splitter.push(stream);
    let mut events = Vec::new();
    while let Some(frame) = splitter.next_frame().unwrap() {
        events.extend(frame.data.map(|data| serde_json::from_slice::<Value>(&data).unwrap()));
    }
    events
}

fn types(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

/// What the decoder makes of a stream that comes in `pieces`.
fn read_pieces(pieces: &[&[u8]]) -> Vec<StreamEvent> {
    let mut decoder = ResponsesUpstream.stream_decoder(&source());
    let mut splitter = FrameSplitter::new(1 << 24);
    let mut events = Vec::new();
    for piece in pieces {
        splitter.push(piece);
        while let Some(frame) = splitter.next_frame().unwrap() {
            decoder.push(&frame, &mut events);
        }
    }
    if let Some(frame) = splitter.finish() {
        decoder.push(&frame, &mut events);
    }
    decoder.finish(&mut events);
    assert_in_order(&events);
    events
}

/// What the decoder makes of events.
fn read(events: &[Value]) -> Vec<StreamEvent> {
    read_pieces(&[&wire(events)])
}

fn wire(events: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    for event in events {
        crate::sse::write_frame(&mut out, event["type"].as_str(), event.to_string().as_bytes());
    }
    out
}

/// Start first, one open block at a time, indexes from 0, and exactly one end.
fn assert_in_order(events: &[StreamEvent]) {
    let mut open = None;
    let mut next = 0;
    let mut started = false;
    let mut ended = false;
    for event in events {
        assert!(!ended, "{events:?}");
        match event {
            StreamEvent::Start { .. } => assert!(!std::mem::replace(&mut started, true)),
            StreamEvent::BlockStart { index, .. } => {
                assert!(started && open.is_none() && *index == next, "{events:?}");
                open = Some(*index);
                next += 1;
            }
            StreamEvent::Delta { index, .. } => assert_eq!(open, Some(*index), "{events:?}"),
            StreamEvent::BlockStop { index } => {
                assert_eq!(open.take(), Some(*index), "{events:?}");
            }
            StreamEvent::Stop { .. } => {
                assert!(started && open.is_none(), "{events:?}");
                ended = true;
            }
            StreamEvent::Error(_) => ended = true,
            StreamEvent::Usage(_) | StreamEvent::Ping => {}
        }
    }
    assert!(ended, "{events:?}");
}

fn collect(events: Vec<StreamEvent>) -> Result<Answer, ModelError> {
    let mut collector = AnswerCollector::default();
    events.into_iter().for_each(|event| collector.push(event));
    collector.finish()
}

fn created() -> Value {
    json!({
        "type": "response.created", "sequence_number": 0,
        "response": {"id": "resp_1", "object": "response", "model": "gpt-6", "status": "in_progress", "output": []}
    })
}

fn completed(output: &Value) -> Value {
    json!({
        "type": "response.completed",
        "response": {
            "id": "resp_1", "model": "gpt-6", "status": "completed", "output": output,
            "usage": {
                "input_tokens": 20, "output_tokens": 7, "total_tokens": 27,
                "input_tokens_details": {"cached_tokens": 5, "cache_write_tokens": 0},
                "output_tokens_details": {"reasoning_tokens": 3}
            }
        }
    })
}
