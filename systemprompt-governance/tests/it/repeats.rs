use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use systemprompt_core::contract::SettleError;
use systemprompt_core::decision::{
    Decision, Outcome, OutcomeStatus, Permit, PermitTicket, RunError,
};
use systemprompt_core::id::PermitId;
use systemprompt_governance::OpenPermit;

use crate::house::{Call, House, call, code, house, principal, user, with_limit};

fn named(id: &str) -> Call {
    call(&user(), "Read").session("s").id(id)
}

async fn ticket(house: &House, call: Call) -> PermitTicket {
    match house.governor.evaluate(call.build()).await {
        Decision::Allow(permit) => permit.into_ticket(),
        other => panic!("{}", code(&other)),
    }
}

fn success() -> Outcome {
    Outcome::new(OutcomeStatus::Success, Duration::from_millis(1))
}

#[tokio::test]
async fn a_repeat_gets_the_same_permit_and_is_not_charged() {
    let house = house(with_limit(2, 3_600, &[]));
    let first = ticket(&house, named("c1")).await;
    for _ in 0..5 {
        assert_eq!(ticket(&house, named("c1")).await, first);
    }
    let rows = house.log.decisions();
    assert_eq!(rows.len(), 6, "every repeat has its own row");
    assert!(rows.iter().all(|row| row.permit == Some(first.id)));
    assert_ne!(ticket(&house, named("c2")).await.id, first.id);
    assert_eq!(code(&house.governor.evaluate(named("c3").build()).await), "rate_limited");
    assert_eq!(house.governor.stats().repeats, 5);
}

#[tokio::test]
async fn another_digest_session_or_principal_is_another_call() {
    let house = house(with_limit(100, 3_600, &[]));
    let first = ticket(&house, named("c1")).await.id;
    let other = principal("other", &["tools:use"]);
    for different in [
        named("c1").arguments("{\"path\":\"other\"}"),
        named("c1").session("t"),
        call(&other, "Read").session("s").id("c1"),
        call(&user(), "Write").session("s").id("c1"),
        call(&user(), "Read").session("s"),
    ] {
        assert_ne!(ticket(&house, different).await.id, first);
    }
}

async fn permit(house: &House, call: Call) -> Permit {
    house.governor.evaluate(call.build()).await.permit().unwrap()
}

#[tokio::test]
async fn of_a_permit_and_its_repeats_one_runs() {
    let house = house(with_limit(1, 3_600, &[]));
    let first = permit(&house, named("c1")).await;
    let (second, third) = (permit(&house, named("c1")).await, permit(&house, named("c1")).await);
    let outcome = third.run(|_| async {
        let again = second.run(|_| async { Ok::<_, Infallible>(()) }).await;
        assert!(matches!(again, Err(RunError::AlreadySpent)));
        let again = first.settle(success()).await;
        assert!(matches!(again, Err(SettleError::AlreadySettled)));
        Ok::<_, Infallible>(house.log.outcomes.lock().len())
    });
    assert_eq!(outcome.await.unwrap(), 0);
    assert!(house.log.outcomes.lock().values().all(Option::is_some));
}

#[tokio::test]
async fn a_dropped_repeat_leaves_the_first_alone() {
    let house = house(with_limit(1, 3_600, &[]));
    let first = permit(&house, named("c1")).await;
    drop(permit(&house, named("c1")).await);
    assert!(house.log.outcomes.lock().is_empty());
    first.run(|_| async { Ok::<_, Infallible>(()) }).await.unwrap();
    assert_eq!(house.log.outcomes.lock().len(), 1);
}

#[tokio::test]
async fn the_last_permit_that_is_dropped_is_abandoned() {
    let house = house(with_limit(1, 3_600, &[]));
    let (first, second) = (permit(&house, named("c1")).await, permit(&house, named("c1")).await);
    let id = first.id();
    drop(first);
    assert!(house.log.outcomes.lock().is_empty());
    drop(second);
    assert_eq!(house.log.outcomes.lock().get(&id), Some(&None));
}

#[tokio::test]
async fn a_permit_that_was_handed_out_is_not_abandoned_by_another() {
    let house = house(with_limit(1, 3_600, &[]));
    let (first, second) = (permit(&house, named("c1")).await, permit(&house, named("c1")).await);
    let id = second.into_ticket().id;
    drop(first);
    assert!(house.log.outcomes.lock().is_empty());
    house.governor.ledger().settle(id, &user(), success()).await.unwrap();
}

#[tokio::test]
async fn a_spent_permit_is_not_handed_out_again() {
    let house = house(with_limit(4, 3_600, &[]));
    let first = ticket(&house, named("c1")).await.id;
    let ledger = house.governor.ledger();
    ledger.settle(first, &user(), success()).await.unwrap();
    let second = ticket(&house, named("c1")).await.id;
    assert_ne!(second, first);
    ledger.abandon(second);
    let third = ticket(&house, named("c1")).await.id;
    assert_ne!(third, second);
    house.clock.advance(Duration::from_secs(901));
    assert_ne!(ticket(&house, named("c1")).await.id, third, "expired");
}

#[tokio::test]
async fn a_permit_that_another_replica_saw_spent_is_not_handed_out() {
    let house = house(with_limit(100, 3_600, &[]));
    let first = ticket(&house, named("c1")).await.id;
    house.log.outcomes.lock().insert(first, Some(success()));
    assert_ne!(ticket(&house, named("c1")).await.id, first);
}

#[tokio::test]
async fn repeats_pass_the_checks_of_the_policy_in_force() {
    let policy = with_limit(100, 3_600, &[]);
    let house = house(policy.clone());
    ticket(&house, named("c1")).await;
    house
        .governor
        .reload(&systemprompt_core::policy::PolicyDocument { rules: Vec::new(), ..policy })
        .unwrap();
    assert_eq!(code(&house.governor.evaluate(named("c1").build()).await), "unknown_tool");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_repeats_are_one_call() {
    let house = Arc::new(house(with_limit(1, 3_600, &[])));
    let held = house.log.gate.acquire().await.unwrap();
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let house = house.clone();
            tokio::spawn(async move { ticket(&house, named("c1")).await })
        })
        .collect();
    tokio::task::yield_now().await;
    drop(held);
    let tickets: Vec<_> = join_all(calls).await.into_iter().map(Result::unwrap).collect();
    assert!(tickets.iter().all(|ticket| *ticket == tickets[0]));
    assert_eq!(house.log.decisions().len(), 50);
}

#[tokio::test]
async fn when_the_first_is_not_recorded_the_next_is_the_first() {
    let house = house(with_limit(1, 3_600, &[]));
    house.log.set_broken(true);
    let calls = (0..3).map(|_| house.governor.evaluate(named("c1").build()));
    let codes: Vec<_> = join_all(calls).await.iter().map(code).collect();
    assert_eq!(codes, ["audit_unavailable"; 3]);
    house.log.set_broken(false);
    let first = ticket(&house, named("c1")).await;
    assert_eq!(ticket(&house, named("c1")).await, first);
}

#[tokio::test]
async fn a_call_that_hung_up_while_it_was_recorded_can_be_repeated() {
    let house = Arc::new(house(with_limit(1, 3_600, &[])));
    let held = house.log.gate.acquire().await.unwrap();
    let hung_up = tokio::spawn({
        let house = house.clone();
        async move { ticket(&house, named("c1")).await }
    });
    tokio::task::yield_now().await;
    hung_up.abort();
    assert!(hung_up.await.unwrap_err().is_cancelled());
    drop(held);
    let decision = house.governor.evaluate(named("c1").build()).await;
    assert_eq!(code(&decision), "rate_limited", "its row never came to be, its charge stays");
}

#[tokio::test]
async fn permits_of_an_earlier_run_are_found_again() {
    let house = house(with_limit(1, 3_600, &[]));
    let first = ticket(&house, named("c1")).await;
    let open = {
        let events = house.log.events.lock();
        let body = house.log_body(&events[0]);
        let subject = events[0].subject.clone().unwrap();
        OpenPermit {
            permit: PermitId::from(events[0].id),
            expires_at: first.expires_at,
            tenant: subject.tenant,
            user: subject.user,
            credential: subject.credential.unwrap(),
            session: events[0].context.session.clone(),
            call_id: events[0].context.call_id.clone().unwrap(),
            call_digest: body.call_digest.unwrap(),
        }
    };
    let log = house.log.clone();
    let restarted = crate::house::house_with(with_limit(1, 3_600, &[]), |builder| {
        builder.audit(log.clone()).ledger(log.clone()).clock(house.clock.clone())
    });
    restarted.governor.remember([open]);
    assert_eq!(ticket(&restarted, named("c1")).await, first);
}

impl House {
    fn log_body<'e>(
        &self,
        event: &'e systemprompt_core::event::AuditEvent,
    ) -> &'e systemprompt_core::event::DecisionBody {
        match &event.body {
            systemprompt_core::event::AuditBody::Decision(body) => body,
            other => panic!("{other:?}"),
        }
    }
}
