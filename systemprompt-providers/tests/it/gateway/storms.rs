//! Many requests to a provider that fails, and what is left of them: no task, no connection, nothing reserved.

use std::time::Duration;

use futures_util::future::join_all;
use systemprompt_core::event::AiRequestStatus;
use systemprompt_core::id::{TenantId, TokenId, UserId};
use systemprompt_providers::budget::{BudgetDimension, BudgetRule, BudgetRules, BudgetSubject};
use systemprompt_providers::scripted::{Script, Step, sse};

use super::faults::{SHORT, is_refusal, model, pairs, tasks_are};
use super::house::{House, Plan};
use super::wire::{FRONTS, Text, Wire};

/// Requests at the same time.
const MANY: usize = 48;

fn alive() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}

fn budget() -> Vec<BudgetRule> {
    vec![BudgetRule {
        name: "cents".to_owned(),
        key: vec![BudgetDimension::User],
        limit_microdollars: Some(1_000_000_000),
        limit_tokens: None,
        window_s: 31_000_000,
    }]
}

/// What is reserved still, in microdollars, and what was spent.
async fn held(house: &House) -> (u64, u64) {
    let (tenant, user) = (TenantId::parse("acme").unwrap(), UserId::parse("ann").unwrap());
    let key = TokenId::parse("key1").unwrap();
    let subject = BudgetSubject { tenant: &tenant, user: &user, key: &key, model: "claude-opus-5" };
    let caps = BudgetRules::compile(&budget()).unwrap().caps(&subject);
    let state = house.budgets.remaining(&caps).await.unwrap().remove(0);
    (state.microdollars.held, state.microdollars.settled)
}

#[tokio::test]
async fn a_storm_of_refusals_leaves_nothing_behind() {
    for front in FRONTS {
        for stream in [false, true] {
            let before = alive();
            let house = House::built(Plan { budgets: budget(), ..Plan::default() }).await;
            let asked = front.request("claude-opus-5", stream);
            let mut number = 0;
            for status in [429, 529] {
                let kind = if status == 429 { "rate_limit_error" } else { "overloaded_error" };
                let script = Script::status(status).header("retry-after", "3").bytes(format!(
                    r#"{{"type":"error","error":{{"type":"{kind}","message":"Busy"}}}}"#
                ));
                house.plays(Wire::A, script);
                let replies = join_all((0..MANY).map(|_| house.ask(front, &asked))).await;
                for reply in replies {
                    let what = format!("{front:?} {stream} {status} {}", reply.text());
                    let told = if status == 529 && front != Wire::A { 503 } else { status };
                    assert_eq!(reply.status.as_u16(), told, "{what}");
                    is_refusal(&what, front, &reply.json());
                    assert_eq!(reply.header("retry-after"), Some("3"), "{what}");
                }
                number += MANY;
                let record = house.record(number).await;
                assert_eq!(record.status, AiRequestStatus::Failed);
                assert_eq!(held(&house).await, (0, 0));
            }
            assert!(house.upstream.open() <= MANY, "{} connections", house.upstream.open());
            // It is well again.
            house.says(Wire::A, &[Text("Hello")], stream);
            let (got, _) = house.got(front, "claude-opus-5", stream).await;
            assert_eq!(got.text, "Hello");
            let cost = house.record(number + 1).await.cost_microdollars.get();
            assert_eq!(held(&house).await, (0, u64::try_from(cost).unwrap()));
            house.is_settled().await;
            drop(house);
            tasks_are(before).await;
        }
    }
}

#[tokio::test]
async fn a_storm_of_faults_leaves_nothing_behind() {
    let frames = Wire::A.stream(&[Text("Hello, you")]);
    let (whole, cut) = (Wire::A.whole(&[Text("Hello")]), frames[..5].concat());
    for front in FRONTS {
        let before = alive();
        let plan = Plan { budgets: budget(), timeouts: SHORT, ..Plan::default() };
        let house = House::built(plan).await;
        let faults = [
            (false, Script::reset()),
            (true, Script::reset()),
            (false, Script::hang()),
            (true, Script::hang()),
            (false, Script::json(whole[..whole.len() / 2].to_owned())),
            (false, Script::bad_gzip(whole.as_bytes())),
            (true, Script::bad_gzip(frames.concat().as_bytes())),
            (false, Script::drip(whole.clone())),
            (true, Script::drip(frames.concat())),
            (true, sse([&cut]).step(Step::Reset)),
            (true, sse([&cut]).step(Step::Hang)),
            (true, sse([&cut])),
            (false, Script::status(500)),
            (true, Script::status(503)),
        ];
        for (number, (stream, script)) in faults.into_iter().enumerate() {
            let what = format!("{front:?} {number}");
            house.plays(Wire::A, script);
            let asked = front.request("claude-opus-5", stream);
            for reply in join_all((0..6).map(|_| house.ask(front, &asked))).await {
                if reply.status == 200 {
                    front.check(&reply.body, false);
                    assert!(front.read_stream(&reply.body).error.is_some(), "{what}");
                } else {
                    assert!(reply.status.is_server_error(), "{what} {}", reply.status);
                    is_refusal(&what, front, &reply.json());
                }
            }
            let record = house.record((number + 1) * 6).await;
            assert_ne!(record.status, AiRequestStatus::Success, "{what}");
            let cost: i64 =
                house.governor.records().iter().map(|it| it.cost_microdollars.get()).sum();
            assert_eq!(held(&house).await, (0, u64::try_from(cost).unwrap()), "{what}");
        }
        // Those that ended well may be asked over again, and no other is kept.
        let few = house.upstream.wait_until(Duration::from_secs(5), |up| up.open() <= 6).await;
        assert!(few, "{} connections", house.upstream.open());
        house.is_settled().await;
        drop(house);
        tasks_are(before).await;
    }
}

#[tokio::test]
async fn bytes_that_are_no_text_end_a_stream() {
    for (front, upstream) in pairs() {
        let house = House::new().await;
        let mut bytes = upstream.stream(&[Text("Hello, you")]).concat().into_bytes();
        let at = bytes.windows(3).position(|word| word == b"lo,").unwrap();
        bytes[at + 1] = 0xff;
        house.plays(upstream, sse([bytes]));
        let reply = house.ask(front, front.request(&model(upstream), true)).await;
        let what = format!("{front:?}->{upstream:?} {}", reply.text());
        front.check(&reply.body, false);
        assert!(front.read_stream(&reply.body).error.is_some(), "{what}");
        assert!(std::str::from_utf8(&reply.body).is_ok(), "{what}");
        let record = house.record(1).await;
        assert_eq!(record.status, AiRequestStatus::Failed, "{what}");
        house.is_settled().await;
    }
}

/// A provider that is never silent, and never ends.
#[tokio::test]
async fn a_stream_of_one_byte_a_second_is_ended() {
    let timeouts = "{connect_ms: 1000, first_byte_ms: 1500, idle_ms: 1500, total_ms: 2500}";
    let asked = FRONTS.map(|front| async move {
        let house = House::built(Plan { timeouts, ..Plan::default() }).await;
        let frames = front.stream(&[Text("Hello, you")]);
        let script = sse(&frames[..4]).step(Step::Slices {
            bytes: frames[4..].concat().into(),
            size: 1,
            pause: Duration::from_secs(1),
        });
        house.plays(front, script);
        let reply = house.ask(front, front.request(&model(front), true)).await;
        assert_eq!(reply.status, 200);
        front.check(&reply.body, false);
        assert!(front.read_stream(&reply.body).error.is_some(), "{}", reply.text());
        assert_eq!(house.record(1).await.status, AiRequestStatus::Timeout, "{front:?}");
        let gone = house.upstream.wait_until(Duration::from_secs(5), |up| up.open() == 0).await;
        assert!(gone, "the connection is still open");
        house.is_settled().await;
    });
    join_all(asked).await;
}
