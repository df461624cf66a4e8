//! What may be spent, and what is counted.

use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use systemprompt_core::contract::BudgetCap;
use systemprompt_core::event::AiRequestStatus;
use systemprompt_core::id::{TenantId, TokenId, UserId};
use systemprompt_providers::budget::{BudgetDimension, BudgetRule, BudgetRules, BudgetSubject};
use systemprompt_providers::scripted::{Script, Step, sse};
use tower::ServiceExt as _;

use super::house::{House, Plan, request};
use super::wire::{FRONTS, Text, Wire};

const CAP: u64 = 10_000;

fn rules(microdollars: u64) -> Vec<BudgetRule> {
    vec![BudgetRule {
        name: "cents".to_owned(),
        key: vec![BudgetDimension::User],
        limit_microdollars: Some(microdollars),
        limit_tokens: None,
        window_s: 31_000_000,
    }]
}

fn caps(rules: &[BudgetRule]) -> Vec<BudgetCap> {
    let (tenant, user) = (TenantId::parse("acme").unwrap(), UserId::parse("ann").unwrap());
    let key = TokenId::parse("key1").unwrap();
    let subject = BudgetSubject { tenant: &tenant, user: &user, key: &key, model: "claude-opus-5" };
    BudgetRules::compile(rules).unwrap().caps(&subject)
}

/// Microdollars that are spent or reserved.
async fn taken(house: &House, rules: &[BudgetRule]) -> u64 {
    let states = house.budgets.remaining(&caps(rules)).await.unwrap();
    states[0].microdollars.settled + states[0].microdollars.held
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_at_the_same_time_never_pass_the_cap() {
    for front in FRONTS {
        let rules = rules(CAP);
        let house = House::built(Plan { budgets: rules.clone(), ..Plan::default() }).await;
        let answer = Script::json(Wire::A.whole(&[Text("hi")]))
            .before(Step::Pause(Duration::from_millis(300)));
        house.plays(Wire::A, answer);
        let mut asked = front.request("claude-opus-5", false);
        asked[match front {
            Wire::A => "max_tokens",
            Wire::C => "max_completion_tokens",
            _ => "max_output_tokens",
        }] = 100.into();
        let asked = asked.to_string();
        let all = (0..50).map(|_| house.ask(front, &asked));
        let (replies, most) = tokio::join!(futures_util::future::join_all(all), async {
            let mut most = 0;
            for _ in 0..20 {
                most = most.max(taken(&house, &rules).await);
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            most
        });
        assert!(most > 0 && most <= CAP, "{most}");
        let (good, bad): (Vec<_>, Vec<_>) =
            replies.iter().partition(|reply| reply.status == StatusCode::OK);
        assert!(!good.is_empty() && !bad.is_empty(), "{} {}", good.len(), bad.len());
        for reply in bad {
            assert_eq!(reply.status, 400, "{}", reply.text());
            assert!(reply.text().contains("cents"), "{}", reply.text());
            let answer = reply.json();
            if front == Wire::A {
                assert_eq!(answer["error"]["type"], "invalid_request_error", "{answer}");
            } else {
                assert_eq!(answer["error"]["code"], "budget_exceeded", "{answer}");
            }
            assert!(reply.header("retry-after").is_some());
        }
        assert_eq!(house.upstream.requests(), good.len());
        house.gateway.settled().await;
        let records = house.governor.records();
        assert_eq!(records.len(), 50);
        let cost: i64 = records.iter().map(|record| record.cost_microdollars.get()).sum();
        assert_eq!(taken(&house, &rules).await, u64::try_from(cost).unwrap());
        for record in &records {
            let refused = record.error_code.as_deref() == Some("budget_exceeded");
            assert_eq!(refused, record.status != AiRequestStatus::Success);
            assert_eq!(refused, record.cost_microdollars.get() == 0);
        }
        house.is_settled().await;
    }
}

#[tokio::test]
async fn what_was_reserved_is_given_back_however_it_ends() {
    let rules = rules(1_000_000);
    let plan = Plan {
        budgets: rules.clone(),
        timeouts: "{connect_ms: 1000, first_byte_ms: 200, idle_ms: 200, total_ms: 3000}",
        ..Plan::default()
    };
    let house = House::built(plan).await;
    let frames = Wire::A.stream(&[Text("Hello, you")]);
    for (number, script) in (1..).zip([
        Script::status(503),
        Script::hang(),
        Script::reset(),
        sse(&frames[..4]).step(Step::Reset),
        sse(&frames),
    ]) {
        house.plays(Wire::A, script);
        house.ask(Wire::C, Wire::C.request("claude-opus-5", true)).await;
        house.record(number).await;
        let cost = |house: &House| -> i64 {
            house.governor.records().iter().map(|record| record.cost_microdollars.get()).sum()
        };
        assert_eq!(taken(&house, &rules).await, u64::try_from(cost(&house)).unwrap(), "{number}");
    }
    // A caller that leaves.
    for (number, script) in [(6, Script::hang()), (7, sse(&frames[..4]).step(Step::Hang))] {
        house.plays(Wire::A, script);
        let asked =
            request(Wire::A).body(Body::from(Wire::A.request("claude-opus-5", true).to_string()));
        let answer = house.router.clone().oneshot(asked.unwrap());
        drop(tokio::time::timeout(Duration::from_millis(80), answer).await);
        let record = house.record(number).await;
        assert_eq!(record.status, AiRequestStatus::Cancelled);
        let cost: i64 =
            house.governor.records().iter().map(|record| record.cost_microdollars.get()).sum();
        assert_eq!(taken(&house, &rules).await, u64::try_from(cost).unwrap(), "{number}");
    }
    house.is_settled().await;
}
