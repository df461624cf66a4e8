use std::sync::Arc;

use async_trait::async_trait;

use crate::clock::Timestamp;
use crate::decision::Outcome;
use crate::event::AuditEvent;
use crate::id::{CallId, PermitId, SessionId, TraceId};
use crate::principal::Principal;

/// Where audit events go. Object-safe.
#[async_trait]
pub trait AuditSink: Send + Sync + 'static {
    /// Appends `event` and returns once it is durable.
    ///
    /// # Errors
    /// [`AuditError`] when it was not made durable; the caller must deny.
    async fn append(&self, event: AuditEvent) -> Result<(), AuditError>;

    /// Appends several events, each durable on return, all or none.
    ///
    /// # Errors
    /// [`AuditError`] when they were not made durable.
    async fn append_all(&self, events: Vec<AuditEvent>) -> Result<(), AuditError> {
        for event in events {
            self.append(event).await?;
        }
        Ok(())
    }

    /// Appends an event that no caller waits for, durable on return. A sink may keep it back for a few
    /// milliseconds, to write it together with one that somebody waits for.
    ///
    /// # Errors
    /// [`AuditError`] when it was not made durable.
    async fn append_later(&self, event: AuditEvent) -> Result<(), AuditError> {
        self.append(event).await
    }
}

/// Where permits are settled. Object-safe.
#[async_trait]
pub trait PermitLedger: Send + Sync + 'static {
    /// Records the outcome of a permit that was granted to `principal`; durable on return.
    ///
    /// # Errors
    /// [`SettleError`] when there is no such permit for this principal, it has expired, was settled
    /// before, or the log cannot write.
    async fn settle(
        &self,
        permit: PermitId,
        principal: &Principal,
        outcome: Outcome,
    ) -> Result<(), SettleError>;

    /// Records an outcome that no caller waits for, durable on return. A ledger may keep it back for a few
    /// milliseconds, to write it together with what somebody waits for.
    ///
    /// # Errors
    /// As [`settle`](Self::settle).
    async fn settle_later(
        &self,
        permit: PermitId,
        principal: &Principal,
        outcome: Outcome,
    ) -> Result<(), SettleError> {
        self.settle(permit, principal, outcome).await
    }

    /// Records that a permit was dropped. Does not wait; what is lost here is found by the sweep over
    /// expired permits.
    fn abandon(&self, permit: PermitId);

    /// What has become of a permit.
    ///
    /// # Errors
    /// [`AuditError`] when the log cannot be read.
    async fn state(&self, permit: PermitId) -> Result<PermitState, AuditError>;

    /// The newest permit that was granted to the principal for this call id, settled or not.
    ///
    /// Doors whose clients report an outcome by call id (a hook, say) ask this when they do not
    /// remember the permit: after a restart, or when another replica decided. A ledger that cannot
    /// search its log knows none.
    ///
    /// # Errors
    /// [`AuditError`] when the log cannot be read.
    async fn find(&self, call: GrantedCall<'_>) -> Result<Option<FoundPermit>, AuditError> {
        let _ = call;
        Ok(None)
    }
}

/// The call a permit is looked for by. The ids are as they were recorded, that is, redacted.
#[derive(Debug, Clone, Copy)]
pub struct GrantedCall<'c> {
    /// To whom the permit was granted.
    pub principal: &'c Principal,
    /// In which session; `None` means without one.
    pub session: Option<&'c SessionId>,
    /// The call.
    pub call_id: &'c CallId,
}

/// A permit that was found by its call, and what it was granted for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundPermit {
    /// The permit.
    pub id: PermitId,
    /// The server of the tool, if it has one; as it was recorded, that is, redacted.
    pub server: Option<Arc<str>>,
    /// The tool, as it was recorded.
    pub tool: Arc<str>,
    /// The trace of the decision.
    pub trace_id: TraceId,
}

/// What has become of a permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PermitState {
    /// No such permit.
    Unknown,
    /// Granted and neither settled nor abandoned.
    Open {
        /// Until when an outcome is accepted.
        expires_at: Timestamp,
    },
    /// Settled or abandoned.
    Settled,
}

/// The log could not do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The queue of the writer is full.
    #[error("the audit queue is full")]
    QueueFull,
    /// The store does not take writes or cannot be read. The text names the cause, without values.
    #[error("the audit store is unavailable: {0}")]
    Unavailable(String),
    /// The log has been closed.
    #[error("the audit log is closed")]
    Closed,
}

/// Why an outcome was not recorded.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum SettleError {
    /// No such permit for this principal.
    #[error("no such permit")]
    Unknown,
    /// The permit has expired.
    #[error("the permit has expired")]
    Expired,
    /// The permit was settled before.
    #[error("the permit was settled before")]
    AlreadySettled,
    /// The log could not write.
    #[error(transparent)]
    Audit(#[from] AuditError),
}
