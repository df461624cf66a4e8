use serde_json::Value;
use systemprompt_core::llm::{ErrorKind, ModelError, StopReason, StreamEvent};

use super::super::answer::{self, text};
use super::super::{error, usage};
use super::blocks::Blocks;
use crate::dialect::{Source, StreamDecoder};
use crate::sse::Frame;

/// Reads a stream of Responses.
///
/// Servers of this wire differ in what they send: every text is looked for in the deltas, in the `done` of
/// its part, in the `done` of its item and in the final `response`, and given once.
pub(in super::super) struct Decoder {
    from: Source,
    blocks: Blocks,
    started: bool,
    ended: bool,
}

impl Decoder {
    pub(in super::super) fn new(from: &Source) -> Self {
        Self { blocks: Blocks::new(from), from: from.clone(), started: false, ended: false }
    }

    fn event(&mut self, kind: &str, event: &Value, out: &mut Vec<StreamEvent>) {
        match kind {
            "response.created" | "response.in_progress" | "response.queued" => {
                self.start(event.get("response"), out);
            }
            "response.completed" | "response.incomplete" | "response.done" => {
                let cut_short = kind == "response.incomplete";
                self.complete(event.get("response").unwrap_or(&Value::Null), cut_short, out);
            }
            "response.failed" | "response.cancelled" => {
                self.start(event.get("response"), out);
                let response = event.get("response").unwrap_or(&Value::Null);
                self.usage(response, out);
                let failure = answer::failure(response);
                self.fail(failure.unwrap_or_else(|| error::in_answer(&Value::Null)), out);
            }
            "error" => self.fail(error::in_answer(event), out),
            _ => self.blocks.event(kind, event),
        }
    }

    fn start(&mut self, response: Option<&Value>, out: &mut Vec<StreamEvent>) {
        if !self.started {
            self.started = true;
            let response = response.unwrap_or(&Value::Null);
            out.push(StreamEvent::Start {
                id: text(response, "id").to_owned(),
                model: text(response, "model").to_owned(),
            });
        }
    }

    /// Takes the end of the answer, which repeats it whole.
    fn complete(&mut self, response: &Value, cut_short: bool, out: &mut Vec<StreamEvent>) {
        self.start(Some(response), out);
        if let Some(failure) = answer::failure(response) {
            self.usage(response, out);
            self.fail(failure, out);
            return;
        }
        let output = response.get("output").and_then(Value::as_array);
        let named = self.blocks.complete(output.map(Vec::as_slice).unwrap_or_default());
        self.blocks.write(&self.from, out);
        self.usage(response, out);
        if !named {
            let message = "the upstream calls a tool without saying which, or without an id";
            self.fail(answer::no_answer(message), out);
            return;
        }
        if self.too_large(out) {
            return;
        }
        self.ended = true;
        let reason = match answer::stop_reason(response, self.blocks.tools, self.blocks.refused) {
            StopReason::EndTurn | StopReason::ToolUse | StopReason::Refusal if cut_short => {
                StopReason::MaxTokens
            }
            reason => reason,
        };
        out.push(StreamEvent::Stop { reason, stop_sequence: None });
    }

    fn usage(&self, response: &Value, out: &mut Vec<StreamEvent>) {
        if let Some(used) = response.get("usage").filter(|used| used.is_object()) {
            out.push(StreamEvent::Usage(usage::decode(used, self.from.usage_mode)));
        }
    }

    fn fail(&mut self, error: ModelError, out: &mut Vec<StreamEvent>) {
        self.ended = true;
        out.push(StreamEvent::Error(error));
    }

    fn too_large(&mut self, out: &mut Vec<StreamEvent>) -> bool {
        let too_large = self.blocks.are_too_many();
        if too_large {
            let message = "the upstream's answer is longer than an answer may be";
            let error = ModelError::new(ErrorKind::BadGateway, message);
            self.fail(error.with_code("upstream_answer_too_long"), out);
        }
        too_large
    }
}

impl StreamDecoder for Decoder {
    fn push(&mut self, frame: &Frame, out: &mut Vec<StreamEvent>) {
        if self.ended {
            return;
        }
        let Some(data) = frame.data.as_deref() else {
            if frame.is_comment() {
                out.push(StreamEvent::Ping);
            }
            return;
        };
        let data = data.trim_ascii();
        // Some servers end as Chat does, and some send empty events to keep a connection open.
        if data.is_empty() || data == b"[DONE]" {
            return;
        }
        let Ok(event) = serde_json::from_slice::<Value>(data) else {
            let message = "an event of the upstream's stream is not JSON";
            let error = ModelError::new(ErrorKind::BadGateway, message);
            self.fail(error.with_code("upstream_bad_answer"), out);
            return;
        };
        let kind = match (text(&event, "type"), &frame.event) {
            ("", _) if event.get("error").is_some_and(Value::is_object) => "error",
            ("", Some(name)) => name,
            (kind, _) => kind,
        };
        let began = kind.starts_with("response.") && !kind.starts_with("response.failed");
        if began {
            self.start(event.get("response"), out);
        }
        self.event(kind, &event, out);
        if !self.ended {
            self.blocks.write(&self.from, out);
            self.too_large(out);
        }
    }

    fn finish(&mut self, out: &mut Vec<StreamEvent>) {
        if self.ended {
            return;
        }
        let message = "the upstream ended its stream before the answer was whole";
        let error = ModelError::new(ErrorKind::BadGateway, message);
        self.fail(error.with_code("upstream_cut_off"), out);
    }
}
