use systemprompt_core::call::Door;
use systemprompt_core::content::StreamOrigin;
use systemprompt_core::contract::InspectStream;
use systemprompt_core::llm::{Delta, StreamEvent};
use systemprompt_core::policy::SecretDirection;

use super::Relay;
use crate::gateway::refusal::withheld;

/// The open block of text: of the answer, of a thought or of a refusal.
pub(super) struct TextRun {
    pub(super) index: usize,
    inspect: Box<dyn InspectStream>,
    /// Text that was handed in and not let through yet.
    owed: String,
    pub(super) taken: usize,
    pub(super) let_through: usize,
    /// Bytes of it that have left.
    pub(super) left: usize,
    /// Whether it goes on as the policy wants it, no longer as it came.
    pub(super) rewritten: bool,
}

impl Relay {
    pub(super) fn text_run(&self, index: usize) -> TextRun {
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
    pub(super) async fn text(
        &mut self,
        at: usize,
        event: StreamEvent,
        text: &str,
        out: &mut Vec<u8>,
    ) {
        let Some(run) = &mut self.text else { return };
        run.taken += text.len();
        match run.inspect.push(text).await {
            Ok(passed) if run.rewritten => self.rest(at, passed),
            Ok(passed) => {
                run.owed.push_str(text);
                self.append(at, event);
                self.pass(at, &passed);
            }
            Err(reason) => self.fail(withheld("answer", &reason), out),
        }
    }

    /// The open text is whole, or will not become so.
    pub(super) async fn end_text(&mut self, at: usize, out: &mut Vec<u8>) {
        let Some(run) = &mut self.text else { return };
        match run.inspect.finish().await {
            Ok(passed) if run.rewritten => {
                self.rest(at, passed);
                self.text = None;
            }
            Ok(passed) => {
                self.pass(at, &passed);
                self.text = None;
                // All of it may leave.
                self.queue.iter_mut().for_each(|waiting| waiting.text_end = 0);
            }
            Err(reason) => self.fail(withheld("answer", &reason), out),
        }
    }

    /// Appends more of a text that is not what came.
    fn rest(&mut self, at: usize, passed: String) {
        let Some(index) = self.text.as_ref().map(|run| run.index) else { return };
        if !passed.is_empty() {
            self.append(at, StreamEvent::Delta { index, delta: Delta::Text(passed) });
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
                StreamEvent::Delta { index, delta } if *index == run.index => {
                    if let Delta::Text(piece) = delta {
                        let end = piece.floor_char_boundary(still.min(piece.len()));
                        text.push_str(piece.get(..end).unwrap_or_default());
                        still = still.saturating_sub(end);
                    }
                    false
                }
                _ => true,
            });
        }
        text.push_str(passed);
        run.rewritten = true;
        let delta = StreamEvent::Delta { index: run.index, delta: Delta::Text(text) };
        self.append(at, delta);
        self.close_lane();
    }
}
