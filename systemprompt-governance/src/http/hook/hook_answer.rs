use std::fmt;

use serde::Serialize;
use systemprompt_core::decision::{Decision, Evaluation};
use systemprompt_core::id::TraceId;

/// What a hook is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum HookAnswer {
    /// Nothing to say: the client goes on as it would without the hook.
    Nothing,
    /// Nothing to say; what was reported stands in this trace.
    Settled(TraceId),
    /// Run the tool without asking.
    Allow(String),
    /// Do not run the tool.
    Deny(String),
    /// Do not submit the prompt.
    Block(String),
    /// Whatever it was: no. In both forms, since nobody knows which event it was.
    Unreadable(String),
}

impl HookAnswer {
    pub(super) fn allow(evaluation: &Evaluation) -> Self {
        Self::Allow(format!("Allowed by the policy {}.", evaluation.policy_version))
    }

    pub(super) fn deny(decision: &Decision) -> Self {
        Self::Deny(why(decision))
    }

    pub(super) fn block(decision: &Decision) -> Self {
        Self::Block(why(decision))
    }

    pub(super) fn unreadable(reason: &dyn fmt::Display, code: &str, trace_id: TraceId) -> Self {
        Self::Unreadable(sentence(reason, code, trace_id))
    }

    /// The trace the answer belongs to: that of the decision when an outcome was recorded, else that
    /// of the request.
    pub(super) fn trace_id(&self, request: TraceId) -> TraceId {
        if let Self::Settled(decision) = self { *decision } else { request }
    }

    /// The answer as it is written.
    pub(super) fn wire(&self) -> Wire<'_> {
        let pre_tool_use = |decision, reason| {
            Some(PreToolUseOutput { hook_event_name: "PreToolUse", decision, reason })
        };
        match self {
            Self::Nothing | Self::Settled(_) => Wire::default(),
            Self::Allow(reason) => {
                Wire { specific: pre_tool_use("allow", reason), ..Wire::default() }
            }
            Self::Deny(reason) => {
                Wire { specific: pre_tool_use("deny", reason), ..Wire::default() }
            }
            Self::Block(reason) => {
                Wire { decision: Some("block"), reason: Some(reason), ..Wire::default() }
            }
            Self::Unreadable(reason) => Wire {
                specific: pre_tool_use("deny", reason),
                decision: Some("block"),
                reason: Some(reason),
            },
        }
    }
}

/// Claude Code's output schema, as far as it is used.
#[derive(Debug, Default, Serialize)]
pub(super) struct Wire<'a> {
    #[serde(rename = "hookSpecificOutput", skip_serializing_if = "Option::is_none")]
    specific: Option<PreToolUseOutput<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct PreToolUseOutput<'a> {
    #[serde(rename = "hookEventName")]
    hook_event_name: &'static str,
    #[serde(rename = "permissionDecision")]
    decision: &'static str,
    #[serde(rename = "permissionDecisionReason")]
    reason: &'a str,
}

/// Why the call may not run. An approval cannot be waited for here: the person in front of the client
/// is not the one to give it.
fn why(decision: &Decision) -> String {
    let trace_id = decision.trace_id();
    match decision.reason() {
        Some(reason) => sentence(reason, reason.code(), trace_id),
        None => sentence(&"A person must approve this call first.", "approval_required", trace_id),
    }
}

fn sentence(reason: &dyn fmt::Display, code: &str, trace_id: TraceId) -> String {
    format!("{reason} [{code}, trace {trace_id}]")
}
