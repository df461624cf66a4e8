use async_trait::async_trait;

use crate::call::{CallContext, Door, ToolCall};
use crate::decision::{Decision, DenialReason};
use crate::principal::Principal;

/// The one decision point, as doors see it. Object-safe.
#[async_trait]
pub trait Decide: Send + Sync + 'static {
    /// Decides a call. Never fails: whatever goes wrong denies, with a reason of its own.
    async fn decide(&self, call: ToolCall) -> Decision;

    /// Records the refusal of something an authenticated caller sent that is no tool call.
    async fn reject(&self, call: RejectedCall) -> Decision;
}

/// Something an authenticated caller sent that could not become a [`ToolCall`].
#[derive(Debug, Clone)]
pub struct RejectedCall {
    /// Who sent it.
    pub principal: Principal,
    /// Through which door.
    pub door: Door,
    /// The circumstances as far as they could be read.
    pub context: CallContext,
    /// The tool text as it was sent, if there was one; redacted and cut to 255 bytes when recorded.
    pub tool: Option<String>,
    /// Why it is refused.
    pub reason: DenialReason,
}
