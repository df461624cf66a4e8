use std::fmt;
use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;

use super::{Evaluation, Outcome, OutcomeStatus, PermitClaim};
use crate::call::{Arguments, Digest, ToolCall};
use crate::clock::{Clock, Timestamp};
use crate::contract::{PermitLedger, SettleError};
use crate::id::PermitId;
use crate::policy::OnAllow;

/// The right to run one tool once, with exactly the arguments that were decided.
///
/// It cannot be cloned and is spent by [`run`](Self::run), [`settle`](Self::settle) or
/// [`into_ticket`](Self::into_ticket); dropped unspent, it is recorded as abandoned.
///
/// A repeat of a call gets a permit with the id of the first one. Of all permits with one id a single
/// one can be spent in this process, and none is abandoned as long as another may still be spent.
#[must_use = "a permit that is dropped is recorded as abandoned"]
pub struct Permit {
    grant: Option<PermitGrant>,
    call: ToolCall,
    id: PermitId,
    expires_at: Timestamp,
    evaluation: Arc<Evaluation>,
    on_allow: OnAllow,
    rewritten: bool,
    /// Whether this is the permit of its id that may run the tool.
    claimed: bool,
}

/// Everything a governor puts into a permit.
pub struct PermitGrant {
    /// The decision row that is the permit.
    pub id: PermitId,
    /// What this permit shares with all others of its id; a new one for the first.
    pub claim: PermitClaim,
    /// The call that was decided, with the arguments that the policy lets through.
    pub call: ToolCall,
    /// Whether those are not the arguments that were asked for.
    pub rewritten: bool,
    /// What the tool is run with where that is more than the caller may see: secrets that stand behind
    /// handles in the call.
    pub restored: Option<Arguments>,
    /// Until when an outcome is accepted.
    pub expires_at: Timestamp,
    /// How the decision came about.
    pub evaluation: Arc<Evaluation>,
    /// What the policy that decided lets an allowed hook answer.
    pub on_allow: OnAllow,
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

/// What a running tool gets: the call as it was decided, and the evidence that it may run now.
///
/// Its arguments hold the names of secrets and never their values. Values are opened by what injects
/// them, which takes this as its evidence.
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
    /// A repeat of the call was faster, or the permit was settled; the tool was not run.
    #[error("the permit was spent before")]
    AlreadySpent,
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
        grant.claim.join();
        Self {
            call: grant.call.clone(),
            id: grant.id,
            expires_at: grant.expires_at,
            evaluation: grant.evaluation.clone(),
            on_allow: grant.on_allow,
            rewritten: grant.rewritten,
            grant: Some(grant),
            claimed: false,
        }
    }

    /// The permit's id, which is also the id of its decision row.
    #[must_use]
    pub fn id(&self) -> PermitId {
        self.id
    }

    /// The call that was decided, with the arguments that the policy lets through.
    #[must_use]
    pub fn call(&self) -> &ToolCall {
        &self.call
    }

    /// Whether the policy lets the call through with other arguments than were asked for: the tool is to be
    /// run with those of [`call`](Self::call).
    #[must_use]
    pub fn is_rewritten(&self) -> bool {
        self.rewritten
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

    /// What the policy that decided lets an allowed hook answer.
    #[must_use]
    pub fn on_allow(&self) -> OnAllow {
        self.on_allow
    }

    /// Takes the right to run the tool, which this permit shares with those of repeats of the call.
    ///
    /// [`run`](Self::run) does so itself. Whoever runs the tool without it calls this first and
    /// [`settle`](Self::settle)s afterwards. Claiming again what this permit has claimed is no error.
    ///
    /// # Errors
    /// [`SettleError::AlreadySettled`] when another permit of this id has it: the tool must not run.
    pub fn claim(&mut self) -> Result<(), SettleError> {
        self.claimed = self.claimed || self.grant.as_ref().is_some_and(|grant| grant.claim.take());
        if self.claimed { Ok(()) } else { Err(SettleError::AlreadySettled) }
    }

    /// Runs the tool and records how it ended. A failure counts as [`OutcomeStatus::Failed`].
    ///
    /// Dropping the future (a timeout of the host's, say) abandons the permit.
    ///
    /// # Errors
    /// [`RunError`] when the permit has expired or is spent, the tool fails or the outcome cannot be recorded.
    pub async fn run<T, E, F>(self, tool: impl FnOnce(Injected) -> F) -> Result<T, RunError<E>>
    where
        F: Future<Output = Result<T, E>>,
        E: fmt::Display,
    {
        self.spend(tool, |_, _| ()).await
    }

    /// Runs a tool whose result is bytes; their number and digest are recorded with the outcome.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn run_bytes<E, F>(
        self,
        tool: impl FnOnce(Injected) -> F,
    ) -> Result<Bytes, RunError<E>>
    where
        F: Future<Output = Result<Bytes, E>>,
        E: fmt::Display,
    {
        self.spend(tool, |outcome, result: &Bytes| {
            outcome.result_bytes = u64::try_from(result.len()).ok();
            outcome.result_digest = Some(Digest::of(result));
        })
        .await
    }

    async fn spend<T, E, F>(
        mut self,
        tool: impl FnOnce(Injected) -> F,
        measure: impl FnOnce(&mut Outcome, &T),
    ) -> Result<T, RunError<E>>
    where
        F: Future<Output = Result<T, E>>,
        E: fmt::Display,
    {
        let Some(grant) = &mut self.grant else { return Err(RunError::Expired) };
        let (clock, expires_at) = (grant.clock.clone(), grant.expires_at);
        let restored = grant.restored.take();
        if clock.now() > expires_at {
            return Err(RunError::Expired);
        }
        self.claim().map_err(|_| RunError::AlreadySpent)?;
        let start = clock.monotonic();
        let call = match restored {
            Some(arguments) => self.call.delivering(arguments),
            None => self.call.clone(),
        };
        let result = tool(Injected { call }).await;
        let mut outcome = Outcome::new(
            if result.is_ok() { OutcomeStatus::Success } else { OutcomeStatus::Failed },
            clock.monotonic().saturating_sub(start),
        );
        match &result {
            Ok(value) => measure(&mut outcome, value),
            Err(error) => outcome.error = Some(error.to_string()),
        }
        let recorded = self.record(outcome, false).await;
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
        self.claim()?;
        self.record(outcome, false).await
    }

    /// Records an outcome the host measured itself, after the caller was answered: the log may write it a few
    /// milliseconds later, together with what somebody waits for.
    ///
    /// # Errors
    /// As [`settle`](Self::settle).
    pub async fn settle_later(mut self, outcome: Outcome) -> Result<(), SettleError> {
        self.claim()?;
        self.record(outcome, true).await
    }

    /// Hands the permit to a remote caller, who reports the outcome under its id. An outcome that
    /// never comes is recorded as abandoned after the permit has expired.
    ///
    /// Repeats may hand out the same ticket again: a remote caller asks twice when an answer was lost.
    #[must_use]
    pub fn into_ticket(mut self) -> PermitTicket {
        if let Some(grant) = self.grant.take() {
            grant.claim.hand_out();
        }
        PermitTicket { id: self.id, expires_at: self.expires_at }
    }

    async fn record(&mut self, outcome: Outcome, later: bool) -> Result<(), SettleError> {
        let Some(grant) = &self.grant else { return Err(SettleError::AlreadySettled) };
        let ledger = grant.ledger.clone();
        let (id, principal) = (self.id, self.call.principal());
        let result = match later {
            false => ledger.settle(id, principal, outcome).await,
            true => ledger.settle_later(id, principal, outcome).await,
        };
        self.grant = None;
        result
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let Some(grant) = self.grant.take() else { return };
        let last = grant.claim.leave();
        if self.claimed || (last && grant.claim.take()) {
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
