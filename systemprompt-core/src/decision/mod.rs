//! The answer to a tool call: allowed with a permit, denied with a reason, or waiting for approval.

mod claim;
mod evaluation;
mod outcome;
mod permit;
mod reason;

pub use claim::PermitClaim;
pub use evaluation::{CheckOutcome, CheckRecord, Evaluation, LimitState};
pub use outcome::{Outcome, OutcomeStatus};
pub use permit::{Injected, Permit, PermitGrant, PermitTicket, RunError};
pub use reason::{DenialReason, RateWindow, SecretLocation};

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::id::{CallId, EventId, TraceId};

/// The answer to one tool call. Only an allowing decision holds a [`Permit`].
#[derive(Debug)]
#[must_use]
pub enum Decision {
    /// The tool may run, once, with exactly the arguments that were decided.
    Allow(Permit),
    /// The tool must not run.
    Deny(Denial),
    /// A person must approve first.
    Pending(Approval),
}

impl Decision {
    /// `allow`, `deny` or `pending`.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Allow(_) => "allow",
            Self::Deny(_) => "deny",
            Self::Pending(_) => "pending",
        }
    }

    /// Every check with its outcome.
    #[must_use]
    pub fn evaluation(&self) -> &Evaluation {
        match self {
            Self::Allow(permit) => permit.evaluation(),
            Self::Deny(denial) => &denial.evaluation,
            Self::Pending(approval) => &approval.evaluation,
        }
    }

    /// The id of the call that was decided.
    #[must_use]
    pub fn call_id(&self) -> &CallId {
        match self {
            Self::Allow(permit) => permit.call().call_id(),
            Self::Deny(denial) => &denial.call_id,
            Self::Pending(approval) => &approval.call_id,
        }
    }

    /// The trace of the call that was decided.
    #[must_use]
    pub fn trace_id(&self) -> TraceId {
        match self {
            Self::Allow(permit) => permit.call().trace_id(),
            Self::Deny(denial) => denial.trace_id,
            Self::Pending(approval) => approval.trace_id,
        }
    }

    /// The permit, if the call was allowed.
    #[must_use]
    pub fn permit(self) -> Option<Permit> {
        match self {
            Self::Allow(permit) => Some(permit),
            Self::Deny(_) | Self::Pending(_) => None,
        }
    }

    /// The reason, if the call was denied.
    #[must_use]
    pub fn reason(&self) -> Option<&DenialReason> {
        match self {
            Self::Deny(denial) => Some(&denial.reason),
            Self::Allow(_) | Self::Pending(_) => None,
        }
    }
}

/// A refusal.
#[derive(Debug, Clone)]
pub struct Denial {
    /// Why.
    pub reason: DenialReason,
    /// The call.
    pub call_id: CallId,
    /// Its trace.
    pub trace_id: TraceId,
    /// Every check with its outcome.
    pub evaluation: Arc<Evaluation>,
}

/// A call that waits for a person.
#[derive(Debug, Clone)]
pub struct Approval {
    /// The decision event that asks for approval.
    pub id: EventId,
    /// The call.
    pub call_id: CallId,
    /// Its trace.
    pub trace_id: TraceId,
    /// Until when an approval is accepted.
    pub expires_at: Timestamp,
    /// Every check with its outcome.
    pub evaluation: Arc<Evaluation>,
}
