use std::time::Duration;

use systemprompt_audit::{AuditLog, AuditOptions, append_in};
use systemprompt_core::call::Door;
use systemprompt_core::contract::{
    AuditSink as _, GrantedCall, PermitLedger as _, PermitState, SettleError,
};
use systemprompt_core::event::{AuditBody, Verdict};
use systemprompt_core::id::{PermitId, SessionId};

use crate::fixture::{Fixture, LIFETIME, decision, on_both, principal, success};

const OUTCOMES: &str = "SELECT count(*) FROM audit_events WHERE kind = 'outcome'";

on_both! {
    #[tokio::test]
    a_permit_is_spent_once_by_its_user;
    #[tokio::test]
    of_many_outcomes_at_once_one_counts;
    #[tokio::test]
    the_table_itself_refuses_a_second_outcome;
    #[tokio::test]
    what_grants_nothing_cannot_be_settled;
    #[tokio::test]
    too_late_is_too_late_before_and_after_the_sweep;
    #[tokio::test]
    the_sweep_closes_what_a_crash_and_a_command_left;
    #[tokio::test]
    an_abandoned_permit_is_spent;
    #[tokio::test]
    open_permits_are_those_a_restart_must_know;
    #[tokio::test]
    a_permit_is_found_by_its_call;
}

async fn a_permit_is_spent_once_by_its_user(fixture: Fixture) {
    let log = fixture.log().await;
    let event = fixture.allow("ada");
    let permit = PermitId::from(event.id);
    assert_eq!(log.state(permit).await.unwrap(), PermitState::Unknown);
    log.append(event).await.unwrap();
    let expires_at = fixture.now().after(LIFETIME);
    assert_eq!(log.state(permit).await.unwrap(), PermitState::Open { expires_at });

    for stranger in [principal("acme", "eve"), principal("other", "ada")] {
        let refused = log.settle(permit, &stranger, success()).await;
        assert!(matches!(refused, Err(SettleError::Unknown)), "{refused:?}");
    }
    let never = log.settle(PermitId::generate(), &principal("acme", "ada"), success()).await;
    assert!(matches!(never, Err(SettleError::Unknown)), "{never:?}");
    assert_eq!(fixture.number(OUTCOMES).await, 0);

    log.settle(permit, &principal("acme", "ada"), success()).await.unwrap();
    assert_eq!(log.state(permit).await.unwrap(), PermitState::Settled);
    let again = log.settle(permit, &principal("acme", "ada"), success()).await;
    assert!(matches!(again, Err(SettleError::AlreadySettled)), "{again:?}");
    assert_eq!(fixture.number(OUTCOMES).await, 1);
}

async fn of_many_outcomes_at_once_one_counts(fixture: Fixture) {
    let log = fixture.log().await;
    let event = fixture.allow("ada");
    let permit = PermitId::from(event.id);
    log.append(event).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let log = log.clone();
        tasks.spawn(async move { log.settle(permit, &principal("acme", "ada"), success()).await });
    }
    let answers = tasks.join_all().await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    for refused in answers.into_iter().filter_map(Result::err) {
        assert!(matches!(refused, SettleError::AlreadySettled), "{refused}");
    }
    assert_eq!(fixture.number(OUTCOMES).await, 1);
}

async fn the_table_itself_refuses_a_second_outcome(fixture: Fixture) {
    let log = fixture.log().await;
    let event = fixture.allow("ada");
    let permit = PermitId::from(event.id);
    log.append(event).await.unwrap();
    log.settle(permit, &principal("acme", "ada"), success()).await.unwrap();
    let forge = fixture.either(
        "INSERT INTO audit_events (log_id, seq, id, kind, occurred_at, trace_id, permit_id, status, salt, leaf_hash)
         SELECT log_id, 3, randomblob(16), kind, occurred_at, trace_id, permit_id, status, salt, leaf_hash
         FROM audit_events WHERE kind = 'outcome'",
        "INSERT INTO audit_events (log_id, seq, id, kind, occurred_at, trace_id, permit_id, status, salt, leaf_hash)
         SELECT log_id, 3, uuid_send(gen_random_uuid()), kind, occurred_at, trace_id, permit_id, status, salt, leaf_hash
         FROM audit_events WHERE kind = 'outcome'",
    );
    assert!(fixture.execute(forge).await.is_err());
}

async fn what_grants_nothing_cannot_be_settled(fixture: Fixture) {
    let log = fixture.log().await;
    let ada = principal("acme", "ada");
    let denied = decision(&ada, fixture.now(), Verdict::Deny);
    let first = fixture.allow("ada");
    let mut repeat = fixture.allow("ada");
    if let AuditBody::Decision(body) = &mut repeat.body {
        body.permit = Some(first.id.into());
    }
    let (denied_id, first_id, repeat_id) = (denied.id, first.id, repeat.id);
    log.append_all(vec![denied, first, repeat]).await.unwrap();
    for id in [denied_id, repeat_id] {
        let refused = log.settle(id.into(), &ada, success()).await;
        assert!(matches!(refused, Err(SettleError::Unknown)), "{refused:?}");
    }
    log.settle(first_id.into(), &ada, success()).await.unwrap();
}

async fn too_late_is_too_late_before_and_after_the_sweep(fixture: Fixture) {
    let log = fixture.log().await;
    let ada = principal("acme", "ada");
    let (open, spent) = (fixture.allow("ada"), fixture.allow("ada"));
    let last = fixture.allow("ada");
    let last_id = PermitId::from(last.id);
    let (open_id, spent_id) = (PermitId::from(open.id), PermitId::from(spent.id));
    log.append_all(vec![open, spent, last]).await.unwrap();
    log.settle(spent_id, &ada, success()).await.unwrap();
    fixture.clock.advance(LIFETIME);
    assert_eq!(log.sweep().await.unwrap(), 0, "the last instant still counts");
    log.settle(last_id, &ada, success()).await.unwrap();
    fixture.clock.advance(Duration::from_micros(1));
    let late = log.settle(open_id, &ada, success()).await;
    assert!(matches!(late, Err(SettleError::Expired)), "{late:?}");
    assert_eq!(log.sweep().await.unwrap(), 1);
    assert_eq!(log.sweep().await.unwrap(), 0);
    let late = log.settle(open_id, &ada, success()).await;
    assert!(matches!(late, Err(SettleError::Expired)), "{late:?}");
    let again = log.settle(spent_id, &ada, success()).await;
    assert!(matches!(again, Err(SettleError::AlreadySettled)), "{again:?}");
    assert_eq!(log.stats().abandoned, 1);
    let abandoned = "SELECT count(*) FROM tool_executions WHERE status = 'abandoned'";
    assert_eq!(fixture.number(abandoned).await, 1);
}

async fn the_sweep_closes_what_a_crash_and_a_command_left(fixture: Fixture) {
    let log = fixture.log().await;
    log.append_all((0..2_500).map(|_| fixture.allow("ada")).collect()).await.unwrap();
    let origin = Some(log.origin().clone());
    drop(log);
    let log = loop {
        // The lease ends with the writer, which ends when its last handle is gone.
        match AuditLog::open(
            &fixture.pool,
            AuditOptions { origin: origin.clone(), ..fixture.options() },
        )
        .await
        {
            Ok(log) => break log,
            Err(_) => tokio::task::yield_now().await,
        }
    };
    let mut change = fixture.pool.begin_write().await.unwrap();
    append_in(&mut change, vec![fixture.allow("bob")]).await.unwrap();
    change.commit().await.unwrap();
    fixture.clock.advance(LIFETIME / 2);
    let young = fixture.allow("ada");
    log.append(young).await.unwrap();
    fixture.clock.advance(LIFETIME / 2 + Duration::from_secs(1));
    assert_eq!(log.sweep().await.unwrap(), 2_501);
    assert_eq!(
        fixture.number("SELECT swept_to FROM audit_logs WHERE origin LIKE 'server@%'").await,
        2_500
    );
    fixture.clock.advance(LIFETIME);
    assert_eq!(log.sweep().await.unwrap(), 1);
    assert_eq!(fixture.number(OUTCOMES).await, 2_502);
}

async fn an_abandoned_permit_is_spent(fixture: Fixture) {
    let log = fixture.log().await;
    let event = fixture.allow("ada");
    let permit = PermitId::from(event.id);
    log.append(event).await.unwrap();
    log.abandon(permit);
    let late = log.settle(permit, &principal("acme", "ada"), success()).await;
    assert!(matches!(late, Err(SettleError::AlreadySettled)), "{late:?}");
}

async fn open_permits_are_those_a_restart_must_know(fixture: Fixture) {
    let log = fixture.log().await;
    let ada = principal("acme", "ada");
    let events: Vec<_> = (0..4).map(|_| fixture.allow("ada")).collect();
    let ids: Vec<_> = events.iter().map(|event| PermitId::from(event.id)).collect();
    let call_id = events[3].context.call_id.clone();
    log.append_all(events).await.unwrap();
    log.append(decision(&ada, fixture.now(), Verdict::Deny)).await.unwrap();
    log.settle(ids[1], &ada, success()).await.unwrap();
    let open = log.open_permits(10).await.unwrap();
    let open_ids: Vec<_> = open.iter().map(|open| open.permit).collect();
    assert_eq!(open_ids, [ids[3], ids[2], ids[0]]);
    assert_eq!(Some(&open[0].call_id), call_id.as_ref());
    assert_eq!(open[0].expires_at, fixture.now().after(LIFETIME));
    assert_eq!((open[0].tenant.as_str(), open[0].user.as_str()), ("acme", "ada"));
    assert_eq!(log.open_permits(1).await.unwrap().len(), 1);
    fixture.clock.advance(LIFETIME * 2);
    assert!(log.open_permits(10).await.unwrap().is_empty());
}

async fn a_permit_is_found_by_its_call(fixture: Fixture) {
    let log = fixture.log().await;
    let ada = principal("acme", "ada");
    let (mut first, mut second) = (fixture.allow("ada"), fixture.allow("ada"));
    let call = "toolu_01".parse().unwrap();
    first.context.call_id = Some("toolu_01".parse().unwrap());
    second.context.call_id = first.context.call_id.clone();
    (first.context.door, second.context.door) = (Some(Door::Hook), Some(Door::Hook));
    second.occurred_at = fixture.now().after(Duration::from_secs(1));
    let newest = PermitId::from(second.id);
    let trace_id = second.trace_id;
    let AuditBody::Decision(body) = &second.body else { panic!("no decision") };
    let tool = body.tool.clone();
    log.append_all(vec![first, second]).await.unwrap();
    let session = SessionId::parse("session-1").unwrap();
    let wanted = GrantedCall { principal: &ada, session: Some(&session), call_id: &call };
    let found = log.find(wanted).await.unwrap().unwrap();
    assert_eq!((found.id, &*found.tool, found.trace_id), (newest, &*tool, trace_id));
    assert_eq!(log.find(GrantedCall { session: None, ..wanted }).await.unwrap(), None);
    let eve = principal("acme", "eve");
    assert_eq!(log.find(GrantedCall { principal: &eve, ..wanted }).await.unwrap(), None);
}
