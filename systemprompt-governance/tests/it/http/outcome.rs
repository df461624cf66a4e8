use std::time::Duration;

use axum::http::{Request, StatusCode};
use serde_json::json;
use systemprompt_core::call::Digest;
use systemprompt_core::decision::OutcomeStatus;
use systemprompt_core::id::PermitId;

use super::{GOVERN, TRACE, World};

async fn granted(world: &World) -> String {
    let answer = world.post(GOVERN, json!({ "tool": "Read", "arguments": {} })).await;
    let id = answer.body["permit"]["id"].as_str().unwrap();
    format!("/api/v1/permits/{id}/outcome")
}

#[tokio::test]
async fn an_outcome_is_recorded_once() {
    let world = World::new();
    let path = granted(&world).await;
    let body =
        r#"{"status":"failed","duration_ms":12.5,"result": {"a" : 1},"error":"no SECRET\n"}"#;
    let answer = world.post(&path, body).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.body["status"], "failed");
    assert_eq!(answer.header("x-trace-id"), TRACE);
    let outcome = world.recorder.outcome();
    assert_eq!(outcome.status, OutcomeStatus::Failed);
    assert_eq!(outcome.duration, Duration::from_micros(12_500));
    assert_eq!(outcome.result_bytes, Some(9));
    assert_eq!(outcome.result_digest, Some(Digest::of(br#"{"a" : 1}"#)));
    assert_eq!(outcome.error.as_deref(), Some("no [redacted:test]\\n"));

    let again = world.post(&path, json!({ "status": "success", "duration_ms": 1 })).await;
    assert_eq!(
        (again.status, &again.body["code"]),
        (StatusCode::CONFLICT, &json!("permit_settled"))
    );
    assert_eq!(world.recorder.outcome().status, OutcomeStatus::Failed);
}

#[tokio::test]
async fn a_stated_size_counts_beside_an_excerpt_of_the_result() {
    let world = World::new();
    let path = granted(&world).await;
    let body =
        json!({ "status": "success", "duration_ms": 1, "result": "ab", "result_bytes": 4096 });
    assert_eq!(world.post(&path, body.to_string()).await.status, StatusCode::OK);
    assert_eq!(world.recorder.outcome().result_bytes, Some(4096));
}

#[tokio::test]
async fn a_malformed_outcome_spends_nothing() {
    let world = World::new();
    let path = granted(&world).await;
    for (body, detail) in [
        (r#"{"status":"success","duration_ms":1,"cost":3}"#, "`cost` is not a known field"),
        (r#"{"status":"success","duration_ms":1,"status":"failed"}"#, "`status` occurs twice"),
        (
            r#"{"status":"abandoned","duration_ms":1}"#,
            "`status` is not one of `success`, `failed` and `timeout`",
        ),
        (r#"{"duration_ms":1}"#, "`status` is missing"),
        (r#"{"status":"success"}"#, "`duration_ms` is missing"),
        (
            r#"{"status":"success","duration_ms":-1}"#,
            "`duration_ms` is not a number of milliseconds, from 0 to a year",
        ),
        (
            r#"{"status":"success","duration_ms":"1"}"#,
            "`duration_ms` is not a number of milliseconds, from 0 to a year",
        ),
        (
            r#"{"status":"success","duration_ms":1e400}"#,
            "`duration_ms` is not a number of milliseconds, from 0 to a year",
        ),
        (
            r#"{"status":"success","duration_ms":1e18}"#,
            "`duration_ms` is not a number of milliseconds, from 0 to a year",
        ),
        (
            r#"{"status":"success","duration_ms":1,"result_bytes":-4}"#,
            "`result_bytes` is not a size",
        ),
        (
            r#"{"status":"success","duration_ms":1,"result_bytes":1.5}"#,
            "`result_bytes` is not a size",
        ),
        (
            r#"{"status":"success","duration_ms":1,"result_bytes":18446744073709551615}"#,
            "`result_bytes` is not a size",
        ),
        (r#"{"status":"success","duration_ms":1,"error":{}}"#, "`error` is not a string"),
        ("", "the body is not valid JSON at line 1 column 0"),
    ] {
        let answer = world.post(&path, body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(answer.body["detail"], detail, "{body}");
    }
    let body = json!({ "status": "timeout", "duration_ms": 0, "result_bytes": 7 });
    assert_eq!(world.post(&path, body).await.status, StatusCode::OK);
    assert_eq!(world.recorder.outcome().result_bytes, Some(7));
}

#[tokio::test]
async fn only_the_holder_of_a_living_permit_reports() {
    let world = World::new();
    let path = granted(&world).await;
    let body = json!({ "status": "success", "duration_ms": 1 });
    let stranger = Request::post(&path)
        .header("authorization", "Bearer bob")
        .body(body.to_string().into())
        .unwrap();
    assert_eq!(world.send(stranger).await.status, StatusCode::NOT_FOUND);
    for unknown in [PermitId::generate().to_string(), "7".into(), "%ff".into(), "..".into()] {
        let answer = world.post(&format!("/api/v1/permits/{unknown}/outcome"), &body).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{unknown}");
        assert_eq!(answer.body["code"], "unknown_permit", "{unknown}");
    }
    world.recorder.expire_all();
    let late = world.post(&path, &body).await;
    assert_eq!((late.status, &late.body["code"]), (StatusCode::GONE, &json!("permit_expired")));
}
