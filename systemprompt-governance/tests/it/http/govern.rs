use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use systemprompt_core::call::{CallKind, Door, MalformedCall};
use systemprompt_core::decision::DenialReason;
use systemprompt_core::id::TraceId;

use super::{BATCH, GOVERN, HOOK, TRACE, World, post};

#[tokio::test]
async fn an_allowed_call_is_answered_with_its_permit_and_evaluation() {
    let world = World::new();
    let answer = world
        .post(
            GOVERN,
            r#" {"arguments" : { "path": "/etc/hosts" },"tool":"Read","server":"files",
              "agent_id":"a-1","session_id":"s-1","context_id":"c-1","task_id":null,"call_id":"k-1"} "#,
        )
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("x-trace-id"), TRACE);
    let permit = world.recorder.permits.lock().unwrap()[0].id;
    let checks = ["scope", "secret", "blocklist", "rate"].map(
        |check| json!({ "check": check, "outcome": "passed", "detail": null, "duration_ns": 120 }),
    );
    assert_eq!(
        answer.body,
        json!({
            "decision": "allow",
            "call_id": "k-1",
            "trace_id": TRACE,
            "permit": { "id": permit, "expires_at": "2027-01-15T08:00:00.000000Z" },
            "evaluation": {
                "policy_version": "test-1",
                "checks": checks,
                "limits": [{ "name": "session", "remaining": 299, "reset_ms": 200 }],
            },
        })
    );
    let call = world.recorder.call();
    assert_eq!((call.kind(), call.door()), (CallKind::Tool, Door::Api));
    assert_eq!(call.tool().qualified(), "mcp__files__Read");
    assert_eq!(call.arguments().raw(), br#"{ "path": "/etc/hosts" }"#);
    assert_eq!(call.agent().unwrap().as_str(), "a-1");
    assert!(!call.context().agent_is_label);
    assert_eq!(call.session().unwrap().as_str(), "s-1");
    assert_eq!(call.context().context.as_ref().unwrap().as_str(), "c-1");
    assert_eq!(call.context().task, None);
}

#[tokio::test]
async fn a_denied_call_is_answered_with_status_200_and_the_reason() {
    let world = World::new();
    let answer = world.post(GOVERN, json!({ "tool": "busy", "arguments": {} })).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.body["decision"], "deny");
    assert_eq!(answer.body["reason"]["code"], "rate_limited");
    assert_eq!(answer.body["reason"]["data"]["retry_after_ms"], 151);
    assert!(answer.body["reason"]["message"].as_str().unwrap().contains("151 ms"));
    assert_eq!(answer.body.get("permit"), None);
}

#[tokio::test]
async fn a_waiting_call_says_what_it_waits_for() {
    let world = World::new();
    let answer = world.post(GOVERN, json!({ "tool": "Deploy", "arguments": {} })).await;
    assert_eq!(answer.body["decision"], "pending");
    assert_eq!(answer.body["reason"]["code"], "approval_required");
    assert!(answer.body["reason"]["data"]["approval"].is_string());
}

#[tokio::test]
async fn a_body_of_another_form_is_refused_and_the_field_is_named() {
    let world = World::new();
    for (body, detail) in [
        (r#"{"tool":"Read","arguments":{},"role":"admin"}"#, "`role` is not a known field"),
        (r#"{"tool":"Read","arguments":{},"SECRET":1}"#, "`[redacted:test]` is not a known field"),
        (r#"{"tool":"Read","arguments":{},"\u001b[1m":1}"#, "`\\u{1b}[1m` is not a known field"),
        (r#"{"tool":"Read","arguments":{},"tool":"Write"}"#, "`tool` occurs twice"),
        (r#"{"tool":"Read","arguments":{},"arguments":{"a":1}}"#, "`arguments` occurs twice"),
        (r#"{"tool":"Read","arguments":{},"t\u006fol":"Write"}"#, "`tool` occurs twice"),
        (r#"{"tool":"Read"}"#, "`arguments` is missing"),
        (r#"{"arguments":{}}"#, "`tool` is missing"),
        (r#"{"tool":null,"arguments":{}}"#, "`tool` is missing"),
        (r#"{"tool":["Read"],"arguments":{}}"#, "`tool` is not a string"),
        (r#"{"tool":"Read","arguments":{},"session_id":4}"#, "`session_id` is not a string"),
        (r#"{"tool":"Read","arguments":{}} x"#, "the body is not valid JSON at line 1 column 32"),
        ("{\n\"tool\":tru}", "the body is not valid JSON at line 2 column 11"),
        ("", "the body is not valid JSON at line 1 column 0"),
        ("[]", "the body is not a JSON object"),
        ("7", "the body is not a JSON object"),
    ] {
        let answer = world.post(GOVERN, body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(answer.header("content-type"), "application/problem+json", "{body}");
        assert_eq!(answer.body["code"], "invalid_request", "{body}");
        assert_eq!(answer.body["detail"], detail, "{body}");
        assert_eq!(answer.body["trace_id"], TRACE, "{body}");
    }
    assert!(world.recorder.calls.lock().unwrap().is_empty());
    assert!(world.recorder.rejected.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_reads_well_but_is_no_call_is_denied_and_recorded() {
    let world = World::new();
    let deep = format!("{}{}", "[".repeat(65), "]".repeat(65));
    for body in [
        json!({ "tool": "Re ad", "arguments": {} }).to_string(),
        json!({ "tool": "", "arguments": {} }).to_string(),
        json!({ "tool": "mcp__a__b", "server": "c", "arguments": {} }).to_string(),
        json!({ "tool": "Read", "arguments": {}, "session_id": "s\r\nx: y" }).to_string(),
        json!({ "tool": "Read", "arguments": {}, "call_id": "x".repeat(256) }).to_string(),
        r#"{"tool":"Read","arguments":{"path":"/a","path":"/b"}}"#.to_owned(),
        format!(r#"{{"tool":"Read","arguments":{deep}}}"#),
    ] {
        let answer = world.post(GOVERN, &body).await;
        assert_eq!(answer.status, StatusCode::OK, "{body}");
        assert_eq!(answer.body["decision"], "deny", "{body}");
        assert_eq!(answer.body["reason"]["code"], "malformed_call", "{body}");
    }
    assert!(world.recorder.calls.lock().unwrap().is_empty());
    assert_eq!(world.recorder.rejected.lock().unwrap().len(), 7);
    let rejection = world.recorder.rejection();
    assert_eq!(rejection.tool.as_deref(), Some("Read"));
    assert_eq!(rejection.reason, DenialReason::MalformedCall(MalformedCall::TooDeep { limit: 64 }));
}

#[tokio::test]
async fn strangers_get_a_problem_and_are_not_listened_to() {
    let world = World::new();
    for (token, status, code) in [
        ("", StatusCode::UNAUTHORIZED, "unauthenticated"),
        ("Bearer nobody", StatusCode::UNAUTHORIZED, "unauthenticated"),
        ("Bearer elsewhere", StatusCode::UNAUTHORIZED, "audience_mismatch"),
        ("Bearer flood", StatusCode::TOO_MANY_REQUESTS, "too_many_failures"),
    ] {
        for path in [GOVERN, BATCH, "/api/v1/permits/x/outcome"] {
            let request = Request::post(path).header("authorization", token);
            let answer = world.send(request.body("not even JSON".into()).unwrap()).await;
            assert_eq!(answer.status, status, "{path}");
            assert_eq!(answer.body["code"], code, "{path}");
            assert_eq!(answer.header("x-trace-id"), answer.body["trace_id"].as_str().unwrap());
        }
    }
    let request = Request::post(GOVERN).header("authorization", "Bearer flood");
    let answer = world.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.header("retry-after"), "2");
}

#[tokio::test]
async fn a_wrong_method_is_a_problem() {
    let world = World::new();
    for path in [GOVERN, BATCH, HOOK, "/api/v1/openapi.json"] {
        let answer = world.send(Request::put(path).body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
        assert_eq!(answer.body["code"], "method_not_allowed", "{path}");
        assert!(!answer.header("allow").is_empty(), "{path}");
    }
}

#[tokio::test]
async fn address_client_and_the_trace_of_an_outer_layer_come_along() {
    let world = World::new();
    let trace: TraceId = "11111111111111111111111111111111".parse().unwrap();
    let peer: SocketAddr = "192.0.2.7:4711".parse().unwrap();
    let request = post(GOVERN)
        .header("user-agent", "probe/1.0")
        .extension(trace)
        .extension(ConnectInfo(peer))
        .body(json!({ "tool": "Read", "arguments": {} }).to_string().into())
        .unwrap();
    let answer = world.send(request).await;
    assert_eq!(answer.header("x-trace-id"), trace.to_string());
    let context = world.recorder.call().context().clone();
    assert_eq!(context.trace_id, Some(trace));
    assert_eq!(context.client_addr, Some(peer.ip()));
    assert_eq!(context.user_agent.as_deref(), Some("probe/1.0"));
}

#[tokio::test]
async fn a_body_may_leave_its_type_out_but_not_lie_about_it() {
    let world = World::new();
    let send = |header: Option<(&'static str, &'static str)>| {
        let mut request = Request::post(GOVERN).header("authorization", "Bearer ada");
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        let body = json!({ "tool": "Read", "arguments": {} }).to_string();
        world.send(request.body(body.into()).unwrap())
    };
    for good in [
        None,
        Some(("content-type", "application/json")),
        Some(("content-type", "Application/JSON; charset=utf-8")),
        Some(("content-encoding", "identity")),
    ] {
        assert_eq!(send(good).await.status, StatusCode::OK, "{good:?}");
    }
    for bad in [
        ("content-type", "text/plain"),
        ("content-type", "application/x-www-form-urlencoded"),
        ("content-encoding", "gzip"),
        ("content-encoding", "identity, gzip"),
    ] {
        let answer = send(Some(bad)).await;
        assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{bad:?}");
        assert_eq!(answer.body["code"], "unsupported_media_type", "{bad:?}");
    }
}

#[tokio::test]
async fn the_body_limit_is_exact() {
    let world = World::with(|doors| doors.body_limit = 100);
    let body = |length: usize| {
        let start = r#"{"tool":"Read","arguments":""#;
        format!("{start}{}\"}}", "a".repeat(length - start.len() - 2))
    };
    assert_eq!(world.post(GOVERN, body(100)).await.status, StatusCode::OK);
    let answer = world.post(GOVERN, body(101)).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(answer.body["code"], "body_too_long");
    let hook = world.post(HOOK, body(101)).await;
    assert_eq!(hook.status, StatusCode::OK);
    assert_eq!(hook.body["decision"], "block");
    assert_eq!(hook.body["hookSpecificOutput"]["permissionDecision"], Value::from("deny"));
}
