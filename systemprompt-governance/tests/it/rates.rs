use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use systemprompt_core::decision::{CheckOutcome, DenialReason};
use systemprompt_core::policy::{LimitKey, PolicyDocument};

use crate::house::{call, code, house, limit, outcomes, principal, starter, user, with_limit};

const KEY: [LimitKey; 2] = [LimitKey::Session, LimitKey::User];

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_thousand_parallel_calls_exactly_the_limit_is_allowed() {
    let house = Arc::new(house(with_limit(100, 60, &KEY)));
    let calls = (0..1_000).map(|_| {
        let house = house.clone();
        tokio::spawn(async move {
            code(&house.governor.evaluate(call(&user(), "Read").session("s1").build()).await)
        })
    });
    let codes: Vec<_> = join_all(calls).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(codes.iter().filter(|code| **code == "allow").count(), 100);
    assert_eq!(codes.iter().filter(|code| **code == "rate_limited").count(), 900);
    for other in [call(&user(), "Read").session("s2"), call(&user(), "Read")] {
        assert_eq!(code(&house.governor.evaluate(other.build()).await), "allow");
    }
}

#[tokio::test]
async fn retry_after_is_the_moment_the_call_fits() {
    let house = house(with_limit(3, 60, &KEY));
    let evaluate = || house.governor.evaluate(call(&user(), "Read").session("s").build());
    for _ in 0..3 {
        assert_eq!(code(&evaluate().await), "allow");
    }
    let denied = evaluate().await;
    let Some(DenialReason::RateLimited { retry_after, .. }) = denied.reason() else {
        panic!("{denied:?}")
    };
    assert_eq!(*retry_after, Duration::from_secs(20));
    assert_eq!(denied.evaluation().limits[0].remaining, 0);
    house.clock.advance(*retry_after - Duration::from_nanos(1));
    assert_eq!(code(&evaluate().await), "rate_limited");
    house.clock.advance(Duration::from_nanos(1));
    assert_eq!(code(&evaluate().await), "allow");
}

#[tokio::test]
async fn steps_of_the_wall_clock_do_no_harm() {
    let house = house(with_limit(2, 60, &KEY));
    let evaluate = || house.governor.evaluate(call(&user(), "Read").build());
    assert_eq!(code(&evaluate().await), "allow");
    house.clock.step_wall(-3_600_000_000);
    assert_eq!(code(&evaluate().await), "allow");
    house.clock.step_wall(7_200_000_000);
    assert_eq!(code(&evaluate().await), "rate_limited");
    house.clock.advance(Duration::from_secs(30));
    assert_eq!(code(&evaluate().await), "allow");
}

#[tokio::test]
async fn a_call_denied_by_one_limit_charges_none() {
    let limits =
        vec![limit("wide", 10, 60, &[LimitKey::User]), limit("narrow", 1, 60, &[LimitKey::Tool])];
    let house = house(PolicyDocument { limits, ..starter() });
    let evaluate = |tool| house.governor.evaluate(call(&user(), tool).build());
    assert_eq!(code(&evaluate("Read").await), "allow");
    for _ in 0..20 {
        assert_eq!(code(&evaluate("Read").await), "rate_limited");
        assert_eq!(code(&evaluate("delete_x").await), "blocked");
    }
    let decision = evaluate("Write").await;
    assert_eq!(code(&decision), "allow");
    assert_eq!(decision.evaluation().limits[0].remaining, 8);
    let names: Vec<&str> = decision.evaluation().limits.iter().map(|limit| &*limit.name).collect();
    assert_eq!(names, ["wide", "narrow"]);
}

#[tokio::test]
async fn what_is_used_up_stays_used_up_over_a_reload() {
    let policy = with_limit(2, 60, &KEY);
    let house = house(policy.clone());
    for _ in 0..2 {
        assert_eq!(code(&house.governor.evaluate(call(&user(), "Read").build()).await), "allow");
    }
    house.governor.reload(&PolicyDocument { permit_lifetime_s: 60, ..policy }).unwrap();
    let decision = house.governor.evaluate(call(&user(), "Read").build()).await;
    assert_eq!(code(&decision), "rate_limited");
    assert_eq!(outcomes(&decision)[3].1, CheckOutcome::Denied);
}

#[tokio::test]
async fn a_call_that_cannot_be_recorded_is_given_back() {
    let house = house(with_limit(1, 60, &KEY));
    house.log.set_broken(true);
    for _ in 0..3 {
        let decision = house.governor.evaluate(call(&user(), "Read").build()).await;
        assert_eq!(code(&decision), "audit_unavailable");
    }
    house.log.set_broken(false);
    assert_eq!(code(&house.governor.evaluate(call(&user(), "Read").build()).await), "allow");
    assert_eq!(code(&house.governor.evaluate(call(&user(), "Read").build()).await), "rate_limited");
    assert_eq!(house.governor.stats().audit_failures, 3);
}

#[tokio::test]
async fn users_do_not_share_a_bucket_and_missing_parts_are_one_of_their_own() {
    let house = house(with_limit(1, 60, &[LimitKey::User, LimitKey::Agent]));
    let evaluate = |call: crate::house::Call| house.governor.evaluate(call.build());
    let other = principal("other", &["tools:use"]);
    assert_eq!(code(&evaluate(call(&user(), "Read")).await), "allow");
    assert_eq!(code(&evaluate(call(&other, "Read")).await), "allow");
    assert_eq!(code(&evaluate(call(&user(), "Read").agent("associate_agent")).await), "allow");
    assert_eq!(code(&evaluate(call(&user(), "Read")).await), "rate_limited");
}

#[tokio::test]
async fn governors_with_one_store_and_one_key_share_their_limits() {
    let store = Arc::new(systemprompt_governance::MemoryRateStore::new(
        systemprompt_core::clock::SystemClock::shared(),
    ));
    let replica = || {
        crate::house::house_with(with_limit(1, 3_600, &[]), |builder| {
            builder.rate_store(store.clone())
        })
    };
    let (one, other) = (replica(), replica());
    assert_eq!(code(&one.governor.evaluate(call(&user(), "Read").build()).await), "allow");
    assert_eq!(code(&other.governor.evaluate(call(&user(), "Read").build()).await), "rate_limited");
}
