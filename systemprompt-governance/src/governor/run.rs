use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use futures_util::FutureExt as _;
use systemprompt_core::call::ToolCall;
use systemprompt_core::contract::{
    Check, CheckVerdict, PermitLedger as _, PermitState, RateCharge, RateRefusal, RateStoreError,
};
use systemprompt_core::decision::{
    CheckOutcome, CheckRecord, DenialReason, Evaluation, LimitState,
};
use systemprompt_core::event::ShadowVerdict;
use systemprompt_core::id::PermitId;

use super::deadline::within;
use super::in_force::InForce;
use super::secrets::{Treated, Treatment, rules_that_found};
use super::{BUILT_IN, Inner};
use crate::check::CheckTrouble;
use crate::policy::{Blocked, Policy, ScopeDenial};
use crate::record;
use crate::repeat::{Claim, First, Granted};
use crate::secret::Scanner;
use crate::shadow::Shadows;

pub(super) type Detail = Option<Cow<'static, str>>;

/// One call on its way through the checks.
pub(super) struct Run<'r> {
    inner: &'r Inner,
    policy: &'r Policy,
    scanner: &'r Scanner,
    call: &'r ToolCall,
    /// The call with what goes on in the place of secrets.
    delivered: Option<ToolCall>,
    records: Vec<CheckRecord>,
    limits: Vec<LimitState>,
    /// The secret rules that found something, when they were asked.
    scan: Option<Vec<Arc<str>>>,
    started: Duration,
    /// When the check that is running began.
    mark: Duration,
}

/// A run that has ended.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) evaluation: Evaluation,
    pub(super) duration: Duration,
    /// The secret rules that found something, when they were asked.
    pub(super) scan: Option<Vec<Arc<str>>>,
    /// What shadow policies would have decided differently.
    pub(super) shadow: Vec<ShadowVerdict>,
    /// The call with what goes on in the place of secrets.
    pub(super) delivered: Option<ToolCall>,
}

/// What a call that passed has taken hold of.
#[derive(Debug, Default)]
pub(super) struct Passed {
    /// Others wait to repeat the call until this is dropped.
    pub(super) first: Option<First>,
    /// The call is a repeat and gets this permit.
    pub(super) repeat: Option<Granted>,
    /// What was charged, to be given back if the decision cannot be recorded.
    pub(super) charges: Vec<RateCharge>,
    /// When at the latest it had not been charged yet, on the governor's monotonic clock.
    pub(super) charged_at: Duration,
}

impl<'r> Run<'r> {
    pub(super) fn start(inner: &'r Inner, in_force: &'r InForce, call: &'r ToolCall) -> Self {
        let InForce { policy, scanner, .. } = in_force;
        let started = inner.clock.monotonic();
        let records = Vec::with_capacity(BUILT_IN.len() + inner.checks.iter().count());
        let limits = Vec::new();
        Self {
            inner,
            policy,
            scanner,
            call,
            delivered: None,
            records,
            limits,
            scan: None,
            started,
            mark: started,
        }
    }

    /// Runs every check; the first deny wins.
    pub(super) async fn decide(&mut self) -> Result<Passed, DenialReason> {
        self.look()?;
        let mut passed = self.claim().await;
        if passed.repeat.is_some() {
            self.inner.counters.repeats.fetch_add(1, Relaxed);
        }
        if passed.repeat.is_none() && self.policy.enabled() {
            passed.charges = self.policy.charges(self.call, &self.inner.hash_key);
        }
        let charged_late = self.has_host_checks();
        passed.charged_at = self.mark;
        self.rate(&passed, !charged_late).await?;
        self.host_checks().await?;
        if charged_late && !passed.charges.is_empty() {
            passed.charged_at = self.mark;
            self.take(&passed.charges)
                .await
                .map_err(|(outcome, reason)| self.amend(outcome, reason))?;
        }
        Ok(passed)
    }

    /// Runs every check without claiming or charging anything.
    pub(super) async fn rehearse(&mut self) -> Result<(), DenialReason> {
        self.look()?;
        let mut passed = Passed::default();
        if let Some(granted) = self.inner.repeats.peek(self.call, self.inner.clock.now()) {
            passed.repeat = self.is_open(granted.permit).await.then_some(granted);
        }
        if passed.repeat.is_none() && self.policy.enabled() {
            passed.charges = self.policy.charges(self.call, &self.inner.hash_key);
        }
        self.rate(&passed, false).await?;
        self.limits = self.remaining(&passed.charges).await;
        self.host_checks().await
    }

    /// Ends the run: checks that did not run are recorded as skipped.
    pub(super) fn finish(mut self) -> Ran {
        let host = self.inner.checks.iter().map(|check| check.id());
        let missing: Vec<&str> =
            BUILT_IN.into_iter().chain(host).skip(self.records.len()).collect();
        for id in missing {
            let outcome =
                if self.is_off(id) { CheckOutcome::Disabled } else { CheckOutcome::Skipped };
            self.records.push(CheckRecord {
                check: id.to_owned().into(),
                outcome,
                detail: None,
                duration_ns: 0,
            });
        }
        let evaluation = Evaluation {
            policy_version: self.policy.version().clone(),
            checks: self.records,
            limits: self.limits,
        };
        // The last check's end is the end: reading the clock is a good part of what a decision costs.
        let duration = self.mark.saturating_sub(self.started);
        Ran { evaluation, duration, scan: self.scan, shadow: Vec::new(), delivered: self.delivered }
    }

    /// *scope*, *secret*, *blocklist*: pure functions of the call and the policy.
    fn look(&mut self) -> Result<(), DenialReason> {
        let (policy, scanner, call) = (self.policy, self.scanner, self.call);
        self.built_in("scope", || match policy.check_scope(call) {
            Ok(()) => Ok(None),
            Err(denial) => Err(scope_reason(scanner, call, denial)),
        })?;
        self.secret()?;
        self.built_in("blocklist", || match policy.check_blocklists(call) {
            Ok(()) => Ok(None),
            Err(Blocked { list, pattern }) => Err((DenialReason::Blocked { list, pattern }, None)),
        })
    }

    /// *secret*: what the policy says about each secret in the arguments.
    fn secret(&mut self) -> Result<(), DenialReason> {
        let (inner, policy, scanner, call) = (self.inner, self.policy, self.scanner, self.call);
        let now = self.mark;
        let mut seen = None;
        let looked = self.built_in("secret", || {
            let arguments = call.arguments();
            if scanner.scan_arguments(arguments).is_none() {
                seen = Some(Treated::default());
                return Ok(None);
            }
            let parts = (scanner, policy.secrets(), &inner.handles);
            let treated = seen.insert(Treatment::of_call(call, parts, now).apply(arguments.root()));
            let detail = treated.describe().map(Cow::Owned);
            match treated.denial.take() {
                Some(reason) => Err((reason, detail)),
                None => Ok(detail),
            }
        });
        self.scan = seen.as_ref().map(Treated::rules);
        looked?;
        if let Some(root) = seen.and_then(|treated| treated.root) {
            // What stands in for secrets may be longer than they were.
            let arguments =
                call.arguments().rewritten(root).map_err(DenialReason::MalformedCall)?;
            self.delivered = Some(call.delivering(arguments));
        }
        Ok(())
    }

    /// Looks for secrets where *secret* had no turn: the record of a denial says what else there was
    /// against the call, and shadow policies want to know.
    pub(super) fn look_for_the_record(&mut self, denied: bool, shadows: Option<&Shadows>) {
        let (policy, scanner, call) = (self.policy, self.scanner, self.call);
        let wanted =
            denied && policy.looks_for_secrets() || shadows.is_some_and(Shadows::look_for_secrets);
        if wanted && self.scan.is_none() {
            let look = || rules_that_found(&scanner.find_all(call.arguments()));
            self.scan = catch_unwind(AssertUnwindSafe(look)).ok();
        }
    }

    fn built_in(
        &mut self,
        id: &'static str,
        look: impl FnOnce() -> Result<Detail, (DenialReason, Detail)>,
    ) -> Result<(), DenialReason> {
        if self.is_off(id) {
            self.note(id, CheckOutcome::Disabled, None);
            return Ok(());
        }
        match catch_unwind(AssertUnwindSafe(look)) {
            Ok(Ok(detail)) => {
                self.note(id, CheckOutcome::Passed, detail);
                Ok(())
            }
            Ok(Err((reason, detail))) => {
                self.note(id, CheckOutcome::Denied, detail);
                Err(reason)
            }
            Err(_) => {
                self.note(id, CheckOutcome::Errored, Some("the check panicked".into()));
                Err(DenialReason::CheckFailed { check: id.into() })
            }
        }
    }

    /// Finds out whether the call repeats one whose permit is still open.
    async fn claim(&self) -> Passed {
        loop {
            match self.inner.repeats.claim(self.call, self.inner.clock.now()).await {
                None => return Passed::default(),
                Some(Claim::First(first)) => {
                    return Passed { first: Some(first), ..Passed::default() };
                }
                Some(Claim::Repeat(granted)) if self.is_open(granted.permit).await => {
                    return Passed { repeat: Some(granted), ..Passed::default() };
                }
                Some(Claim::Repeat(stale)) => self.inner.repeats.forget(stale.permit),
            }
        }
    }

    /// A log that cannot tell in time counts as no.
    async fn is_open(&self, permit: PermitId) -> bool {
        let state = within(self.policy.check_timeout(), self.inner.ledger.state(permit)).await;
        matches!(state, Some(Ok(PermitState::Open { .. })))
    }

    /// *rate*: tests the charges, and takes them too if nothing follows that could still deny.
    async fn rate(&mut self, passed: &Passed, take: bool) -> Result<(), DenialReason> {
        if self.is_off("rate") {
            self.note("rate", CheckOutcome::Disabled, None);
            return Ok(());
        }
        if passed.repeat.is_some() {
            let charges = self.policy.charges(self.call, &self.inner.hash_key);
            self.limits = self.remaining(&charges).await;
            self.note("rate", CheckOutcome::Passed, Some("a repeat is not charged".into()));
            return Ok(());
        }
        let result = match (passed.charges.is_empty(), take) {
            (true, _) => Ok(()),
            (false, true) => self.take(&passed.charges).await,
            (false, false) => {
                let tested = self.inner.rates.test(&passed.charges);
                let tested = within(self.policy.check_timeout(), tested).await;
                self.judge(tested, &passed.charges).await.map(|_: Option<()>| ())
            }
        };
        match result {
            Ok(()) => {
                self.note("rate", CheckOutcome::Passed, None);
                Ok(())
            }
            Err((outcome, reason)) => {
                self.note("rate", outcome, None);
                Err(reason)
            }
        }
    }

    async fn take(&mut self, charges: &[RateCharge]) -> Result<(), (CheckOutcome, DenialReason)> {
        let taken = within(self.policy.check_timeout(), self.inner.rates.take(charges)).await;
        if let Some(limits) = self.judge(taken, charges).await? {
            self.limits = limits;
        }
        Ok(())
    }

    /// Turns what the store said, if it said anything in time, into a verdict.
    async fn judge<T>(
        &mut self,
        said: Option<Result<Result<T, RateRefusal>, RateStoreError>>,
        charges: &[RateCharge],
    ) -> Result<Option<T>, (CheckOutcome, DenialReason)> {
        match said {
            Some(Ok(Ok(value))) => Ok(Some(value)),
            Some(Ok(Err(refusal))) => {
                self.limits = self.remaining(charges).await;
                Err((CheckOutcome::Denied, rate_reason(charges, &refusal)))
            }
            Some(Err(_)) | None => {
                self.inner.counters.rate_store_failures.fetch_add(1, Relaxed);
                Err((CheckOutcome::Errored, DenialReason::CheckFailed { check: "rate".into() }))
            }
        }
    }

    /// What is left; for information, so a store that cannot tell leaves it out.
    async fn remaining(&self, charges: &[RateCharge]) -> Vec<LimitState> {
        if charges.is_empty() {
            return Vec::new();
        }
        let asked = self.inner.rates.remaining(charges);
        let asked = within(self.policy.check_timeout(), asked).await;
        asked.and_then(Result::ok).unwrap_or_default()
    }

    /// Corrects the record of *rate*: the charges fitted when tested but not when taken.
    fn amend(&mut self, outcome: CheckOutcome, reason: DenialReason) -> DenialReason {
        if let Some(record) = self.records.iter_mut().find(|record| record.check == "rate") {
            record.outcome = outcome;
        }
        reason
    }

    async fn host_checks(&mut self) -> Result<(), DenialReason> {
        let inner = self.inner;
        for check in inner.checks.iter() {
            if self.is_off(check.id()) {
                self.note(check.id().to_owned(), CheckOutcome::Disabled, None);
            } else {
                self.host_check(check).await?;
            }
        }
        Ok(())
    }

    async fn host_check(&mut self, check: &Arc<dyn Check>) -> Result<(), DenialReason> {
        let call = self.delivered.as_ref().unwrap_or(self.call);
        let run = self.inner.checks.run(check, call, self.policy.check_timeout());
        let verdict = AssertUnwindSafe(run).catch_unwind().await;
        let id = check.id();
        match verdict.unwrap_or(Err(CheckTrouble::Panicked)) {
            Ok(CheckVerdict::Pass) => {
                self.note(id.to_owned(), CheckOutcome::Passed, None);
                Ok(())
            }
            Ok(CheckVerdict::Deny { detail }) => {
                let detail = record::text(self.scanner, &detail).into_owned();
                self.note(id.to_owned(), CheckOutcome::Denied, Some(detail.clone().into()));
                Err(DenialReason::Policy { id: id.into(), detail: detail.into() })
            }
            Err(trouble) => {
                self.inner.counters.check_failures.fetch_add(1, Relaxed);
                self.note(id.to_owned(), CheckOutcome::Errored, Some(trouble.as_str().into()));
                Err(DenialReason::CheckFailed { check: id.into() })
            }
        }
    }

    fn has_host_checks(&self) -> bool {
        self.inner.checks.iter().any(|check| !self.is_off(check.id()))
    }

    fn is_off(&self, id: &str) -> bool {
        !self.policy.enabled()
            || self.policy.disables_check(id)
            || (id == "secret" && !self.policy.looks_for_secrets())
    }

    fn note(&mut self, check: impl Into<Cow<'static, str>>, outcome: CheckOutcome, detail: Detail) {
        let now = self.inner.clock.monotonic();
        let took = now.saturating_sub(self.mark);
        self.mark = now;
        self.records.push(CheckRecord {
            check: check.into(),
            outcome,
            detail,
            duration_ns: nanos(took),
        });
    }
}

fn scope_reason(scanner: &Scanner, call: &ToolCall, denial: ScopeDenial) -> (DenialReason, Detail) {
    let tool: Arc<str> = record::text(scanner, call.tool().qualified()).into();
    let violation = |tool, required, agent| DenialReason::ScopeViolation { tool, required, agent };
    match denial {
        ScopeDenial::UnknownTool => (DenialReason::UnknownTool { tool }, None),
        ScopeDenial::UnknownAgent => (DenialReason::UnknownAgent, None),
        ScopeDenial::NotGranted(agent) => (violation(tool, Vec::new(), Some(agent)), None),
        ScopeDenial::Lacking(needs) => (violation(tool, needs, None), None),
        ScopeDenial::DeniedBy(rule) => {
            (violation(tool, Vec::new(), None), Some(format!("the rule `{rule}` denies").into()))
        }
    }
}

fn rate_reason(charges: &[RateCharge], refusal: &RateRefusal) -> DenialReason {
    match charges.get(refusal.charge) {
        Some(charge) => DenialReason::RateLimited {
            limit: charge.limit.clone(),
            window: charge.rate,
            retry_after: refusal.retry_after,
        },
        None => DenialReason::CheckFailed { check: "rate".into() },
    }
}

fn nanos(duration: Duration) -> u64 {
    let seconds = duration.as_secs().saturating_mul(1_000_000_000);
    seconds.saturating_add(u64::from(duration.subsec_nanos()))
}
