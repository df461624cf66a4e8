use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use systemprompt_core::decision::{Approval, Decision, Evaluation, PermitTicket};
use systemprompt_core::id::TraceId;
use systemprompt_core::secret::Redact;

use crate::record;

/// A decision as the API writes it.
#[derive(Serialize)]
pub(in crate::http) struct DecisionAnswer<'d> {
    decision: &'static str,
    call_id: Cow<'d, str>,
    trace_id: TraceId,
    #[serde(skip_serializing_if = "Option::is_none")]
    permit: Option<PermitTicket>,
    /// What the tool is to be run with, where that is not what was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    arguments: Option<&'d RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    evaluation: &'d Evaluation,
}

#[derive(Serialize)]
struct Reason {
    code: &'static str,
    message: String,
    data: Value,
}

impl<'d> DecisionAnswer<'d> {
    /// The ids are those of the caller; they are shown as they are recorded, without secrets.
    pub(in crate::http) fn of(decision: &'d Decision, redact: &dyn Redact) -> Self {
        let (permit, reason) = match decision {
            Decision::Allow(permit) => {
                (Some(PermitTicket { id: permit.id(), expires_at: permit.expires_at() }), None)
            }
            Decision::Deny(denial) => {
                let reason = &denial.reason;
                let message = record::text(redact, &reason.to_string()).into_owned();
                (None, Some(Reason { code: reason.code(), message, data: reason.data() }))
            }
            Decision::Pending(approval) => (None, Some(Reason::waiting(approval))),
        };
        let arguments = match decision {
            Decision::Allow(permit) if permit.is_rewritten() => {
                // What was parsed is JSON.
                serde_json::from_slice(permit.call().arguments().raw()).ok()
            }
            _ => None,
        };
        Self {
            decision: decision.as_str(),
            call_id: record::text(redact, decision.call_id().as_str()),
            trace_id: decision.trace_id(),
            permit,
            arguments,
            reason,
            evaluation: decision.evaluation(),
        }
    }
}

impl Reason {
    fn waiting(approval: &Approval) -> Self {
        Self {
            code: "approval_required",
            message: "A person must approve this call first.".to_owned(),
            data: json!({ "approval": approval.id, "expires_at": approval.expires_at }),
        }
    }
}
