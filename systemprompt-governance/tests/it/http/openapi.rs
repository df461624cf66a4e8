use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use systemprompt_governance::http::{OPENAPI, ROUTES};

use super::schema::faults;
use super::{BATCH, GOVERN, HOOK, TRACK, World};

/// Routes of the other crates, which the document describes as well.
const ELSEWHERE: [(&str, &str); 17] = [
    ("GET", "/api/v1"),
    ("GET", "/api/v1/analytics/{subject}"),
    ("GET", "/api/v1/audit/decisions"),
    ("GET", "/api/v1/audit/events"),
    ("GET", "/api/v1/audit/traces/{trace_id}"),
    ("GET", "/api/v1/stream/audit"),
    ("GET", "/health"),
    ("GET", "/health/ready"),
    ("GET", "/metrics"),
    ("GET", "/api/v1/providers/health"),
    ("GET", "/v1/models"),
    ("GET", "/v1/models/{id}"),
    ("POST", "/v1/chat/completions"),
    ("POST", "/v1/messages"),
    ("POST", "/v1/messages/count_tokens"),
    ("POST", "/v1/responses"),
    ("POST", "/v1/responses/input_tokens"),
];

fn document() -> Value {
    serde_json::from_str(OPENAPI).unwrap()
}

/// The schema of an answer of a route.
fn answer_schema(document: &Value, path: &str, status: u16) -> Value {
    let operation = document["paths"][path].as_object().unwrap().values().next().unwrap();
    let mut answer = &operation["responses"][status.to_string()];
    if let Some(reference) = answer["$ref"].as_str() {
        answer = document.pointer(reference.trim_start_matches('#')).unwrap();
    }
    let content = answer["content"].as_object().unwrap_or_else(|| panic!("{path} {status}"));
    content.values().next().unwrap()["schema"].clone()
}

pub(super) fn assert_fits(path: &str, status: u16, value: &Value) {
    let document = document();
    let schema = answer_schema(&document, path, status);
    assert_eq!(faults(&document, &schema, value), Vec::<String>::new(), "{path} {status}: {value}");
}

#[test]
fn the_document_describes_exactly_the_routes() {
    let document = document();
    let described: BTreeSet<_> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, methods)| {
            methods.as_object().unwrap().keys().map(|m| (m.to_uppercase(), path.clone()))
        })
        .collect();
    let served: BTreeSet<_> = ROUTES
        .iter()
        .chain(&ELSEWHERE)
        .map(|(method, path)| ((*method).to_owned(), (*path).to_owned()))
        .collect();
    assert_eq!(described, served);
}

#[tokio::test]
async fn every_listed_route_is_served() {
    let world = World::new();
    for (method, path) in ROUTES {
        let path = path.replace("{id}", "x");
        let request = Request::builder().method(*method).uri(&path).body(Body::empty()).unwrap();
        let answer = world.send(request).await;
        assert!(
            ![404, 405].contains(&answer.status.as_u16()),
            "{method} {path}: {}",
            answer.status
        );
    }
}

#[tokio::test]
async fn every_reference_of_the_document_leads_somewhere() {
    fn walk(document: &Value, value: &Value) {
        match value {
            Value::Object(members) => members.iter().for_each(|(name, value)| {
                if let (true, Some(reference)) = (name == "$ref", value.as_str()) {
                    let target = document.pointer(reference.trim_start_matches('#'));
                    assert!(target.is_some(), "{reference}");
                }
                walk(document, value);
            }),
            Value::Array(items) => items.iter().for_each(|item| walk(document, item)),
            _ => {}
        }
    }
    walk(&document(), &document());
    let request = Request::get("/api/v1/openapi.json").body(Body::empty()).unwrap();
    let answer = World::new().send(request).await;
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.body, document());
}

#[tokio::test]
async fn real_answers_fit_the_document() {
    let world = World::new();
    for tool in ["Read", "delete_all", "busy", "Deploy", "Re ad"] {
        let answer = world.post(GOVERN, json!({ "tool": tool, "arguments": {} })).await;
        assert_fits(GOVERN, 200, &answer.body);
    }
    let calls = json!({ "calls": [{ "tool": "Read", "arguments": {} }, { "tool": "x" }, 7] });
    assert_fits(BATCH, 200, &world.post(BATCH, calls).await.body);
    assert_fits(GOVERN, 400, &world.post(GOVERN, "{}").await.body);

    let permit = world.recorder.permits.lock().unwrap()[0].id;
    let path = format!("/api/v1/permits/{permit}/outcome");
    let outcome = json!({ "status": "success", "duration_ms": 1 });
    for status in [200, 409] {
        let answer = world.post(&path, &outcome).await;
        assert_eq!(answer.status.as_u16(), status);
        assert_fits("/api/v1/permits/{id}/outcome", status, &answer.body);
    }
    let stranger = Request::post(GOVERN).body(Body::empty()).unwrap();
    assert_fits(GOVERN, 401, &world.send(stranger).await.body);

    for event in [
        json!({ "hook_event_name": "PreToolUse", "tool_name": "Read", "tool_input": {} }),
        json!({ "hook_event_name": "PreToolUse", "tool_name": "delete_all", "tool_input": {} }),
        json!({ "hook_event_name": "UserPromptSubmit", "prompt": "hello" }),
        json!({ "hook_event_name": "UserPromptSubmit", "prompt": "SECRET" }),
        json!({ "hook_event_name": "Stop" }),
        json!({}),
    ] {
        for path in [HOOK, TRACK] {
            assert_fits(path, 200, &world.post(path, &event).await.body);
        }
    }
}

#[test]
fn the_requests_of_the_document_are_what_the_doors_accept() {
    let document = document();
    for path in [GOVERN, "/api/v1/permits/{id}/outcome"] {
        let body = &document["paths"][path]["post"]["requestBody"]["content"]["application/json"];
        assert_eq!(faults(&document, &body["schema"], &body["example"]), Vec::<String>::new());
    }
    let call = &document["components"]["schemas"]["Call"];
    assert!(!faults(&document, call, &json!({ "tool": "Read" })).is_empty());
    assert!(
        !faults(&document, call, &json!({ "tool": "Read", "arguments": 1, "x": 1 })).is_empty()
    );
}
