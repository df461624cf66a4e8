use std::collections::{HashMap, HashSet};

use systemprompt_core::llm::{BlockKind, Message, ToolInput};

/// Where a block stands: its message, and its place in it.
pub(super) type Place = (usize, usize);

/// Which calls were answered, and which results answer one: OpenAI refuses conversations with either left
/// over.
#[derive(Debug, Default)]
pub(super) struct Calls {
    answered: HashSet<Place>,
    /// Whether the call that a result answers takes a text.
    results: HashMap<Place, bool>,
}

impl Calls {
    /// Matches calls with the results that come after them. An id that is used again is a new call.
    pub(super) fn of(messages: &[Message]) -> Self {
        let mut calls = Self::default();
        let mut open: HashMap<&str, Vec<(Place, bool)>> = HashMap::new();
        for (at, message) in messages.iter().enumerate() {
            for (number, block) in message.content.iter().enumerate() {
                match &block.kind {
                    BlockKind::ToolUse { id, input, .. } => {
                        let text = matches!(input, ToolInput::Text(_));
                        open.entry(id).or_default().push(((at, number), text));
                    }
                    BlockKind::ToolResult { tool_use_id, .. } => {
                        let call = open.get_mut(tool_use_id.as_str()).and_then(Vec::pop);
                        if let Some((place, text)) = call {
                            calls.answered.insert(place);
                            calls.results.insert((at, number), text);
                        }
                    }
                    _ => {}
                }
            }
        }
        calls
    }

    /// Whether the call at `place` has a result.
    pub(super) fn is_answered(&self, place: Place) -> bool {
        self.answered.contains(&place)
    }

    /// Whether the call that the result at `place` answers takes a text; `None` when there is no such call.
    pub(super) fn answers(&self, place: Place) -> Option<bool> {
        self.results.get(&place).copied()
    }
}
