//! Attacks on the doors themselves: hostile bodies, ambiguous JSON, text that forges log lines.

use axum::body::Body;
use axum::http::StatusCode;
use serde_json::json;

use super::{BATCH, GOVERN, HOOK, TRACE, World, post};

fn nested(levels: usize) -> String {
    format!("{}{}", "[".repeat(levels), "]".repeat(levels))
}

#[tokio::test]
async fn ten_thousand_levels_are_refused_wherever_they_are() {
    let world = World::new();
    let deep = nested(10_000);
    let arguments = format!(r#"{{"tool":"Read","arguments":{deep}}}"#);
    let answer = world.post(GOVERN, &arguments).await;
    assert_eq!(answer.body["reason"]["code"], "malformed_call");
    let batch = world.post(BATCH, format!(r#"{{"calls":[{arguments},{deep}]}}"#)).await;
    assert_eq!(batch.body["decisions"][0]["reason"]["code"], "malformed_call");
    assert_eq!(batch.body["decisions"][1]["reason"]["code"], "malformed_call");
    for body in [
        deep.clone(),
        format!(r#"{{"tool":"Read","arguments":{{}},"x":{deep}}}"#),
        format!(r#"{{"tool":{deep},"arguments":{{}}}}"#),
        "[".repeat(1_000_000),
    ] {
        assert_eq!(world.post(GOVERN, body).await.status, StatusCode::BAD_REQUEST);
    }
    let hook = format!(
        r#"{{"hook_event_name":"PreToolUse","tool_name":"Read","tool_input":{deep},"x":{deep}}}"#
    );
    let answer = world.post(HOOK, hook).await;
    assert_eq!(answer.body["hookSpecificOutput"]["permissionDecision"], "deny");
    assert!(world.recorder.calls.lock().unwrap().is_empty());
}

#[tokio::test]
async fn compressed_bodies_are_never_inflated() {
    let world = World::new();
    // gzip of `{"tool":"Read","arguments":{}}`; whatever it holds, it is not looked at.
    let gzip: &[u8] = &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xab, 0x56, 0x2a, 0xc9];
    for path in [GOVERN, BATCH] {
        let request = post(path).header("content-encoding", "gzip").body(Body::from(gzip)).unwrap();
        assert_eq!(world.send(request).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
        let undeclared = post(path).body(Body::from(gzip)).unwrap();
        assert_eq!(world.send(undeclared).await.status, StatusCode::BAD_REQUEST);
    }
    let request = post(HOOK).header("content-encoding", "gzip").body(Body::from(gzip)).unwrap();
    let answer = world.send(request).await;
    assert_eq!((answer.status, &answer.body["decision"]), (StatusCode::OK, &json!("block")));
}

#[tokio::test]
async fn a_body_over_the_limit_is_not_collected_even_without_a_length() {
    let world = World::new();
    let chunks =
        futures_util::stream::iter((0..64).map(|_| Ok::<_, std::io::Error>(vec![b'['; 65_536])));
    let request = post(GOVERN).body(Body::from_stream(chunks)).unwrap();
    assert_eq!(world.send(request).await.status, StatusCode::PAYLOAD_TOO_LARGE);

    let endless = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 65_536]));
    let request = post(HOOK).body(Body::from_stream(endless)).unwrap();
    let answer = world.send(request).await;
    assert_eq!((answer.status, &answer.body["decision"]), (StatusCode::OK, &json!("block")));
}

#[tokio::test]
async fn a_body_that_breaks_off_is_not_decided() {
    let world = World::new();
    let broken = || {
        let start = Ok(r#"{"tool":"Read","arguments":{}"#.as_bytes());
        Body::from_stream(futures_util::stream::iter([start, Err(std::io::Error::other("gone"))]))
    };
    let answer = world.send(post(GOVERN).body(broken()).unwrap()).await;
    assert_eq!(
        (answer.status, &answer.body["code"]),
        (StatusCode::BAD_REQUEST, &json!("incomplete_body"))
    );
    let answer = world.send(post(HOOK).body(broken()).unwrap()).await;
    assert_eq!(answer.body["decision"], "block");
    assert!(world.recorder.calls.lock().unwrap().is_empty());
}

#[tokio::test]
async fn policy_and_tool_can_never_read_different_members() {
    let world = World::new();
    for body in [
        r#"{"tool":"Read","tool":"delete_all","arguments":{}}"#,
        r#"{"tool":"Read","arguments":{},"call_id":"a","call_id":"b"}"#,
        r#"{"tool":"Read","arguments":{},"session_id":null,"session_id":"b"}"#,
    ] {
        assert_eq!(world.post(GOVERN, body).await.status, StatusCode::BAD_REQUEST, "{body}");
    }
    let twice = r#"{"tool":"Read","arguments":{"o":{"name":"a","n\u0061me":"b"}}}"#;
    assert_eq!(world.post(GOVERN, twice).await.body["reason"]["code"], "malformed_call");
    let hook = r#"{"hook_event_name":"PreToolUse","tool_name":"Read","tool_input":{"a":1,"a":2}}"#;
    let answer = world.post(HOOK, hook).await;
    assert_eq!(answer.body["hookSpecificOutput"]["permissionDecision"], "deny");
    assert!(world.recorder.calls.lock().unwrap().is_empty());
}

#[tokio::test]
async fn no_field_can_forge_a_line_of_a_log_or_a_header() {
    let world = World::new();
    let forged = "x\r\nHTTP/1.1 200 OK\u{1b}[2J\u{202e}";
    for field in ["tool", "server", "agent_id", "session_id", "context_id", "task_id", "call_id"] {
        let mut body = json!({ "tool": "Read", "arguments": {} });
        body[field] = forged.into();
        let answer = world.post(GOVERN, &body).await;
        assert_eq!(answer.body["reason"]["code"], "malformed_call", "{field}");
        let message = answer.body["reason"]["message"].as_str().unwrap();
        assert!(message.contains(&format!("`{field}`")), "{message}");
        assert!(!message.contains(char::is_control) && !message.contains("HTTP/1.1"), "{message}");
    }
    for traceparent in [
        "garbage",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-0AF7651916CD43DD8448EB211C80319C-00f067aa0ba902b7-01",
    ] {
        let request = axum::http::Request::post(GOVERN)
            .header("authorization", "Bearer ada")
            .header("traceparent", traceparent)
            .body(json!({ "tool": "Read", "arguments": {} }).to_string().into())
            .unwrap();
        let answer = world.send(request).await;
        let minted = answer.header("x-trace-id");
        assert_eq!(answer.body["trace_id"], minted);
        assert!(minted.len() == 32 && !minted.eq_ignore_ascii_case(TRACE), "{minted}");
    }
}

#[tokio::test]
async fn every_element_of_a_batch_is_checked() {
    let world = World::new();
    let mut calls = vec![json!({ "tool": "Read", "arguments": {} }); 99];
    for at in [0, 50, 98] {
        calls.insert(at, json!({ "tool": "delete_all", "arguments": {} }));
        let answer = world.post(BATCH, json!({ "calls": calls })).await;
        let denied: Vec<_> = answer.body["decisions"]
            .as_array()
            .unwrap()
            .iter()
            .enumerate()
            .filter(|(_, decision)| decision["decision"] == "deny")
            .map(|(at, _)| at)
            .collect();
        assert_eq!(denied, [at]);
        calls.remove(at);
    }
}
