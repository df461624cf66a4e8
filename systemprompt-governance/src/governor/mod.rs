//! The governor: the one place where a tool call is decided.

mod builder;
mod clean;
mod conclude;
mod deadline;
mod error;
mod in_force;
mod inspect;
mod run;
mod secrets;
mod stream;
mod tool;

pub use builder::GovernorBuilder;
pub use error::{BuildError, ReloadError};
pub use stream::SecretStream;
pub use tool::{ToolFailure, ToolResult};

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use arc_swap::ArcSwapOption;
use async_trait::async_trait;
use futures_util::future::join_all;
use systemprompt_core::call::ToolCall;
use systemprompt_core::clock::Clock;
use systemprompt_core::contract::{AuditSink, Decide, PermitLedger, RateStore, RejectedCall};
use systemprompt_core::decision::{Decision, Denial, DenialReason, Evaluation};
use systemprompt_core::event::Verdict;
use systemprompt_core::id::{CallId, EventId, PolicyVersion, TraceId};
use systemprompt_core::policy::PolicyDocument;
use systemprompt_core::secret::Redact;

use crate::check::HostChecks;
use crate::handle::Handles;
use crate::ledger::GovernedLedger;
use crate::policy::{KnownIds, Policy};
use crate::record::{self, Ruling, Seen};
use crate::repeat::{OpenPermit, Repeats};
use crate::shadow::{Decided, ShadowStats, Shadows};
use crate::stats::{Counters, Stats};
pub(crate) use in_force::Current;
use in_force::InForce;
use run::Run;

/// Ids of the built-in checks in the order they run.
const BUILT_IN: [&str; 4] = ["scope", "secret", "blocklist", "rate"];

/// Whether `check` is a check of every governor and not one of the host.
pub(crate) fn is_built_in(check: &str) -> bool {
    BUILT_IN.contains(&check)
}

/// Decides tool calls. Cloning is a reference count.
#[derive(Clone)]
pub struct Governor(Arc<Inner>);

struct Inner {
    current: Arc<Current>,
    /// `None` when there are none, so that they cost nothing.
    shadows: ArcSwapOption<Shadows>,
    known: KnownIds,
    handles: Handles,
    rates: Arc<dyn RateStore>,
    /// Keys the hashes of rate buckets.
    hash_key: [u8; 16],
    audit: Arc<dyn AuditSink>,
    ledger: Arc<GovernedLedger>,
    repeats: Arc<Repeats>,
    clock: Arc<dyn Clock>,
    checks: HostChecks,
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

impl Governor {
    /// Starts a governor. A policy, an audit sink and a permit ledger are required.
    pub fn builder() -> GovernorBuilder {
        GovernorBuilder::default()
    }

    /// Decides a call. Never fails: whatever goes wrong denies, with a reason of its own. The decision
    /// is durable in the audit log when it is returned.
    pub async fn evaluate(&self, call: ToolCall) -> Decision {
        let inner = &*self.0;
        let in_force = inner.current.load();
        let mut run = Run::start(inner, &in_force, &call);
        let result = run.decide().await;
        let shadows = inner.shadows.load_full();
        run.look_for_the_record(result.is_err(), shadows.as_deref());
        let mut ran = run.finish();
        inner.counters.evaluated_in(ran.duration);
        if let Some(shadows) = shadows {
            ran.shadow = shadows.judge(Decided {
                call: &call,
                evaluation: &ran.evaluation,
                scan: ran.scan.as_deref(),
                allowed: result.is_ok(),
                repeat: result.as_ref().is_ok_and(|passed| passed.repeat.is_some()),
            });
        }
        inner.conclude(call, &in_force, result, ran).await
    }

    /// Decides several calls, each alone and each with its own audit event; the answers are in the
    /// order of the calls. Appends overlap, so that a batch costs about one commit.
    pub async fn evaluate_batch(&self, calls: Vec<ToolCall>) -> Vec<Decision> {
        join_all(calls.into_iter().map(|call| self.evaluate(call))).await
    }

    /// The id of a call as it is recorded, without secrets.
    pub(crate) fn recorded(&self, call_id: &CallId) -> CallId {
        record::redacted_id(&*self.0.current, call_id).unwrap_or_else(CallId::generate)
    }

    /// Denies something an authenticated caller sent that is no tool call, with its audit event.
    pub async fn reject(&self, call: RejectedCall) -> Decision {
        let inner = &*self.0;
        let started = inner.clock.monotonic();
        let in_force = inner.current.load();
        let InForce { policy, scanner, .. } = &*in_force;
        let evaluation = Arc::new(inner.nothing_checked(policy));
        let call_id = call.context.call_id.clone().unwrap_or_else(CallId::generate);
        let trace_id = call.context.trace_id.unwrap_or_else(TraceId::generate);
        let ruling = Ruling {
            policy,
            id: EventId::generate(),
            occurred_at: inner.clock.now(),
            reason: Some(&call.reason),
            permit: None,
            evaluation: evaluation.clone(),
            duration: inner.clock.monotonic().saturating_sub(started),
            seen: Seen::default(),
        };
        let event = catch_unwind(AssertUnwindSafe(|| {
            record::of_rejected(scanner, &call, (trace_id, &call_id), ruling)
        }));
        let recorded = inner.append(event).await;
        let reason = if recorded { call.reason } else { DenialReason::AuditUnavailable };
        inner.counters.decided(call.door, Verdict::Deny, Some(reason.code()));
        Decision::Deny(Denial { reason, call_id, trace_id, evaluation })
    }

    /// How `call` would be decided now. Charges nothing, writes nothing and grants nothing.
    pub async fn dry_run(&self, call: &ToolCall) -> DryRun {
        let inner = &*self.0;
        let in_force = inner.current.load();
        let mut run = Run::start(inner, &in_force, call);
        let denial = run.rehearse().await.err();
        DryRun { denial, evaluation: run.finish().evaluation }
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
                self.0.current.store(policy);
                self.0.counters.reloads.fetch_add(1, Relaxed);
                Ok(version)
            }
            Err(faults) => {
                self.0.counters.reload_failures.fetch_add(1, Relaxed);
                Err(ReloadError(faults))
            }
        }
    }

    /// Asks these policies, each by the id that is given, beside the one in force from now on, and no
    /// others. They never answer: what they would have decided differently is recorded with the decision
    /// and counted. What a shadow has used up of its limits stays used up when its policy changes.
    pub fn set_shadows(&self, policies: impl IntoIterator<Item = (Arc<str>, Arc<Policy>)>) {
        let inner = &*self.0;
        let before = inner.shadows.load_full();
        let shadows = Shadows::new(policies, before.as_deref(), inner.hash_key, &inner.clock);
        inner.shadows.store((!shadows.is_empty()).then(|| Arc::new(shadows)));
    }

    /// What the shadow policies would have decided so far.
    #[must_use]
    pub fn shadows(&self) -> Vec<ShadowStats> {
        self.0.shadows.load().as_ref().map(|shadows| shadows.stats()).unwrap_or_default()
    }

    /// What a policy may name that this governor knows.
    #[must_use]
    pub fn known_ids(&self) -> &KnownIds {
        &self.0.known
    }

    /// The policy in force.
    #[must_use]
    pub fn policy(&self) -> Arc<Policy> {
        self.0.current.load().policy.clone()
    }

    /// The version of the policy in force.
    #[must_use]
    pub fn policy_version(&self) -> PolicyVersion {
        self.0.current.load().policy.version().clone()
    }

    /// Where permits of this governor are settled. Doors report outcomes here and not to the ledger the
    /// governor was built with: errors are redacted on the way, and a settled permit is no longer
    /// handed out to repeats.
    #[must_use]
    pub fn ledger(&self) -> Arc<dyn PermitLedger> {
        self.0.ledger.clone()
    }

    /// What takes secrets out of texts that are recorded or repeated, by the rules of the policy in force.
    #[must_use]
    pub fn redactor(&self) -> Arc<dyn Redact> {
        self.0.current.clone()
    }

    /// What has been decided so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.0.counters.snapshot()
    }

    /// Lets repeats of calls that an earlier run allowed find their permits.
    pub fn remember(&self, permits: impl IntoIterator<Item = OpenPermit>) {
        for permit in permits {
            self.0.repeats.remember(&permit);
        }
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
        f.debug_struct("Governor").field("policy", &self.policy_version()).finish_non_exhaustive()
    }
}
