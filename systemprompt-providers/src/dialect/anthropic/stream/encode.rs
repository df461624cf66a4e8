//! Writes a streamed answer.

use serde::Serialize;
use systemprompt_core::llm::{
    BlockStart, Delta, ErrorKind, LossKind, LossReport, ModelError, OpaqueState, StopReason,
    StreamEvent, ToolInput, Usage,
};

use super::super::answer::{call_id, cuts_off, is_own, is_server_call, redacted, stop_word};
use super::super::json::ObjectOut;
use super::super::names::TEXT_ARGUMENT;
use super::super::{envelope, error, usage};
use super::open::MOST_HELD;
use crate::dialect::{Reply, StreamEncoder};
use crate::sse::write_frame;

/// Writes the events of one answer.
///
/// `message_start` waits for the event after the start, which may say the usage, and the end for
/// [`finish`](StreamEncoder::finish), for usage may come after the reason to stop. Blocks are closed before the
/// next one opens, whatever the events say.
#[derive(Debug)]
pub(in super::super) struct Encoder {
    id: String,
    model: String,
    usage: Usage,
    phase: Phase,
    open: Option<Open>,
    /// The index of the next block, or of the one that is open.
    index: usize,
    /// Whether arguments of a call are no JSON object.
    broken: bool,
    stop: Option<(StopReason, Option<String>)>,
    losses: LossReport,
    scratch: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nothing is written.
    Before,
    /// `message_start` is.
    Within,
    /// All is.
    Done,
}

#[derive(Debug)]
enum Open {
    Text,
    /// The signature goes last.
    Thinking {
        state: Option<OpaqueState>,
    },
    Redacted,
    /// The arguments so far, to tell whether they are an object.
    Tool {
        input: String,
        whole: bool,
    },
    /// A text tool: its text stands in one argument.
    TextTool,
    /// What is left out.
    Dropped,
}

#[derive(Serialize)]
struct BlockDelta<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    index: usize,
    delta: WireDelta<'a>,
}

#[derive(Serialize)]
#[serde(tag = "type")]
enum WireDelta<'a> {
    #[serde(rename = "text_delta")]
    Text { text: &'a str },
    #[serde(rename = "thinking_delta")]
    Thinking { thinking: &'a str },
    #[serde(rename = "signature_delta")]
    Signature { signature: &'a str },
    #[serde(rename = "input_json_delta")]
    InputJson { partial_json: &'a str },
}

impl Encoder {
    pub(in super::super) fn new(to: &Reply) -> Self {
        Self {
            id: to.id.clone(),
            model: to.model.clone(),
            usage: Usage::default(),
            phase: Phase::Before,
            open: None,
            index: 0,
            broken: false,
            stop: None,
            losses: LossReport::default(),
            scratch: Vec::new(),
        }
    }

    fn frame(&mut self, event: &str, data: &impl Serialize, out: &mut Vec<u8>) {
        self.scratch.clear();
        // Writing to memory does not fail, and the keys are strings.
        if serde_json::to_writer(&mut self.scratch, data).is_ok() {
            write_frame(out, Some(event), &self.scratch);
        }
    }

    fn start(&mut self, out: &mut Vec<u8>) {
        if self.phase != Phase::Before {
            return;
        }
        self.phase = Phase::Within;
        let mut message = ObjectOut::default();
        message.put("id", &self.id);
        message.put("type", "message");
        message.put("role", "assistant");
        message.put("model", &self.model);
        message.put("content", [(); 0]);
        message.put("stop_reason", ());
        message.put("stop_sequence", ());
        message.put("usage", usage::write(&self.usage));
        let mut data = ObjectOut::of("message_start");
        data.put("message", message);
        self.frame("message_start", &data, out);
    }

    fn block_start(&mut self, block: &ObjectOut, open: Open, out: &mut Vec<u8>) {
        let mut data = ObjectOut::of("content_block_start");
        data.put("index", self.index);
        data.put("content_block", block);
        self.frame("content_block_start", &data, out);
        self.open = Some(open);
    }

    fn delta(&mut self, delta: WireDelta<'_>, out: &mut Vec<u8>) {
        let data = BlockDelta { kind: "content_block_delta", index: self.index, delta };
        self.frame("content_block_delta", &data, out);
    }

    fn begin(&mut self, block: &BlockStart, out: &mut Vec<u8>) {
        match block {
            BlockStart::Text | BlockStart::Refusal => {
                let mut object = ObjectOut::of("text");
                object.put("text", "");
                self.block_start(&object, Open::Text, out);
            }
            BlockStart::Thinking => {
                let mut object = ObjectOut::of("thinking");
                object.put("thinking", "");
                object.put("signature", "");
                self.block_start(&object, Open::Thinking { state: None }, out);
            }
            BlockStart::RedactedThinking(state) => {
                self.block_start(&redacted(state, None), Open::Redacted, out);
            }
            BlockStart::ToolUse { id, name, text, state } => {
                let id = call_id(id, &self.id, self.index);
                if let Some(state) = state {
                    self.block_start(&redacted(state, Some(&id)), Open::Redacted, out);
                    self.end_block(out);
                }
                let mut object = ObjectOut::of("tool_use");
                object.put("id", id);
                object.put("name", name);
                object.put("input", ObjectOut::default());
                let tool = Open::Tool { input: String::new(), whole: true };
                self.block_start(&object, if *text { Open::TextTool } else { tool }, out);
                if *text {
                    let head = format!("{{\"{TEXT_ARGUMENT}\":\"");
                    self.delta(WireDelta::InputJson { partial_json: &head }, out);
                }
            }
            BlockStart::Unknown(value) => self.own(value, out),
        }
    }

    /// A block that clients of this wire know, or else nothing.
    fn own(&mut self, value: &serde_json::Value, out: &mut Vec<u8>) {
        if !is_own(value) {
            self.losses.note(format!("content.{}", self.index), LossKind::Dropped);
            self.open = Some(Open::Dropped);
            return;
        }
        let mut start = value.clone();
        let input = match start.as_object_mut().and_then(|members| members.get_mut("input")) {
            Some(input) if is_server_call(value) => {
                Some(std::mem::replace(input, serde_json::json!({})))
            }
            _ => None,
        };
        self.block_start(&ObjectOut::as_it_stood(&start), Open::Redacted, out);
        if let Some(input) = input {
            // What never became JSON goes on as it is.
            let input = input.as_str().map_or_else(|| input.to_string(), str::to_owned);
            self.delta(WireDelta::InputJson { partial_json: &input }, out);
        }
    }

    fn add(&mut self, delta: &Delta, out: &mut Vec<u8>) {
        match (self.open.as_mut(), delta) {
            (Some(Open::Text), Delta::Text(text)) => self.delta(WireDelta::Text { text }, out),
            (Some(Open::Thinking { .. }), Delta::Text(thinking)) => {
                self.delta(WireDelta::Thinking { thinking }, out);
            }
            (Some(Open::Thinking { state }), Delta::State(new)) => *state = Some(new.clone()),
            (Some(Open::Tool { input, whole }), Delta::Input(text)) => {
                // Longer ones are passed on unchecked.
                *whole &= input.len() + text.len() <= MOST_HELD;
                if *whole {
                    input.push_str(text);
                }
                self.delta(WireDelta::InputJson { partial_json: text }, out);
            }
            (Some(Open::TextTool), Delta::Input(text)) => {
                let quoted = serde_json::Value::from(text.as_str()).to_string();
                let inner = quoted.get(1..quoted.len() - 1).unwrap_or_default();
                self.delta(WireDelta::InputJson { partial_json: inner }, out);
            }
            (Some(Open::Dropped), _) => {}
            _ => self.losses.note(format!("content.{}", self.index), LossKind::Dropped),
        }
    }

    fn end_block(&mut self, out: &mut Vec<u8>) {
        match self.open.take() {
            None | Some(Open::Dropped) => return,
            Some(Open::Text | Open::Redacted) => {}
            Some(Open::Thinking { state }) => {
                let signature = state.as_ref().map(|state| envelope::wrap(state, None));
                let signature = signature.as_deref().unwrap_or(envelope::UNSIGNED);
                self.delta(WireDelta::Signature { signature }, out);
            }
            Some(Open::Tool { input, whole }) => {
                if whole && input.trim().is_empty() {
                    self.delta(WireDelta::InputJson { partial_json: "{}" }, out);
                } else if whole {
                    self.broken |= !matches!(ToolInput::from_json_text(input), ToolInput::Json(_));
                }
            }
            Some(Open::TextTool) => {
                self.delta(WireDelta::InputJson { partial_json: "\"}" }, out);
            }
        }
        let mut data = ObjectOut::of("content_block_stop");
        data.put("index", self.index);
        self.frame("content_block_stop", &data, out);
        self.index += 1;
    }

    fn end(&mut self, reason: &StopReason, stop_sequence: Option<&str>, out: &mut Vec<u8>) {
        self.start(out);
        self.end_block(out);
        let mut delta = ObjectOut::default();
        delta.put("stop_reason", stop_word(reason, &mut self.losses));
        delta.put("stop_sequence", stop_sequence);
        let mut data = ObjectOut::of("message_delta");
        data.put("delta", delta);
        data.put("usage", usage::write(&self.usage));
        self.frame("message_delta", &data, out);
        self.frame("message_stop", &ObjectOut::of("message_stop"), out);
        self.phase = Phase::Done;
    }

    fn fail(&mut self, error: &ModelError, out: &mut Vec<u8>) {
        self.frame("error", &error::body(error, None), out);
        self.phase = Phase::Done;
    }
}

impl StreamEncoder for Encoder {
    fn push(&mut self, event: &StreamEvent, out: &mut Vec<u8>) {
        if self.phase == Phase::Done {
            return;
        }
        match event {
            StreamEvent::Start { id, .. } => {
                if self.phase == Phase::Before && !id.is_empty() {
                    self.id.clone_from(id);
                }
            }
            StreamEvent::Usage(update) => self.usage.apply(update),
            StreamEvent::Stop { reason, stop_sequence } => {
                self.stop = Some((reason.clone(), stop_sequence.clone()));
            }
            StreamEvent::Error(error) => self.fail(error, out),
            StreamEvent::Ping => self.ping(out),
            StreamEvent::BlockStart { block, .. } => {
                self.start(out);
                self.end_block(out);
                self.begin(block, out);
            }
            StreamEvent::Delta { delta, .. } => self.add(delta, out),
            StreamEvent::BlockStop { .. } => self.end_block(out),
        }
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        if self.phase == Phase::Done {
            return;
        }
        let Some((reason, stop_sequence)) = self.stop.take() else {
            let error = ModelError::new(
                ErrorKind::BadGateway,
                "the upstream ended its stream before the answer was whole",
            );
            return self.fail(&error.with_code("upstream_cut_off"), out);
        };
        // What is open still may be a call that is not whole.
        self.end_block(out);
        if self.broken && !cuts_off(&reason) {
            let error = ModelError::new(
                ErrorKind::BadGateway,
                "the model called a tool with arguments that are no JSON object",
            );
            return self.fail(&error.with_code("invalid_tool_arguments"), out);
        }
        self.end(&reason, stop_sequence.as_deref(), out);
    }

    fn ping(&mut self, out: &mut Vec<u8>) {
        if self.phase == Phase::Done {
            return;
        }
        self.start(out);
        self.frame("ping", &ObjectOut::of("ping"), out);
    }

    fn losses(&self) -> &LossReport {
        &self.losses
    }
}
