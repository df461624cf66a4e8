use systemprompt_core::llm::{BlockStart, Delta, StreamEvent};

/// Whether events come in the order of [`StreamEvent`].
#[derive(Debug, Default)]
pub(super) struct Order {
    begun: bool,
    /// How many blocks have begun.
    blocks: usize,
    open: Option<Open>,
}

/// What an open block may have more of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Text,
    Thinking,
    Input,
    Nothing,
}

impl Order {
    /// Takes the next event, or says what is wrong with its place.
    pub(super) fn take(&mut self, event: &StreamEvent) -> Result<(), &'static str> {
        match event {
            StreamEvent::Ping | StreamEvent::Usage(_) | StreamEvent::Error(_) => Ok(()),
            StreamEvent::Start { .. } if self.begun => Err("it begins twice"),
            StreamEvent::Start { .. } => {
                self.begun = true;
                Ok(())
            }
            _ if !self.begun => Err("it does not begin with a start"),
            StreamEvent::BlockStart { index, block } => self.block(*index, block),
            StreamEvent::Delta { index, delta } => self.delta(*index, delta),
            StreamEvent::BlockStop { index } => {
                self.is_open(*index)?;
                self.open = None;
                Ok(())
            }
            StreamEvent::Stop { .. } if self.open.is_some() => Err("it ends within a block"),
            StreamEvent::Stop { .. } => Ok(()),
        }
    }

    fn block(&mut self, index: usize, block: &BlockStart) -> Result<(), &'static str> {
        if self.open.is_some() {
            return Err("a block begins within a block");
        }
        if index != self.blocks {
            return Err("blocks are not counted one by one");
        }
        self.blocks += 1;
        self.open = Some(match block {
            BlockStart::Text | BlockStart::Refusal => Open::Text,
            BlockStart::Thinking => Open::Thinking,
            BlockStart::ToolUse { .. } => Open::Input,
            BlockStart::RedactedThinking(_) | BlockStart::Unknown(_) => Open::Nothing,
        });
        Ok(())
    }

    fn delta(&self, index: usize, delta: &Delta) -> Result<(), &'static str> {
        match (self.is_open(index)?, delta) {
            (Open::Text | Open::Thinking, Delta::Text(_))
            | (Open::Thinking, Delta::State(_))
            | (Open::Input, Delta::Input(_)) => Ok(()),
            _ => Err("a block is given what it cannot have"),
        }
    }

    fn is_open(&self, index: usize) -> Result<Open, &'static str> {
        let open = self.open.filter(|_| index + 1 == self.blocks);
        open.ok_or("a block is spoken of that is not open")
    }
}
