//! What is counted, and what it costs.

use serde_json::{Value, json};
use systemprompt_providers::scripted::{Script, sse};

use super::super::house::{House, Plan};
use super::super::wire::{FRONTS, Text, Wire, chat_chunk, named};
use super::{chunk, events};

/// A stream of Anthropic that tells this when it begins, and when it ends.
fn told(first: &Value, last: &Value) -> Vec<String> {
    Wire::A
        .stream(&[Text("Hello")])
        .iter()
        .map(|frame| {
            let data = frame.trim_end().split_once("data: ").unwrap().1;
            let mut event: Value = serde_json::from_str(data).unwrap();
            match event["type"].as_str().unwrap() {
                "message_start" => event["message"]["usage"] = first.clone(),
                "message_delta" => event["usage"] = last.clone(),
                _ => {}
            }
            named(&event)
        })
        .collect()
}

/// The usage as a client of a dialect reads it of a stream: what was read anew, from the cache and into it, and
/// what came out.
fn usage(front: Wire, reply: &super::Reply) -> [u64; 4] {
    let events = events(reply);
    let number = |value: &Value| value.as_u64().unwrap_or(0);
    match front {
        Wire::A => {
            let mut usage = json!({});
            for event in &events {
                let told = [&event["message"]["usage"], &event["usage"]];
                for (name, value) in told.into_iter().filter_map(Value::as_object).flatten() {
                    usage[name] = value.clone();
                }
            }
            let read = [
                "input_tokens",
                "cache_read_input_tokens",
                "cache_creation_input_tokens",
                "output_tokens",
            ];
            read.map(|name| number(&usage[name]))
        }
        Wire::C => {
            let usage = events.iter().rev().find(|event| event["usage"].is_object()).unwrap();
            let usage = &usage["usage"];
            let details = &usage["prompt_tokens_details"];
            let (read, written) =
                (number(&details["cached_tokens"]), number(&details["cache_write_tokens"]));
            let new = number(&usage["prompt_tokens"]) - read - written;
            [new, read, written, number(&usage["completion_tokens"])]
        }
        _ => {
            let usage = &events.last().unwrap()["response"]["usage"];
            let details = &usage["input_tokens_details"];
            let (read, written) =
                (number(&details["cached_tokens"]), number(&details["cache_write_tokens"]));
            let new = number(&usage["input_tokens"]) - read - written;
            [new, read, written, number(&usage["output_tokens"])]
        }
    }
}

async fn asked(house: &House, front: Wire, model: &str) -> super::Reply {
    let mut asked = front.request(model, true);
    if front == Wire::C {
        asked["stream_options"] = json!({"include_usage": true});
    }
    let reply = house.ask(front, &asked).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply
}

#[tokio::test]
async fn litellm_31069_cached_tokens_are_told_in_every_stream() {
    let house = House::new().await;
    let usage_of_chat = json!({"prompt_tokens": 1000, "completion_tokens": 7, "total_tokens": 1007,
        "prompt_tokens_details": {"cached_tokens": 700, "cache_write_tokens": 100}});
    let chat = vec![
        chunk(json!({"role": "assistant", "content": "Hello"}), None),
        chunk(json!({}), Some("stop")),
        chat_chunk(&json!([]), &usage_of_chat),
        "data: [DONE]\n\n".to_owned(),
    ];
    let own = json!({"input_tokens": 200, "cache_read_input_tokens": 700,
        "cache_creation_input_tokens": 100, "output_tokens": 7});
    let mut number = 0;
    for (upstream, frames) in [(Wire::C, chat), (Wire::A, told(&own, &json!({"output_tokens": 7})))]
    {
        for front in FRONTS {
            house.plays(upstream, sse(&frames));
            let reply = asked(&house, front, &super::model(upstream)).await;
            let what = format!("{front:?}->{upstream:?} {}", reply.text());
            assert_eq!(usage(front, &reply), [200, 700, 100, 7], "{what}");
            number += 1;
            let tokens = house.record(number).await.tokens;
            let recorded = [tokens.input, tokens.cached_input, tokens.cache_write, tokens.output];
            assert_eq!(recorded, [200, 700, 100, 7], "{what}");
        }
    }
}

/// Providers that tell the whole prompt when they begin, and how it was read when they end.
fn late() -> Plan {
    Plan {
        routes: "  - {match: 'kimi-*', provider: kimi, unpriced: allow}\n  \
            - {match: 'qwen-*', provider: qwen, unpriced: allow}\n  \
            - {match: 'late-*', provider: late, unpriced: allow}\n",
        more_upstreams: &[
            ("kimi", "kind: moonshot"),
            ("qwen", "kind: qwen"),
            ("late", "kind: custom, wire: anthropic, usage_mode: last_event"),
        ],
        ..Plan::default()
    }
}

/// Asks a model at an Anthropic endpoint under `path`, and asserts that its prompt is counted once.
async fn is_counted_once(fronts: &[Wire], model: &str, path: &str) {
    let house = House::built(late()).await;
    let frames = told(
        &json!({"input_tokens": 10_000, "output_tokens": 0}),
        &json!({"input_tokens": 1_000, "cache_read_input_tokens": 9_000, "output_tokens": 5}),
    );
    house.upstream.always("POST", &format!("{path}/v1/messages"), sse(&frames));
    for (number, front) in (1..).zip(fronts) {
        let reply = asked(&house, *front, model).await;
        assert_eq!(usage(*front, &reply), [1_000, 9_000, 0, 5], "{front:?} {}", reply.text());
        let tokens = house.record(number).await.tokens;
        let recorded = (tokens.input, tokens.cached_input, tokens.output);
        assert_eq!(recorded, (1_000, 9_000, 5), "{front:?}");
    }
}

#[tokio::test]
async fn bifrost_5354_the_prompt_of_kimi_is_counted_once() {
    is_counted_once(&[Wire::A], "kimi-k3", "/anthropic").await;
    is_counted_once(&FRONTS, "late-x", "").await;
}

#[tokio::test]
async fn bifrost_5510_the_prompt_of_qwen_is_counted_once() {
    is_counted_once(&[Wire::A, Wire::R], "qwen-plus", "/apps/anthropic").await;
}

#[tokio::test]
async fn bifrost_3451_cache_writes_are_charged_once() {
    let routes = "  - {match: claude-opus-4-7, provider: a}\n";
    let house = House::built(Plan { routes, ..Plan::default() }).await;
    let begun = json!({"input_tokens": 6, "cache_creation_input_tokens": 159_217,
        "cache_read_input_tokens": 0, "output_tokens": 1,
        "cache_creation": {"ephemeral_5m_input_tokens": 159_217, "ephemeral_1h_input_tokens": 0}});
    let ended = json!({"input_tokens": 6, "cache_creation_input_tokens": 159_217,
        "cache_read_input_tokens": 0, "output_tokens": 2_745});
    let mut whole: Value = serde_json::from_str(&Wire::A.whole(&[Text("Hello")])).unwrap();
    whole["usage"] = begun.clone();
    whole["usage"]["output_tokens"] = json!(2_745);
    let mut number = 0;
    for front in FRONTS {
        for script in [sse(told(&begun, &ended)), Script::json(whole.to_string())] {
            house.plays(Wire::A, script);
            let stream = number % 2 == 0;
            let reply = house.ask(front, front.request("claude-opus-4-7", stream)).await;
            assert_eq!(reply.status, 200, "{}", reply.text());
            number += 1;
            let record = house.record(number).await;
            assert_eq!(record.tokens.cache_write, 159_217, "{front:?}");
            assert_eq!(record.cost_microdollars.get(), 1_063_761, "{front:?} {record:?}");
        }
    }
}

#[tokio::test]
async fn envoy_2279_usage_is_set_and_not_added() {
    let house = House::new().await;
    let mut frames = told(
        &json!({"input_tokens": 100, "cache_read_input_tokens": 20, "output_tokens": 3}),
        &json!({"input_tokens": 100, "cache_read_input_tokens": 20, "output_tokens": 7}),
    );
    // Some tell it more than once.
    let end = frames.iter().position(|frame| frame.contains("message_delta")).unwrap();
    let early = frames[end].replace("\"output_tokens\":7", "\"output_tokens\":5");
    frames.insert(end, early);
    for (number, front) in (1..).zip(FRONTS) {
        house.plays(Wire::A, sse(&frames));
        let reply = asked(&house, front, "a-x").await;
        assert_eq!(usage(front, &reply), [100, 20, 0, 7], "{front:?} {}", reply.text());
        let tokens = house.record(number).await.tokens;
        assert_eq!((tokens.input, tokens.cached_input, tokens.output), (100, 20, 7), "{front:?}");
    }
}
