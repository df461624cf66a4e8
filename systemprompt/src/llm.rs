//! Requests to models, answers and streams in the form between dialects: what a
//! [provider of one's own](crate::traits::LlmProvider) is asked and answers, and what the codecs of the gateway
//! translate to and from.

#[doc(inline)]
pub use systemprompt_core::llm::{
    Answer, AnswerCollector, Block, BlockKind, BlockStart, CacheMark, CacheTtl, Delta, Dialect,
    Effort, ErrorKind, EventOrder, Loss, LossKind, LossReport, Media, MediaSource, Message,
    ModelError, ModelRequest, OpaqueState, Origin, OutputFormat, Reasoning, ReasoningMode, Role,
    Sampling, StopReason, StreamEvent, Tool, ToolChoice, ToolInput, ToolKind, Usage, UsageUpdate,
};
