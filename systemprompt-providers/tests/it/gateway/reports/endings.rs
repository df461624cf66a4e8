//! How a stream ends that fails.

use std::time::Duration;

use axum::body::Body;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use systemprompt_core::event::AiRequestStatus;
use systemprompt_providers::scripted::{Step, sse};
use tower::ServiceExt as _;

use super::super::house::{House, request};
use super::super::wire::{Call, FRONTS, Text, UPSTREAMS, Wire, named};
use super::{answers, events, model, streams};

/// Asserts that a stream ends as its dialect ends one that failed.
#[track_caller]
fn failed(what: &str, front: Wire, reply: &super::Reply) {
    front.check(&reply.body, false);
    let got = front.read_stream(&reply.body);
    assert!(got.error.is_some() && got.stop.is_empty(), "{what} {}", reply.text());
    let text = reply.text();
    match front {
        Wire::A => {
            assert_eq!(events(reply).last().unwrap()["type"], "error", "{what}");
            assert!(!text.contains("message_stop") && !text.contains("end_turn"), "{what} {text}");
        }
        Wire::C => assert!(text.ends_with("data: [DONE]\n\n"), "{what} {text}"),
        _ => assert!(text.contains("response.failed") && !text.contains("response.completed")),
    }
}

#[tokio::test]
async fn litellm_32086_a_failed_response_is_no_empty_answer() {
    let house = House::new().await;
    let mut frames = Wire::R.stream(&[]);
    let last = frames.pop().unwrap();
    let mut event: Value =
        serde_json::from_str(last.trim_end().split_once("data: ").unwrap().1).unwrap();
    event["type"] = json!("response.failed");
    event["response"]["status"] = json!("failed");
    event["response"]["error"] =
        json!({"code": "server_error", "message": "The model failed to answer"});
    frames.push(named(&event));
    for (number, front) in (1..).zip(FRONTS) {
        let reply = streams(&house, front, Wire::R, &frames).await;
        failed("failed", front, &reply);
        assert!(reply.text().contains("The model failed to answer"), "{}", reply.text());
        assert_eq!(house.record(number).await.status, AiRequestStatus::Failed);
    }
    for (number, front) in (4..).zip(FRONTS) {
        let reply = answers(&house, front, Wire::R, &event["response"]).await;
        assert!(reply.status.is_server_error(), "{front:?} {} {}", reply.status, reply.text());
        assert!(reply.text().contains("The model failed to answer"), "{}", reply.text());
        assert_eq!(house.record(number).await.status, AiRequestStatus::Failed);
    }
    house.is_settled().await;
}

#[tokio::test]
async fn litellm_32159_a_stream_that_is_cut_within_a_call() {
    let house = House::new().await;
    let mut number = 0;
    for front in FRONTS {
        for upstream in [Wire::A, Wire::C, Wire::R] {
            let frames =
                upstream.stream(&[Text("So."), Call("call_1", "allowed", r#"{"path":"/tmp/x"}"#)]);
            let begins = ["input_json_delta", "\"arguments\":\"{", "arguments.delta"];
            let at = frames.iter().position(|frame| begins.iter().any(|it| frame.contains(it)));
            let reply = streams(&house, front, upstream, &frames[..at.unwrap() + 2]).await;
            let what = format!("{front:?}->{upstream:?}");
            failed(&what, front, &reply);
            assert!(front.read_stream(&reply.body).calls.is_empty(), "{what} {}", reply.text());
            number += 1;
            let record = house.record(number).await;
            assert_eq!(record.status, AiRequestStatus::Failed, "{what}");
            assert!(record.error_code.is_some(), "{what}");
        }
    }
    assert_eq!(house.governor.tools(), [""; 0]);
    house.is_settled().await;
}

#[tokio::test]
async fn litellm_39748_what_is_withheld_in_the_middle_ends_the_stream() {
    let house = House::new().await;
    for front in FRONTS {
        for upstream in UPSTREAMS {
            let frames = upstream.stream(&[Text("It is cn-CANARY-9876543210, and more")]);
            let reply = streams(&house, front, upstream, &frames).await;
            failed(&format!("{front:?}->{upstream:?}"), front, &reply);
            assert!(reply.text().contains("secret_detected"), "{}", reply.text());
        }
    }
    house.is_settled().await;
}

/// Reads the first pieces of a stream of which more would come, and leaves.
async fn leaves(house: &House, front: Wire, upstream: Wire, asked: &str) {
    let frames = upstream.stream(&[Text("Hello, this is quite a long answer to a short question")]);
    house.plays(upstream, sse(&frames[..12]).step(Step::Hang));
    let asked = request(front).body(Body::from(front.request(asked, true).to_string())).unwrap();
    let response = house.router.clone().oneshot(asked).await.unwrap();
    let mut body = response.into_body();
    let mut read = Vec::new();
    while !String::from_utf8_lossy(&read).contains("quite") && read.len() < 100_000 {
        let frame = tokio::time::timeout(Duration::from_millis(300), body.frame()).await;
        let Ok(Some(frame)) = frame else { break };
        read.extend_from_slice(&frame.unwrap().into_data().unwrap());
    }
}

#[tokio::test]
async fn litellm_35958_a_caller_that_leaves_is_recorded() {
    for front in FRONTS {
        for upstream in UPSTREAMS {
            let house = House::new().await;
            leaves(&house, front, upstream, &model(upstream)).await;
            let record = house.record(1).await;
            let what = format!("{front:?}->{upstream:?} {record:?}");
            assert_eq!(record.status, AiRequestStatus::Cancelled, "{what}");
            assert!(record.streamed && record.tokens.input > 0, "{what}");
            house.is_settled().await;
        }
    }
}

#[tokio::test]
async fn litellm_14457_a_caller_that_leaves_has_used_more_than_a_token() {
    for front in FRONTS {
        let house = House::new().await;
        leaves(&house, front, Wire::A, "claude-opus-5").await;
        let record = house.record(1).await;
        // The provider told of one token when it began.
        assert!(record.tokens.output > 1, "{front:?} {record:?}");
        assert!(record.detail.usage_estimated && record.priced, "{record:?}");
        assert!(record.cost_microdollars.get() > 0, "{record:?}");
    }
}

#[tokio::test]
async fn litellm_29223_an_error_in_the_middle_is_told() {
    let house = House::new().await;
    let mut frames = Wire::R.stream(&[Text("Hello, you")]);
    frames.truncate(6);
    frames
        .push(named(&json!({"type": "error", "sequence_number": 6, "code": "rate_limit_exceeded",
        "message": "Slow down", "param": null})));
    for (number, front) in (1..).zip(FRONTS) {
        let reply = streams(&house, front, Wire::R, &frames).await;
        front.check(&reply.body, false);
        assert!(reply.text().contains("Slow down"), "{front:?} {}", reply.text());
        assert!(!reply.text().contains("response.completed"), "{}", reply.text());
        let got = front.read_stream(&reply.body);
        assert!(got.stop.is_empty(), "{front:?} {got:?}");
        // In its own dialect it is the event that the provider sent.
        assert_eq!(got.error.is_some(), front != Wire::R, "{front:?} {}", reply.text());
        assert_eq!(house.record(number).await.status, AiRequestStatus::Failed);
    }
}

#[tokio::test]
async fn hermes_83869_a_malformed_call_is_no_end() {
    let house = House::new().await;
    let malformed = |text: &str| text.replace("\"STOP\"", "\"MALFORMED_FUNCTION_CALL\"");
    let frames: Vec<String> =
        Wire::G.stream(&[Text("So.")]).iter().map(|frame| malformed(frame)).collect();
    let whole: Value = serde_json::from_str(&malformed(&Wire::G.whole(&[Text("So.")]))).unwrap();
    for front in FRONTS {
        let reply = streams(&house, front, Wire::G, &frames).await;
        failed("malformed", front, &reply);
        assert!(reply.text().contains("MALFORMED_FUNCTION_CALL"), "{}", reply.text());
        let reply = answers(&house, front, Wire::G, &whole).await;
        assert!(reply.status.is_server_error(), "{} {}", reply.status, reply.text());
    }
    house.is_settled().await;
}
