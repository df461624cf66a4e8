use bytes::Bytes;
use systemprompt_core::llm::{AnswerCollector, LossReport, StopReason, StreamEvent};

use crate::dialect::{Front, Reply};

/// Puts together what left, as the whole answer that the stream adds up to.
pub(super) struct Recorder {
    front: &'static dyn Front,
    reply: Reply,
    collector: AnswerCollector,
    /// Whether anything left, and whether its end did.
    began: bool,
    ended: bool,
}

impl Recorder {
    pub(super) fn new(front: &'static dyn Front, reply: &Reply) -> Self {
        let (reply, collector) = (reply.clone(), AnswerCollector::default());
        Self { front, reply, collector, began: false, ended: false }
    }

    pub(super) fn push(&mut self, event: &StreamEvent) {
        if matches!(event, StreamEvent::Error(_)) {
            return;
        }
        self.began = true;
        self.ended |= matches!(event, StreamEvent::Stop { .. });
        self.collector.push(event.clone());
    }

    /// The answer; one that has no end says `cut_off`. `None` when nothing left.
    pub(super) fn answer(mut self) -> Option<Bytes> {
        if !self.began {
            return None;
        }
        if !self.ended {
            let reason = StopReason::Other("cut_off".to_owned());
            self.collector.push(StreamEvent::Stop { reason, stop_sequence: None });
        }
        // An error is none of the events, and there is an end.
        let answer = self.collector.finish().ok()?;
        Some(self.front.encode_answer(&answer, &self.reply, &mut LossReport::default()))
    }
}
