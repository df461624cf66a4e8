use std::fmt;
use std::future::Future;
use std::sync::Arc;

use serde::Serialize;

use super::{Evaluation, Outcome, OutcomeStatus};
use crate::call::{Arguments, ToolCall};
use crate::clock::{Clock, Timestamp};
use crate::contract::{PermitLedger, SettleError};
use crate::id::PermitId;

/// The right to run one tool once, with exactly the arguments that were decided.
///
/// It cannot be cloned and is spent by [`run`](Self::run), [`settle`](Self::settle) or
/// [`into_ticket`](Self::into_ticket); dropped unspent, it is recorded as abandoned.
#[must_use = "a permit that is dropped is recorded as abandoned"]
pub struct Permit {
    grant: Option<PermitGrant>,
    call: ToolCall,
    id: PermitId,
    expires_at: Timestamp,
    evaluation: Arc<Evaluation>,
}

/// Everything a governor puts into a permit.
pub struct PermitGrant {
    /// The decision row that is the permit.
    pub id: PermitId,
    /// The call that was decided.
    pub call: ToolCall,
    /// Until when an outcome is accepted.
    pub expires_at: Timestamp,
    /// How the decision came about.
    pub evaluation: Arc<Evaluation>,
    /// Where the outcome goes.
    pub ledger: Arc<dyn PermitLedger>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// A permit as a remote caller sees it: it reports the outcome under this id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PermitTicket {
    /// The permit.
    pub id: PermitId,
    /// Until when an outcome is accepted.
    pub expires_at: Timestamp,
}

/// What a running tool gets: the decided arguments (and, where declared, credentials).
#[derive(Debug)]
pub struct Injected {
    call: ToolCall,
}

impl Injected {
    /// The arguments that were decided.
    #[must_use]
    pub fn arguments(&self) -> &Arguments {
        self.call.arguments()
    }

    /// The call that was decided.
    #[must_use]
    pub fn call(&self) -> &ToolCall {
        &self.call
    }
}

/// Why [`Permit::run`] has no result to give.
#[derive(Debug, thiserror::Error)]
pub enum RunError<E> {
    /// The permit had expired; the tool was not run.
    #[error("the permit expired before the tool was run")]
    Expired,
    /// The tool failed; the failure is recorded.
    #[error("the tool failed")]
    Tool(#[source] E),
    /// The outcome could not be recorded. The tool did run.
    #[error("the outcome could not be recorded")]
    Unrecorded(#[source] SettleError),
}

impl Permit {
    /// Asserts that a governor allowed the call. For governors only: every use of this constructor is
    /// a place where a tool becomes runnable.
    pub fn assert_granted(grant: PermitGrant) -> Self {
        Self {
            call: grant.call.clone(),
            id: grant.id,
            expires_at: grant.expires_at,
            evaluation: grant.evaluation.clone(),
            grant: Some(grant),
        }
    }

    /// The permit's id, which is also the id of its decision row.
    #[must_use]
    pub fn id(&self) -> PermitId {
        self.id
    }

    /// The call that was decided.
    #[must_use]
    pub fn call(&self) -> &ToolCall {
        &self.call
    }

    /// Until when an outcome is accepted.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// How the decision came about.
    #[must_use]
    pub fn evaluation(&self) -> &Evaluation {
        &self.evaluation
    }

    /// Runs the tool and records how it ended. A failure counts as [`OutcomeStatus::Failed`].
    ///
    /// Dropping the future (a timeout of the host's, say) abandons the permit.
    ///
    /// # Errors
    /// [`RunError`] when the permit has expired, the tool fails or the outcome cannot be recorded.
    pub async fn run<T, E, F>(mut self, tool: impl FnOnce(Injected) -> F) -> Result<T, RunError<E>>
    where
        F: Future<Output = Result<T, E>>,
        E: fmt::Display,
    {
        let Some((clock, expires_at)) =
            self.grant.as_ref().map(|g| (g.clock.clone(), g.expires_at))
        else {
            return Err(RunError::Expired);
        };
        if clock.now() > expires_at {
            return Err(RunError::Expired);
        }
        let start = clock.monotonic();
        let result = tool(Injected { call: self.call.clone() }).await;
        let mut outcome = Outcome::new(
            if result.is_ok() { OutcomeStatus::Success } else { OutcomeStatus::Failed },
            clock.monotonic().saturating_sub(start),
        );
        outcome.error = result.as_ref().err().map(ToString::to_string);
        let recorded = self.record(outcome).await;
        match (result, recorded) {
            (Ok(value), Ok(())) => Ok(value),
            (Err(error), _) => Err(RunError::Tool(error)),
            (Ok(_), Err(error)) => Err(RunError::Unrecorded(error)),
        }
    }

    /// Records an outcome the host measured itself.
    ///
    /// # Errors
    /// [`SettleError`] when the permit has expired or was settled before, or the log cannot write.
    pub async fn settle(mut self, outcome: Outcome) -> Result<(), SettleError> {
        self.record(outcome).await
    }

    /// Hands the permit to a remote caller, who reports the outcome under its id. An outcome that
    /// never comes is recorded as abandoned after the permit has expired.
    #[must_use]
    pub fn into_ticket(mut self) -> PermitTicket {
        self.grant = None;
        PermitTicket { id: self.id, expires_at: self.expires_at }
    }

    async fn record(&mut self, outcome: Outcome) -> Result<(), SettleError> {
        let Some(grant) = &self.grant else { return Err(SettleError::AlreadySettled) };
        let ledger = grant.ledger.clone();
        let result = ledger.settle(self.id, self.call.principal(), outcome).await;
        self.grant = None;
        result
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(grant) = self.grant.take() {
            grant.ledger.abandon(grant.id);
        }
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("id", &self.id)
            .field("call", &self.call.call_id())
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}
