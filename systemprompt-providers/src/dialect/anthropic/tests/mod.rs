//! What tests of this wire share.

use std::sync::Arc;

use serde_json::Value;
use systemprompt_core::llm::{
    Answer, AnswerCollector, Dialect, LossReport, ModelError, ModelRequest, StreamEvent,
};

use super::grammar::{self, End};
use super::{AnthropicFront, AnthropicUpstream};
use crate::dialect::{
    Capabilities, Front as _, ProviderFlags, Reply, Source, Target, Upstream as _, UpstreamRequest,
    UsageMode,
};
use crate::sse::FrameSplitter;

mod answers;
mod decode;
mod encode;
mod golden;
mod hostile;
mod round_trip;
mod stream_in;
mod stream_out;

/// An upstream as a test has it.
#[derive(Debug, Clone)]
struct Given {
    provider: Arc<str>,
    model: &'static str,
    capabilities: Capabilities,
    flags: ProviderFlags,
}

impl Given {
    fn model(model: &'static str) -> Self {
        Self {
            provider: "anthropic".into(),
            model,
            capabilities: Capabilities::default(),
            flags: ProviderFlags::default(),
        }
    }

    /// Claude Opus 5.5 as the facts have it: no sampling, no forced tools, no prefill, always thinking.
    fn opus_5_5() -> Self {
        Self::model("claude-opus-5-5").able(|able| {
            able.sampling = false;
            able.forced_tool_choice = false;
            able.prefill = false;
            able.thinking_budget = false;
            able.always_thinks = true;
            able.max_output = Some(128_000);
        })
    }

    fn able(mut self, change: impl FnOnce(&mut Capabilities)) -> Self {
        change(&mut self.capabilities);
        self
    }

    fn flags(mut self, change: impl FnOnce(&mut ProviderFlags)) -> Self {
        change(&mut self.flags);
        self
    }

    fn try_send(&self, request: &ModelRequest) -> Result<Sent, ModelError> {
        let target = Target {
            provider: &self.provider,
            model: self.model,
            capabilities: &self.capabilities,
            flags: &self.flags,
        };
        AnthropicUpstream.encode_request(request, &target).map(Sent::new)
    }

    fn send(&self, request: &ModelRequest) -> Sent {
        self.try_send(request).unwrap()
    }
}

/// A request as the upstream gets it.
#[derive(Debug)]
struct Sent {
    body: Value,
    request: UpstreamRequest,
}

impl Sent {
    fn new(request: UpstreamRequest) -> Self {
        Self { body: serde_json::from_slice(&request.body).unwrap(), request }
    }

    fn version(&self) -> &str {
        &self.request.headers[0].1
    }

    fn losses(&self) -> String {
        self.request.losses.to_string()
    }

    fn source(&self) -> Source {
        Source { tool_names: Arc::new(self.request.tool_names.clone()), ..source() }
    }
}

fn source() -> Source {
    Source {
        provider: "anthropic".into(),
        usage_mode: UsageMode::Native,
        tool_names: Arc::default(),
    }
}

fn decode(body: &Value) -> Result<ModelRequest, ModelError> {
    AnthropicFront.decode_request(body.to_string().as_bytes())
}

fn reply() -> Reply {
    Reply {
        id: "msg_gateway".to_owned(),
        model: "alias".to_owned(),
        created: 0,
        stream_usage: false,
        request: Arc::new(ModelRequest::new(Dialect::Anthropic, "alias")),
    }
}

/// The stream that clients get of `events`, after the checker had it.
fn written(events: &[StreamEvent]) -> (String, End, LossReport) {
    let mut encoder = AnthropicFront.stream_encoder(&reply());
    let mut out = Vec::new();
    for event in events {
        encoder.push(event, &mut out);
    }
    encoder.finish(&mut out);
    let text = String::from_utf8(out).unwrap();
    let end = grammar::check(text.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{text}"));
    (text, end, encoder.losses().clone())
}

/// The data of each event of a stream, by its name.
fn data(stream: &str) -> Vec<(String, Value)> {
    let mut splitter = FrameSplitter::from(bytes::Bytes::copy_from_slice(stream.as_bytes()));
    let mut found = Vec::new();
    while let Some(frame) = splitter.next_frame().unwrap() {
        if let Some(data) = &frame.data {
            let name = frame.event.clone().unwrap_or_default();
            found.push((name, serde_json::from_slice(data).unwrap()));
        }
    }
    found
}

fn read_in(pieces: &[&[u8]], source: &Source) -> Vec<StreamEvent> {
    let mut decoder = AnthropicUpstream.stream_decoder(source);
    let mut splitter = FrameSplitter::new(1 << 20);
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
    events
}

fn read(stream: &str) -> Vec<StreamEvent> {
    read_in(&[stream.as_bytes()], &source())
}

fn collected(events: &[StreamEvent]) -> Result<Answer, ModelError> {
    let mut collector = AnswerCollector::default();
    for event in events {
        collector.push(event.clone());
    }
    collector.finish()
}

/// Frames of this wire, named by their type.
fn frames(frames: &[Value]) -> String {
    frames
        .iter()
        .map(|data| format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap()))
        .collect()
}
