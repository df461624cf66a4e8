//! Who may use what, what is blocked, and how much of it.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::harness::{Gateway, answer, verdict};

const ADMIN_TOOL: &str = "mcp__systemprompt__list_users";

fn outcomes(answer: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    answer["evaluation"]["checks"]
        .as_array()
        .expect("checks")
        .iter()
        .map(|check| (text(&check["check"]), text(&check["outcome"])))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_tool_needs_the_admin_scope_whatever_the_request_claims() {
    let gateway = Gateway::fresh();
    assert_eq!(verdict(&gateway.ask("admin", ADMIN_TOOL, json!({})).await), "allow");
    let plain = gateway.ask("user", ADMIN_TOOL, json!({})).await;
    assert_eq!(verdict(&plain), "scope_violation", "{plain}");

    for agent in ["developer_agent", "associate_agent"] {
        let body = json!({ "tool": ADMIN_TOOL, "arguments": {}, "agent_id": agent });
        assert_eq!(verdict(&gateway.govern("user", body).await), "scope_violation", "{agent}");
    }
    let body = json!({ "tool": ADMIN_TOOL, "arguments": {}, "agent_id": "developer_agent" });
    assert_eq!(verdict(&gateway.govern("admin", body).await), "allow");
    let body = json!({ "tool": "Read", "arguments": {}, "agent_id": "invented_agent" });
    assert_eq!(verdict(&gateway.govern("admin", body).await), "unknown_agent");

    let claims = gateway
        .post("/api/v1/govern", "user")
        .header("x-user-id", "admin")
        .header("x-user-permissions", "admin")
        .header("x-forwarded-for", "127.0.0.1")
        .json(&json!({ "tool": ADMIN_TOOL, "arguments": {} }));
    assert_eq!(verdict(&answer(claims).await.1), "scope_violation");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_qualified_name_and_the_server_beside_the_tool_are_the_same() {
    let gateway = Gateway::fresh();
    let beside = json!({ "tool": "list_users", "server": "systemprompt", "arguments": {} });
    assert_eq!(verdict(&gateway.govern("user", beside.clone()).await), "scope_violation");
    assert_eq!(verdict(&gateway.govern("admin", beside).await), "allow");
}

#[tokio::test(flavor = "multi_thread")]
async fn whole_words_are_blocked_and_parts_of_words_are_not() {
    let gateway = Gateway::fresh();
    for tool in [
        "delete_records",
        "deleteRecords",
        "records.delete",
        "mcp__db__drop",
        "WIPE",
        "shutdown-host",
    ] {
        for user in ["user", "admin"] {
            assert_eq!(verdict(&gateway.ask(user, tool, json!({})).await), "blocked", "{tool}");
        }
    }
    for tool in ["undelete_items", "backdrop_filter", "dropdown", "Read"] {
        assert_eq!(verdict(&gateway.ask("user", tool, json!({})).await), "allow", "{tool}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_call_passes_every_check_in_order() {
    let gateway = Gateway::fresh();
    let answer = gateway.ask("user", "Read", json!({ "file_path": "/tmp/notes.txt" })).await;
    assert_eq!(verdict(&answer), "allow");
    let passed = |names: [&str; 4]| names.map(|n| (n.to_owned(), "passed".to_owned())).to_vec();
    assert_eq!(outcomes(&answer), passed(["scope", "secret", "blocklist", "rate"]));
    assert!(answer["permit"]["id"].is_string() && answer["permit"]["expires_at"].is_string());
    assert!(answer["evaluation"]["policy_version"].is_string());
    assert_eq!(answer["evaluation"]["limits"][0]["remaining"], 299, "{answer}");
    for field in ["duration_ns"] {
        assert!(answer["evaluation"]["checks"][0][field].is_u64(), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_lets_exactly_its_burst_through_and_touches_no_other_session() {
    // One call refills every 3,600 s: nothing refills while the test runs.
    let gateway = Gateway::edited(|text| {
        text.replace("limit: 300", "limit: 100")
            .replace("window_s: 60", "window_s: 360000")
            .replace("burst: 300", "burst: 100")
    });
    let in_session =
        |session: &str| json!({ "tool": "Read", "arguments": {}, "session_id": session });
    let calls = (0..1000).map(|_| gateway.govern("user", in_session("busy")));
    let answers = join_all(calls).await;
    let allowed = answers.iter().filter(|answer| verdict(answer) == "allow").count();
    assert_eq!(allowed, 100);
    let denied = answers.iter().find(|answer| verdict(answer) != "allow").expect("a denied call");
    assert_eq!(verdict(denied), "rate_limited");
    let retry = denied["reason"]["data"]["retry_after_ms"].as_u64().expect("retry_after_ms");
    assert!((3_500_000..=3_600_000).contains(&retry), "{retry}");
    assert_eq!(verdict(&gateway.govern("user", in_session("quiet")).await), "allow");
    assert_eq!(verdict(&gateway.govern("admin", in_session("busy")).await), "allow");
    assert_eq!(verdict(&gateway.ask("user", "Read", json!({})).await), "allow");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_gets_the_same_permit_and_is_not_charged() {
    let gateway = Gateway::fresh();
    let body =
        json!({ "tool": "Read", "arguments": { "p": 1 }, "session_id": "s", "call_id": "c-1" });
    let first = gateway.govern("user", body.clone()).await;
    let again = gateway.govern("user", body.clone()).await;
    assert_eq!(first["permit"], again["permit"]);
    let left = |answer: &Value| answer["evaluation"]["limits"][0]["remaining"].clone();
    assert_eq!((left(&first), left(&again)), (json!(299), json!(299)));

    let other =
        json!({ "tool": "Read", "arguments": { "p": 2 }, "session_id": "s", "call_id": "c-1" });
    let changed = gateway.govern("user", other).await;
    assert_ne!(first["permit"]["id"], changed["permit"]["id"]);
    assert_eq!(left(&changed), json!(298));

    let permit = first["permit"]["id"].as_str().unwrap().to_owned();
    let outcome = json!({ "status": "success", "duration_ms": 1 });
    let path = format!("/api/v1/permits/{permit}/outcome");
    assert!(answer(gateway.post(&path, "user").json(&outcome)).await.0.is_success());
    let after = gateway.govern("user", body).await;
    assert_ne!(first["permit"]["id"], after["permit"]["id"]);
    assert_eq!(left(&after), json!(297));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_decides_each_call_alone_and_in_order() {
    let gateway = Gateway::fresh();
    let calls = json!({ "calls": [
        { "tool": "Read", "arguments": {} },
        { "tool": "delete_all", "arguments": {} },
        { "tool": "Re ad", "arguments": {} },
        { "tool": ADMIN_TOOL, "arguments": {} },
        { "tool": "Read" },
        { "tool": "Write", "arguments": { "token": format!("ghp_{}", "a1B2".repeat(9)) } },
    ]});
    let (status, body) = answer(gateway.post("/api/v1/govern/batch", "user").json(&calls)).await;
    assert!(status.is_success(), "{body}");
    let decisions: Vec<_> = body["decisions"].as_array().unwrap().iter().map(verdict).collect();
    assert_eq!(
        decisions,
        [
            "allow",
            "blocked",
            "malformed_call",
            "scope_violation",
            "malformed_call",
            "secret_detected"
        ]
    );
    let ids: BTreeSet<_> = body["decisions"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|decision| decision["call_id"].as_str())
        .collect();
    assert_eq!(ids.len(), 6, "every call has an id of its own: {body}");
    for size in [0, 101] {
        let calls = vec![json!({ "tool": "Read", "arguments": {} }); size];
        let request = gateway.post("/api/v1/govern/batch", "user").json(&json!({ "calls": calls }));
        assert_eq!(answer(request).await.0, 400, "{size} calls");
    }
}
