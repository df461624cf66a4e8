use serde_json::Value;
use systemprompt_core::content::ContentVerdict;
use systemprompt_core::llm::{BlockStart, Delta, StreamEvent, ToolInput};

use super::Relay;
use crate::gateway::judge::{Verdict, runs_at_the_caller};
use crate::gateway::refusal::withheld;

/// The open call of a tool.
pub(super) struct ToolRun {
    pub(super) index: usize,
    id: String,
    name: String,
    text: bool,
    pub(super) input: String,
}

impl ToolRun {
    pub(super) fn new(index: usize, id: &str, name: &str, text: bool) -> Self {
        Self { index, id: id.to_owned(), name: name.to_owned(), text, input: String::new() }
    }
}

impl Relay {
    /// Decides a whole call, whose events are in the queue.
    pub(super) async fn decide(&mut self, run: ToolRun) {
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

    /// Takes a part of the answer that only its dialect knows: it may be a call of a tool that the caller has
    /// built in, and it may hold text.
    pub(super) async fn unknown(
        &mut self,
        at: usize,
        index: usize,
        value: Value,
        out: &mut Vec<u8>,
    ) {
        let kind = value.get("type").and_then(Value::as_str).unwrap_or_default();
        if let Some(tool) = runs_at_the_caller(kind) {
            if let Some(sentence) = self.gateway.judge_item(&self.caller, tool, &value).await {
                self.seen.denied += 1;
                self.close_lane();
                self.append(at, StreamEvent::BlockStart { index, block: BlockStart::Text });
                let delta = Delta::Text(sentence);
                return self.append(at, StreamEvent::Delta { index, delta });
            }
            self.seen.allowed += 1;
        }
        self.seen.note_provider_tool(&value);
        let text = value.to_string();
        self.seen.written += text.len() as u64;
        let block = match self.gateway.look_through_json(&self.caller, &text).await {
            ContentVerdict::Pass => BlockStart::Unknown(value),
            ContentVerdict::Rewritten(text) => {
                self.close_lane();
                BlockStart::Unknown(serde_json::from_str(&text).unwrap_or_default())
            }
            ContentVerdict::Withheld(reason) => {
                return self.fail(withheld("answer", &reason), out);
            }
        };
        self.append(at, StreamEvent::BlockStart { index, block });
    }

    /// The open call never became whole: nothing of it leaves.
    pub(super) fn drop_call(&mut self) {
        let Some(run) = self.tool.take() else { return };
        self.close_lane();
        for waiting in &mut self.queue {
            waiting.events.retain(|event| match event {
                StreamEvent::BlockStart { index, .. } | StreamEvent::Delta { index, .. } => {
                    *index != run.index
                }
                _ => true,
            });
        }
    }

    /// The call goes on with other arguments.
    fn replace_input(&mut self, call: usize, arguments: &str) {
        self.close_lane();
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
        self.close_lane();
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
}
