//! Every dialect in front of every other.

use systemprompt_core::event::AiRequestStatus;

use super::house::House;
use super::wire::{Call, FRONTS, Text, Thought, UPSTREAMS, Wire};

/// The word with which a dialect says that tools are called.
const fn calls(front: Wire) -> &'static str {
    match front {
        Wire::A => "tool_use",
        Wire::C => "tool_calls",
        _ => "completed",
    }
}

#[tokio::test]
async fn every_front_speaks_to_every_provider() {
    let house = House::new().await;
    let parts = [
        Thought("let me see"),
        Text("Hello, wörld 🌍"),
        Call("call_1", "allowed", r#"{"path":"/tmp/1"}"#),
        Call("call_2", "allowed", r#"{"path":"/tmp/2"}"#),
    ];
    let mut number = 0;
    for front in FRONTS {
        for upstream in UPSTREAMS {
            for stream in [false, true] {
                let what = format!("{front:?}->{upstream:?} {stream}");
                house.says(upstream, &parts, stream);
                let model = format!("{upstream:?}-x").to_lowercase();
                let (got, reply) = house.got(front, &model, stream).await;
                number += 1;
                assert_eq!(got.text, "Hello, wörld 🌍", "{what}");
                assert_eq!(got.thought, "let me see", "{what}");
                let expected = [("/tmp/1"), ("/tmp/2")]
                    .map(|path| ("allowed".to_owned(), format!("{{\"path\":\"{path}\"}}")));
                assert_eq!(got.calls, expected, "{what}");
                assert_eq!((got.stop.as_str(), got.error), (calls(front), None), "{what}");
                let seen = house.seen();
                assert!(seen.target.starts_with(upstream.path()), "{what} {}", seen.target);
                let body = String::from_utf8(seen.body.to_vec()).unwrap();
                assert!(body.contains("hello there"), "{what} {body}");
                let record = house.record(number).await;
                assert_eq!(record.status, AiRequestStatus::Success, "{what}");
                assert_eq!((record.tokens.input, record.tokens.output), (11, 7), "{what}");
                assert_eq!(record.detail.byte_lane, front == upstream, "{what}");
                assert_eq!(record.detail.tool_calls_allowed, 2, "{what}");
                assert_eq!(record.streamed, stream);
                assert_eq!(reply.header("x-systemprompt-usage"), None, "{what}");
            }
        }
    }
    house.is_settled().await;
}

#[tokio::test]
async fn what_cannot_be_said_is_reported() {
    let house = House::new().await;
    house.says(Wire::A, &[Text("hi")], false);
    let mut request = Wire::C.request("a-x", false);
    request["logit_bias"] = serde_json::json!({"50256": -100});
    let reply = house.ask(Wire::C, &request).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let loss = reply.header("x-systemprompt-loss").expect("a report");
    assert!(loss.contains("logit_bias"), "{loss}");
    let record = house.record(1).await;
    assert!(record.detail.losses.iter().any(|loss| loss.starts_with("logit_bias=")), "{record:?}");
    assert!(!String::from_utf8_lossy(&house.seen().body).contains("logit_bias"));
}
