use bytes::Bytes;
use serde_json::Value;
use systemprompt_core::llm::{
    Answer, BlockKind, BlockStart, Delta, ErrorKind, LossKind, LossReport, ModelError, OpaqueState,
    StopReason, StreamEvent, Usage,
};

use super::super::answer::text;
use super::super::envelope::{self, Holder, OWN_REASONING};
use super::super::error;
use super::super::response::{Response, Status};
use super::LONGEST_ANSWER;
use super::event::{Event, Writer};
use super::ids::{Ids, response_id};
use super::item::Item;
use crate::dialect::{Reply, StreamEncoder};
use crate::sse::write_comment;

/// Writes a whole answer: the object that the stream of the same answer ends with.
pub(in super::super) fn encode_whole(
    answer: &Answer,
    reply: &Reply,
    losses: &mut LossReport,
) -> Bytes {
    let mut encoder = Encoder::of(reply, true);
    let mut nothing = Vec::new();
    for (at, block) in answer.content.iter().enumerate() {
        if unsayable(&block.kind) {
            encoder.losses.note(format!("output.{at}"), LossKind::Dropped);
        }
    }
    for event in answer.clone().into_events() {
        encoder.push(&event, &mut nothing);
    }
    losses.append(encoder.losses);
    encoder.last.unwrap_or_default().to_string().into()
}

/// What no model answers with, and no event can say.
const fn unsayable(kind: &BlockKind) -> bool {
    matches!(
        kind,
        BlockKind::Image(_)
            | BlockKind::Document(_)
            | BlockKind::Audio(_)
            | BlockKind::ToolResult { .. }
    )
}

/// Writes a stream of Responses.
///
/// Texts and refusals one after the other are parts of one message. An item ends when the next begins or
/// the answer does, for only then it is known whether it was broken off.
pub(in super::super) struct Encoder {
    reply: Reply,
    writer: Writer,
    /// Since the answer began.
    response: Option<Response>,
    ids: Ids,
    /// The items that are whole.
    output: Vec<Value>,
    open: Option<Item>,
    usage: Usage,
    losses: LossReport,
    refused: bool,
    /// Bytes of text so far.
    size: usize,
    ended: bool,
    /// The response object of the last event, where no events are written.
    last: Option<Value>,
}

impl Encoder {
    pub(in super::super) fn new(reply: &Reply) -> Self {
        Self::of(reply, false)
    }

    fn of(reply: &Reply, silent: bool) -> Self {
        Self {
            reply: reply.clone(),
            writer: Writer::new(silent),
            response: None,
            ids: Ids::default(),
            output: Vec::new(),
            open: None,
            usage: Usage::default(),
            losses: LossReport::default(),
            refused: false,
            size: 0,
            ended: false,
            last: None,
        }
    }

    fn start(&mut self, id: &str, out: &mut Vec<u8>) {
        if self.response.is_some() {
            return;
        }
        let id = response_id(id, &self.reply.id);
        self.ids.begin(&id);
        let response = Response::new(&self.reply, &id);
        let value = response.at(&Status::InProgress, &[], None);
        for kind in ["response.created", "response.in_progress"] {
            let event = Event { kind, response: Some(&value), ..Event::default() };
            self.writer.write(event, out);
        }
        self.response = Some(response);
    }

    fn begin(&mut self, block: &BlockStart, out: &mut Vec<u8>) {
        self.start("", out);
        // An item takes room even where it says nothing.
        self.size = self.size.saturating_add(256);
        match block {
            BlockStart::Text => self.begin_part(false, out),
            BlockStart::Refusal => {
                self.refused = true;
                self.begin_part(true, out);
            }
            BlockStart::Thinking => {
                self.end_item("completed", out);
                // It begins with its first word, or when it is whole: its own id may come before.
                self.open = Some(Item::reasoning(self.ids.next(OWN_REASONING), self.output.len()));
            }
            BlockStart::RedactedThinking(state) => {
                self.whole_reasoning(state, &Holder::Redacted, out);
            }
            BlockStart::ToolUse { id, name, text, state } => {
                if let Some(state) = state {
                    self.whole_reasoning(state, &Holder::Call(id.clone()), out);
                }
                self.end_item("completed", out);
                let prefix = if *text { "ctc_" } else { "fc_" };
                let item_id = self.ids.next(prefix);
                self.open(Item::call(item_id, self.output.len(), id, name, *text), out);
            }
            BlockStart::Unknown(value) => self.unknown(value, out),
        }
    }

    fn open(&mut self, mut item: Item, out: &mut Vec<u8>) {
        item.begin(&mut self.writer, out);
        self.open = Some(item);
    }

    fn begin_part(&mut self, refusal: bool, out: &mut Vec<u8>) {
        if !self.open.as_ref().is_some_and(Item::is_message) {
            self.end_item("completed", out);
            let id = self.ids.next("msg_");
            self.open(Item::message(id, self.output.len()), out);
        }
        if let Some(item) = &mut self.open {
            item.begin_part(refusal, &mut self.writer, out);
        }
    }

    /// Writes an item that carries state and shows nothing.
    fn whole_reasoning(&mut self, state: &OpaqueState, holder: &Holder, out: &mut Vec<u8>) {
        self.end_item("completed", out);
        let encrypted = envelope::wrap(state, holder);
        self.size = self.size.saturating_add(encrypted.len());
        let mut item = Item::reasoning(self.ids.next(OWN_REASONING), self.output.len());
        item.prove(encrypted, self.ids.native(state));
        self.open = Some(item);
        self.end_item("completed", out);
    }

    /// Writes an item that only this dialect knows. That of another is none.
    fn unknown(&mut self, value: &Value, out: &mut Vec<u8>) {
        self.end_item("completed", out);
        let id = text(value, "id");
        if !is_item(value) || !self.ids.take(id) {
            self.losses.note(format!("output.{}", self.output.len()), LossKind::Dropped);
            return;
        }
        self.size = self.size.saturating_add(value.to_string().len());
        for kind in ["response.output_item.added", "response.output_item.done"] {
            let event = Event {
                kind,
                output_index: Some(self.output.len()),
                item: Some(value),
                ..Event::default()
            };
            self.writer.write(event, out);
        }
        self.output.push(value.clone());
    }

    fn end_item(&mut self, status: &str, out: &mut Vec<u8>) {
        if let Some(item) = self.open.take() {
            self.output.push(item.end(status, &mut self.writer, out));
        }
    }

    fn delta(&mut self, delta: &Delta, out: &mut Vec<u8>) {
        let Some(item) = &mut self.open else { return };
        match delta {
            Delta::Text(piece) if !item.is_call() && !piece.is_empty() => {
                self.size = self.size.saturating_add(piece.len());
                item.add(piece, &mut self.writer, out);
            }
            Delta::Input(piece) if item.is_call() && !piece.is_empty() => {
                self.size = self.size.saturating_add(piece.len());
                item.add(piece, &mut self.writer, out);
            }
            Delta::State(state) => {
                let encrypted = envelope::wrap(state, &Holder::Thinking);
                self.size = self.size.saturating_add(encrypted.len());
                item.prove(encrypted, self.ids.native(state));
            }
            Delta::Text(_) | Delta::Input(_) => {}
        }
    }

    fn stop(&mut self, reason: &StopReason, stop_sequence: Option<&str>, out: &mut Vec<u8>) {
        self.start("", out);
        let status = match reason {
            StopReason::MaxTokens | StopReason::ContextWindow => {
                Status::Incomplete("max_output_tokens")
            }
            StopReason::ContentFilter => Status::Incomplete("content_filter"),
            // Words of refusal say it; without them the status must.
            StopReason::Refusal if !self.refused => Status::Incomplete("content_filter"),
            StopReason::Pause | StopReason::Other(_) => {
                self.losses.note("status", LossKind::Degraded);
                Status::Completed
            }
            StopReason::EndTurn
            | StopReason::StopSequence
            | StopReason::ToolUse
            | StopReason::Refusal => Status::Completed,
        };
        if *reason == StopReason::ContextWindow {
            self.losses.note("incomplete_details.reason", LossKind::Degraded);
        }
        if stop_sequence.is_some() {
            self.losses.note("stop_sequence", LossKind::Dropped);
        }
        let whole = status == Status::Completed;
        self.end_item(if whole { "completed" } else { "incomplete" }, out);
        let kind = if whole { "response.completed" } else { "response.incomplete" };
        self.end(kind, &status, out);
    }

    fn end(&mut self, kind: &str, status: &Status, out: &mut Vec<u8>) {
        self.ended = true;
        let Some(response) = &self.response else { return };
        let value = response.at(status, &self.output, Some(&self.usage));
        self.writer.write(Event { kind, response: Some(&value), ..Event::default() }, out);
        self.last = Some(value);
    }

    /// Ends the stream with a failure. An item that is not whole is not called so.
    ///
    /// No SDK raises on `response.failed`, and those who wait for the end of a stream would take it for one.
    /// The event `error` says it again: as the API reference has it, and in `error` as OpenAI sends it, on
    /// which the SDKs of Python and TypeScript raise.
    fn fail(&mut self, failure: &ModelError, out: &mut Vec<u8>) {
        self.start("", out);
        self.open = None;
        let code = error::code_of_answer(failure).to_owned();
        let status = Status::Failed { code, message: failure.message.clone() };
        self.end("response.failed", &status, out);
        let nested = error::object(failure);
        let event = Event {
            kind: "error",
            code: Some(error::code(failure)),
            message: Some(&failure.message),
            param: Some(failure.field.as_deref()),
            error: Some(&nested),
            ..Event::default()
        };
        self.writer.write(event, out);
    }
}

impl StreamEncoder for Encoder {
    fn push(&mut self, event: &StreamEvent, out: &mut Vec<u8>) {
        if self.ended {
            return;
        }
        match event {
            StreamEvent::Start { id, .. } => self.start(id, out),
            StreamEvent::BlockStart { block, .. } => self.begin(block, out),
            StreamEvent::Delta { delta, .. } => self.delta(delta, out),
            StreamEvent::BlockStop { .. } => {
                if let Some(item) = &mut self.open {
                    item.end_part(&mut self.writer, out);
                }
            }
            StreamEvent::Usage(update) => self.usage.apply(update),
            StreamEvent::Stop { reason, stop_sequence } => {
                self.stop(reason, stop_sequence.as_deref(), out);
            }
            StreamEvent::Ping => self.ping(out),
            StreamEvent::Error(error) => self.fail(error, out),
        }
        if self.size > LONGEST_ANSWER && !self.ended {
            let message = "the answer is longer than an answer may be";
            let error = ModelError::new(ErrorKind::BadGateway, message);
            self.fail(&error.with_code("upstream_answer_too_long"), out);
        }
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        if self.ended {
            return;
        }
        let message = "the upstream ended its stream before the answer was whole";
        let error = ModelError::new(ErrorKind::BadGateway, message);
        self.fail(&error.with_code("upstream_cut_off"), out);
    }

    fn ping(&mut self, out: &mut Vec<u8>) {
        if !self.ended {
            write_comment(out, "keepalive");
        }
    }

    fn end_item(&mut self, out: &mut Vec<u8>) {
        if !self.ended {
            Self::end_item(self, "completed", out);
        }
    }

    fn losses(&self) -> &LossReport {
        &self.losses
    }
}

/// Whether a part of an answer is an item of this dialect.
fn is_item(value: &Value) -> bool {
    const KINDS: [&str; 20] = [
        "web_search_call",
        "file_search_call",
        "computer_call",
        "computer_call_output",
        "code_interpreter_call",
        "image_generation_call",
        "local_shell_call",
        "local_shell_call_output",
        "shell_call",
        "shell_call_output",
        "apply_patch_call",
        "apply_patch_call_output",
        "mcp_call",
        "mcp_list_tools",
        "mcp_approval_request",
        "tool_search_call",
        "tool_search_output",
        "program",
        "program_output",
        "additional_tools",
    ];
    let kind = text(value, "type");
    // Anthropic calls a block so as well.
    let compaction = kind == "compaction" && value.get("encrypted_content").is_some();
    KINDS.contains(&kind) || compaction
}
