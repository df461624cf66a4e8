use serde_json::Value;
use serde_json::value::RawValue;
use systemprompt_core::llm::{
    BlockStart, Delta, ErrorKind, ModelError, OpaqueState, StopReason, StreamEvent,
};

use super::answer::{Candidate, FunctionCall, Part, PromptFeedback, Response};
use super::finish::{Finish, finish};
use super::{TEXT_TOOL_SUFFIX, error, origin};
use crate::dialect::{Source, StreamDecoder};
use crate::sse::Frame;

/// Reads a stream of whole response objects. Texts and thoughts come in pieces, one per object; calls come
/// whole. The end is held back until the stream has ended, for usage may come after the `finishReason`.
#[derive(Debug)]
pub(super) struct GeminiStream {
    source: Source,
    started: bool,
    /// The place of the next block.
    next: usize,
    open: Option<Open>,
    /// The number of calls so far.
    calls: usize,
    response_id: String,
    end: Option<StopReason>,
    /// Nothing comes after an error.
    failed: bool,
}

/// The block that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Text,
    Thinking,
}

impl GeminiStream {
    pub(super) fn new(source: Source) -> Self {
        Self {
            source,
            started: false,
            next: 0,
            open: None,
            calls: 0,
            response_id: String::new(),
            end: None,
            failed: false,
        }
    }

    /// Reads the JSON of one frame: a response, an error, or an array of them.
    pub(super) fn read(&mut self, json: &[u8], out: &mut Vec<StreamEvent>) {
        let json = json.trim_ascii();
        if self.failed || json.is_empty() || json == b"[DONE]" {
            return;
        }
        if json.first() == Some(&b'[') {
            match serde_json::from_slice::<Vec<Response>>(json) {
                Ok(all) => all.into_iter().for_each(|response| self.response(response, out)),
                Err(error) => self.unreadable(&error, out),
            }
            return;
        }
        match serde_json::from_slice(json) {
            Ok(response) => self.response(response, out),
            Err(error) => self.unreadable(&error, out),
        }
    }

    fn response(&mut self, response: Response, out: &mut Vec<StreamEvent>) {
        if self.failed {
            return;
        }
        if let Some(raw) = response.error {
            let status = serde_json::from_str::<error::RpcStatus>(raw.get()).unwrap_or_default();
            return self.fail(status.into_error(None), out);
        }
        self.start(response.response_id, response.model_version, out);
        if let Some(usage) = response.usage_metadata {
            out.push(StreamEvent::Usage(usage.update(self.source.usage_mode)));
        }
        let candidates = response.candidates.unwrap_or_default();
        if candidates.is_empty()
            && let Some(feedback) = response.prompt_feedback
        {
            self.blocked(feedback, out);
        }
        let first = candidates.into_iter().find(|candidate| candidate.index.unwrap_or(0) == 0);
        if let Some(candidate) = first {
            self.candidate(candidate, out);
        }
    }

    fn start(&mut self, id: Option<String>, model: Option<String>, out: &mut Vec<StreamEvent>) {
        if self.started {
            return;
        }
        self.started = true;
        self.response_id = id.unwrap_or_default();
        let id = self.response_id.clone();
        out.push(StreamEvent::Start { id, model: model.unwrap_or_default() });
    }

    fn candidate(&mut self, candidate: Candidate, out: &mut Vec<StreamEvent>) {
        let parts = candidate.content.and_then(|content| content.parts).unwrap_or_default();
        for raw in parts {
            if self.part(&raw, out).is_err() {
                return;
            }
        }
        let said = |reason: &String| !matches!(reason.as_str(), "" | "FINISH_REASON_UNSPECIFIED");
        let Some(reason) = candidate.finish_reason.filter(said) else { return };
        match finish(&reason, candidate.finish_message.as_deref()) {
            Finish::Stop(reason) => self.end = Some(reason),
            Finish::Failed(error) => self.fail(error, out),
        }
    }

    /// Reads a part; `Err` when it cannot be read and the stream has failed.
    fn part(&mut self, raw: &RawValue, out: &mut Vec<StreamEvent>) -> Result<(), ()> {
        let part: Part = match serde_json::from_str(raw.get()) {
            Ok(part) => part,
            Err(error) => {
                self.unreadable(&error, out);
                return Err(());
            }
        };
        let signature = part.thought_signature.filter(|signature| !signature.is_empty());
        if let Some(call) = part.function_call {
            self.call(call, signature, raw, out);
            return Ok(());
        }
        if let Some(text) = part.text {
            self.text(text, part.thought == Some(true), signature, out);
            return Ok(());
        }
        let value: Value = serde_json::from_str(raw.get()).unwrap_or_default();
        let says = |member: &String| member != "thought" && member != "thoughtSignature";
        if value.as_object().is_some_and(|members| members.keys().any(says)) {
            self.close(out);
            self.whole(BlockStart::Unknown(value), None, out);
        } else if let Some(signature) = signature {
            self.text(String::new(), false, Some(signature), out);
        }
        Ok(())
    }

    fn text(
        &mut self,
        text: String,
        thought: bool,
        signature: Option<String>,
        out: &mut Vec<StreamEvent>,
    ) {
        if !text.is_empty() {
            self.open(if thought { Open::Thinking } else { Open::Text }, out);
            let index = self.next;
            out.push(StreamEvent::Delta { index, delta: Delta::Text(text) });
        }
        let Some(signature) = signature else { return };
        let state = self.state(signature);
        // The signature of a thought ends it; that of a text stands behind the text, as thinking of its own.
        if thought {
            self.open(Open::Thinking, out);
        } else {
            self.close(out);
            self.open(Open::Thinking, out);
        }
        out.push(StreamEvent::Delta { index: self.next, delta: Delta::State(state) });
        self.close(out);
    }

    fn call(
        &mut self,
        call: FunctionCall,
        signature: Option<String>,
        raw: &RawValue,
        out: &mut Vec<StreamEvent>,
    ) {
        self.close(out);
        let sent = call.name.unwrap_or_default();
        let id = match call.id.filter(|id| !id.is_empty()) {
            Some(id) => id,
            None => made_up_id(&self.response_id, self.calls, raw.get()),
        };
        self.calls = self.calls.saturating_add(1);
        let args = call.args.map_or_else(|| "{}".to_owned(), |args| args.get().to_owned());
        let text = sent.ends_with(TEXT_TOOL_SUFFIX) && self.source.tool_names.contains_key(&sent);
        let input = if text { input_text(args) } else { args };
        let block = BlockStart::ToolUse {
            id,
            name: self.source.tool_name(&sent),
            text,
            state: signature.map(|signature| self.state(signature)),
        };
        self.whole(block, Some(input), out);
    }

    /// A prompt that was blocked is an answer that declines.
    fn blocked(&mut self, feedback: PromptFeedback, out: &mut Vec<StreamEvent>) {
        let Some(reason) = feedback.block_reason else { return };
        self.close(out);
        let text = feedback
            .block_reason_message
            .filter(|message| !message.is_empty())
            .unwrap_or_else(|| format!("the provider blocked the prompt: {reason}"));
        let index = self.next;
        out.push(StreamEvent::BlockStart { index, block: BlockStart::Refusal });
        out.push(StreamEvent::Delta { index, delta: Delta::Text(text) });
        out.push(StreamEvent::BlockStop { index });
        self.next += 1;
        self.end = Some(StopReason::Refusal);
    }

    /// Makes a block of the kind the open one, unless it is.
    fn open(&mut self, kind: Open, out: &mut Vec<StreamEvent>) {
        if self.open == Some(kind) {
            return;
        }
        self.close(out);
        let block = match kind {
            Open::Text => BlockStart::Text,
            Open::Thinking => BlockStart::Thinking,
        };
        out.push(StreamEvent::BlockStart { index: self.next, block });
        self.open = Some(kind);
    }

    fn close(&mut self, out: &mut Vec<StreamEvent>) {
        if self.open.take().is_some() {
            out.push(StreamEvent::BlockStop { index: self.next });
            self.next += 1;
        }
    }

    /// A block that comes whole.
    fn whole(&mut self, block: BlockStart, input: Option<String>, out: &mut Vec<StreamEvent>) {
        let index = self.next;
        out.push(StreamEvent::BlockStart { index, block });
        out.extend(input.map(|input| StreamEvent::Delta { index, delta: Delta::Input(input) }));
        out.push(StreamEvent::BlockStop { index });
        self.next += 1;
    }

    fn state(&self, data: String) -> OpaqueState {
        OpaqueState { origin: origin(&self.source.provider), id: None, data }
    }

    fn unreadable(&mut self, error: &serde_json::Error, out: &mut Vec<StreamEvent>) {
        let message = format!("the upstream's answer cannot be read: {error}");
        self.fail(
            ModelError::new(ErrorKind::BadGateway, message).with_code("upstream_unreadable"),
            out,
        );
    }

    fn fail(&mut self, error: ModelError, out: &mut Vec<StreamEvent>) {
        self.failed = true;
        out.push(StreamEvent::Error(error));
    }

    /// Why the answer ended. `STOP` after a call of a tool means that it is to be run.
    fn stop_reason(&self, reason: StopReason) -> StopReason {
        match reason {
            StopReason::EndTurn if self.calls > 0 => StopReason::ToolUse,
            reason => reason,
        }
    }
}

impl StreamDecoder for GeminiStream {
    fn push(&mut self, frame: &Frame, out: &mut Vec<StreamEvent>) {
        if let Some(data) = &frame.data {
            self.read(data, out);
            return;
        }
        // An error that came as a plain body where a stream was due.
        if !self.failed
            && matches!(frame.raw.trim_ascii_start().first(), Some(b'{' | b'['))
            && let Some(status) = error::read(&frame.raw)
        {
            self.fail(status.into_error(None), out);
        }
    }

    fn finish(&mut self, out: &mut Vec<StreamEvent>) {
        if self.failed {
            return;
        }
        self.close(out);
        match self.end.take() {
            Some(reason) => {
                let reason = self.stop_reason(reason);
                out.push(StreamEvent::Stop { reason, stop_sequence: None });
            }
            None => {
                let message = "the upstream ended its stream before the answer was whole";
                let error = ModelError::new(ErrorKind::BadGateway, message);
                out.push(StreamEvent::Error(error.with_code("upstream_cut_off")));
            }
        }
        // A second call says nothing.
        self.failed = true;
    }
}

/// The text of a call of a text tool; what is no object with one stays as it is.
fn input_text(args: String) -> String {
    let object: Option<Value> = serde_json::from_str(&args).ok();
    match object.as_ref().and_then(|object| object.get("input")).and_then(Value::as_str) {
        Some(text) => text.to_owned(),
        None => args,
    }
}

/// An id for a call that came without one: the same for the same call of the same answer, and another one for any
/// other. FNV-1a, which is stable over versions of this program.
fn made_up_id(response_id: &str, nth: usize, part: &str) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let bytes = response_id.bytes().chain([0]).chain(nth.to_le_bytes()).chain(part.bytes());
    for byte in bytes {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    format!("call_{hash:016x}")
}
