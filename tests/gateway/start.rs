//! The first start, the second start, and what is served.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use crate::harness::{Gateway, answer, verdict};

#[tokio::test(flavor = "multi_thread")]
async fn the_first_start_makes_what_it_needs_and_the_second_reuses_it() {
    let mut gateway = Gateway::fresh();
    for name in ["admin.key", "user.key"] {
        let path = gateway.data().join(name);
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{name}");
        let text = fs::read_to_string(&path).unwrap();
        let token = text.trim();
        assert!(token.starts_with("sp_live_") && token.split('_').count() == 4, "the token alone");
        assert!(text.lines().count() == 1);
        assert!(!gateway.log().contains(token), "keys are not printed");
    }
    let keys = (gateway.key("admin"), gateway.key("user"));
    assert_eq!(verdict(&gateway.ask("user", "Read", json!({})).await), "allow");
    gateway.stop();
    let gateway = Gateway::on(gateway.data());
    assert_eq!((gateway.key("admin"), gateway.key("user")), keys);
    assert_eq!(verdict(&gateway.ask("user", "Read", json!({})).await), "allow");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_without_a_database_is_a_first_start_and_keeps_the_profile() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    drop({
        let mut gateway = Gateway::on(&data);
        gateway.stop();
        gateway
    });
    let profile = data.join("profile.yaml");
    let mine = fs::read_to_string(&profile).unwrap() + "\n# mine\n";
    fs::write(&profile, &mine).unwrap();
    for entry in fs::read_dir(&data).unwrap() {
        let path = entry.unwrap().path();
        if path.to_string_lossy().contains(".db") || path.extension().is_some_and(|e| e == "key") {
            fs::remove_file(path).unwrap();
        }
    }
    let gateway = Gateway::on(&data);
    assert_eq!(fs::read_to_string(&profile).unwrap(), mine);
    assert_eq!(verdict(&gateway.ask("user", "Read", json!({})).await), "allow");
}

#[tokio::test(flavor = "multi_thread")]
async fn health_metrics_discovery_and_openapi_need_no_credential() {
    let gateway = Gateway::fresh();
    for path in ["/health", "/health/ready", "/metrics", "/api/v1", "/api/v1/openapi.json"] {
        let response =
            gateway.client().get(format!("{}{path}", gateway.base())).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        assert!(response.headers().contains_key("x-trace-id"), "{path}");
    }
    gateway.ask("user", "Read", json!({})).await;
    let metrics = gateway.get("/metrics", "user").send().await.unwrap();
    let kind = metrics.headers()["content-type"].to_str().unwrap().to_owned();
    assert!(kind.starts_with("text/plain") || kind.starts_with("application/openmetrics-text"));
    let text = metrics.text().await.unwrap();
    assert!(text.contains("systemprompt_decisions_total{"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_problem_documents() {
    let gateway = Gateway::fresh();
    let cases = [
        (gateway.client().post(format!("{}/api/v1/govern", gateway.base())).json(&json!({})), 401),
        (gateway.post("/api/v1/govern", "user").body("{"), 400),
        (gateway.post("/api/v1/govern", "user").json(&json!({ "tool": "Read" })), 400),
        (gateway.get("/api/v1/govern", "user"), 405),
        (gateway.get("/nowhere", "user"), 404),
    ];
    for (request, status) in cases {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()["content-type"], "application/problem+json", "{status}");
        let body: serde_json::Value = response.json().await.unwrap();
        assert_eq!(body["status"], status);
        assert!(body["code"].is_string() && body["trace_id"].is_string(), "{body}");
    }
    let body = json!({ "tool": "Read", "arguments": {}, "argumnets": {} });
    let (status, body) = answer(gateway.post("/api/v1/govern", "user").json(&body)).await;
    assert_eq!(status, 400);
    assert!(body["detail"].as_str().unwrap().contains("argumnets"), "{body}");
}
