use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use proptest::prelude::*;
use systemprompt_core::call::ToolCall;
use systemprompt_core::contract::{
    AuditError, AuditSink, Check, CheckFailure, CheckVerdict, RateCharge, RateRefusal, RateStore,
    RateStoreError,
};
use systemprompt_core::decision::{CheckOutcome, DenialReason, LimitState};
use systemprompt_core::event::AuditEvent;
use systemprompt_core::policy::{CheckPolicy, PolicyDocument};
use systemprompt_governance::BuildError;

use crate::house::{House, call, code, house_with, outcomes, starter, user, with_limit};

/// What a check of the tests does.
#[derive(Debug, Clone, Copy)]
enum Manner {
    Pass,
    Deny,
    Fail,
    Panic,
    Hang,
    Block,
}

struct Told {
    id: &'static str,
    manner: Manner,
    runs: Arc<AtomicUsize>,
}

#[async_trait::async_trait]
impl Check for Told {
    fn id(&self) -> &str {
        self.id
    }

    async fn check(&self, _: &ToolCall) -> Result<CheckVerdict, CheckFailure> {
        self.runs.fetch_add(1, Ordering::SeqCst);
        match self.manner {
            Manner::Pass => Ok(CheckVerdict::Pass),
            Manner::Deny => {
                Ok(CheckVerdict::Deny { detail: format!("not with AKIA{}", "Q3EGRPV7ZXKLMN2W") })
            }
            Manner::Fail => Err(CheckFailure("no idea".into())),
            Manner::Panic => panic!("told to"),
            Manner::Hang => std::future::pending().await,
            Manner::Block => {
                std::thread::sleep(Duration::from_millis(300));
                Ok(CheckVerdict::Pass)
            }
        }
    }
}

fn told(id: &'static str, manner: Manner) -> Arc<Told> {
    Arc::new(Told { id, manner, runs: Arc::default() })
}

fn patient(timeout_ms: u64, policy: PolicyDocument) -> PolicyDocument {
    PolicyDocument { checks: CheckPolicy { timeout_ms, disabled: Vec::new() }, ..policy }
}

fn house_of(policy: PolicyDocument, checks: Vec<Arc<Told>>) -> House {
    house_with(policy, |builder| {
        checks.into_iter().fold(builder, |builder, check| builder.check(check))
    })
}

#[tokio::test]
async fn host_checks_run_last_in_the_order_of_their_ids() {
    let house = house_of(starter(), vec![told("b", Manner::Deny), told("a", Manner::Pass)]);
    let decision = house.governor.evaluate(call(&user(), "Read").build()).await;
    let seen = outcomes(&decision);
    assert_eq!(seen[4], ("a".into(), CheckOutcome::Passed));
    assert_eq!(seen[5], ("b".into(), CheckOutcome::Denied));
    let Some(DenialReason::Policy { id, detail }) = decision.reason() else { panic!() };
    assert_eq!(&**id, "b");
    assert!(detail.contains("[redacted:") && !detail.contains("AKIA"), "{detail}");
    assert!(!house.log.text().contains("AKIAQ3"));
}

#[tokio::test]
async fn a_check_that_fails_panics_or_overruns_denies() {
    for manner in [Manner::Fail, Manner::Panic, Manner::Hang, Manner::Block] {
        let house = house_of(patient(50, starter()), vec![told("x", manner)]);
        let decision = house.governor.evaluate(call(&user(), "Read").build()).await;
        assert_eq!(code(&decision), "check_failed", "{manner:?}");
        assert_eq!(outcomes(&decision)[4], ("x".into(), CheckOutcome::Errored));
        assert_eq!(house.governor.stats().check_failures, 1);
        assert_eq!(house.log.decisions().len(), 1);
    }
}

#[tokio::test]
async fn a_check_that_blocks_its_thread_does_not_stall_others() {
    let house = Arc::new(house_of(patient(60_000, starter()), vec![told("x", Manner::Block)]));
    let blocked = tokio::spawn({
        let house = house.clone();
        async move { code(&house.governor.evaluate(call(&user(), "Read").build()).await) }
    });
    tokio::task::yield_now().await;
    // On this one-threaded runtime a check that ran in place would let nothing else run first.
    let other = code(&house.governor.evaluate(call(&user(), "delete_x").build()).await);
    assert_eq!(other, "blocked");
    assert!(!blocked.is_finished());
    assert_eq!(blocked.await.unwrap(), "allow");
}

#[tokio::test]
async fn calls_denied_by_a_host_check_are_not_charged() {
    let house = house_of(with_limit(1, 60, &[]), vec![told("x", Manner::Deny)]);
    for _ in 0..3 {
        let decision = house.governor.evaluate(call(&user(), "Read").build()).await;
        assert_eq!(code(&decision), "policy");
    }
}

#[tokio::test]
async fn a_check_runs_only_after_the_built_in_ones_and_not_when_disabled() {
    let check = told("x", Manner::Deny);
    let house = house_of(starter(), vec![check.clone()]);
    let decision = house.governor.evaluate(call(&user(), "delete_x").build()).await;
    assert_eq!(outcomes(&decision)[4], ("x".into(), CheckOutcome::Skipped));
    assert_eq!(check.runs.load(Ordering::SeqCst), 0);
    let mut policy = starter();
    policy.checks.disabled = vec!["x".into()];
    house.governor.reload(&policy).unwrap();
    let decision = house.governor.evaluate(call(&user(), "Read").build()).await;
    assert_eq!(outcomes(&decision)[4], ("x".into(), CheckOutcome::Disabled));
    assert_eq!(code(&decision), "allow");
}

#[tokio::test]
async fn ids_of_checks_are_unique() {
    for (checks, id) in [
        (vec![told("rate", Manner::Pass)], "rate"),
        (vec![told("x", Manner::Pass), told("x", Manner::Pass)], "x"),
        (vec![told("", Manner::Pass)], ""),
    ] {
        let builder = systemprompt_governance::Governor::builder().policy(starter());
        let built = checks.into_iter().fold(builder, |builder, check| builder.check(check)).build();
        assert!(matches!(built, Err(BuildError::CheckId { id: named, .. }) if named == id));
    }
}

#[test]
fn a_limit_that_is_used_up_meanwhile_denies_at_the_end() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let house = house_of(with_limit(1, 60, &[]), vec![told("x", Manner::Pass)]);
        let calls = (0..5).map(|_| house.governor.evaluate(call(&user(), "Read").build()));
        let decisions = futures_util::future::join_all(calls).await;
        let allowed = decisions.iter().filter(|decision| code(decision) == "allow").count();
        assert_eq!(allowed, 1);
        assert!(decisions.iter().all(|d| matches!(code(d), "allow" | "rate_limited")));
    });
}

/// A rate store that cannot be asked, or panics when it is.
struct BadStore {
    panics: bool,
}

impl BadStore {
    fn answer<T>(&self) -> Result<T, RateStoreError> {
        assert!(!self.panics, "told to");
        Err(RateStoreError("told to fail".into()))
    }
}

#[async_trait::async_trait]
impl RateStore for BadStore {
    async fn test(&self, _: &[RateCharge]) -> Result<Result<(), RateRefusal>, RateStoreError> {
        self.answer()
    }

    async fn take(
        &self,
        _: &[RateCharge],
    ) -> Result<Result<Vec<LimitState>, RateRefusal>, RateStoreError> {
        self.answer()
    }

    async fn give_back(&self, _: &[RateCharge], _: Duration) {}

    async fn remaining(&self, _: &[RateCharge]) -> Result<Vec<LimitState>, RateStoreError> {
        self.answer()
    }
}

#[tokio::test]
async fn a_rate_store_that_cannot_be_asked_denies() {
    for panics in [false, true] {
        let store = Arc::new(BadStore { panics });
        let house = house_with(with_limit(9, 60, &[]), |builder| builder.rate_store(store));
        let decision = house.governor.evaluate(call(&user(), "Read").build()).await;
        assert_eq!(code(&decision), "check_failed");
        assert_eq!(outcomes(&decision)[3], ("rate".into(), CheckOutcome::Errored));
        assert_eq!(house.governor.stats().rate_store_failures, 1);
        assert_eq!(house.log.decisions().len(), 1);
    }
}

/// A rate store that never answers.
struct SilentStore;

#[async_trait::async_trait]
impl RateStore for SilentStore {
    async fn test(&self, _: &[RateCharge]) -> Result<Result<(), RateRefusal>, RateStoreError> {
        std::future::pending().await
    }

    async fn take(
        &self,
        _: &[RateCharge],
    ) -> Result<Result<Vec<LimitState>, RateRefusal>, RateStoreError> {
        std::future::pending().await
    }

    async fn give_back(&self, _: &[RateCharge], _: Duration) {
        std::future::pending().await
    }

    async fn remaining(&self, _: &[RateCharge]) -> Result<Vec<LimitState>, RateStoreError> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_rate_store_that_never_answers_denies_and_lets_the_next_try() {
    let house = house_with(patient(20, with_limit(9, 60, &[])), |builder| {
        builder.rate_store(Arc::new(SilentStore))
    });
    for _ in 0..2 {
        let decision = house.governor.evaluate(call(&user(), "Read").id("c1").build()).await;
        assert_eq!(code(&decision), "check_failed");
        assert_eq!(outcomes(&decision)[3], ("rate".into(), CheckOutcome::Errored));
    }
    assert_eq!(house.governor.stats().rate_store_failures, 2);
}

/// An audit sink that panics.
struct BadSink;

#[async_trait::async_trait]
impl AuditSink for BadSink {
    async fn append(&self, _: AuditEvent) -> Result<(), AuditError> {
        panic!("told to")
    }
}

#[tokio::test]
async fn an_audit_sink_that_panics_denies() {
    let house = house_with(starter(), |builder| builder.audit(Arc::new(BadSink)));
    let decision = house.governor.evaluate(call(&user(), "Read").build()).await;
    assert_eq!(code(&decision), "audit_unavailable");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn adding_a_check_never_turns_a_deny_into_an_allow(
        before in proptest::collection::vec(0_usize..4, 0..3),
        added in 0_usize..4,
        tool in prop::sample::select(vec!["Read", "delete_x", "mcp__systemprompt__users"]),
    ) {
        const IDS: [&str; 4] = ["a", "b", "c", "d"];
        const MANNERS: [Manner; 4] = [Manner::Pass, Manner::Deny, Manner::Fail, Manner::Pass];
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let checks = |manners: &[usize]| -> Vec<Arc<Told>> {
            manners.iter().zip(IDS).map(|(manner, id)| told(id, MANNERS[*manner])).collect()
        };
        let decide = |checks| runtime.block_on(async {
            let house = house_of(starter(), checks);
            code(&house.governor.evaluate(call(&user(), tool).build()).await)
        });
        let without = decide(checks(&before));
        let mut more = before.clone();
        more.push(added);
        let with = decide(checks(&more));
        prop_assert!(without == "allow" || with != "allow", "{} became {}", without, with);
    }
}
