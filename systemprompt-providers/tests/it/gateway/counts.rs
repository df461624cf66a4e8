//! How many tokens a request has.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use systemprompt_core::decision::OutcomeStatus;
use systemprompt_providers::budget::{BudgetDimension, BudgetRule};
use systemprompt_providers::scripted::Script;

use super::house::{CALLER_KEY, House, PROVIDER_KEY, Plan, Reply};
use super::scanner::{CANARY, PLANTED, REDACTED};
use super::wire::{UPSTREAMS, Wire};

/// What callers can ask it in.
const FRONTS: [Wire; 2] = [Wire::A, Wire::R];

/// Where it is asked, of callers and of providers.
fn path(wire: Wire) -> &'static str {
    match wire {
        Wire::A => "/v1/messages/count_tokens",
        Wire::R => "/v1/responses/input_tokens",
        Wire::G => "/v1beta/models/up-g:countTokens",
        Wire::C => "/v1/chat/completions",
    }
}

/// The model that a provider of this wire is asked for.
fn model(wire: Wire) -> String {
    format!("{wire:?}-x").to_lowercase()
}

/// A provider's answer.
fn counted(wire: Wire, tokens: u64) -> Script {
    Script::json(match wire {
        Wire::G => json!({ "totalTokens": tokens }).to_string(),
        Wire::A => json!({ "input_tokens": tokens, "new": 1 }).to_string(),
        _ => json!({ "object": "response.input_tokens", "input_tokens": tokens }).to_string(),
    })
}

fn question(front: Wire, model: &str, text: &str) -> Value {
    let turn = json!([{ "role": "user", "content": text }]);
    let tool = json!({ "type": "object" });
    match front {
        Wire::A => {
            json!({ "model": model, "messages": turn, "tools": [{ "name": "f", "input_schema": tool }] })
        }
        _ => {
            json!({ "model": model, "input": turn, "tools": [{ "type": "function", "name": "f", "parameters": tool }] })
        }
    }
}

async fn ask(house: &House, front: Wire, body: &str) -> Reply {
    let request = Request::builder().method("POST").uri(path(front));
    let request = request.header("x-api-key", CALLER_KEY).header("anthropic-beta", "b1");
    house.send(request.body(Body::from(body.to_owned())).unwrap()).await
}

#[track_caller]
fn tokens(reply: &Reply) -> u64 {
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()["input_tokens"].as_u64().unwrap()
}

#[tokio::test]
async fn the_provider_counts_where_it_can() {
    let house = House::new().await;
    for upstream in UPSTREAMS {
        if upstream != Wire::C {
            house.upstream.always("POST", path(upstream), counted(upstream, 4_711));
        }
    }
    let mut asked = 0;
    for front in FRONTS {
        for upstream in UPSTREAMS {
            let body = question(front, &model(upstream), "hello there").to_string();
            let reply = ask(&house, front, &body).await;
            let object = (front == Wire::R).then_some("response.input_tokens");
            assert_eq!(reply.json()["object"].as_str(), object);
            let id = if front == Wire::A { "request-id" } else { "x-request-id" };
            assert!(reply.header(id).is_some());
            if upstream == Wire::C {
                assert!((1..4_711).contains(&tokens(&reply)), "{}", reply.text());
                assert_eq!(reply.header("x-systemprompt-usage"), Some("estimated"));
                continue;
            }
            asked += 1;
            assert_eq!(tokens(&reply), 4_711, "{front:?} {upstream:?}");
            assert_eq!(reply.header("x-systemprompt-usage"), None);
            let seen = house.seen();
            assert_eq!(seen.target, path(upstream));
            let key = match upstream {
                Wire::A => seen.header("x-api-key"),
                Wire::G => seen.header("x-goog-api-key"),
                _ => seen.header("authorization").and_then(|key| key.strip_prefix("Bearer ")),
            };
            assert_eq!(key, Some(PROVIDER_KEY));
            let sent: Value = serde_json::from_slice(&seen.body).unwrap();
            assert!(sent.to_string().contains("hello there"), "{sent}");
            for absent in ["max_tokens", "max_output_tokens", "stream", "store", "include"] {
                assert_eq!(sent.get(absent), None, "{front:?} {upstream:?} {sent}");
            }
        }
    }
    assert_eq!(house.upstream.requests(), asked);
    // A count is no answer, and costs nothing.
    assert!(house.governor.records().is_empty());
    house.is_settled().await;
}

#[tokio::test]
async fn the_callers_own_words_go_on_as_they_are() {
    let house = House::new().await;
    for front in FRONTS {
        house.upstream.always("POST", path(front), counted(front, 9));
        let body = question(front, &model(front), "hello there").to_string();
        let body = body.replacen('{', " {  \"novel\" : [1.0, {}] ,", 1);
        let reply = ask(&house, front, &body).await;
        assert_eq!(tokens(&reply), 9);
        let up = format!("up-{front:?}").to_lowercase();
        let seen = house.seen();
        let sent = String::from_utf8(seen.body.to_vec()).unwrap();
        assert_eq!(sent, body.replace(&format!("\"{}\"", model(front)), &format!("\"{up}\"")));
        // And so does the answer.
        assert_eq!(reply.json()["new"].as_u64(), (front == Wire::A).then_some(1));
        assert_eq!(seen.header("anthropic-beta"), (front == Wire::A).then_some("b1"));
    }
}

#[tokio::test]
async fn a_model_that_may_not_be_asked_is_not_asked_for_a_count_either() {
    let house = House::new().await;
    house.upstream.always("POST", path(Wire::A), counted(Wire::A, 9));
    for front in FRONTS {
        let reply = ask(&house, front, &question(front, "forbidden", "hi").to_string()).await;
        assert_eq!(reply.status, 400, "{}", reply.text());
        assert!(reply.text().contains("refused by policy"), "{}", reply.text());
        let reply = ask(&house, front, &question(front, "nothing-like-it", "hi").to_string()).await;
        assert_eq!(reply.status, 404, "{}", reply.text());
        let answer = reply.json();
        match front {
            Wire::A => assert_eq!(answer["error"]["type"], "not_found_error"),
            _ => assert_eq!(answer["error"]["code"], "model_not_found"),
        }
        assert_eq!(house.governor.rejected().pop().unwrap().tool.unwrap(), "model:nothing-like-it");
    }
    assert_eq!(house.upstream.requests(), 0);
    assert_eq!(tokens(&ask(&house, Wire::A, &question(Wire::A, "a-x", "hi").to_string()).await), 9);
    let decided = house.governor.decided().pop().unwrap();
    assert_eq!(decided.tool(), "model:a-x");
    let arguments: Value = serde_json::from_str(decided.arguments()).unwrap();
    assert_eq!((&arguments["count"], &arguments["provider"]), (&json!(true), &json!("a")));
    assert_eq!(decided.outcome.unwrap().status, OutcomeStatus::Success);
}

#[tokio::test]
async fn what_is_counted_is_looked_through() {
    let house = House::new().await;
    for front in FRONTS {
        house.upstream.always("POST", path(front), counted(front, 9));
        let body = question(front, &model(front), &format!("my key is {PLANTED}")).to_string();
        tokens(&ask(&house, front, &body).await);
        let sent = String::from_utf8(house.seen().body.to_vec()).unwrap();
        assert!(sent.contains(REDACTED) && !sent.contains(PLANTED), "{sent}");
        let requests = house.upstream.requests();
        let body = question(front, &model(front), &format!("my key is {CANARY}")).to_string();
        let reply = ask(&house, front, &body).await;
        assert_eq!(reply.status, 400, "{}", reply.text());
        assert!(!reply.text().contains(CANARY));
        assert_eq!(house.upstream.requests(), requests);
        assert_eq!(house.governor.rejected().pop().unwrap().reason.code(), "policy");
    }
}

#[tokio::test]
async fn a_provider_that_knows_no_counts_is_not_asked_again() {
    for status in [404, 405, 501] {
        let house = House::new().await;
        house.upstream.always("POST", path(Wire::A), Script::status(status));
        let body = question(Wire::A, "a-x", "hello there").to_string();
        let mut all = Vec::new();
        for _ in 0..3 {
            let reply = ask(&house, Wire::A, &body).await;
            all.push(tokens(&reply));
            assert_eq!(reply.header("x-systemprompt-usage"), Some("estimated"));
        }
        assert!(all[0] > 0 && all[1..] == [all[0], all[0]], "{all:?}");
        assert_eq!(house.upstream.requests(), 1);
        assert_eq!(house.governor.decided().len(), 1);
        // It may count for another model.
        house.upstream.always("POST", path(Wire::A), counted(Wire::A, 9));
        let body = question(Wire::A, "same-a", "hello there").to_string();
        assert_eq!(tokens(&ask(&house, Wire::A, &body).await), 9);
        house.is_settled().await;
    }
}

#[tokio::test]
async fn failures_of_the_provider_come_in_the_callers_dialect() {
    let house = House::new().await;
    for front in FRONTS {
        for upstream in [Wire::A, Wire::R, Wire::G] {
            for (status, expected) in [(400, 400), (429, 429), (500, 500), (401, 502), (200, 502)] {
                let script = Script::json(match (status, upstream) {
                    (200, _) => "{}".to_owned(),
                    (_, Wire::A) => json!({ "type": "error", "error": { "type": kind(status), "message": "no, sir" } }).to_string(),
                    (_, Wire::G) => json!({ "error": { "code": status, "status": "X", "message": "no, sir" } }).to_string(),
                    _ => json!({ "error": { "type": kind(status), "code": null, "message": "no, sir" } }).to_string(),
                });
                let script = Script { status, ..script }.header("retry-after", "7");
                house.upstream.always("POST", path(upstream), script);
                let body = question(front, &model(upstream), "hi").to_string();
                let reply = ask(&house, front, &body).await;
                let at = format!("{front:?} {upstream:?} {status}: {}", reply.text());
                assert_eq!(reply.status.as_u16() / 100, expected / 100, "{at}");
                let answer = reply.json();
                assert!(answer["error"]["message"].is_string(), "{at}");
                assert_eq!(answer["type"].as_str(), (front == Wire::A).then_some("error"), "{at}");
                if status != 200 {
                    assert!(reply.text().contains("no, sir"), "{at}");
                }
                if status == 429 {
                    assert_eq!(reply.status, 429, "{at}");
                    assert_eq!(reply.header("retry-after"), Some("7"), "{at}");
                }
                let outcome = house.governor.decided().pop().unwrap().outcome.unwrap();
                assert_eq!(outcome.status, OutcomeStatus::Failed, "{at}");
            }
        }
    }
    house.is_settled().await;
}

fn kind(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        429 => "rate_limit_error",
        500 => "api_error",
        _ => "invalid_request_error",
    }
}

#[tokio::test]
async fn a_count_touches_no_budget() {
    let rule = BudgetRule {
        name: "nothing".to_owned(),
        key: vec![BudgetDimension::User],
        limit_microdollars: None,
        limit_tokens: Some(1),
        window_s: 31_000_000,
    };
    let house = House::built(Plan { budgets: vec![rule], ..Plan::default() }).await;
    house.upstream.always("POST", path(Wire::A), counted(Wire::A, 9_000));
    let body = question(Wire::A, "claude-opus-5", "hello there").to_string();
    assert_eq!(tokens(&ask(&house, Wire::A, &body).await), 9_000);
    let reply = house.ask(Wire::A, Wire::A.request("claude-opus-5", false)).await;
    assert!(reply.text().contains("nothing"), "{}", reply.text());
}
