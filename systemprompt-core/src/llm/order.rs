use super::{BlockStart, Delta, StreamEvent};

/// Holds events against the order that [`StreamEvent`] promises, one after the other.
#[derive(Debug, Default)]
pub struct EventOrder {
    begun: bool,
    end: Option<End>,
    /// How many blocks have begun.
    blocks: usize,
    open: Option<Open>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Whole,
    Failed,
}

/// What an open block may have more of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Text,
    Thinking,
    Input,
    Nothing,
}

impl EventOrder {
    /// Whether the answer has its end, or its error.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.end.is_some()
    }

    /// Takes the next event.
    ///
    /// # Errors
    /// What is wrong with its place.
    pub fn take(&mut self, event: &StreamEvent) -> Result<(), &'static str> {
        match (self.end, event) {
            (Some(End::Failed), _) => Err("something follows an error"),
            (_, StreamEvent::Ping | StreamEvent::Usage(_)) => Ok(()),
            (Some(End::Whole), _) => Err("something follows the end"),
            (None, StreamEvent::Error(_)) => {
                self.end = Some(End::Failed);
                Ok(())
            }
            (None, StreamEvent::Start { .. }) if self.begun => Err("it begins twice"),
            (None, StreamEvent::Start { .. }) => {
                self.begun = true;
                Ok(())
            }
            _ if !self.begun => Err("it does not begin with a start"),
            (None, StreamEvent::BlockStart { index, block }) => self.block(*index, block),
            (None, StreamEvent::Delta { index, delta }) => self.delta(*index, delta),
            (None, StreamEvent::BlockStop { index }) => {
                self.is_open(*index)?;
                self.open = None;
                Ok(())
            }
            (None, StreamEvent::Stop { .. }) if self.open.is_some() => {
                Err("it ends within a block")
            }
            (None, StreamEvent::Stop { .. }) => {
                self.end = Some(End::Whole);
                Ok(())
            }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::{ErrorKind, ModelError, StopReason};

    fn faults(events: &[StreamEvent]) -> (Vec<&'static str>, bool) {
        let mut order = EventOrder::default();
        let faults = events.iter().filter_map(|event| order.take(event).err()).collect();
        (faults, order.is_over())
    }

    #[test]
    fn an_end_is_the_last_and_an_error_more_so() {
        let start = StreamEvent::Start { id: "1".into(), model: "m".into() };
        let stop = StreamEvent::Stop { reason: StopReason::EndTurn, stop_sequence: None };
        let error = StreamEvent::Error(ModelError::new(ErrorKind::Api, "x"));
        assert_eq!(faults(&[StreamEvent::Ping, start.clone()]), (vec![], false));
        assert_eq!(faults(&[start.clone(), stop.clone(), StreamEvent::Ping]), (vec![], true));
        assert_eq!(
            faults(&[start.clone(), stop.clone(), error.clone()]).0,
            ["something follows the end"]
        );
        assert_eq!(faults(&[error, StreamEvent::Ping]), (vec!["something follows an error"], true));
        assert_eq!(faults(&[stop]), (vec!["it does not begin with a start"], false));
    }
}
