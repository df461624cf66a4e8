use super::{Block, BlockKind, BlockStart, Delta, ModelError, StreamEvent, ToolInput, Usage};

/// A whole answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Its id, as the upstream names it.
    pub id: String,
    /// The model that answered, as the upstream names it.
    pub model: String,
    /// What it says, in order.
    pub content: Vec<Block>,
    /// Why it ended.
    pub stop_reason: StopReason,
    /// The stop sequence that ended it.
    pub stop_sequence: Option<String>,
    /// What it used.
    pub usage: Usage,
}

/// Why an answer ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum StopReason {
    /// The model was done.
    EndTurn,
    /// The answer is as long as it may be.
    MaxTokens,
    /// Prompt and answer fill the model's context.
    ContextWindow,
    /// A stop sequence was met.
    StopSequence,
    /// Tools are to be run.
    ToolUse,
    /// The provider paused; sending the answer back goes on (`pause_turn`).
    Pause,
    /// The model or its provider declined.
    Refusal,
    /// The answer was filtered.
    ContentFilter,
    /// Another reason, as the wire spells it.
    Other(String),
}

impl StopReason {
    /// The word in the audit row.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::EndTurn => "end_turn",
            Self::MaxTokens => "max_tokens",
            Self::ContextWindow => "model_context_window_exceeded",
            Self::StopSequence => "stop_sequence",
            Self::ToolUse => "tool_use",
            Self::Pause => "pause_turn",
            Self::Refusal => "refusal",
            Self::ContentFilter => "content_filter",
            Self::Other(reason) => reason,
        }
    }
}

impl Answer {
    /// The answer as the events of a stream.
    #[must_use]
    pub fn into_events(self) -> Vec<StreamEvent> {
        let mut events = vec![StreamEvent::Start { id: self.id, model: self.model }];
        events.push(StreamEvent::Usage(self.usage.into()));
        for (index, block) in self.content.into_iter().enumerate() {
            push_block(&mut events, index, block.kind);
        }
        events.push(StreamEvent::Stop {
            reason: self.stop_reason,
            stop_sequence: self.stop_sequence,
        });
        events
    }
}

fn push_block(events: &mut Vec<StreamEvent>, index: usize, kind: BlockKind) {
    let (block, deltas) = match kind {
        BlockKind::Text { text } => (BlockStart::Text, vec![Delta::Text(text)]),
        BlockKind::Refusal { text } => (BlockStart::Refusal, vec![Delta::Text(text)]),
        BlockKind::Thinking { text, state } => {
            let text = (!text.is_empty()).then_some(Delta::Text(text));
            (BlockStart::Thinking, text.into_iter().chain(state.map(Delta::State)).collect())
        }
        BlockKind::RedactedThinking(state) => (BlockStart::RedactedThinking(state), Vec::new()),
        BlockKind::ToolUse { id, name, input, state } => {
            let text = matches!(input, ToolInput::Text(_));
            let delta = Delta::Input(input.as_str().to_owned());
            (BlockStart::ToolUse { id, name, text, state }, vec![delta])
        }
        BlockKind::Unknown { value } => (BlockStart::Unknown(value), Vec::new()),
        // No model answers with these.
        BlockKind::Image(_)
        | BlockKind::Document(_)
        | BlockKind::Audio(_)
        | BlockKind::ToolResult { .. } => return,
    };
    events.push(StreamEvent::BlockStart { index, block });
    events.extend(deltas.into_iter().map(|delta| StreamEvent::Delta { index, delta }));
    events.push(StreamEvent::BlockStop { index });
}

/// Puts a streamed answer together.
#[derive(Debug, Default)]
pub struct AnswerCollector {
    id: String,
    model: String,
    content: Vec<Block>,
    usage: Usage,
    end: Option<(StopReason, Option<String>)>,
    error: Option<ModelError>,
}

impl AnswerCollector {
    /// Takes the next event.
    pub fn push(&mut self, event: StreamEvent) {
        match event {
            StreamEvent::Start { id, model } => {
                self.id = id;
                self.model = model;
            }
            StreamEvent::BlockStart { block, .. } => self.content.push(Block::new(begun(block))),
            StreamEvent::Delta { delta, .. } => {
                if let Some(block) = self.content.last_mut() {
                    add(&mut block.kind, delta);
                }
            }
            StreamEvent::BlockStop { .. } => {
                if let Some(BlockKind::ToolUse { input, .. }) =
                    self.content.last_mut().map(|block| &mut block.kind)
                    && let ToolInput::Broken(text) = input
                {
                    *input = ToolInput::from_json_text(std::mem::take(text));
                }
            }
            StreamEvent::Usage(update) => self.usage.apply(&update),
            StreamEvent::Stop { reason, stop_sequence } => self.end = Some((reason, stop_sequence)),
            StreamEvent::Ping => {}
            StreamEvent::Error(error) => self.error = Some(error),
        }
    }

    /// The usage so far.
    #[must_use]
    pub const fn usage(&self) -> &Usage {
        &self.usage
    }

    /// The answer, or what went wrong: an error that came in the stream, or its end without a `Stop`.
    ///
    /// # Errors
    /// [`ModelError`] of a stream that failed or was cut off.
    pub fn finish(self) -> Result<Answer, ModelError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let Some((stop_reason, stop_sequence)) = self.end else {
            return Err(ModelError::new(
                super::ErrorKind::BadGateway,
                "the upstream ended its stream before the answer was whole",
            )
            .with_code("upstream_cut_off"));
        };
        Ok(Answer {
            id: self.id,
            model: self.model,
            content: self.content,
            stop_reason,
            stop_sequence,
            usage: self.usage,
        })
    }
}

fn begun(block: BlockStart) -> BlockKind {
    match block {
        BlockStart::Text => BlockKind::Text { text: String::new() },
        BlockStart::Thinking => BlockKind::Thinking { text: String::new(), state: None },
        BlockStart::RedactedThinking(state) => BlockKind::RedactedThinking(state),
        BlockStart::Refusal => BlockKind::Refusal { text: String::new() },
        BlockStart::ToolUse { id, name, text, state } => {
            let input = if text { ToolInput::Text } else { ToolInput::Broken }(String::new());
            BlockKind::ToolUse { id, name, input, state }
        }
        BlockStart::Unknown(value) => BlockKind::Unknown { value },
    }
}

fn add(kind: &mut BlockKind, delta: Delta) {
    match (kind, delta) {
        (
            BlockKind::Text { text }
            | BlockKind::Refusal { text }
            | BlockKind::Thinking { text, .. },
            Delta::Text(more),
        ) => text.push_str(&more),
        (BlockKind::Thinking { state, .. }, Delta::State(new)) => *state = Some(new),
        (
            BlockKind::ToolUse { input: ToolInput::Text(text) | ToolInput::Broken(text), .. },
            Delta::Input(more),
        ) => text.push_str(&more),
        _ => {}
    }
}
