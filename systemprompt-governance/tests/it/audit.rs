use std::time::Duration;

use systemprompt_core::call::{CallContext, Door, MalformedCall};
use systemprompt_core::contract::{GrantedCall, RejectedCall};
use systemprompt_core::decision::{Decision, DenialReason, Outcome, OutcomeStatus};
use systemprompt_core::event::Verdict;
use systemprompt_core::id::CallId;

use crate::house::{call, code, house, starter, user};

fn token() -> String {
    format!("AKIA{}", "Q3EGRPV7ZXKLMN2W")
}

#[tokio::test]
async fn what_cannot_be_recorded_is_denied_and_recovers() {
    let house = house(starter());
    house.log.set_broken(true);
    for tool in ["Read", "delete_x"] {
        let decision = house.governor.evaluate(call(&user(), tool).build()).await;
        assert_eq!(code(&decision), "audit_unavailable");
    }
    house.log.set_broken(false);
    assert_eq!(code(&house.governor.evaluate(call(&user(), "Read").build()).await), "allow");
}

#[tokio::test]
async fn secrets_in_any_text_of_the_caller_are_redacted() {
    let house = house(starter());
    let secret = token();
    let call = call(&user(), "Read").session(&secret).agent("associate_agent").id(&secret).context(
        |context| {
            context.context = Some(secret.parse().unwrap());
            context.task = Some(format!("task-{secret}").parse().unwrap());
            context.plugin = Some(secret.parse().unwrap());
            context.user_agent = Some(format!("agent/1 {secret}").into());
        },
    );
    let decision = house.governor.evaluate(call.build()).await;
    assert_eq!(code(&decision), "allow");
    assert!(!house.log.text().contains(&secret), "{}", house.log.text());
    let events = house.log.events.lock();
    let context = &events[0].context;
    assert!(context.session.as_ref().unwrap().as_str().starts_with("[redacted:"));
    assert!(context.call_id.as_ref().unwrap().as_str().starts_with("[redacted:"));
    assert_eq!(context.agent.as_ref().unwrap().as_str(), "associate_agent");
}

#[tokio::test]
async fn a_tool_name_that_is_a_secret_is_redacted_in_row_and_reason() {
    let house = house(systemprompt_core::policy::PolicyDocument::default());
    let name: &'static str = Box::leak(token().into_boxed_str());
    let decision = house.governor.evaluate(call(&user(), name).build()).await;
    assert_eq!(code(&decision), "unknown_tool");
    assert!(!decision.reason().unwrap().to_string().contains(name));
    assert!(!house.log.text().contains(name));
}

#[tokio::test]
async fn rejected_calls_are_recorded_without_their_secrets() {
    let house = house(starter());
    let long = format!("{} {}", token(), "\u{e9}".repeat(400));
    let rejected = RejectedCall {
        principal: user(),
        door: Door::Api,
        context: CallContext::default(),
        tool: Some(long),
        reason: DenialReason::MalformedCall(MalformedCall::Envelope {
            detail: format!("unknown field `{}`", token()),
        }),
    };
    let decision = house.governor.reject(rejected).await;
    assert_eq!(code(&decision), "malformed_call");
    let rows = house.log.decisions();
    assert_eq!(rows[0].verdict, Verdict::Deny);
    assert_eq!(rows[0].reason_code, Some("malformed_call"));
    assert!(rows[0].tool.len() <= 255 && rows[0].tool.starts_with("[redacted:"));
    assert!(!house.log.text().contains(&token()));
    assert_eq!(decision.evaluation().checks.len(), 4);
}

#[tokio::test]
async fn outcomes_are_recorded_once_and_redacted() {
    let house = house(starter());
    let Decision::Allow(permit) = house.governor.evaluate(call(&user(), "Read").build()).await
    else {
        panic!()
    };
    let id = permit.id();
    let mut outcome = Outcome::new(OutcomeStatus::Failed, Duration::from_millis(3));
    outcome.error = Some(format!("denied for {}", token()));
    permit.settle(outcome.clone()).await.unwrap();
    assert!(!house.log.text().contains(&token()));
    let kept = house.log.outcomes.lock().get(&id).cloned().unwrap().unwrap();
    assert!(kept.error.unwrap().starts_with("denied for [redacted:"));
    assert!(house.governor.ledger().settle(id, &user(), outcome).await.is_err());
}

#[tokio::test]
async fn a_dropped_permit_is_abandoned_and_a_run_one_is_settled() {
    let house = house(starter());
    let permit = |decision: Decision| decision.permit().unwrap();
    let dropped = permit(house.governor.evaluate(call(&user(), "Read").build()).await);
    let id = dropped.id();
    drop(dropped);
    assert_eq!(house.log.outcomes.lock().get(&id), Some(&None));
    let run = permit(house.governor.evaluate(call(&user(), "Read").build()).await);
    let id = run.id();
    let answer = run
        .run(|injected| async move { Ok::<_, std::fmt::Error>(injected.arguments().raw().len()) });
    assert_eq!(answer.await.unwrap(), 22);
    let kept = house.log.outcomes.lock().get(&id).cloned().unwrap().unwrap();
    assert_eq!(kept.status, OutcomeStatus::Success);
}

#[tokio::test]
async fn permits_are_looked_for_by_their_redacted_call_ids() {
    let house = house(starter());
    let decision = house.governor.evaluate(call(&user(), "Read").id(&token()).build()).await;
    let permit = decision.permit().unwrap().into_ticket();
    let call_id = CallId::parse(&token()).unwrap();
    let wanted = GrantedCall { principal: &user(), session: None, call_id: &call_id };
    let found = house.governor.ledger().find(wanted).await.unwrap().unwrap();
    assert_eq!((found.id, &*found.tool), (permit.id, "Read"));
}

#[tokio::test]
async fn decisions_are_counted_by_door_and_reason() {
    let house = house(starter());
    for tool in ["Read", "Read", "delete_x"] {
        let _ = house.governor.evaluate(call(&user(), tool).build()).await;
    }
    let counts: Vec<_> = house
        .governor
        .stats()
        .decisions
        .into_iter()
        .map(|count| (count.door, count.reason, count.count))
        .collect();
    assert_eq!(counts, [(Door::Embedded, None, 2), (Door::Embedded, Some("blocked"), 1)]);
    assert_eq!(house.governor.stats().append.count, 3);
}
