use serde_json::Value;
use systemprompt_core::llm::{ModelError, StopReason, Usage};

use super::judge::runs_at_the_provider;

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
    /// The tools that the provider has called itself.
    pub(super) provider_tools: Vec<String>,
}

/// Most tools of the provider that are noted of an answer.
const MOST_TOOLS: usize = 64;

impl Seen {
    /// Notes a part of the answer that calls a tool of the provider.
    pub(super) fn note_provider_tool(&mut self, part: &Value) {
        const LONGEST: usize = 256;
        let Some(mut tool) = runs_at_the_provider(part) else { return };
        tool.truncate(tool.floor_char_boundary(LONGEST));
        if self.provider_tools.len() < MOST_TOOLS && !self.provider_tools.contains(&tool) {
            self.provider_tools.push(tool);
        }
    }

    /// Notes why the answer ended, as the caller is told: where no call is left to run, the turn is over.
    pub(super) fn ended_by(&mut self, reason: StopReason) -> StopReason {
        let no_call_left = self.denied > 0 && self.allowed == 0;
        let reason = match reason {
            StopReason::ToolUse if no_call_left => StopReason::EndTurn,
            reason => reason,
        };
        self.stop = Some(reason.clone());
        reason
    }
}
