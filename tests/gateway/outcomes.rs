//! Permits are spent once, by their owner, in time; and the five points of a trace.

use serde_json::{Value, json};

use crate::harness::{Gateway, answer, verdict};

async fn permit(gateway: &Gateway, user: &str) -> (String, Value) {
    let allowed = gateway.ask(user, "Read", json!({ "file_path": "/tmp/a" })).await;
    assert_eq!(verdict(&allowed), "allow", "{allowed}");
    (allowed["permit"]["id"].as_str().expect("permit").to_owned(), allowed)
}

async fn report(gateway: &Gateway, user: &str, permit: &str, outcome: Value) -> u16 {
    let path = format!("/api/v1/permits/{permit}/outcome");
    answer(gateway.post(&path, user).json(&outcome)).await.0.as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_is_accepted_once_and_only_from_the_owner() {
    let gateway = Gateway::fresh();
    let (id, _) = permit(&gateway, "user").await;
    let good = json!({ "status": "success", "duration_ms": 12, "result_bytes": 80 });
    assert_eq!(report(&gateway, "admin", &id, good.clone()).await, 404, "another principal's");
    for bad in [
        json!({ "status": "success", "duration_ms": -1 }),
        json!({ "status": "splendid", "duration_ms": 1 }),
        json!({ "status": "success", "duration_ms": 1, "surprise": true }),
        json!({ "status": "success" }),
        json!([]),
    ] {
        assert_eq!(report(&gateway, "user", &id, bad.clone()).await, 400, "{bad}");
    }
    assert!((200..300).contains(&report(&gateway, "user", &id, good.clone()).await));
    assert_eq!(report(&gateway, "user", &id, good.clone()).await, 409);
    let nobody = "018f0000-0000-7000-8000-000000000000";
    assert_eq!(report(&gateway, "user", nobody, good.clone()).await, 404);
    let status = report(&gateway, "user", "not-a-permit", good).await;
    assert!(matches!(status, 400 | 404), "{status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn permits_survive_a_restart_and_expire() {
    let mut gateway = Gateway::edited(|text| {
        assert!(text.contains("governance:"), "{text}");
        let without: Vec<_> = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("permit_lifetime_s"))
            .collect();
        without.join("\n").replacen("governance:", "governance:\n  permit_lifetime_s: 2", 1)
    });
    let (short, _) = permit(&gateway, "user").await;
    let good = json!({ "status": "failed", "duration_ms": 3, "error": "file not found" });
    let (spent, _) = permit(&gateway, "user").await;
    assert!((200..300).contains(&report(&gateway, "user", &spent, good.clone()).await));
    gateway.kill();
    let gateway = Gateway::on(gateway.data());
    assert_eq!(report(&gateway, "user", &spent, good.clone()).await, 409);
    tokio::time::sleep(std::time::Duration::from_millis(2100)).await;
    assert_eq!(report(&gateway, "user", &short, good).await, 410);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_settled_call_has_all_five_points() {
    let gateway = Gateway::fresh();
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let request = gateway
        .post("/api/v1/govern", "user")
        .header("traceparent", parent)
        .json(&json!({ "tool": "Read", "arguments": {}, "session_id": "s-1", "agent_id": "associate_agent" }));
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["x-trace-id"], trace);
    let allowed: Value = response.json().await.unwrap();
    assert_eq!(allowed["trace_id"], trace);

    let path = format!("/api/v1/audit/traces/{trace}");
    assert_eq!(answer(gateway.get(&path, "user")).await.0, 403, "needs audit:read");
    let (status, open) = answer(gateway.get(&path, "admin")).await;
    assert_eq!(status, 200, "{open}");
    assert_eq!(open["missing"], json!(["tool_execution", "result"]), "{open}");

    let permit = allowed["permit"]["id"].as_str().unwrap();
    let done =
        json!({ "status": "success", "duration_ms": 7, "result_bytes": 5, "result": "hello" });
    assert!((200..300).contains(&report(&gateway, "user", permit, done).await));
    let whole = answer(gateway.get(&path, "admin")).await.1;
    assert_eq!(whole["missing"], json!([]), "{whole}");
    for point in ["identity", "agent_context", "permissions", "tool_execution", "result"] {
        assert!(whole["points"][point].is_object(), "{point}: {whole}");
    }
    assert_eq!(whole["events"].as_array().unwrap().len(), 2);
    let unknown = "/api/v1/audit/traces/00000000000000000000000000000001";
    assert_eq!(answer(gateway.get(unknown, "admin")).await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn decisions_are_listed_page_by_page() {
    let gateway = Gateway::fresh();
    for n in 0..25 {
        gateway.ask("user", if n % 5 == 0 { "delete_it" } else { "Read" }, json!({})).await;
    }
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/api/v1/audit/decisions?limit=10{cursor}");
        let (status, page) = answer(gateway.get(&path, "admin")).await;
        assert_eq!(status, 200, "{page}");
        let rows = page["decisions"].as_array().expect("decisions");
        seen.extend(rows.iter().map(|row| row["seq"].as_i64().expect("seq")));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 25);
    assert!(seen.windows(2).all(|pair| pair[0] > pair[1]), "newest first: {seen:?}");
    let denied = answer(gateway.get("/api/v1/audit/decisions?decision=deny", "admin")).await.1;
    assert_eq!(denied["decisions"].as_array().unwrap().len(), 5);
    let (status, body) = answer(gateway.get("/api/v1/audit/decisions?usr=x", "admin")).await;
    assert_eq!(status, 400);
    assert!(body["detail"].as_str().unwrap().contains("usr"), "{body}");
}
