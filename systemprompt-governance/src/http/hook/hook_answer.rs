use std::fmt;

use serde::Serialize;
use serde_json::value::RawValue;
use systemprompt_core::decision::{Decision, Evaluation, Permit};
use systemprompt_core::id::TraceId;
use systemprompt_core::policy::OnAllow;

/// What a hook is answered.
#[derive(Debug, Clone)]
pub(super) enum HookAnswer {
    /// Nothing to say: the client goes on as it would without the hook.
    Nothing,
    /// Nothing to say; what was reported stands in this trace.
    Settled(TraceId),
    /// What was reported stands in this trace, if any; the model is to see something else of it.
    Result { trace_id: Option<TraceId>, result: ReportedResult },
    /// Run the tool without asking.
    Allow(String),
    /// Run the tool, with these arguments instead, after asking where `decision` says so.
    Rewrite { decision: &'static str, reason: String, input: Box<RawValue> },
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

    pub(super) fn rewrite(permit: &Permit, on_allow: OnAllow) -> Self {
        let version = &permit.evaluation().policy_version;
        // What was parsed is JSON; a client that were told nothing would run the tool with the secret.
        let Ok(input) = serde_json::from_slice(permit.call().arguments().raw()) else {
            return Self::Deny("The arguments cannot be written.".to_owned());
        };
        Self::Rewrite {
            decision: match on_allow {
                OnAllow::Allow => "allow",
                OnAllow::Defer => "ask",
            },
            reason: format!(
                "Allowed by the policy {version} with other arguments: secrets were taken out."
            ),
            input,
        }
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
        match self {
            Self::Settled(decision) => *decision,
            Self::Result { trace_id, .. } => trace_id.unwrap_or(request),
            _ => request,
        }
    }

    /// The answer as it is written.
    pub(super) fn wire(&self) -> Wire<'_> {
        let pre_tool_use = |decision, reason| {
            let output = SpecificOutput::of("PreToolUse");
            Some(SpecificOutput { decision: Some(decision), reason: Some(reason), ..output })
        };
        match self {
            Self::Nothing | Self::Settled(_) => Wire::default(),
            Self::Allow(reason) => {
                Wire { specific: pre_tool_use("allow", reason), ..Wire::default() }
            }
            Self::Rewrite { decision, reason, input } => {
                let output = pre_tool_use(*decision, reason);
                let specific = output.map(|output| SpecificOutput { input: Some(input), ..output });
                Wire { specific, ..Wire::default() }
            }
            Self::Result { result, .. } => result.wire(),
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
    specific: Option<SpecificOutput<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

#[derive(Debug, Default, Serialize)]
struct SpecificOutput<'a> {
    #[serde(rename = "hookEventName")]
    hook_event_name: &'static str,
    #[serde(rename = "permissionDecision", skip_serializing_if = "Option::is_none")]
    decision: Option<&'static str>,
    #[serde(rename = "permissionDecisionReason", skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(rename = "updatedInput", skip_serializing_if = "Option::is_none")]
    input: Option<&'a RawValue>,
    #[serde(rename = "additionalContext", skip_serializing_if = "Option::is_none")]
    context: Option<&'a str>,
    #[serde(rename = "updatedMCPToolOutput", skip_serializing_if = "Option::is_none")]
    output: Option<&'a RawValue>,
}

impl SpecificOutput<'_> {
    fn of(hook_event_name: &'static str) -> Self {
        Self { hook_event_name, ..Self::default() }
    }
}

/// What the model is to see of a result with secrets in it.
#[derive(Debug, Clone)]
pub(super) struct ReportedResult {
    /// The result as it may be seen; clients take that of a tool of a server only.
    pub(super) output: Option<Box<RawValue>>,
    /// What the model is told.
    pub(super) note: String,
    /// Whether the result may not be seen at all.
    pub(super) withheld: bool,
}

impl ReportedResult {
    fn wire(&self) -> Wire<'_> {
        let note = Some(self.note.as_str());
        let specific = SpecificOutput {
            context: note.filter(|_| !self.withheld),
            output: self.output.as_deref(),
            ..SpecificOutput::of("PostToolUse")
        };
        Wire {
            specific: Some(specific),
            decision: self.withheld.then_some("block"),
            reason: note.filter(|_| self.withheld),
        }
    }
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
