//! Reads a streamed answer.

use serde_json::Value;
use systemprompt_core::llm::{ErrorKind, ModelError, Origin, StopReason, StreamEvent};

use super::super::answer::{origin, stop_reason};
use super::super::error;
use super::super::usage::{UsageReader, WireUsage};
use super::open::Open;
use super::wire::{WireDelta, WireEvent, WireHead, WireKind, WireWhole};
use crate::dialect::{Source, StreamDecoder};
use crate::sse::Frame;

/// The events that are read; others are passed over, for new ones come without a new version.
const EVENTS: [&str; 7] = [
    "message_start",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
    "error",
];

/// Reads the frames of one answer. An answer is whole once the provider has said why it ended; the closing
/// `message_stop` may be missing, the reason may not.
#[derive(Debug)]
pub(in super::super) struct Decoder {
    source: Source,
    origin: Origin,
    usage: UsageReader,
    started: bool,
    open: Option<Open>,
    /// The index of the next block, or of the one that is open.
    index: usize,
    stop: Option<(StopReason, Option<String>)>,
    done: bool,
}

impl Decoder {
    pub(in super::super) fn new(from: &Source) -> Self {
        Self {
            source: from.clone(),
            origin: origin(from),
            usage: UsageReader::new(from.usage_mode),
            started: false,
            open: None,
            index: 0,
            stop: None,
            done: false,
        }
    }

    fn event(&mut self, kind: &str, event: WireEvent<'_>, out: &mut Vec<StreamEvent>) {
        match kind {
            "content_block_delta" => {
                if let Some(delta) = event.delta {
                    self.delta(event.index, delta, out);
                }
            }
            "message_start" => self.start(event.message, out),
            "content_block_start" => {
                let begun = event.index.zip(event.content_block);
                match begun {
                    Some((wire, raw)) => self.begin(wire, raw, out),
                    None => self.fail(unreadable(kind), out),
                }
            }
            "content_block_stop" => {
                if self.open.as_ref().is_some_and(|open| Some(open.wire) == event.index) {
                    self.end_block(out);
                }
            }
            "message_delta" => {
                self.say_usage(event.usage, out);
                if let Some(delta) = event.delta
                    && let Some(reason) = delta.stop_reason
                {
                    let sequence = delta.stop_sequence.map(|text| text.0.into_owned());
                    self.stop = Some((stop_reason(&reason.0), sequence));
                }
            }
            "message_stop" => self.stop(out),
            "ping" => out.push(StreamEvent::Ping),
            _ => {
                if let Some(raw) = event.error {
                    let body = serde_json::from_str(raw.get()).unwrap_or(Value::Null);
                    self.fail(error::read(&body, ErrorKind::Api), out);
                } else if kind == "error" {
                    self.fail(error::read(&Value::Null, ErrorKind::Api), out);
                }
            }
        }
    }

    fn start(&mut self, head: Option<WireHead<'_>>, out: &mut Vec<StreamEvent>) {
        let (mut id, mut model, mut usage) = (String::new(), String::new(), None);
        if let Some(head) = head {
            id = head.id.map(|text| text.0.into_owned()).unwrap_or_default();
            model = head.model.map(|text| text.0.into_owned()).unwrap_or_default();
            usage = head.usage;
        }
        if !self.started {
            self.started = true;
            out.push(StreamEvent::Start { id, model });
        }
        self.say_usage(usage, out);
    }

    fn say_usage(&mut self, usage: Option<WireUsage>, out: &mut Vec<StreamEvent>) {
        if let Some(usage) = usage {
            out.push(StreamEvent::Usage(self.usage.update(usage)));
        }
    }

    fn begin(&mut self, wire: u64, raw: &serde_json::value::RawValue, out: &mut Vec<StreamEvent>) {
        if !self.started {
            self.start(None, out);
        }
        self.end_block(out);
        match Open::begin(wire, self.index, raw, &self.origin, &self.source, out) {
            Some(open) => self.open = Some(open),
            None => self.fail(unreadable("content_block_start"), out),
        }
    }

    fn delta(&mut self, wire: Option<u64>, delta: WireDelta<'_>, out: &mut Vec<StreamEvent>) {
        let Some(open) = self.open.as_mut().filter(|open| Some(open.wire) == wire) else {
            let error = bad_gateway("the provider added to a block that is not open");
            return self.fail(error.with_code("upstream_unreadable"), out);
        };
        if open.add(self.index, delta, &self.origin, out).is_none() {
            self.fail(too_long("the arguments of a tool are"), out);
        }
    }

    /// Takes the delta of a block that is held until it is whole, of which any member may matter. Whether it is
    /// one.
    fn hold(&mut self, data: &[u8], out: &mut Vec<StreamEvent>) -> bool {
        let Some(open) = self.open.as_mut().filter(|open| open.is_held()) else { return false };
        let Ok(whole) = serde_json::from_slice::<WireWhole<'_>>(data) else { return false };
        let Some(delta) = whole.delta.filter(|_| whole.index == Some(open.wire)) else {
            return false;
        };
        if open.hold(delta).is_none() {
            self.fail(too_long("a block is"), out);
        }
        true
    }

    fn end_block(&mut self, out: &mut Vec<StreamEvent>) {
        if let Some(open) = self.open.take() {
            open.end(self.index, out);
            self.index += 1;
        }
    }

    fn stop(&mut self, out: &mut Vec<StreamEvent>) {
        let Some((reason, stop_sequence)) = self.stop.take() else {
            let error = bad_gateway("the provider ended its answer without saying why");
            return self.fail(error.with_code("upstream_cut_off"), out);
        };
        self.end_block(out);
        if !self.started {
            self.start(None, out);
        }
        self.done = true;
        out.push(StreamEvent::Stop { reason, stop_sequence });
    }

    fn fail(&mut self, error: ModelError, out: &mut Vec<StreamEvent>) {
        self.done = true;
        out.push(StreamEvent::Error(error));
    }
}

impl StreamDecoder for Decoder {
    fn push(&mut self, frame: &Frame, out: &mut Vec<StreamEvent>) {
        let Some(data) = frame.data.as_ref().filter(|_| !self.done) else { return };
        let Ok(event) = serde_json::from_slice::<WireEvent<'_>>(data) else {
            return self.odd(frame, data, out);
        };
        let name = frame.event.as_deref();
        let kind = event.kind.as_ref().map(|kind| kind.0.clone());
        let kind = kind.as_deref().or(name).unwrap_or_default();
        if kind != "content_block_delta" || !self.hold(data, out) {
            self.event(kind, event, out);
        }
    }

    fn finish(&mut self, out: &mut Vec<StreamEvent>) {
        if self.done {
            return;
        }
        if self.stop.is_some() && self.open.is_none() {
            return self.stop(out);
        }
        let error = bad_gateway("the upstream ended its stream before the answer was whole");
        self.fail(error.with_code("upstream_cut_off"), out);
    }
}

impl Decoder {
    /// A frame that is not as the wire has it: an event that came later, or one that is broken.
    fn odd(&mut self, frame: &Frame, data: &[u8], out: &mut Vec<StreamEvent>) {
        let read = serde_json::from_slice::<WireKind<'_>>(data);
        let kind = match &read {
            Ok(read) => read.kind.as_ref().map(|kind| kind.0.as_ref()),
            // The end as OpenAI has it, which some providers add.
            Err(_) if data.trim_ascii() == b"[DONE]" => return,
            Err(_) => return self.fail(unreadable(frame.event.as_deref().unwrap_or("data")), out),
        };
        let kind = kind.or(frame.event.as_deref()).unwrap_or_default();
        if kind == "content_block_delta" && self.hold(data, out) {
            return;
        }
        if EVENTS.contains(&kind) {
            self.fail(unreadable(kind), out);
        }
    }
}

fn unreadable(kind: &str) -> ModelError {
    let kind: String = kind.chars().take(40).collect();
    bad_gateway(format!("an event `{kind}` of the provider cannot be read"))
        .with_code("upstream_unreadable")
}

fn too_long(what: &str) -> ModelError {
    bad_gateway(format!("{what} longer than can be held")).with_code("upstream_too_long")
}

fn bad_gateway(message: impl Into<String>) -> ModelError {
    ModelError::new(ErrorKind::BadGateway, message)
}
