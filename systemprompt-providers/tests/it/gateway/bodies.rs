//! What was asked and answered is recorded where the configuration says so, and never with a secret in it.

use axum::body::Body;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use systemprompt_core::event::{AiRequestBodies, AiRequestStatus, EventKind};
use systemprompt_providers::scripted::{Script, Step, sse};
use tower::ServiceExt as _;

use super::house::{House, Plan, request};
use super::scanner::{CANARY, PLANTED, REDACTED};
use super::wire::{Call, FRONTS, Text, Thought, UPSTREAMS, Wire};

const ALL: &str = "  record_bodies: all\n";

async fn house(models: &'static str) -> House {
    House::built(Plan { routes: models, ..Plan::default() }).await
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bodies of the last request, when there are those of so many.
async fn recorded(house: &House, number: usize) -> AiRequestBodies {
    let all = async {
        loop {
            let mut all = house.governor.bodies();
            if all.len() >= number {
                assert_eq!(all.len(), number, "those of a request are recorded once");
                return all.pop().unwrap();
            }
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), all).await.expect("bodies")
}

fn text(body: Option<&systemprompt_core::event::RecordedBody>) -> &str {
    body.expect("a body").text.as_deref().expect("a text")
}

#[tokio::test]
async fn both_bodies_are_recorded_whatever_is_spoken() {
    let house = house(ALL).await;
    let parts = [
        Thought("let me see"),
        Text("Hello, wörld 🌍"),
        Call("call_1", "allowed", r#"{"path":"/tmp/1"}"#),
    ];
    let mut number = 0;
    for front in FRONTS {
        for upstream in UPSTREAMS {
            for stream in [false, true] {
                let what = format!("{front:?}->{upstream:?} {stream}");
                house.says(upstream, &parts, stream);
                let model = format!("{upstream:?}-x").to_lowercase();
                let asked = front.request(&model, stream).to_string();
                let reply = house.ask(front, &asked).await;
                assert_eq!(reply.status, 200, "{what}");
                number += 1;
                let record = house.record(number).await;
                let bodies = recorded(&house, number).await;
                assert_eq!(bodies.request_id, record.request_id, "{what}");
                assert_eq!(text(bodies.request.as_ref()), asked, "{what}");
                let (request, answer) = (bodies.request.unwrap(), bodies.answer.unwrap());
                assert_eq!(request.sha256, sha256(asked.as_bytes()), "{what}");
                assert_eq!(record.detail.request_sha256, Some(request.sha256), "{what}");
                assert_eq!(answer.sha256, sha256(&reply.body), "{what}");
                assert_eq!(record.detail.answer_sha256, Some(answer.sha256), "{what}");
                assert_eq!((request.cut_at, answer.cut_at), (None, None), "{what}");
                // A stream is recorded as the answer that it adds up to.
                let kept = answer.text.unwrap();
                let got = front.read_whole(kept.as_bytes());
                assert_eq!(got.text, "Hello, wörld 🌍", "{what} {kept}");
                assert_eq!(got.thought, "let me see", "{what} {kept}");
                assert_eq!(got.calls.len(), 1, "{what} {kept}");
                if !stream {
                    assert_eq!(kept.as_bytes(), &reply.body[..], "{what}");
                }
            }
        }
    }
    house.is_settled().await;
    // The event is the caller's own, as the record is, and has the id of the request.
    for event in house.governor.events() {
        assert_eq!(event.subject.as_ref().unwrap().user.as_str(), "ann");
        assert_eq!(event.context.session.as_ref().unwrap().as_str(), "s1");
        if event.kind() == EventKind::AiRequestBodies {
            let ids: Vec<_> = house.governor.bodies();
            assert!(ids.iter().any(|bodies| bodies.request_id.as_str() == event.id.to_string()));
        }
    }
}

#[tokio::test]
async fn what_is_recorded_is_what_is_configured() {
    for (models, request, answer) in [
        ("", false, false),
        ("  record_bodies: none\n", false, false),
        ("  record_bodies: requests\n", true, false),
        ("  record_bodies: answers\n", false, true),
        (ALL, true, true),
    ] {
        for stream in [false, true] {
            let house = house(models).await;
            house.says(Wire::A, &[Text("hi")], stream);
            house.got(Wire::A, "a-x", stream).await;
            let record = house.record(1).await;
            assert!(record.detail.request_sha256.is_some(), "digests are recorded always");
            assert!(record.detail.answer_sha256.is_some(), "digests are recorded always");
            if !request && !answer {
                assert_eq!(house.governor.events().len(), 1, "{models}");
                continue;
            }
            let bodies = recorded(&house, 1).await;
            assert_eq!((bodies.request.is_some(), bodies.answer.is_some()), (request, answer));
        }
    }
}

/// A request with a secret in every place that a text may be in.
fn with_secrets(wire: Wire, model: &str, stream: bool) -> Value {
    let mut body = wire.request(model, stream);
    let turns = if wire == Wire::R { "input" } else { "messages" };
    body[turns] = json!([
        {"role": "user", "content": format!("my key is {PLANTED}.")},
        {"role": "assistant", "content": "noted"},
        {"role": "user", "content": format!("{PLANTED}{PLANTED}")},
    ]);
    match wire {
        Wire::A => body["system"] = json!(PLANTED),
        Wire::C => body["stop"] = json!([PLANTED]),
        _ => body["instructions"] = json!(PLANTED),
    }
    body
}

#[tokio::test]
async fn a_secret_is_in_no_recorded_body() {
    let escaped: String = PLANTED.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect();
    for front in FRONTS {
        for upstream in UPSTREAMS {
            for stream in [false, true] {
                let house = house("  record_bodies: all\n  cache: {}\n").await;
                let parts = [
                    Thought("it is sk-PLANTED-0123456789 I think"),
                    Text("it is sk-PLANTED-0123456789, yes"),
                    // The governor of these tests lets it pass, as a policy of flags does.
                    Call("call_1", "allowed", r#"{"path":"sk-PLANTED-0123456789"}"#),
                ];
                house.says(upstream, &parts, stream);
                let model = format!("{upstream:?}-x").to_lowercase();
                let asked = with_secrets(front, &model, stream).to_string();
                // Once written with escapes, so that the scanner of these tests does not see it.
                let hidden = asked.replacen(PLANTED, &escaped, 1);
                for (number, asked) in (1..).zip([&asked, &hidden, &asked]) {
                    let reply = house.ask(front, asked).await;
                    assert_eq!(reply.status, 200, "{}", reply.text());
                    let bodies = recorded(&house, number).await;
                    for body in [bodies.request.as_ref(), bodies.answer.as_ref()] {
                        let kept = text(body);
                        let value: Value = serde_json::from_str(kept).unwrap();
                        assert!(!kept.contains("PLANTED") && !kept.contains(&escaped), "{kept}");
                        assert!(!value.to_string().contains("PLANTED"), "{kept}");
                        assert!(kept.contains(REDACTED), "{kept}");
                    }
                }
                for event in house.governor.events() {
                    assert!(!format!("{event:?}").contains("PLANTED"), "{event:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn what_is_long_is_cut_and_says_where() {
    let house = house("  record_bodies: all\n  record_body_bytes: 1024\n").await;
    let long: &str = Box::leak("é".repeat(4_000).into_boxed_str());
    for (number, stream) in (1..).zip([false, true]) {
        house.says(Wire::A, &[Text(long)], stream);
        let mut asked = Wire::A.request("a-x", stream);
        asked["system"] = json!(format!("{}{PLANTED}", "x".repeat(980)));
        house.ask(Wire::A, &asked).await;
        let bodies = recorded(&house, number).await;
        for body in [bodies.request.unwrap(), bodies.answer.unwrap()] {
            let kept = body.text.unwrap();
            assert_eq!(body.cut_at, Some(kept.len() as u64));
            assert!((1022..=1024).contains(&kept.len()), "{}", kept.len());
            assert!(body.bytes > 1024);
            assert!(!kept.contains("sk-"), "a part of a secret: {kept}");
        }
    }
}

#[tokio::test]
async fn what_did_not_end_well_is_recorded_as_far_as_it_came() {
    let frames = Wire::A.stream(&[Text("Hello, you")]);
    let house = house(ALL).await;
    house.plays(Wire::A, Script::status(503));
    house.ask(Wire::A, Wire::A.request("a-x", false)).await;
    let bodies = recorded(&house, 1).await;
    assert!(bodies.request.is_some() && bodies.answer.is_none(), "there was no answer");
    assert_eq!(house.record(1).await.detail.answer_sha256, None);

    house.plays(Wire::A, sse(&frames[..5]).step(Step::Reset));
    let reply = house.ask(Wire::A, Wire::A.request("a-x", true)).await;
    let bodies = recorded(&house, 2).await;
    assert_eq!(bodies.answer.as_ref().unwrap().sha256, sha256(&reply.body));
    let kept = text(bodies.answer.as_ref());
    assert!(kept.contains("Hel") && !kept.contains("you"), "{kept}");

    // The caller leaves.
    house.plays(Wire::A, sse(&frames[..5]).step(Step::Hang));
    let asked = request(Wire::A).body(Body::from(Wire::A.request("a-x", true).to_string()));
    let answer = house.router.clone().oneshot(asked.unwrap()).await.unwrap();
    let mut pieces = answer.into_body();
    drop(http_body_util::BodyExt::frame(&mut pieces).await);
    drop(pieces);
    assert_eq!(house.record(3).await.status, AiRequestStatus::Cancelled);
    let bodies = recorded(&house, 3).await;
    assert!(bodies.request.is_some());

    // What is refused before it is a request leaves no bodies.
    let mut refused = Wire::A.request("a-x", false);
    refused["system"] = json!(CANARY);
    assert_eq!(house.ask(Wire::A, &refused).await.status, 400);
    assert_eq!(house.ask(Wire::A, Wire::A.request("forbidden", false)).await.status, 400);
    assert_eq!(house.governor.bodies().len(), 3);

    // What the policy put in the place of a call is what was answered.
    let call = [Call("call_1", "danger_delete", r#"{"path":"/"}"#)];
    for (number, stream) in (4..).zip([false, true]) {
        house.says(Wire::A, &call, stream);
        house.ask(Wire::A, Wire::A.request("a-x", stream)).await;
        let bodies = recorded(&house, number).await;
        let kept = text(bodies.answer.as_ref());
        assert!(kept.contains("denied by policy") && !kept.contains("tool_use"), "{kept}");
    }
}
