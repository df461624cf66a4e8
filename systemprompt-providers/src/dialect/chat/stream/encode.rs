use serde::Serialize;
use serde_json::{Value, json};
use systemprompt_core::llm::{
    BlockStart, Delta, LossKind, LossReport, ModelError, OpaqueState, StopReason, StreamEvent,
    Usage,
};

use super::super::reasoning::{Carrier, entry};
use super::super::{error, usage};
use super::cut_off;
use crate::dialect::{Reply, StreamEncoder};
use crate::sse::{write_comment, write_frame, write_json_frame};

/// The most bytes of a thought that are kept to be said again beside its state. The state of a longer one
/// is lost.
const THOUGHT: usize = 8 << 20;

/// Writes events as chunks.
pub(in super::super) struct Encoder {
    reply: Reply,
    id: String,
    started: bool,
    ended: bool,
    stopped: bool,
    open: Option<Open>,
    /// The number of the next call.
    calls: usize,
    /// The number of the next entry of `reasoning_details`.
    details: usize,
    refused: bool,
    /// Whether a thought with text came before.
    thought: bool,
    usage: Option<Usage>,
    losses: LossReport,
}

/// The open block.
enum Open {
    Text,
    Refusal,
    Thinking {
        index: usize,
        text: String,
        state: Option<OpaqueState>,
    },
    Call {
        number: usize,
        is_text: bool,
        said: bool,
    },
    /// One that is whole, or that this wire does not know.
    Other,
}

impl Encoder {
    pub(in super::super) fn new(reply: &Reply) -> Self {
        Self {
            reply: reply.clone(),
            id: reply.id.clone(),
            started: false,
            ended: false,
            stopped: false,
            open: None,
            calls: 0,
            details: 0,
            refused: false,
            thought: false,
            usage: None,
            losses: LossReport::default(),
        }
    }

    /// The first chunk has the role, and no other.
    fn start(&mut self, out: &mut Vec<u8>) {
        if !self.started {
            self.started = true;
            self.delta(json!({"role": "assistant", "content": ""}), out);
        }
    }

    fn begin(&mut self, index: usize, block: &BlockStart, out: &mut Vec<u8>) {
        self.open = Some(match block {
            BlockStart::Text => Open::Text,
            BlockStart::Refusal => {
                self.refused = true;
                Open::Refusal
            }
            BlockStart::Thinking => Open::Thinking { index, text: String::new(), state: None },
            BlockStart::RedactedThinking(state) => {
                self.detail(Carrier::Redacted, state, out);
                Open::Other
            }
            BlockStart::ToolUse { id, name, text, state } => {
                self.call(id, name, *text, state.as_ref(), out);
                Open::Call { number: self.calls - 1, is_text: *text, said: false }
            }
            BlockStart::Unknown(value) => {
                match known(value) {
                    Some((name, values)) => self.delta(json!({name: values}), out),
                    None => self.losses.note(format!("content.{index}"), LossKind::Dropped),
                }
                Open::Other
            }
        });
    }

    fn call(
        &mut self,
        id: &str,
        name: &str,
        is_text: bool,
        state: Option<&OpaqueState>,
        out: &mut Vec<u8>,
    ) {
        if let Some(state) = state {
            self.detail(Carrier::ToolUse(id), state, out);
        }
        let number = self.calls;
        self.calls += 1;
        let call = if is_text {
            json!({"index": number, "id": id, "type": "custom", "custom": {"name": name, "input": ""}})
        } else {
            json!({"index": number, "id": id, "type": "function",
                "function": {"name": name, "arguments": ""}})
        };
        self.delta(json!({"tool_calls": [call]}), out);
    }

    fn more(&mut self, index: usize, delta: &Delta, out: &mut Vec<u8>) {
        let mut apart = false;
        let delta = match (self.open.as_mut(), delta) {
            (_, Delta::Text(text) | Delta::Input(text)) if text.is_empty() => return,
            (Some(Open::Text), Delta::Text(text)) => More::Content(text),
            (Some(Open::Refusal), Delta::Text(text)) => More::Refusal(text),
            (Some(Open::Thinking { text: all, .. }), Delta::Text(text)) => {
                apart = all.is_empty() && std::mem::replace(&mut self.thought, true);
                // What is longer than what is kept is not kept at all; its length is what counts then.
                if all.len() <= THOUGHT {
                    all.push_str(text);
                }
                More::ReasoningContent(text)
            }
            (Some(Open::Thinking { state, .. }), Delta::State(new)) => {
                *state = Some(new.clone());
                return;
            }
            (Some(Open::Call { number, is_text, said }), Delta::Input(text)) => {
                *said = true;
                piece(*number, *is_text, text)
            }
            _ => {
                self.losses.note(format!("content.{index}"), LossKind::Dropped);
                return;
            }
        };
        if apart {
            self.delta(More::ReasoningContent("\n\n"), out);
        }
        self.delta(delta, out);
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        match self.open.take() {
            Some(Open::Thinking { index, text, state: Some(_) }) if text.len() > THOUGHT => {
                self.losses.note(format!("content.{index}"), LossKind::Degraded);
            }
            Some(Open::Thinking { text, state: Some(state), .. }) => {
                self.detail(Carrier::Thinking(&text), &state, out);
            }
            // Arguments must come together as JSON.
            Some(Open::Call { number, is_text: false, said: false }) => {
                self.delta(piece(number, false, "{}"), out);
            }
            _ => {}
        }
    }

    fn detail(&mut self, carrier: Carrier<'_>, state: &OpaqueState, out: &mut Vec<u8>) {
        let entry = entry(carrier, state, self.details);
        self.details += 1;
        self.delta(json!({"reasoning_details": [entry]}), out);
    }

    fn stop(&mut self, reason: &StopReason, sequence: Option<&str>, out: &mut Vec<u8>) {
        self.close(out);
        let seen = Seen { calls: self.calls > 0, refused: self.refused };
        let word = finish_word(reason, sequence, seen, &mut self.losses);
        self.stopped = true;
        self.chunk(&[Choice::new(json!({}), Some(word))], None, out);
    }

    fn fail(&mut self, error: &ModelError, out: &mut Vec<u8>) {
        self.ended = true;
        write_frame(out, None, error::write(error).to_string().as_bytes());
        write_frame(out, None, b"[DONE]");
    }

    fn delta(&mut self, delta: impl Serialize, out: &mut Vec<u8>) {
        self.chunk(&[Choice::new(delta, None)], None, out);
    }

    fn chunk<D: Serialize>(&self, choices: &[Choice<D>], usage: Option<&Usage>, out: &mut Vec<u8>) {
        write_json_frame(
            out,
            None,
            &Chunk {
                id: &self.id,
                object: "chat.completion.chunk",
                created: self.reply.created,
                model: &self.reply.model,
                choices,
                usage: self.reply.stream_usage.then(|| usage.map(usage::write)),
            },
        );
    }
}

impl StreamEncoder for Encoder {
    fn push(&mut self, event: &StreamEvent, out: &mut Vec<u8>) {
        if self.ended {
            return;
        }
        match event {
            StreamEvent::Start { id, .. } => {
                if !self.started && !id.is_empty() {
                    self.id.clone_from(id);
                }
                self.start(out);
            }
            StreamEvent::Usage(update) => {
                self.usage.get_or_insert_with(Usage::default).apply(update);
            }
            StreamEvent::Ping => self.ping(out),
            StreamEvent::Error(error) => self.fail(error, out),
            // Nothing but usage follows the end.
            _ if self.stopped => {}
            StreamEvent::BlockStart { index, block } => {
                self.start(out);
                self.close(out);
                self.begin(*index, block, out);
            }
            StreamEvent::Delta { index, delta } => self.more(*index, delta, out),
            StreamEvent::BlockStop { .. } => self.close(out),
            StreamEvent::Stop { reason, stop_sequence } => {
                self.start(out);
                self.stop(reason, stop_sequence.as_deref(), out);
            }
        }
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        if self.ended {
            return;
        }
        if !self.stopped {
            return self.fail(&cut_off(), out);
        }
        self.ended = true;
        // An upstream that told no usage has none: not zero.
        if self.reply.stream_usage && self.usage.is_some() {
            self.chunk::<Value>(&[], self.usage.as_ref(), out);
        }
        write_frame(out, None, b"[DONE]");
    }

    fn ping(&mut self, out: &mut Vec<u8>) {
        if !self.ended {
            write_comment(out, "keepalive");
        }
    }

    fn losses(&self) -> &LossReport {
        &self.losses
    }
}

/// A chunk as it is written.
#[derive(Serialize)]
struct Chunk<'c, D> {
    id: &'c str,
    object: &'static str,
    created: i64,
    model: &'c str,
    choices: &'c [Choice<D>],
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Option<Value>>,
}

#[derive(Serialize)]
struct Choice<D> {
    index: u8,
    delta: D,
    logprobs: (),
    finish_reason: Option<&'static str>,
}

impl<D> Choice<D> {
    const fn new(delta: D, finish_reason: Option<&'static str>) -> Self {
        Self { index: 0, delta, logprobs: (), finish_reason }
    }
}

/// More of the open block.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum More<'d> {
    Content(&'d str),
    Refusal(&'d str),
    ReasoningContent(&'d str),
    ToolCalls([CallMore<'d>; 1]),
}

#[derive(Serialize)]
struct CallMore<'d> {
    index: usize,
    #[serde(flatten)]
    input: InputMore<'d>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum InputMore<'d> {
    Function { arguments: &'d str },
    Custom { input: &'d str },
}

fn piece(index: usize, is_text: bool, text: &str) -> More<'_> {
    let input = match is_text {
        true => InputMore::Custom { input: text },
        false => InputMore::Function { arguments: text },
    };
    More::ToolCalls([CallMore { index, input }])
}

/// The members of a message that only this wire knows, as its decoder keeps them.
pub(in super::super) fn known(value: &Value) -> Option<(&'static str, &Value)> {
    let map = value.as_object().filter(|map| map.len() == 1)?;
    map.get("annotations").filter(|values| values.is_array()).map(|values| ("annotations", values))
}

/// What an answer said before it ended.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Seen {
    pub(in super::super) calls: bool,
    pub(in super::super) refused: bool,
}

/// `finish_reason`. What it cannot say is noted.
pub(in super::super) fn finish_word(
    reason: &StopReason,
    sequence: Option<&str>,
    seen: Seen,
    losses: &mut LossReport,
) -> &'static str {
    if sequence.is_some() {
        losses.note("stop_sequence", LossKind::Hint);
    }
    match reason {
        StopReason::EndTurn | StopReason::StopSequence => "stop",
        StopReason::MaxTokens | StopReason::ContextWindow => "length",
        StopReason::ToolUse if seen.calls => "tool_calls",
        StopReason::ToolUse => "stop",
        // Words of refusal say it themselves.
        StopReason::Refusal if seen.refused => "stop",
        StopReason::Refusal | StopReason::ContentFilter => "content_filter",
        StopReason::Pause | StopReason::Other(_) => {
            losses.note("stop_reason", LossKind::Degraded);
            "stop"
        }
    }
}
