use std::sync::Arc;

use systemprompt_core::contract::{AuditError, SettleError};
use systemprompt_core::decision::{Outcome, OutcomeStatus};
use systemprompt_core::id::PermitId;
use systemprompt_core::principal::Principal;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::pending::Pending;

/// What the writer is asked to do.
#[derive(Debug)]
pub(crate) enum Command {
    Append(Append),
    Settle(Box<Settlement>),
    Close(oneshot::Sender<()>),
}

/// Events to append, all or none.
#[derive(Debug)]
pub(crate) struct Append {
    pub(crate) events: Vec<Pending>,
    /// After this the caller has denied; what is not in a transaction by then is not written.
    pub(crate) deadline: Instant,
    pub(crate) reply: oneshot::Sender<Result<(), AuditError>>,
}

/// A permit to settle.
#[derive(Debug)]
pub(crate) struct Settlement {
    pub(crate) permit: PermitId,
    /// Who reports; `None` when the log itself records that nobody did.
    pub(crate) reporter: Option<Reporter>,
    pub(crate) outcome: Outcome,
    pub(crate) deadline: Option<Instant>,
    pub(crate) reply: Option<oneshot::Sender<Result<(), SettleError>>>,
}

/// Who reports an outcome.
#[derive(Debug, Clone)]
pub(crate) struct Reporter {
    pub(crate) tenant: Arc<str>,
    pub(crate) user: Arc<str>,
    pub(crate) credential: Arc<str>,
}

impl From<&Principal> for Reporter {
    fn from(principal: &Principal) -> Self {
        let claims = principal.claims();
        Self {
            tenant: claims.tenant.clone().into(),
            user: claims.user.clone().into(),
            credential: claims.credential.clone().into(),
        }
    }
}

impl Settlement {
    /// The record that nobody reported an outcome.
    pub(crate) fn abandoned(
        permit: PermitId,
        reply: Option<oneshot::Sender<Result<(), SettleError>>>,
    ) -> Self {
        let outcome = Outcome::new(OutcomeStatus::Abandoned, std::time::Duration::ZERO);
        Self { permit, reporter: None, outcome, deadline: None, reply }
    }
}
