use super::{ModelError, OpaqueState, StopReason, UsageUpdate};

/// A piece of a streamed answer.
///
/// Every stream is `Start`, then blocks one after the other (`BlockStart`, `Delta`s, `BlockStop`; at most one is
/// open at a time, and indexes count from 0), then `Stop` with why it ended; or an `Error` at any point, after
/// which nothing comes. `Usage` and `Ping` may stand anywhere. A decoder buffers what its wire interleaves.
#[derive(Debug, Clone, PartialEq)]
pub enum StreamEvent {
    /// The answer begins.
    Start {
        /// The id of the answer, as the upstream names it.
        id: String,
        /// The model that answers, as the upstream names it.
        model: String,
    },
    /// A block begins.
    BlockStart {
        /// Its place in the answer.
        index: usize,
        /// What it is.
        block: BlockStart,
    },
    /// More of the open block.
    Delta {
        /// The block.
        index: usize,
        /// What is added.
        delta: Delta,
    },
    /// The open block is whole.
    BlockStop {
        /// The block.
        index: usize,
    },
    /// The usage so far.
    Usage(UsageUpdate),
    /// The answer is whole.
    Stop {
        /// Why it ended.
        reason: StopReason,
        /// The stop sequence that ended it.
        stop_sequence: Option<String>,
    },
    /// A sign of life.
    Ping,
    /// The upstream failed in the middle.
    Error(ModelError),
}

/// The beginning of a block.
#[derive(Debug, Clone, PartialEq)]
pub enum BlockStart {
    /// A text.
    Text,
    /// Reasoning.
    Thinking,
    /// Reasoning that is not shown; it has no deltas.
    RedactedThinking(OpaqueState),
    /// The model declines; its words come as text.
    Refusal,
    /// A call of a tool; its arguments come as text.
    ToolUse {
        /// The id of the call.
        id: String,
        /// The tool.
        name: String,
        /// Whether the arguments are a plain text and not JSON.
        text: bool,
        /// State that goes back with the call.
        state: Option<OpaqueState>,
    },
    /// A part that only its dialect knows, whole.
    Unknown(serde_json::Value),
}

/// More of a block.
#[derive(Debug, Clone, PartialEq)]
pub enum Delta {
    /// Text of a text, a thought or a refusal.
    Text(String),
    /// A piece of a tool's arguments.
    Input(String),
    /// The state of the reasoning in this block, whole (a signature).
    State(OpaqueState),
}
