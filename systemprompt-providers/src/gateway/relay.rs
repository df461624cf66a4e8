use std::collections::VecDeque;

use bytes::Bytes;
use memchr::memmem;
use systemprompt_core::call::Door;
use systemprompt_core::content::StreamOrigin;
use systemprompt_core::contract::InspectStream;
use systemprompt_core::policy::SecretDirection;

use super::judge::Verdict;
use super::scan::withheld;
use super::{Caller, ModelGateway};
use crate::canonical::{
    BlockStart, Delta, LossReport, ModelError, StopReason, StreamEvent, ToolInput, Usage,
};
use crate::dialect::{StreamDecoder, StreamEncoder};
use crate::sse::Frame;

/// A streamed answer on its way to the caller.
///
/// Frames wait in a queue while a call of a tool in them is decided, and while the text in them may be the
/// beginning of a secret. In the byte lane they leave it as they came, for as long as the policy changes
/// nothing; the encoder writes along, unheard, so that it can take over at any frame.
pub(super) struct Relay {
    gateway: ModelGateway,
    caller: Caller,
    decoder: Box<dyn StreamDecoder>,
    encoder: Box<dyn StreamEncoder>,
    /// Whether frames leave as they came.
    bytes_pass: bool,
    queue: VecDeque<Waiting>,
    text: Option<TextRun>,
    tool: Option<ToolRun>,
    seen: Seen,
    unheard: Vec<u8>,
}

/// What is known of an answer so far.
#[derive(Debug, Default, Clone)]
pub(super) struct Seen {
    /// The usage that was told.
    pub(super) usage: Usage,
    /// Whether any was.
    pub(super) usage_told: bool,
    /// Bytes of text, thoughts and arguments.
    pub(super) written: u64,
    /// Why it ended.
    pub(super) stop: Option<StopReason>,
    /// The model that answers, as it names itself.
    pub(super) model: Option<String>,
    /// What went wrong.
    pub(super) error: Option<ModelError>,
    /// How many calls of tools were let through.
    pub(super) allowed: u32,
    /// How many were not.
    pub(super) denied: u32,
}

/// A frame that has not left yet.
struct Waiting {
    /// As it came; `None` for what no frame brought.
    raw: Option<Bytes>,
    events: Vec<StreamEvent>,
    /// How much of the open text must be let through before.
    text_end: usize,
    /// Whether it belongs to a call that is not decided, or may.
    held: bool,
}

/// The open block of text.
struct TextRun {
    index: usize,
    inspect: Box<dyn InspectStream>,
    /// Text that was handed in and not let through yet.
    owed: String,
    taken: usize,
    let_through: usize,
    /// Bytes of it that have left.
    left: usize,
    /// Whether it goes on as the policy wants it, no longer as it came.
    rewritten: bool,
}

/// The open call of a tool.
struct ToolRun {
    index: usize,
    id: String,
    name: String,
    text: bool,
    input: String,
}

impl Relay {
    pub(super) fn new(
        gateway: ModelGateway,
        caller: Caller,
        decoder: Box<dyn StreamDecoder>,
        encoder: Box<dyn StreamEncoder>,
        bytes_pass: bool,
    ) -> Self {
        Self {
            gateway,
            caller,
            decoder,
            encoder,
            bytes_pass,
            queue: VecDeque::new(),
            text: None,
            tool: None,
            seen: Seen::default(),
            unheard: Vec::new(),
        }
    }

    /// What is known of the answer.
    pub(super) const fn seen(&self) -> &Seen {
        &self.seen
    }

    /// What could not be said so far.
    pub(super) fn losses(&self) -> &LossReport {
        self.encoder.losses()
    }

    /// Whether the answer is over, by its end or by an error.
    pub(super) const fn is_over(&self) -> bool {
        self.seen.stop.is_some() || self.seen.error.is_some()
    }

    /// Takes a frame; appends what may leave by now. `raw` is what leaves for it in the byte lane.
    pub(super) async fn frame(&mut self, frame: &Frame, raw: Bytes, out: &mut Vec<u8>) {
        let mut events = Vec::new();
        self.decoder.push(frame, &mut events);
        self.take(Some(raw), events, out).await;
    }

    /// Takes events that no frame brought.
    pub(super) async fn events(&mut self, events: Vec<StreamEvent>, out: &mut Vec<u8>) {
        self.take(None, events, out).await;
    }

    /// The stream has ended: whole, cut off, or with `error`.
    pub(super) async fn finish(&mut self, error: Option<ModelError>, out: &mut Vec<u8>) {
        let mut events = Vec::new();
        match error {
            Some(error) if !self.is_over() => events.push(StreamEvent::Error(error)),
            _ => self.decoder.finish(&mut events),
        }
        if !events.is_empty() {
            self.take(None, events, out).await;
        }
        if let Some(run) = self.tool.take() {
            self.forget_call(run.index);
        }
        for waiting in &mut self.queue {
            waiting.held = false;
        }
        self.flush(out);
        if !self.bytes_pass {
            self.encoder.finish(out);
        }
    }

    /// Ends the stream with an error of our own.
    pub(super) fn fail(&mut self, error: ModelError, out: &mut Vec<u8>) {
        self.queue.clear();
        self.bytes_pass = false;
        self.encoder.push(&StreamEvent::Error(error.clone()), out);
        self.seen.error = Some(error);
    }

    /// Writes a sign of life, where that is ours to write.
    pub(super) fn ping(&mut self, out: &mut Vec<u8>) {
        if !self.bytes_pass && !self.is_over() {
            self.encoder.ping(out);
        }
    }

    async fn take(&mut self, raw: Option<Bytes>, events: Vec<StreamEvent>, out: &mut Vec<u8>) {
        // A frame that says nothing to us but speaks of tools may be the beginning of a call.
        let odd = events.is_empty()
            && raw.as_ref().is_some_and(|raw| {
                memmem::find(raw, b"tool").is_some() || memmem::find(raw, b"function").is_some()
            });
        let at = self.queue.len();
        let held = odd || self.tool.is_some();
        self.queue.push_back(Waiting { raw, events: Vec::new(), text_end: 0, held });
        for event in events {
            if self.seen.error.is_some() {
                break;
            }
            self.event(at, event, out).await;
        }
        if let Some(waiting) = self.queue.get_mut(at) {
            waiting.text_end = self.text.as_ref().map_or(0, |run| run.taken);
        }
        if self.tool.is_none() && !odd {
            self.queue.iter_mut().for_each(|waiting| waiting.held = false);
        }
        self.flush(out);
    }

    /// Takes an event of the frame at `at` of the queue.
    async fn event(&mut self, at: usize, event: StreamEvent, out: &mut Vec<u8>) {
        match event {
            StreamEvent::Start { ref model, .. } => self.seen.model = Some(model.clone()),
            StreamEvent::Usage(ref update) => {
                self.seen.usage.apply(update);
                self.seen.usage_told = true;
            }
            StreamEvent::BlockStart { index, block: BlockStart::Text } => {
                self.text = Some(self.text_run(index));
            }
            StreamEvent::BlockStart {
                index,
                block: BlockStart::ToolUse { ref id, ref name, text, .. },
            } => {
                let (id, name) = (id.clone(), name.clone());
                self.tool = Some(ToolRun { index, id, name, text, input: String::new() });
                self.hold(at);
            }
            StreamEvent::Delta { index, delta: Delta::Text(ref text) } => {
                self.seen.written += text.len() as u64;
                if self.text.as_ref().is_some_and(|run| run.index == index) {
                    let text = text.clone();
                    return self.text(at, event, &text, out).await;
                }
            }
            StreamEvent::Delta { delta: Delta::Input(ref text), .. } => {
                self.seen.written += text.len() as u64;
                if let Some(run) = &mut self.tool {
                    run.input.push_str(text);
                }
            }
            StreamEvent::BlockStop { index } => {
                if self.text.as_ref().is_some_and(|run| run.index == index) {
                    self.end_text(at, out).await;
                }
                if let Some(run) = self.tool.take_if(|run| run.index == index) {
                    self.append(at, event);
                    return self.decide(run).await;
                }
            }
            StreamEvent::Stop { reason, stop_sequence } => {
                let no_call_left = self.seen.denied > 0 && self.seen.allowed == 0;
                let reason = match reason {
                    StopReason::ToolUse if no_call_left => StopReason::EndTurn,
                    reason => reason,
                };
                self.seen.stop = Some(reason.clone());
                return self.append(at, StreamEvent::Stop { reason, stop_sequence });
            }
            StreamEvent::Error(ref error) => {
                // The text before it may leave, and has no end of its own.
                self.end_text(at, out).await;
                self.seen.error.get_or_insert_with(|| error.clone());
            }
            _ => {}
        }
        self.append(at, event);
    }

    fn append(&mut self, at: usize, event: StreamEvent) {
        // An error of ours has emptied the queue.
        if let Some(waiting) = self.queue.get_mut(at) {
            waiting.events.push(event);
        }
    }

    fn hold(&mut self, at: usize) {
        if let Some(waiting) = self.queue.get_mut(at) {
            waiting.held = true;
        }
    }

    fn text_run(&self, index: usize) -> TextRun {
        let origin = StreamOrigin {
            direction: SecretDirection::Answer,
            principal: self.caller.principal.clone(),
            tool: None,
            door: Door::Gateway,
            context: self.caller.context.clone(),
        };
        let inspect = self.gateway.parts().inspect.inspect_stream(origin);
        let owed = String::new();
        TextRun { index, inspect, owed, taken: 0, let_through: 0, left: 0, rewritten: false }
    }

    /// Hands text to what looks through it, and notes what came back.
    async fn text(&mut self, at: usize, event: StreamEvent, text: &str, out: &mut Vec<u8>) {
        let Some(run) = &mut self.text else { return };
        run.taken += text.len();
        match run.inspect.push(text).await {
            Ok(passed) if run.rewritten => {
                if !passed.is_empty() {
                    let delta = Delta::Text(passed);
                    let event = StreamEvent::Delta { index: run.index, delta };
                    self.append(at, event);
                }
            }
            Ok(passed) => {
                run.owed.push_str(text);
                if let Some(waiting) = self.queue.get_mut(at) {
                    waiting.events.push(event);
                }
                self.pass(at, &passed);
            }
            Err(reason) => self.fail(withheld("answer", &reason), out),
        }
    }

    async fn end_text(&mut self, at: usize, out: &mut Vec<u8>) {
        let Some(mut run) = self.text.take() else { return };
        match run.inspect.finish().await {
            Ok(passed) if run.rewritten => {
                if !passed.is_empty() {
                    let event =
                        StreamEvent::Delta { index: run.index, delta: Delta::Text(passed) };
                    self.append(at, event);
                }
            }
            Ok(passed) => {
                self.text = Some(run);
                self.pass(at, &passed);
                self.text = None;
                // All of it may leave.
                self.queue.iter_mut().for_each(|waiting| waiting.text_end = 0);
            }
            Err(reason) => self.fail(withheld("answer", &reason), out),
        }
    }

    /// Notes text that may leave; where it is not what came, the rest of the block is written anew.
    fn pass(&mut self, at: usize, passed: &str) {
        let Some(run) = &mut self.text else { return };
        if run.owed.starts_with(passed) {
            run.owed.drain(..passed.len());
            run.let_through += passed.len();
            return;
        }
        // What was let through as it came, and has not left.
        let mut text = String::new();
        let mut still = run.let_through.saturating_sub(run.left);
        for waiting in &mut self.queue {
            waiting.text_end = 0;
            waiting.events.retain(|event| match event {
                StreamEvent::Delta { index, delta: Delta::Text(piece) } if *index == run.index => {
                    let end = piece.floor_char_boundary(still.min(piece.len()));
                    text.push_str(piece.get(..end).unwrap_or_default());
                    still = still.saturating_sub(end);
                    false
                }
                _ => true,
            });
        }
        text.push_str(passed);
        run.rewritten = true;
        run.taken = 0;
        let delta = StreamEvent::Delta { index: run.index, delta: Delta::Text(text) };
        self.append(at, delta);
        self.bytes_pass = false;
    }

    /// Decides a whole call, whose events are in the queue.
    async fn decide(&mut self, run: ToolRun) {
        let input = match run.text {
            true => ToolInput::Text(run.input),
            false => ToolInput::from_json_text(run.input),
        };
        let verdict = self.gateway.judge(&self.caller, &run.id, &run.name, &input).await;
        match verdict {
            Verdict::Allowed => self.seen.allowed += 1,
            Verdict::Rewritten(arguments) => {
                self.seen.allowed += 1;
                self.replace_input(run.index, &arguments);
            }
            Verdict::Denied { sentence, .. } => {
                self.seen.denied += 1;
                self.replace_call(run.index, &sentence);
            }
        }
    }

    /// The call goes on with other arguments.
    fn replace_input(&mut self, call: usize, arguments: &str) {
        self.bytes_pass = false;
        for waiting in &mut self.queue {
            waiting.events.retain(|event| {
                !matches!(event, StreamEvent::Delta { index, delta: Delta::Input(_) } if *index == call)
            });
            let stop = waiting.events.iter().position(
                |event| matches!(event, StreamEvent::BlockStop { index } if *index == call),
            );
            if let Some(stop) = stop {
                let delta = Delta::Input(arguments.to_owned());
                waiting.events.insert(stop, StreamEvent::Delta { index: call, delta });
            }
        }
    }

    /// A text stands in the place of the call.
    fn replace_call(&mut self, call: usize, sentence: &str) {
        self.bytes_pass = false;
        for waiting in &mut self.queue {
            waiting.events.retain(
                |event| !matches!(event, StreamEvent::Delta { index, .. } if *index == call),
            );
            let start = waiting.events.iter().position(
                |event| matches!(event, StreamEvent::BlockStart { index, .. } if *index == call),
            );
            if let Some(start) = start {
                let delta = Delta::Text(sentence.to_owned());
                let text = [
                    StreamEvent::BlockStart { index: call, block: BlockStart::Text },
                    StreamEvent::Delta { index: call, delta },
                ];
                waiting.events.splice(start..=start, text);
            }
        }
    }

    /// Nothing leaves of a call that broke off, for it was never decided.
    fn forget_call(&mut self, call: usize) {
        self.bytes_pass = false;
        for waiting in &mut self.queue {
            waiting.events.retain(|event| match event {
                StreamEvent::BlockStart { index, .. }
                | StreamEvent::Delta { index, .. }
                | StreamEvent::BlockStop { index } => *index != call,
                _ => true,
            });
        }
    }

    /// Lets leave what may.
    fn flush(&mut self, out: &mut Vec<u8>) {
        loop {
            let let_through = self.text.as_ref().map_or(usize::MAX, |run| {
                if run.rewritten { usize::MAX } else { run.let_through }
            });
            let may = |waiting: &mut Waiting| !waiting.held && waiting.text_end <= let_through;
            let Some(waiting) = self.queue.pop_front_if(may) else { return };
            if let Some(run) = &mut self.text {
                run.left = run.left.max(waiting.text_end);
            }
            self.leave(waiting, out);
        }
    }

    fn leave(&mut self, waiting: Waiting, out: &mut Vec<u8>) {
        match waiting.raw {
            Some(raw) if self.bytes_pass => {
                out.extend_from_slice(&raw);
                self.unheard.clear();
                for event in &waiting.events {
                    self.encoder.push(event, &mut self.unheard);
                }
            }
            _ if waiting.events.is_empty() => {}
            _ => {
                self.bytes_pass = false;
                for event in &waiting.events {
                    self.encoder.push(event, out);
                }
            }
        }
    }
}
