//! Secrets in a call are denied, and occur nowhere afterwards.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{Gateway, answer, eventually, verdict};

/// Test credentials, put together so that no scanner of the source takes them for real ones.
fn secrets() -> Vec<(&'static str, String)> {
    let rsa_body = "MIIEpAIBAAKCAQEA3Tz2mr7SZiAMfQyuvBjM9Oi7zk2sDkYpQvR1cJ8xWnE5bGdF";
    let end = format!("-----END RSA {} KEY-----", "PRIVATE");
    vec![
        ("aws", format!("AKIA{}", "QYLPMN5HHHFPZAM2")),
        ("github", format!("ghp_{}", "x7Kq2Lm9Zt4Rv8Wc3Yb6Nd1Pf5Hg0Js2Ka4T")),
        ("rsa", format!("-----BEGIN RSA {} KEY-----\n{rsa_body}\n{rsa_body}\n{end}", "PRIVATE")),
    ]
}

/// The part of a secret to look for: long enough to be no accident.
fn needle(secret: &str) -> &str {
    secret.lines().nth(usize::from(secret.starts_with("-----"))).expect("a line")
}

fn places(secret: &str) -> Vec<Value> {
    let as_key = Value::Object([(secret.to_owned(), json!(1))].into_iter().collect());
    vec![
        json!({ "content": secret }),
        as_key.clone(),
        json!({ "a": [{ "b": { "c": [1, null, format!("before {secret} after")] } }] }),
        json!({ "outer": [as_key] }),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_denied_everywhere_for_everyone_and_leaves_no_trace() {
    let gateway = Gateway::fresh();
    let mut answers = String::new();
    for (name, secret) in secrets() {
        for user in ["user", "admin"] {
            for arguments in places(&secret) {
                let denied = gateway.ask(user, "Write", arguments).await;
                assert_eq!(verdict(&denied), "secret_detected", "{name} for {user}: {denied}");
                answers += &denied.to_string();
            }
            let prompt = json!({
                "hook_event_name": "UserPromptSubmit",
                "session_id": "s-1",
                "prompt": format!("please deploy with {secret} thank you"),
            });
            let hook = answer(gateway.post("/api/public/hooks/govern", user).json(&prompt)).await.1;
            assert_eq!(hook["decision"], "block", "{name}: {hook}");
            answers += &hook.to_string();
        }
    }
    answers += &plant_everywhere(&gateway).await;
    answers += &send_results(&gateway).await;
    answers += &answer(gateway.get("/metrics", "admin")).await.1.to_string();
    answers +=
        &answer(gateway.get("/api/v1/audit/decisions?limit=1000", "admin")).await.1.to_string();

    for path in
        ["/api/v1/audit/events?limit=1000", "/api/v1/audit/events?kind=secret_found&limit=1000"]
    {
        answers += &answer(gateway.get(path, "admin")).await.1.to_string();
    }
    assert!(answers.contains("\"secret_found\""), "results were looked through");

    let mut gateway = gateway;
    let mut stores = vec![
        ("log".to_owned(), gateway.log().into_bytes()),
        ("answers".to_owned(), answers.into_bytes()),
    ];
    // While it runs, with what has not been moved out of the write-ahead log, and after it has stopped.
    everything_in(gateway.data(), &mut stores);
    gateway.stop();
    everything_in(gateway.data(), &mut stores);
    assert!(stores.iter().any(|(name, _)| name.ends_with("-wal")), "the database was in use");
    for (_, secret) in secrets() {
        for (store, bytes) in &stores {
            let found =
                bytes.windows(needle(&secret).len()).any(|w| w == needle(&secret).as_bytes());
            assert!(!found, "{} in the {store}", needle(&secret));
        }
    }
}

/// Every file below a folder, with its name.
fn everything_in(folder: &Path, files: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        match path.is_dir() {
            true => everything_in(&path, files),
            false => {
                files.push((path.display().to_string(), fs::read(&path).unwrap_or_default()));
            }
        }
    }
}

/// Sends the secrets where results and other texts on their way to a model come in.
async fn send_results(gateway: &Gateway) -> String {
    let mut answers = String::new();
    for (name, secret) in secrets() {
        let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        for text in [secret.clone(), format!("before {secret} after"), hex] {
            for direction in ["result", "description", "answer", "history", "prompt", "call"] {
                let content = json!({ "direction": direction, "content": { "a": [text] } });
                let request = gateway.post("/api/v1/inspect", "user").json(&content);
                let inspected = answer(request).await.1;
                assert_ne!(inspected["verdict"], "pass", "{name} as {direction}: {inspected}");
                answers += &inspected.to_string();
            }
            let event = json!({
                "hook_event_name": "PostToolUse", "session_id": "s-1", "tool_use_id": "t-1",
                "tool_name": "mcp__db__query", "tool_input": {},
                "tool_response": [{ "type": "text", "text": text }],
            });
            for path in ["/api/public/hooks/govern", "/api/public/hooks/track"] {
                let reported = answer(gateway.post(path, "user").json(&event)).await.1;
                answers += &reported.to_string();
            }
        }
    }
    answers
}

/// Puts the secrets into every other text a caller may supply.
async fn plant_everywhere(gateway: &Gateway) -> String {
    let mut answers = String::new();
    for (_, secret) in secrets() {
        let one_line = needle(&secret).to_owned();
        let token =
            secret.lines().next().filter(|_| !secret.contains('\n')).unwrap_or("x").to_owned();
        let call = json!({
            "tool": "Read", "arguments": {}, "session_id": token, "context_id": token,
            "task_id": token, "call_id": token,
        });
        let request =
            gateway.post("/api/v1/govern", "user").header("user-agent", &token).json(&call);
        let allowed = answer(request).await.1;
        let tool = json!({ "tool": token, "arguments": {} });
        answers += &answer(gateway.post("/api/v1/govern", "user").json(&tool)).await.1.to_string();
        let odd = json!({ "tool": format!("Write {secret}"), "arguments": {} });
        answers += &answer(gateway.post("/api/v1/govern", "user").json(&odd)).await.1.to_string();
        let hook = json!({ "hook_event_name": "PreToolUse", "session_id": token, "tool_name": "Read",
            "tool_input": {}, "tool_use_id": token });
        let path = format!("/api/public/hooks/govern?plugin_id={token}");
        answers += &answer(gateway.post(&path, "user").json(&hook)).await.1.to_string();
        let track =
            json!({ "hook_event_name": "Notification", "session_id": token, "message": secret });
        answers += &answer(gateway.post("/api/public/hooks/track", "user").json(&track))
            .await
            .1
            .to_string();
        if let Some(permit) = allowed["permit"]["id"].as_str() {
            let outcome =
                json!({ "status": "failed", "duration_ms": 1, "error": secret, "result": secret });
            let path = format!("/api/v1/permits/{permit}/outcome");
            answers += &answer(gateway.post(&path, "user").json(&outcome)).await.1.to_string();
        }
        for path in [
            format!("/api/v1/audit/decisions?user={token}"),
            format!("/api/v1/audit/decisions?{one_line}=1"),
            format!("/api/v1/audit/traces/{token}"),
            format!("/{token}"),
        ] {
            let request = gateway.client().get(format!("{}{path}", gateway.base()));
            let _ = answer(request.bearer_auth(gateway.key("admin"))).await;
        }
        let refused = gateway.client().post(format!("{}/api/v1/govern", gateway.base()));
        let _ = answer(refused.bearer_auth(&token).header("user-agent", &token)).await;
    }
    let metric = || async {
        let text = gateway.get("/metrics", "user").send().await.unwrap().text().await.unwrap();
        text.contains("systemprompt_auth_refusals_total")
    };
    eventually("refusals are counted", metric).await;
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    answers
}
