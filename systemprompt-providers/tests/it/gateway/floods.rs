//! Providers that say more than anybody can hold, and callers that do not read.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use systemprompt_core::event::AiRequestStatus;
use systemprompt_providers::scripted::{Script, Step, sse};
use tower::ServiceExt as _;

use super::faults::{is_refusal, model, tasks_are};
use super::house::{House, request};
use super::wire::{FRONTS, Text, Wire, chat_chunk, named};

const MEBIBYTE: u64 = 1024 * 1024;

const GIGABYTE: u64 = 1024 * MEBIBYTE;

/// Pairs with each front and each provider, of both lanes.
const PAIRS: [(Wire, Wire); 6] = [
    (Wire::A, Wire::A),
    (Wire::C, Wire::C),
    (Wire::R, Wire::R),
    (Wire::A, Wire::C),
    (Wire::C, Wire::R),
    (Wire::R, Wire::A),
];

/// Asserts that the provider was left with the request before it had written so many bytes.
async fn is_left_before(house: &House, mebibytes: u64, what: &str) {
    let left = house.upstream.wait_until(Duration::from_secs(20), |up| up.open() == 0).await;
    assert!(left, "{what}: the connection is still open");
    let written = house.upstream.departures().pop().expect("a departure").written;
    assert!(written < mebibytes * MEBIBYTE, "{what}: {written} bytes were read");
}

#[tokio::test]
async fn a_whole_answer_of_a_gigabyte_is_not_read_to_its_end() {
    for front in FRONTS {
        let before = tokio::runtime::Handle::current().metrics().num_alive_tasks();
        let house = House::new().await;
        house.plays(front, Script::flood(GIGABYTE));
        let reply = house.ask(front, front.request(&model(front), false)).await;
        assert_eq!(reply.status, 502, "{}", reply.text());
        is_refusal("a gigabyte", front, &reply.json());
        let record = house.record(1).await;
        assert_eq!(record.status, AiRequestStatus::Failed);
        assert_eq!(record.error_code.as_deref(), Some("upstream_too_large"));
        is_left_before(&house, 96, "a gigabyte").await;
        house.is_settled().await;
        drop(house);
        tasks_are(before).await;
    }
}

/// Asks for a stream that begins well and goes on with `bytes` for a gigabyte; it ends with an error.
async fn floods(front: Wire, upstream: Wire, begin: &str, bytes: Bytes) {
    let before = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let house = House::new().await;
    let times = GIGABYTE.div_ceil(bytes.len() as u64);
    house.plays(upstream, sse([begin]).step(Step::Repeat { bytes, times }));
    let reply = house.ask(front, front.request(&model(upstream), true)).await;
    let what = format!("{front:?}->{upstream:?}");
    assert_eq!(reply.status, 200, "{what} {}", reply.text());
    assert!(reply.body.len() < 100_000, "{what}: {} bytes", reply.body.len());
    front.check(&reply.body, false);
    let got = front.read_stream(&reply.body);
    assert!(got.error.is_some() && got.calls.is_empty(), "{what} {got:?}");
    let record = house.record(1).await;
    assert_eq!(record.status, AiRequestStatus::Failed, "{what}");
    let code = record.error_code.unwrap();
    assert!(code.starts_with("upstream_") && code.contains("too_long"), "{what} {code}");
    is_left_before(&house, 64, &what).await;
    assert_eq!(house.governor.tools(), [""; 0], "{what}");
    house.is_settled().await;
    drop(house);
    tasks_are(before).await;
}

#[tokio::test]
async fn an_event_without_an_end_is_given_up() {
    for (front, upstream) in PAIRS {
        let begin = upstream.stream(&[Text("Hello")])[..3].concat() + "data: ";
        floods(front, upstream, &begin, Bytes::from(vec![b'x'; 64 * 1024])).await;
    }
}

/// A call that has begun, and a piece of its arguments.
fn call(upstream: Wire, piece: &str) -> (String, String) {
    let all = upstream.stream(&[super::wire::Call("call_1", "allowed", r#"{"p":1}"#)]);
    let is_begin = |frame: &&String| frame.contains("\"allowed\"");
    let at = all.iter().position(|frame| is_begin(&frame)).unwrap();
    let piece = match upstream {
        Wire::A => named(&json!({"type": "content_block_delta", "index": 0,
            "delta": {"type": "input_json_delta", "partial_json": piece}})),
        Wire::C => chat_chunk(
            &json!([{"index": 0, "finish_reason": null,
                "delta": {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}}]),
            &Value::Null,
        ),
        _ => named(&json!({"type": "response.function_call_arguments.delta", "sequence_number": 9,
            "item_id": "fc_up_0", "output_index": 0, "delta": piece})),
    };
    (all[..=at].concat(), piece)
}

#[tokio::test]
async fn a_call_without_an_end_is_given_up() {
    for (front, upstream) in PAIRS {
        let (begin, piece) = call(upstream, &"x".repeat(256 * 1024));
        floods(front, upstream, &begin, piece.into()).await;
    }
}

#[tokio::test]
async fn a_block_without_an_end_is_given_up() {
    let begin = Wire::A.stream(&[])[..2].concat()
        + &named(&json!({"type": "content_block_start", "index": 0,
            "content_block": {"type": "brand_new", "said": ""}}));
    let piece = named(&json!({"type": "content_block_delta", "index": 0,
        "delta": {"type": "brand_new_delta", "said": "x".repeat(256 * 1024)}}));
    floods(Wire::A, Wire::A, &begin, piece.into()).await;
    floods(
        Wire::C,
        Wire::A,
        &begin,
        named(&json!({"type": "content_block_delta", "index": 0,
        "delta": {"type": "brand_new_delta", "said": "x".repeat(256 * 1024)}}))
        .into(),
    )
    .await;
    // What is not read of a block is held as well.
    let begin = Wire::A.stream(&[Text("Hello")])[..4].concat();
    let piece = named(&json!({"type": "content_block_delta", "index": 0,
        "delta": {"type": "aside_delta", "aside": "x".repeat(256 * 1024)}}));
    floods(Wire::A, Wire::A, &begin, piece.into()).await;
}

#[tokio::test]
async fn what_expands_without_end_is_given_up() {
    let plain = vec![b'x'; 17 * 1024 * 1024];
    for front in [Wire::A, Wire::C] {
        let house = House::new().await;
        house.plays(Wire::A, Script::gzip(&plain).header("content-type", "text/event-stream"));
        let reply = house.ask(front, front.request("a-x", true)).await;
        front.check(&reply.body, false);
        assert!(front.read_stream(&reply.body).error.is_some());
        let record = house.record(1).await;
        assert_eq!(record.error_code.as_deref(), Some("upstream_frame_too_long"));
        house.is_settled().await;
    }
}

#[tokio::test]
async fn a_caller_that_does_not_read_holds_the_provider_up() {
    for (front, upstream) in PAIRS {
        let before = tokio::runtime::Handle::current().metrics().num_alive_tasks();
        let house = House::new().await;
        let frames = upstream.stream(&[Text("abc")]);
        let at = frames.iter().position(|frame| frame.contains("abc")).unwrap();
        let many = frames[at].replace("abc", &"abc ".repeat(4096));
        let times = GIGABYTE.div_ceil(many.len() as u64);
        let step = Step::Repeat { bytes: many.into(), times };
        house.plays(upstream, sse(&frames[..at]).step(step));
        let asked =
            request(front).body(Body::from(front.request(&model(upstream), true).to_string()));
        let response = house.router.clone().oneshot(asked.unwrap()).await.unwrap();
        let mut body = response.into_body();
        body.frame().await.unwrap().unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
        drop(body);
        let what = format!("{front:?}->{upstream:?}");
        assert_eq!(house.record(1).await.status, AiRequestStatus::Cancelled, "{what}");
        is_left_before(&house, 64, &what).await;
        house.is_settled().await;
        drop(house);
        tasks_are(before).await;
    }
}
