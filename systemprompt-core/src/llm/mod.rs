//! The form between dialects: a superset of what the four wires say.
//!
//! A request is decoded from the caller's dialect into a [`ModelRequest`], and encoded for the upstream;
//! the answer comes back as an [`Answer`], or as [`StreamEvent`]s that are the same answer in pieces.
//! What a wire cannot carry is written into a [`LossReport`]; it never vanishes silently.

mod answer;
mod block;
mod error;
mod event;
mod loss;
mod order;
mod origin;
mod request;
mod tool;
mod usage;

pub use answer::{Answer, AnswerCollector, StopReason};
pub use block::{Block, BlockKind, CacheMark, CacheTtl, Media, MediaSource, Message, Role};
pub use error::{ErrorKind, ModelError};
pub use event::{BlockStart, Delta, StreamEvent};
pub use loss::{Loss, LossKind, LossReport};
pub use order::EventOrder;
pub use origin::{Dialect, OpaqueState, Origin};
pub use request::{Effort, ModelRequest, OutputFormat, Reasoning, ReasoningMode, Sampling};
pub use tool::{Tool, ToolChoice, ToolInput, ToolKind};
pub use usage::{Usage, UsageUpdate};
