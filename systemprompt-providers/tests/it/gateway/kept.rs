//! Answers that are kept: who gets them, when, and under which policy.

use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Body;
use serde_json::{Value, json};
use systemprompt_core::decision::OutcomeStatus;
use systemprompt_core::event::AiRequestStatus;
use systemprompt_providers::budget::{BudgetDimension, BudgetRule};
use systemprompt_providers::scripted::{Script, Step, sse};

use super::house::{CALLER_KEY, House, OTHERS, Plan, Reply, request, request_with};
use super::scanner::{PLANTED, REDACTED};
use super::wire::{Call, FRONTS, Part, Text, Thought, UPSTREAMS, Wire};

const CACHE: &str = "x-systemprompt-cache";

async fn house(cache: &'static str) -> House {
    House::built(Plan { routes: cache, ..Plan::default() }).await
}

/// What a client reads of a reply.
fn read(front: Wire, reply: &Reply, stream: bool) -> super::wire::Got {
    assert_eq!(reply.status, 200, "{}", reply.text());
    if stream { front.read_stream(&reply.body) } else { front.read_whole(&reply.body) }
}

#[tokio::test]
async fn the_same_request_is_answered_again_without_its_provider() {
    let parts = [
        Thought("let me see"),
        Text("Hello, wörld 🌍"),
        Call("call_1", "allowed", r#"{"path":"/tmp/1"}"#),
    ];
    for front in FRONTS {
        for upstream in UPSTREAMS {
            for stream in [false, true] {
                let what = format!("{front:?}->{upstream:?} {stream}");
                let house = house("  cache: {}\n").await;
                house.says(upstream, &parts, stream);
                let model = format!("{upstream:?}-x").to_lowercase();
                let (first, asked) = house.got(front, &model, stream).await;
                assert_eq!(asked.header(CACHE), Some("miss"), "{what}");
                house.record(1).await;
                house.says(upstream, &[Text("something else")], stream);
                let (again, kept) = house.got(front, &model, stream).await;
                assert_eq!(kept.header(CACHE), Some("hit"), "{what}");
                assert_eq!(again, first, "{what}");
                if front == upstream {
                    assert_eq!(kept.body, asked.body, "{what}");
                }
                for header in ["content-type", "x-systemprompt-provider", "x-systemprompt-loss"] {
                    assert_eq!(kept.header(header), asked.header(header), "{what} {header}");
                }
                assert_eq!(house.upstream.requests(), 1, "{what}");

                let record = house.record(2).await;
                assert_eq!(record.status, AiRequestStatus::Success, "{what}");
                assert!(record.detail.cached && record.priced, "{what}");
                assert_eq!((record.tokens.input, record.tokens.output), (0, 0), "{what}");
                assert_eq!(record.cost_microdollars.get(), 0, "{what}");
                assert_eq!(record.detail.attempts, [""; 0], "{what}");
                assert_eq!(record.detail.byte_lane, front == upstream, "{what}");
                assert_eq!(record.provider, model[..1], "{what}");
                assert_eq!((record.streamed, record.detail.tool_calls_allowed), (stream, 1));
                assert!(
                    record.detail.stop_reason.is_some() && record.detail.request_sha256.is_some()
                );
                let first = &house.governor.records()[0];
                assert!(!first.detail.cached && first.tokens.input == 11, "{what}");

                let decided = house.governor.decided();
                let models = decided.iter().filter(|call| call.tool().starts_with("model:"));
                let outcomes: Vec<_> =
                    models.map(|call| call.outcome.as_ref().unwrap().status).collect();
                assert_eq!(outcomes, [OutcomeStatus::Success; 2], "{what}");
                assert_eq!(house.governor.tools().len(), 2, "the call is decided again: {what}");
                house.is_settled().await;
            }
        }
    }
}

/// The provider answers every request with a number of its own.
fn counts(house: &House, wire: Wire) {
    let asked = AtomicUsize::new(0);
    house.upstream.answer_with("POST", wire.path(), move |_| {
        let number = asked.fetch_add(1, Ordering::Relaxed);
        Script::json(wire.whole(&[Text("answer 000")]).replace("000", &number.to_string()))
    });
}

/// Asks with a key, and returns what the answer says.
async fn said(house: &House, key: &str, wire: Wire, body: &Value) -> String {
    let asked = request_with(key, wire).body(Body::from(body.to_string())).unwrap();
    read(wire, &house.send(asked).await, false).text
}

#[tokio::test]
async fn nobody_gets_what_was_kept_for_another() {
    let keys: Vec<&str> = [CALLER_KEY].into_iter().chain(OTHERS.map(|(key, _)| key)).collect();
    for (cache, shared) in [
        ("  cache: {}\n", [0, 1, 2, 3]),
        ("  cache: {share: principal}\n", [0, 1, 2, 3]),
        // Three of one tenant, and a user of the same name in another.
        ("  cache: {share: tenant}\n", [0, 0, 0, 1]),
    ] {
        for wire in FRONTS {
            let house = house(cache).await;
            counts(&house, wire);
            let model = format!("{wire:?}-x").to_lowercase();
            let mut body = wire.request(&model, false);
            for round in 0..3 {
                for (key, own) in keys.iter().zip(shared) {
                    // What a client says of its user makes it nobody else.
                    match wire {
                        Wire::A => body["metadata"] = json!({"user_id": format!("u{round}")}),
                        _ => body["user"] = json!(format!("u{round}")),
                    }
                    let text = said(&house, key, wire, &body).await;
                    assert_eq!(text, format!("answer {own}"), "{wire:?} {cache} {key} {round}");
                }
            }
            assert_eq!(house.upstream.requests(), shared.iter().max().unwrap() + 1);
        }
    }
}

#[tokio::test]
async fn whatever_changes_the_answer_makes_another_request() {
    let house = house("  cache: {share: tenant}\n").await;
    counts(&house, Wire::A);
    counts(&house, Wire::C);
    let plain = Wire::A.request("a-x", false);
    let with = |name: &str, value: Value| {
        let mut body = plain.clone();
        body[name] = value;
        body
    };
    let turns = json!([{"role": "user", "content": "hello  there"}]);
    let bodies = [
        plain.clone(),
        with("max_tokens", json!(101)),
        with("temperature", json!(0.5)),
        with("messages", turns),
        with("system", json!("be kind")),
        with("model", json!("a-y")),
        with("tools", json!([])),
        with("a_member_of_tomorrow", json!(1)),
    ];
    let mut texts = std::collections::BTreeSet::new();
    for _ in 0..2 {
        for body in &bodies {
            texts.insert(said(&house, CALLER_KEY, Wire::A, body).await);
        }
    }
    // What a header turns on, and what the query does.
    for (uri, beta) in [("/v1/messages", "x-2026"), ("/v1/messages?beta=true", "y")] {
        for _ in 0..2 {
            let asked = request(Wire::A).uri(uri).header("anthropic-beta", beta);
            let reply = house.send(asked.body(Body::from(plain.to_string())).unwrap()).await;
            texts.insert(read(Wire::A, &reply, false).text);
        }
    }
    assert_eq!(texts.len(), bodies.len() + 2);
    assert_eq!(house.upstream.requests(), bodies.len() + 2);
    // Neither the order of members nor the space between them does.
    let mut members = plain.as_object().unwrap().clone().into_iter().collect::<Vec<_>>();
    members.reverse();
    let turned: Vec<String> =
        members.iter().map(|(name, value)| format!("{}: {value}", json!(name))).collect();
    let asked = request(Wire::A).body(Body::from(format!("{{ {} }}", turned.join(" ,\n"))));
    let reply = house.send(asked.unwrap()).await;
    assert_eq!(reply.header(CACHE), Some("hit"), "{}", reply.text());
}

#[tokio::test]
async fn a_rule_that_was_added_later_counts_for_what_was_kept() {
    for front in FRONTS {
        for stream in [false, true] {
            let house = house("  cache: {share: tenant}\n").await;
            let parts = [Text("so be it"), Call("call_1", "allowed", r#"{"path":"/tmp/1"}"#)];
            house.says(front, &parts, stream);
            let model = format!("{front:?}-x").to_lowercase();
            let (got, _) = house.got(front, &model, stream).await;
            assert_eq!(got.calls.len(), 1);
            house.record(1).await;

            house.governor.deny("allowed");
            let (got, reply) = house.got(front, &model, stream).await;
            assert_eq!(reply.header(CACHE), Some("hit"));
            assert_eq!(got.calls, [], "{front:?} {stream}");
            assert!(got.text.contains("was denied by policy"), "{}", got.text);
            assert_eq!(house.record(2).await.detail.tool_calls_denied, 1);

            house.governor.deny(if front == Wire::A {
                "model:a-x"
            } else if front == Wire::C {
                "model:c-x"
            } else {
                "model:r-x"
            });
            let reply = house.ask(front, front.request(&model, stream)).await;
            assert_eq!(reply.status, 400, "{}", reply.text());
            assert!(!reply.text().contains("so be it"), "{}", reply.text());
            assert_eq!(reply.header(CACHE), None);
            assert_eq!(house.upstream.requests(), 1);
            house.is_settled().await;
        }
    }
}

#[tokio::test]
async fn a_secret_in_an_answer_is_redacted_each_time() {
    for front in FRONTS {
        for stream in [false, true] {
            let house = house("  cache: {}\n").await;
            house.says(front, &[Text("it is sk-PLANTED-0123456789, yes")], stream);
            let model = format!("{front:?}-x").to_lowercase();
            for number in 1..=3 {
                let (got, reply) = house.got(front, &model, stream).await;
                assert_eq!(got.text, format!("it is {REDACTED}, yes"), "{front:?} {number}");
                assert!(!reply.text().contains(PLANTED));
                assert_eq!(reply.header(CACHE), Some(if number == 1 { "miss" } else { "hit" }));
                house.record(number).await;
            }
        }
    }
}

#[tokio::test]
async fn what_is_not_whole_is_not_kept() {
    let text: &[Part] = &[Text("Hello, you")];
    let long: &str = Box::leak("x".repeat(2000).into_boxed_str());
    let whole = Wire::A.whole(text);
    let frames = Wire::A.stream(text);
    let denied = [Call("call_1", "danger_delete", "{}"), Call("call_2", "allowed", "{}")];
    let scripts = [
        ("cut by the limit", false, Script::json(whole.replace("end_turn", "max_tokens"))),
        ("declined", false, Script::json(whole.replace("end_turn", "refusal"))),
        ("paused", false, Script::json(whole.replace("end_turn", "pause_turn"))),
        ("ended for another reason", false, Script::json(whole.replace("end_turn", "odd"))),
        ("a call is denied", false, Script::json(Wire::A.whole(&denied))),
        ("a call is denied", true, sse(Wire::A.stream(&denied))),
        ("refused", false, Script::status(400)),
        ("failed", false, Script::status(500)),
        ("no answer", false, Script::json("{}")),
        ("broken off", false, Script::json(whole[..20].to_owned())),
        ("without its end", true, sse(&frames[..frames.len() - 1])),
        ("reset", true, sse(&frames[..4]).step(Step::Reset)),
        ("reset behind its end", true, sse(&frames).step(Step::Reset)),
        (
            "an error in the stream",
            true,
            sse(frames[..4].iter().map(String::as_str).chain([
                "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"x\"}}\n\n",
            ])),
        ),
        ("too long", false, Script::json(Wire::A.whole(&[Text(long)]))),
        ("too long", true, sse(Wire::A.stream(&[Text(long)]))),
    ];
    for (what, stream, script) in scripts {
        let house = house("  cache: {max_answer_bytes: 1024, max_bytes: 65536}\n").await;
        house.plays(Wire::A, script);
        house.ask(Wire::A, Wire::A.request("a-x", stream)).await;
        house.record(1).await;
        let reply = house.ask(Wire::A, Wire::A.request("a-x", stream)).await;
        assert_ne!(reply.header(CACHE), Some("hit"), "{what} {stream}");
        assert!(!house.record(2).await.detail.cached);
        assert_eq!(house.upstream.requests(), 2, "{what} {stream}");
        house.is_settled().await;
    }
}

#[tokio::test]
async fn what_a_fallback_answered_is_not_kept_for_another() {
    let house = house("  cache: {}\n").await;
    house.plays(Wire::A, Script::status(503));
    let answer = Script::json(Wire::A.whole(&[Text("from the second")]));
    house.second.always("POST", Wire::A.path(), answer);
    for _ in 0..2 {
        let (got, reply) = house.got(Wire::A, "next-a-x", false).await;
        assert_eq!(got.text, "from the second");
        assert_eq!(reply.header(CACHE), Some("miss"));
    }
    house.says(Wire::A, &[Text("from the first")], false);
    assert_eq!(house.got(Wire::A, "next-a-x", false).await.0.text, "from the first");
}

#[tokio::test]
async fn a_request_may_leave_the_cache_alone() {
    let house = house("  cache: {models: ['a-*']}\n").await;
    counts(&house, Wire::A);
    let body = Wire::A.request("a-x", false).to_string();
    let ask = async |control: &str| {
        let asked =
            request(Wire::A).header("cache-control", control).body(Body::from(body.clone()));
        let reply = house.send(asked.unwrap()).await;
        let cache = reply.header(CACHE).map(str::to_owned);
        (read(Wire::A, &reply, false).text, cache)
    };
    let hit = |text: &str| (text.to_owned(), Some("hit".to_owned()));
    let miss = |text: &str| (text.to_owned(), Some("miss".to_owned()));
    assert_eq!(ask("no-store").await, ("answer 0".to_owned(), None), "neither read");
    assert_eq!(ask("max-age=9").await, miss("answer 1"), "nor written");
    assert_eq!(ask("max-age=9").await, hit("answer 1"));
    assert_eq!(ask("no-store").await, ("answer 2".to_owned(), None));
    assert_eq!(ask("no-cache").await, miss("answer 3"), "not read");
    assert_eq!(ask("max-age=9").await, hit("answer 3"), "but written");

    // A model that is not named, one that is built in, and what depends on more than the request.
    house.says(Wire::C, &[Text("hi")], false);
    let mut searches = Wire::A.request("a-x", false);
    searches["tools"] = json!([{"type": "web_search_20250305", "name": "web_search"}]);
    let mut contained = Wire::A.request("a-x", false);
    contained["container"] = json!("c1");
    for (wire, body) in [
        (Wire::C, Wire::C.request("c-x", false)),
        (Wire::A, Wire::A.request("echo", false)),
        (Wire::A, searches),
        (Wire::A, contained),
    ] {
        for _ in 0..2 {
            let reply = house.ask(wire, &body).await;
            assert_eq!((reply.status.as_u16(), reply.header(CACHE)), (200, None), "{body}");
        }
    }
    let mut edits = Wire::A.request("a-x", false);
    edits["tools"] = json!([{"type": "bash_20250124", "name": "bash"}]);
    assert_eq!(house.ask(Wire::A, &edits).await.header(CACHE), Some("miss"), "the caller runs it");
}

#[tokio::test]
async fn nothing_is_kept_unless_it_is_configured() {
    let house = House::new().await;
    counts(&house, Wire::A);
    for number in 0..2 {
        let (got, reply) = house.got(Wire::A, "a-x", false).await;
        assert_eq!((got.text, reply.header(CACHE)), (format!("answer {number}"), None));
    }
}

#[tokio::test]
async fn what_was_kept_costs_no_budget() {
    let budgets = vec![BudgetRule {
        name: "few".to_owned(),
        key: vec![BudgetDimension::User],
        limit_microdollars: None,
        limit_tokens: Some(200),
        window_s: 31_000_000,
    }];
    let house = House::built(Plan { budgets, routes: "  cache: {}\n", ..Plan::default() }).await;
    house.says(Wire::A, &[Text("hi")], false);
    let first = Wire::A.request("a-x", false);
    assert_eq!(house.ask(Wire::A, &first).await.status, 200);
    let mut more = first.clone();
    more["max_tokens"] = json!(190);
    assert_eq!(house.ask(Wire::A, &more).await.status, 400, "the budget has no room for it");
    for _ in 0..20 {
        let reply = house.ask(Wire::A, &first).await;
        assert_eq!((reply.status.as_u16(), reply.header(CACHE)), (200, Some("hit")));
    }
    house.is_settled().await;
}
