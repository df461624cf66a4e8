//! What most programs over the family begin with.

#[doc(no_inline)]
pub use crate::identifiers::{
    AgentId, CallId, ContextId, ServerName, SessionId, TaskId, ToolName, TraceId, UserId,
};
#[doc(no_inline)]
pub use crate::models::{
    Arguments, CallContext, Decision, Denial, DenialReason, Door, Evaluation, Outcome, Permit,
    Principal, ToolCall, ToolRef,
};

#[cfg(feature = "governance")]
#[doc(no_inline)]
pub use crate::governance::Governor;
