use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use futures_util::FutureExt as _;
use systemprompt_core::call::{Arguments, ToolCall};
use systemprompt_core::decision::{
    CheckOutcome, CheckRecord, Decision, Denial, DenialReason, Evaluation, Permit, PermitClaim,
    PermitGrant,
};
use systemprompt_core::event::{AuditEvent, Verdict};
use systemprompt_core::id::EventId;

use super::deadline::within;
use super::in_force::InForce;
use super::run::{Passed, Ran};
use super::{BUILT_IN, Inner};
use crate::handle;
use crate::policy::Policy;
use crate::record::{self, Ruling, Seen};

impl Inner {
    /// Records how a call was decided and answers.
    ///
    /// A caller that hangs up while this waits for the log leaves the charge taken, whatever becomes of
    /// the row: it may still become durable, and then a repeat finds the permit and is not charged.
    /// Giving the charge back would make hanging up a way around the limits.
    pub(super) async fn conclude(
        &self,
        call: ToolCall,
        InForce { policy, scanner, .. }: &InForce,
        result: Result<Passed, DenialReason>,
        ran: Ran,
    ) -> Decision {
        let (id, now) = (EventId::generate(), self.clock.now());
        let evaluation = Arc::new(ran.evaluation);
        let seen = Seen { rules: Some(scanner.rules()), scan: ran.scan, shadow: ran.shadow };
        let (reason, mut passed) = match result {
            Ok(passed) => (None, passed),
            Err(reason) => (Some(reason), Passed::default()),
        };
        let granted = reason.is_none().then(|| match passed.repeat.take() {
            Some(granted) => (granted.permit, granted.expires_at, granted.claim),
            None => (id.into(), now.after(policy.permit_lifetime()), PermitClaim::default()),
        });
        if let (Some(first), Some((permit, expires_at, claim))) = (&mut passed.first, &granted) {
            first.grant(*permit, *expires_at, claim.clone());
        }
        let ruling = Ruling {
            policy,
            id,
            occurred_at: now,
            reason: reason.as_ref(),
            permit: granted.as_ref().map(|(permit, expires_at, _)| (*permit, *expires_at)),
            evaluation: evaluation.clone(),
            duration: ran.duration,
            seen,
        };
        let event = catch_unwind(AssertUnwindSafe(|| record::of_call(scanner, &call, ruling)));
        if !self.append(event).await {
            self.undo(passed, policy.check_timeout()).await;
            return self.deny(&call, DenialReason::AuditUnavailable, evaluation);
        }
        match (reason, granted) {
            (None, Some((id, expires_at, claim))) => {
                self.counters.decided(call.door(), Verdict::Allow, None);
                let ledger = self.ledger.clone();
                let clock = self.clock.clone();
                let on_allow = policy.on_allow();
                let rewritten = ran.delivered.is_some();
                let call = ran.delivered.unwrap_or(call);
                let restored = self.restored(&call);
                let grant = PermitGrant {
                    id,
                    claim,
                    call,
                    rewritten,
                    restored,
                    expires_at,
                    evaluation,
                    on_allow,
                    ledger,
                    clock,
                };
                Decision::Allow(Permit::assert_granted(grant))
            }
            (reason, _) => {
                let failed = || DenialReason::CheckFailed { check: "scope".into() };
                self.deny(&call, reason.unwrap_or_else(failed), evaluation)
            }
        }
    }

    /// What the tool is run with where the call names handles that it is bound to.
    fn restored(&self, call: &ToolCall) -> Option<Arguments> {
        let arguments = call.arguments();
        if !handle::may_name_one(arguments.raw()) {
            return None;
        }
        let now = self.clock.monotonic();
        let restored = self.handles.restore(arguments.root(), call.principal(), call.tool(), now);
        // Values that do not fit stay handles.
        arguments.rewritten(restored.root?).ok()
    }

    fn deny(&self, call: &ToolCall, reason: DenialReason, evaluation: Arc<Evaluation>) -> Decision {
        self.counters.decided(call.door(), Verdict::Deny, Some(reason.code()));
        let (call_id, trace_id) = (call.call_id().clone(), call.trace_id());
        Decision::Deny(Denial { reason, call_id, trace_id, evaluation })
    }

    /// Whether `event` is durable now.
    pub(super) async fn append(&self, event: std::thread::Result<AuditEvent>) -> bool {
        let started = self.clock.monotonic();
        let appended = match event {
            Ok(event) => AssertUnwindSafe(self.audit.append(event)).catch_unwind().await,
            Err(panic) => Err(panic),
        };
        self.counters.appended_in(self.clock.monotonic().saturating_sub(started));
        let durable = matches!(appended, Ok(Ok(())));
        if !durable {
            self.counters.audit_failures.fetch_add(1, Relaxed);
        }
        durable
    }

    /// Lets go of what a call took hold of that was denied after all.
    async fn undo(&self, mut passed: Passed, timeout: Duration) {
        if let Some(first) = &mut passed.first {
            first.revoke();
        }
        if !passed.charges.is_empty() {
            let age = self.clock.monotonic().saturating_sub(passed.charged_at);
            let _ = within(timeout, self.rates.give_back(&passed.charges, age)).await;
        }
    }

    /// The evaluation of something that no check has seen.
    pub(super) fn nothing_checked(&self, policy: &Policy) -> Evaluation {
        let host = self.checks.iter().map(|check| check.id().to_owned().into());
        let checks = BUILT_IN.into_iter().map(Into::into).chain(host).map(|check| CheckRecord {
            check,
            outcome: CheckOutcome::Skipped,
            detail: None,
            duration_ns: 0,
        });
        let (policy_version, checks) = (policy.version().clone(), checks.collect());
        Evaluation { policy_version, checks, limits: Vec::new() }
    }
}
