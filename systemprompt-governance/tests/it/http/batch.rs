use axum::http::StatusCode;
use serde_json::{Value, json};
use systemprompt_core::decision::DenialReason;

use super::{BATCH, TRACE, World};

fn verdicts(answer: &Value) -> Vec<&str> {
    let decisions = answer["decisions"].as_array().expect("decisions").iter();
    decisions
        .map(|decision| match decision["decision"].as_str() {
            Some("deny") => decision["reason"]["code"].as_str().expect("a code"),
            other => other.expect("a decision"),
        })
        .collect()
}

#[tokio::test]
async fn every_call_of_a_batch_is_decided_alone_and_in_order() {
    let world = World::new();
    let body = r#"{"calls":[
        {"tool":"Read","arguments":{},"call_id":"k-1"},
        {"tool":"delete_all","arguments":{}},
        {"tool":"Re ad","arguments":{}},
        {"tool":"Read"},
        {"tool":"Read","arguments":{},"role":"admin"},
        {"tool":"Read","arguments":{},"tool":"Write"},
        {"tool":"Read","arguments":{"a":1,"a":2}},
        7, null, [], "Read",
        {"tool":"Bash","arguments":{"command":"SECRET"}},
        {"tool":"Write","arguments":{"x":[1]}}
    ]}"#;
    let answer = world.post(BATCH, body).await;
    assert_eq!(answer.status, StatusCode::OK);
    let mut expected = vec!["allow", "blocked"];
    expected.extend(["malformed_call"; 9]);
    expected.extend(["secret_detected", "allow"]);
    assert_eq!(verdicts(&answer.body), expected);
    let decisions = answer.body["decisions"].as_array().unwrap();
    assert!(decisions.iter().all(|decision| decision["trace_id"] == TRACE));
    assert_eq!(decisions[0]["call_id"], "k-1");
    let messages = |at: usize| decisions[at]["reason"]["message"].as_str().unwrap();
    assert!(messages(4).contains("`role` is not a known field"));
    assert!(messages(5).contains("`tool` occurs twice"));
    assert_eq!(world.recorder.calls.lock().unwrap().len(), 4);
    assert_eq!(world.recorder.rejected.lock().unwrap().len(), 9);
    let kept = world.recorder.call();
    assert_eq!(kept.arguments().raw(), br#"{"x":[1]}"#);
    assert!(matches!(world.recorder.rejection().reason, DenialReason::MalformedCall(_)));
}

#[tokio::test]
async fn a_batch_holds_one_to_a_hundred_calls() {
    let world = World::new();
    let call = json!({ "tool": "Read", "arguments": {} });
    for (size, status) in [
        (0, StatusCode::BAD_REQUEST),
        (1, StatusCode::OK),
        (100, StatusCode::OK),
        (101, StatusCode::BAD_REQUEST),
    ] {
        let answer = world.post(BATCH, json!({ "calls": vec![&call; size] })).await;
        assert_eq!(answer.status, status, "{size}");
        if status == StatusCode::OK {
            assert_eq!(verdicts(&answer.body).len(), size);
        } else {
            assert_eq!(answer.body["detail"], "`calls` must hold 1 to 100 calls");
        }
    }
    assert_eq!(world.recorder.calls.lock().unwrap().len(), 101);
}

#[tokio::test]
async fn the_frame_of_a_batch_is_strict() {
    let world = World::new();
    for (body, detail) in [
        ("{}", "`calls` is missing"),
        (r#"{"calls":null}"#, "`calls` is not an array"),
        (r#"{"calls":{"0":{}}}"#, "`calls` is not an array"),
        (r#"{"calls":[],"calls":[]}"#, "`calls` occurs twice"),
        (r#"{"calls":[],"dry_run":true}"#, "`dry_run` is not a known field"),
        (
            r#"{"calls":[{"tool":"Read","arguments":{}},]}"#,
            "the body is not valid JSON at line 1 column 42",
        ),
    ] {
        let answer = world.post(BATCH, body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(answer.body["detail"], detail, "{body}");
    }
    assert!(world.recorder.calls.lock().unwrap().is_empty());
}
