use systemprompt_core::llm::{Block, BlockKind, LossKind, OpaqueState, Origin, Role};

use super::super::origin;
use super::Encoder;

/// What one side says until the other speaks.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    pub(super) model: bool,
    pub(super) blocks: Vec<Placed<'a>>,
}

/// A block and where it stands in the request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placed<'a> {
    pub(super) block: &'a Block,
    pub(super) message: usize,
    pub(super) at: usize,
}

impl Turn<'_> {
    /// Whether it is a new word of the person: a turn of results goes on with what the model does.
    fn begins_anew(&self) -> bool {
        let result =
            |placed: &Placed<'_>| matches!(placed.block.kind, BlockKind::ToolResult { .. });
        !self.model && !self.blocks.iter().any(result)
    }
}

/// Where the current turn of the conversation begins, the one whose calls must be signed: at the last word of the
/// person. A turn that has results and words is not taken for one, for a signature too many does no harm.
pub(super) fn current(turns: &[Turn<'_>]) -> usize {
    turns.iter().rposition(Turn::begins_anew).unwrap_or(0)
}

impl<'a> Encoder<'a> {
    /// The conversation, with neighbours of one side put together and without what cannot be carried.
    pub(super) fn turns(&mut self) -> Vec<Turn<'a>> {
        let mut turns: Vec<Turn<'a>> = Vec::new();
        for (message, said) in self.request.messages.iter().enumerate() {
            let model = said.role == Role::Assistant;
            if said.role == Role::System {
                self.lose(self.fields.message(message), LossKind::Degraded);
            }
            for (at, block) in said.content.iter().enumerate() {
                if !self.is_carried(block, model, &self.fields.block(message, at)) {
                    continue;
                }
                let placed = Placed { block, message, at };
                match turns.last_mut() {
                    Some(turn) if turn.model == model => turn.blocks.push(placed),
                    _ => turns.push(Turn { model, blocks: vec![placed] }),
                }
            }
        }
        turns
    }

    fn is_carried(&mut self, block: &Block, model: bool, field: &str) -> bool {
        if block.cache.is_some() {
            self.lose(self.fields.cache(field), LossKind::Hint);
        }
        let ours = || block.origin.as_ref().is_some_and(|made| self.made(made));
        let carried = match &block.kind {
            BlockKind::Text { text } | BlockKind::Refusal { text } if text.is_empty() => {
                return false;
            }
            BlockKind::Thinking { text, state: None } if text.is_empty() => return false,
            BlockKind::Thinking { state, .. } => {
                model && state.as_ref().map_or_else(ours, |state| self.made(&state.origin))
            }
            BlockKind::RedactedThinking(state) => model && self.made(&state.origin),
            BlockKind::Unknown { value } => model && value.is_object() && ours(),
            BlockKind::ToolUse { .. } => model,
            BlockKind::ToolResult { .. } => !model,
            BlockKind::Text { .. }
            | BlockKind::Refusal { .. }
            | BlockKind::Image(_)
            | BlockKind::Document(_)
            | BlockKind::Audio(_) => true,
        };
        if !carried {
            self.lose(field, LossKind::Dropped);
        }
        carried
    }

    /// Whether what `made` tells of was made by the provider that the request goes to.
    pub(super) fn made(&self, made: &Origin) -> bool {
        *made == origin(self.to.provider)
    }

    /// The signature in `state`, if the provider made it.
    pub(super) fn signature<'s>(&self, state: Option<&'s OpaqueState>) -> Option<&'s str> {
        state.filter(|state| self.made(&state.origin)).map(|state| state.data.as_str())
    }
}
