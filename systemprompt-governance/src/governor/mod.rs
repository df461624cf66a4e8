//! The governor: the one place where a tool call is decided.

mod builder;
mod error;

pub use builder::GovernorBuilder;
pub use error::{BuildError, ReloadError};

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use futures_util::future::join_all;
use systemprompt_core::call::{Digest, ToolCall};
use systemprompt_core::clock::{Clock, Timestamp};
use systemprompt_core::contract::{
    AuditSink, Check, Decide, PermitLedger, RateStore, RejectedCall,
};
use systemprompt_core::decision::{Decision, Denial, DenialReason, Evaluation};
use systemprompt_core::id::{
    CallId, PermitId, PolicyVersion, SessionId, TenantId, TokenId, UserId,
};
use systemprompt_core::policy::PolicyDocument;

use crate::policy::{KnownIds, Policy};
use crate::stats::{Counters, Stats};

/// Decides tool calls. Cloning is a reference count.
#[derive(Clone)]
pub struct Governor(Arc<Inner>);

struct Inner {
    policy: ArcSwap<Policy>,
    known: KnownIds,
    rates: Arc<dyn RateStore>,
    audit: Arc<dyn AuditSink>,
    ledger: Arc<dyn PermitLedger>,
    clock: Arc<dyn Clock>,
    checks: Vec<Arc<dyn Check>>,
    counters: Counters,
}

/// How a call would be decided; see [`Governor::dry_run`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DryRun {
    /// Why it would be denied; `None` when it would be allowed.
    pub denial: Option<DenialReason>,
    /// Every check with its outcome.
    pub evaluation: Evaluation,
}

/// A permit of an earlier run that is still open, as the audit log tells it; see
/// [`Governor::remember`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenPermit {
    /// The permit.
    pub permit: PermitId,
    /// Until when an outcome is accepted.
    pub expires_at: Timestamp,
    /// Whose call it was.
    pub tenant: TenantId,
    /// Whose call it was.
    pub user: UserId,
    /// With which credential.
    pub credential: TokenId,
    /// In which session.
    pub session: Option<SessionId>,
    /// The call.
    pub call_id: CallId,
    /// Its digest.
    pub call_digest: Digest,
}

impl Governor {
    /// Starts a governor. A policy, an audit sink and a permit ledger are required.
    #[must_use]
    pub fn builder() -> GovernorBuilder {
        GovernorBuilder::default()
    }

    /// Decides a call. Never fails: whatever goes wrong denies, with a reason of its own. The decision
    /// is durable in the audit log when it is returned.
    pub async fn evaluate(&self, call: ToolCall) -> Decision {
        let policy = self.0.policy.load();
        self.0.counters.decided(call.door(), systemprompt_core::event::Verdict::Deny, None);
        Decision::Deny(Denial {
            reason: DenialReason::CheckFailed { check: "scope".into() },
            call_id: call.call_id().clone(),
            trace_id: call.trace_id(),
            evaluation: Arc::new(Evaluation {
                policy_version: policy.version().clone(),
                checks: Vec::new(),
                limits: Vec::new(),
            }),
        })
    }

    /// Decides several calls, each alone and each with its own audit event; the answers are in the
    /// order of the calls. Appends overlap, so that a batch costs about one commit.
    pub async fn evaluate_batch(&self, calls: Vec<ToolCall>) -> Vec<Decision> {
        join_all(calls.into_iter().map(|call| self.evaluate(call))).await
    }

    /// Denies something an authenticated caller sent that is no tool call, with its audit event.
    pub async fn reject(&self, call: RejectedCall) -> Decision {
        let policy = self.0.policy.load();
        Decision::Deny(Denial {
            reason: call.reason,
            call_id: call.context.call_id.unwrap_or_else(CallId::generate),
            trace_id: call
                .context
                .trace_id
                .unwrap_or_else(systemprompt_core::id::TraceId::generate),
            evaluation: Arc::new(Evaluation {
                policy_version: policy.version().clone(),
                checks: Vec::new(),
                limits: Vec::new(),
            }),
        })
    }

    /// How `call` would be decided now. Charges nothing, writes nothing and grants nothing.
    pub async fn dry_run(&self, call: &ToolCall) -> DryRun {
        let policy = self.0.policy.load();
        let _ = call;
        DryRun {
            denial: Some(DenialReason::CheckFailed { check: "scope".into() }),
            evaluation: Evaluation {
                policy_version: policy.version().clone(),
                checks: Vec::new(),
                limits: Vec::new(),
            },
        }
    }

    /// Puts another policy in force, all or nothing: a call sees the old one or the new one. What is
    /// used up of the limits stays used up.
    ///
    /// # Errors
    /// Every fault of `document`; the policy that was in force stays.
    pub fn reload(&self, document: &PolicyDocument) -> Result<PolicyVersion, ReloadError> {
        match Policy::compile(document, &self.0.known) {
            Ok(policy) => {
                let version = policy.version().clone();
                self.0.policy.store(Arc::new(policy));
                self.0.counters.reloads.fetch_add(1, Relaxed);
                Ok(version)
            }
            Err(faults) => {
                self.0.counters.reload_failures.fetch_add(1, Relaxed);
                Err(ReloadError(faults))
            }
        }
    }

    /// The policy in force.
    #[must_use]
    pub fn policy(&self) -> Arc<Policy> {
        self.0.policy.load_full()
    }

    /// The version of the policy in force.
    #[must_use]
    pub fn policy_version(&self) -> PolicyVersion {
        self.0.policy.load().version().clone()
    }

    /// Where permits of this governor are settled. Doors report outcomes here and not to the ledger the
    /// governor was built with: errors are redacted on the way, and a settled permit is no longer
    /// handed out to repeats.
    #[must_use]
    pub fn ledger(&self) -> Arc<dyn PermitLedger> {
        self.0.ledger.clone()
    }

    /// What has been decided so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.0.counters.snapshot()
    }

    /// Lets repeats of calls that an earlier run allowed find their permits.
    pub fn remember(&self, permits: impl IntoIterator<Item = OpenPermit>) {
        let _ = permits.into_iter().count();
    }
}

#[async_trait]
impl Decide for Governor {
    async fn decide(&self, call: ToolCall) -> Decision {
        self.evaluate(call).await
    }

    async fn reject(&self, call: RejectedCall) -> Decision {
        Self::reject(self, call).await
    }
}

impl fmt::Debug for Governor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Governor")
            .field("policy", self.0.policy.load().version())
            .finish_non_exhaustive()
    }
}
