//! Headers, marks and limits.

use axum::body::Body;
use serde_json::json;

use super::super::house::{House, Plan, request};
use super::super::wire::{Text, Wire};
use super::sends;

/// Moonshot's own Anthropic endpoint.
fn kimi() -> Plan {
    Plan {
        routes: "  - {match: 'kimi-*', provider: kimi, unpriced: allow}\n",
        more_upstreams: &[("kimi", "kind: moonshot")],
        ..Plan::default()
    }
}

const KIMI_PATH: &str = "/anthropic/v1/messages";

#[tokio::test]
async fn litellm_15880_the_life_of_a_mark_is_not_sent_to_those_who_refuse_it() {
    let house = House::built(kimi()).await;
    let answer = systemprompt_providers::scripted::Script::json(Wire::A.whole(&[Text("So.")]));
    house.upstream.always("POST", KIMI_PATH, answer);
    let mark = json!({"type": "ephemeral", "ttl": "1h"});
    let mut asked = Wire::A.request("kimi-x", false);
    asked["system"] = json!([{"type": "text", "text": "be kind", "cache_control": mark}]);
    asked["tools"] = json!([{"name": "allowed", "cache_control": mark, "input_schema": {"type": "object",
        "properties": {"ttl": {"type": "string"}, "cache_control": {"type": "object"}}}}]);
    asked["messages"] = json!([
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "allowed",
            "input": {"ttl": "1h", "cache_control": mark}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "ok",
            "cache_control": mark}]},
    ]);
    let reply = house.ask(Wire::A, &asked).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let sent = super::sent(&house);
    let plain = json!({"type": "ephemeral"});
    assert_eq!(sent["system"][0]["cache_control"], plain, "{sent}");
    assert_eq!(sent["tools"][0]["cache_control"], plain, "{sent}");
    assert_eq!(sent["messages"][2]["content"][0]["cache_control"], plain, "{sent}");
    // What is the tool's own stays.
    assert_eq!(sent["tools"][0]["input_schema"], asked["tools"][0]["input_schema"], "{sent}");
    assert_eq!(
        sent["messages"][1]["content"][0]["input"],
        json!({"ttl": "1h", "cache_control": mark})
    );
}

#[tokio::test]
async fn litellm_39355_marks_are_not_sent_to_wires_without_them() {
    let house = House::new().await;
    let mut asked = Wire::A.request("c-x", false);
    let mark = json!({"type": "ephemeral", "ttl": "1h"});
    asked["system"] = json!([{"type": "text", "text": "be kind", "cache_control": mark}]);
    for upstream in [Wire::C, Wire::R, Wire::G] {
        asked["model"] = json!(super::model(upstream));
        let sent = sends(&house, Wire::A, upstream, &asked).await.to_string();
        assert!(sent.contains("be kind"), "{sent}");
        assert!(!sent.contains("cache_control") && !sent.contains("ttl"), "{sent}");
    }
}

#[tokio::test]
async fn litellm_14293_no_beta_that_nobody_asked_for() {
    let house = House::new().await;
    house.says(Wire::A, &[Text("So.")], false);
    for front in [Wire::A, Wire::C, Wire::R] {
        let mut asked = front.request("a-x", false);
        if front == Wire::A {
            asked["thinking"] = json!({"type": "enabled", "budget_tokens": 2000});
            asked["max_tokens"] = json!(4000);
        }
        let reply = house.ask(front, &asked).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(house.seen().header("anthropic-beta"), None, "{front:?}");
    }
    // One that was asked for is sent where it is taken.
    let asked = |model: &str| {
        let request = request(Wire::A).header("anthropic-beta", "context-1m-2025-08-07");
        request.body(Body::from(Wire::A.request(model, false).to_string())).unwrap()
    };
    assert_eq!(house.send(asked("a-x")).await.status, 200);
    assert_eq!(house.seen().header("anthropic-beta"), Some("context-1m-2025-08-07"));
    let house = House::built(kimi()).await;
    let answer = systemprompt_providers::scripted::Script::json(Wire::A.whole(&[Text("So.")]));
    house.upstream.always("POST", KIMI_PATH, answer);
    assert_eq!(house.send(asked("kimi-x")).await.status, 200);
    assert_eq!(house.seen().header("anthropic-beta"), None);
}

#[tokio::test]
async fn agentgateway_2856_thinking_leaves_room_for_the_answer() {
    // It thinks within a number of tokens, and in no other way.
    let routes = "  - {match: claude-opus-4-5, provider: a}\n";
    let house = House::built(Plan { routes, ..Plan::default() }).await;
    for most in [500_u64, 1_500, 2_000, 20_000] {
        for front in [Wire::C, Wire::R] {
            let mut asked = front.request("claude-opus-4-5", false);
            if front == Wire::C {
                asked["reasoning_effort"] = json!("high");
                asked["max_completion_tokens"] = json!(most);
            } else {
                asked["reasoning"] = json!({"effort": "high"});
                asked["max_output_tokens"] = json!(most);
            }
            let sent = sends(&house, front, Wire::A, &asked).await;
            assert_eq!(sent["max_tokens"], most, "{sent}");
            match sent["thinking"]["budget_tokens"].as_u64() {
                Some(budget) => assert!((1_024..most).contains(&budget), "{front:?} {sent}"),
                None => assert!(most <= 1_024, "{front:?} {sent}"),
            }
        }
    }
}

#[tokio::test]
async fn vercel_20649_a_whole_answer_may_be_long() {
    let routes = "  - {match: claude-opus-4-8, provider: a}\n";
    let house = House::built(Plan { routes, ..Plan::default() }).await;
    let mut asked = Wire::A.request("claude-opus-4-8", false);
    asked["max_tokens"] = json!(128_000);
    let sent = sends(&house, Wire::A, Wire::A, &asked).await;
    assert_eq!((&sent["max_tokens"], &sent["stream"]), (&json!(128_000), &json!(false)));
    for front in [Wire::C, Wire::R] {
        let mut asked = front.request("claude-opus-4-8", false);
        asked[if front == Wire::C { "max_completion_tokens" } else { "max_output_tokens" }] =
            json!(128_000);
        let sent = sends(&house, front, Wire::A, &asked).await;
        assert_eq!(sent["max_tokens"], 128_000, "{front:?} {sent}");
        assert!(sent["stream"].as_bool() != Some(true), "{front:?} {sent}");
    }
}
