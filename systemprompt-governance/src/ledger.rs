use std::sync::Arc;

use async_trait::async_trait;
use systemprompt_core::contract::{
    AuditError, FoundPermit, GrantedCall, PermitLedger, PermitState, SettleError,
};
use systemprompt_core::decision::Outcome;
use systemprompt_core::id::PermitId;
use systemprompt_core::principal::Principal;

use crate::governor::Current;
use crate::record::{redacted_id, text};
use crate::repeat::Repeats;

/// The ledger as permits and doors see it: outcomes are redacted on their way to the log, and a permit
/// that is spent is no longer handed out to repeats.
pub(crate) struct GovernedLedger {
    pub(crate) inner: Arc<dyn PermitLedger>,
    pub(crate) current: Arc<Current>,
    pub(crate) repeats: Arc<Repeats>,
}

impl GovernedLedger {
    /// The outcome as it may be recorded.
    fn redacted(&self, mut outcome: Outcome) -> Outcome {
        outcome.error = outcome.error.map(|error| text(&*self.current, &error).into_owned());
        outcome
    }

    fn note(&self, permit: PermitId, result: Result<(), SettleError>) -> Result<(), SettleError> {
        if matches!(result, Ok(()) | Err(SettleError::AlreadySettled | SettleError::Expired)) {
            self.repeats.spent(permit);
        }
        result
    }
}

#[async_trait]
impl PermitLedger for GovernedLedger {
    async fn settle(
        &self,
        permit: PermitId,
        principal: &Principal,
        outcome: Outcome,
    ) -> Result<(), SettleError> {
        let result = self.inner.settle(permit, principal, self.redacted(outcome)).await;
        self.note(permit, result)
    }

    async fn settle_later(
        &self,
        permit: PermitId,
        principal: &Principal,
        outcome: Outcome,
    ) -> Result<(), SettleError> {
        let result = self.inner.settle_later(permit, principal, self.redacted(outcome)).await;
        self.note(permit, result)
    }

    fn abandon(&self, permit: PermitId) {
        self.repeats.spent(permit);
        self.inner.abandon(permit);
    }

    async fn state(&self, permit: PermitId) -> Result<PermitState, AuditError> {
        self.inner.state(permit).await
    }

    async fn find(&self, call: GrantedCall<'_>) -> Result<Option<FoundPermit>, AuditError> {
        let session = call.session.and_then(|session| redacted_id(&*self.current, session));
        let Some(call_id) = redacted_id(&*self.current, call.call_id) else { return Ok(None) };
        let (principal, session) = (call.principal, session.as_ref());
        self.inner.find(GrantedCall { principal, session, call_id: &call_id }).await
    }
}
