mod call;
mod head;
mod joint;
mod lane;
mod piece;
mod recorder;
mod text;
mod watch;

use std::collections::VecDeque;

use bytes::Bytes;
use systemprompt_core::llm::{
    BlockStart, Delta, Dialect, ErrorKind, LossReport, ModelError, StreamEvent,
};

use self::call::ToolRun;
use self::head::Head;
use self::lane::Lane;
use self::recorder::Recorder;
use self::text::TextRun;
use super::seen::Seen;
use super::{Caller, ModelGateway};
use crate::dialect::{Front, Reply, StreamDecoder, StreamEncoder};
use crate::sse::Frame;

/// Most bytes of frames that wait. A call with more arguments is refused in any case, and a frame may be as long.
const MOST_WAITING: usize = 20 * 1024 * 1024;

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
    /// What passes frames on as they come; `None` where all are written anew.
    lane: Option<Lane>,
    queue: VecDeque<Waiting>,
    /// Bytes of the frames in it.
    waiting: usize,
    text: Option<TextRun>,
    tool: Option<ToolRun>,
    seen: Seen,
    scratch: Vec<u8>,
    /// Where what leaves is recorded.
    recorder: Option<Recorder>,
}

/// A frame that has not left yet.
struct Waiting {
    /// As it came, and what it is; `None` for what no frame brought.
    raw: Option<(Bytes, Head)>,
    events: Vec<StreamEvent>,
    /// How much of the open text must be let through before.
    text_end: usize,
    /// Whether it belongs to a call that is not decided.
    held: bool,
}

impl Relay {
    /// The relay of an answer that is written for `reply`, whose frames may leave as they came where
    /// `bytes_pass`.
    pub(super) fn new(
        gateway: ModelGateway,
        caller: Caller,
        decoder: Box<dyn StreamDecoder>,
        (front, reply): (&'static dyn Front, &Reply),
        bytes_pass: bool,
    ) -> Self {
        let lane = bytes_pass.then(|| Lane::new(front, reply));
        let recorder = gateway.records_answers().then(|| Recorder::new(front, reply));
        Self {
            gateway,
            caller,
            decoder,
            encoder: front.stream_encoder(reply),
            lane,
            queue: VecDeque::new(),
            waiting: 0,
            text: None,
            tool: None,
            seen: Seen::default(),
            scratch: Vec::new(),
            recorder,
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

    /// What has left, put together, where it is to be recorded.
    pub(super) fn recorded(&mut self) -> Option<Bytes> {
        self.recorder.take()?.answer()
    }

    /// Whether the answer is over, by its end or by an error.
    pub(super) const fn is_over(&self) -> bool {
        self.seen.stop.is_some() || self.seen.error.is_some()
    }

    /// Takes a frame; appends what may leave by now. `raw` is what leaves for it in the byte lane.
    pub(super) async fn frame(&mut self, frame: &Frame, raw: Bytes, out: &mut Vec<u8>) {
        let bytes_pass = self.bytes_pass();
        if self.is_over() {
            // What comes after the end is nothing that anybody looks at.
            let data = frame.data.as_deref().map(<[u8]>::trim_ascii);
            if bytes_pass && (frame.is_comment() || data == Some(b"[DONE]")) {
                out.extend_from_slice(&raw);
            }
            return;
        }
        let head = match &self.lane {
            Some(lane) if lane.open => Head::read(lane.dialect(), frame),
            _ => Head::default(),
        };
        if !self.begin(&head, frame, out).await {
            return;
        }
        let mut events = Vec::new();
        self.decoder.push(frame, &mut events);
        self.take(Some((raw, head)), events, out).await;
    }

    /// Takes events that no frame brought.
    pub(super) async fn events(&mut self, events: Vec<StreamEvent>, out: &mut Vec<u8>) {
        self.take(None, events, out).await;
    }

    /// The stream has ended: whole, cut off, or with `error`.
    pub(super) async fn finish(&mut self, error: Option<ModelError>, out: &mut Vec<u8>) {
        if !self.is_over() {
            let mut events = Vec::new();
            match error {
                Some(error) => events.push(StreamEvent::Error(error)),
                None => self.decoder.finish(&mut events),
            }
            self.take(None, events, out).await;
        }
        if !self.bytes_pass() {
            self.write(out, |encoder, out| encoder.finish(out));
        } else if self.seen.error.is_some()
            && self.lane.as_ref().is_some_and(|lane| lane.dialect() == Dialect::Chat)
        {
            out.extend_from_slice(b"data: [DONE]\n\n");
        }
    }

    /// Ends the stream with an error of our own.
    fn fail(&mut self, error: ModelError, out: &mut Vec<u8>) {
        self.queue.clear();
        self.waiting = 0;
        (self.text, self.tool) = (None, None);
        self.close_lane();
        self.write(out, |encoder, out| encoder.push(&StreamEvent::Error(error.clone()), out));
        self.seen.error = Some(error);
    }

    /// Writes a sign of life, where that is ours to write.
    pub(super) fn ping(&mut self, out: &mut Vec<u8>) {
        if !self.bytes_pass() && !self.is_over() {
            self.write(out, |encoder, out| encoder.ping(out));
        }
    }

    async fn take(
        &mut self,
        raw: Option<(Bytes, Head)>,
        events: Vec<StreamEvent>,
        out: &mut Vec<u8>,
    ) {
        let at = self.queue.len();
        self.waiting += raw.as_ref().map_or(0, |(raw, _)| raw.len());
        if self.waiting > MOST_WAITING {
            let error = ModelError::new(
                ErrorKind::BadGateway,
                "a part of the answer is longer than can be held until it is whole",
            );
            return self.fail(error.with_code("upstream_too_long"), out);
        }
        self.queue.push_back(Waiting { raw, events: Vec::new(), text_end: 0, held: true });
        for event in events {
            if self.seen.error.is_some() {
                break;
            }
            self.event(at, event, out).await;
        }
        if let Some(waiting) = self.queue.get_mut(at) {
            waiting.text_end = self.text.as_ref().map_or(0, |run| run.taken);
            self.watch(at);
        }
        let holds = self.lane.as_ref().is_some_and(|lane| lane.open && lane.watch.holds());
        if self.is_over() {
            // What never became whole does not leave.
            self.drop_call();
            if holds {
                self.close_lane();
            }
        }
        if self.is_over() || (self.tool.is_none() && !holds) {
            self.queue.iter_mut().for_each(|waiting| waiting.held = false);
        }
        self.flush(out);
    }

    /// Closes the byte lane at a frame that says more than its events do, or an error in other words than those
    /// of the dialect.
    fn watch(&mut self, at: usize) {
        let call_is_open = self.tool.is_some();
        let Some(lane) = self.lane.as_mut().filter(|lane| lane.open) else { return };
        let Some(waiting) = self.queue.get(at) else { return };
        let failed = waiting.events.iter().any(|event| matches!(event, StreamEvent::Error(_)));
        lane.open = match &waiting.raw {
            Some((_, head)) => lane.watch.is_plain(head, call_is_open) && (head.fails || !failed),
            None => !failed,
        };
    }

    /// Takes an event of the frame at `at` of the queue.
    async fn event(&mut self, at: usize, event: StreamEvent, out: &mut Vec<u8>) {
        match event {
            StreamEvent::Start { ref model, .. } => self.seen.model = Some(model.clone()),
            StreamEvent::Usage(ref update) => {
                self.seen.usage.apply(update);
                self.seen.usage_told = true;
            }
            StreamEvent::BlockStart {
                index,
                block: BlockStart::Text | BlockStart::Thinking | BlockStart::Refusal,
            } => self.text = Some(self.text_run(index)),
            StreamEvent::BlockStart {
                index,
                block: BlockStart::ToolUse { ref id, ref name, text, .. },
            } => self.tool = Some(ToolRun::new(index, id, name, text)),
            StreamEvent::BlockStart { index, block: BlockStart::Unknown(value) } => {
                return self.unknown(at, index, value, out).await;
            }
            StreamEvent::Delta { index, delta: Delta::Text(ref text) } => {
                self.seen.written += text.len() as u64;
                if self.text.as_ref().is_some_and(|run| run.index == index) {
                    let text = text.clone();
                    return self.text(at, event, &text, out).await;
                }
            }
            // What proves a thought proves it as it was.
            StreamEvent::Delta { index, delta: Delta::State(_) }
                if self.text.as_ref().is_some_and(|run| run.index == index && run.rewritten) =>
            {
                return;
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
                let reason = self.seen.ended_by(reason);
                return self.append(at, StreamEvent::Stop { reason, stop_sequence });
            }
            StreamEvent::Error(ref error) => {
                self.end_text(at, out).await;
                self.drop_call();
                // What was withheld has ended the stream already.
                if self.seen.error.is_none() {
                    self.seen.error = Some(error.clone());
                }
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

    /// Lets leave what may.
    fn flush(&mut self, out: &mut Vec<u8>) {
        loop {
            let let_through = self
                .text
                .as_ref()
                .map_or(usize::MAX, |run| if run.rewritten { usize::MAX } else { run.let_through });
            let may = |waiting: &mut Waiting| !waiting.held && waiting.text_end <= let_through;
            let Some(waiting) = self.queue.pop_front_if(may) else { return };
            self.waiting -= waiting.raw.as_ref().map_or(0, |(raw, _)| raw.len());
            if let Some(run) = &mut self.text {
                run.left = run.left.max(waiting.text_end);
            }
            self.leave(waiting, out);
        }
    }

    fn leave(&mut self, waiting: Waiting, out: &mut Vec<u8>) {
        if let Some(recorder) = &mut self.recorder {
            waiting.events.iter().for_each(|event| recorder.push(event));
        }
        match (waiting.raw, &mut self.lane) {
            (Some((raw, head)), Some(lane)) if lane.open => {
                out.extend_from_slice(&raw);
                self.scratch.clear();
                for event in &waiting.events {
                    self.encoder.push(event, &mut self.scratch);
                }
                if head.kind == "response.output_item.done" {
                    self.encoder.end_item(&mut self.scratch);
                }
                lane.joint.pass(head, &self.scratch);
            }
            _ if waiting.events.is_empty() => {}
            _ => {
                self.close_lane();
                self.write(out, |encoder, out| {
                    waiting.events.iter().for_each(|event| encoder.push(event, out));
                });
            }
        }
    }
}
