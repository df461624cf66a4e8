//! Attacks on the decision itself, through the doors.

use serde_json::{Value, json};

use crate::harness::{Gateway, answer, eventually, verdict};

#[tokio::test(flavor = "multi_thread")]
async fn t35_duplicate_keys_are_refused_wherever_they_hide() {
    let gateway = Gateway::fresh();
    let send = async |body: &str| {
        let request = gateway
            .post("/api/v1/govern", "user")
            .header("content-type", "application/json")
            .body(body.to_owned());
        answer(request).await
    };
    let (status, body) = send(r#"{"tool":"Read","tool":"delete_all","arguments":{}}"#).await;
    assert_eq!(status, 400, "{body}");
    assert!(body["detail"].as_str().unwrap().contains("tool"), "{body}");
    let (status, body) = send(r#"{"tool":"Read","arguments":{"a":1,"\u0061":2}}"#).await;
    assert_eq!((status.as_u16(), verdict(&body)), (200, "malformed_call"), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn t36_control_characters_do_not_reach_the_log_lines() {
    let gateway = Gateway::fresh();
    for session in ["a\r\nINJECTED", "\u{1b}[2J"] {
        let body = json!({ "tool": "Read", "arguments": {}, "session_id": session });
        let (status, body) = answer(gateway.post("/api/v1/govern", "user").json(&body)).await;
        assert!(status == 400 || verdict(&body) == "malformed_call", "{status} {body}");
    }
    gateway.ask("user", "Re\r\nINJECTED\u{1b}[2Jad", json!({})).await;
    let log = gateway.log();
    assert!(!log.lines().any(|line| line.starts_with("INJECTED")), "{log}");
    let listed = answer(gateway.get("/api/v1/audit/decisions", "admin")).await.1;
    assert!(!listed.to_string().contains("\u{1b}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn t37_spelling_variants_do_not_slip_past_the_blocklist() {
    let gateway = Gateway::fresh();
    for tool in ["Delete_file", "DELETE_FILE", "dElEtE.file", "fileDelete", "x/delete"] {
        assert_eq!(verdict(&gateway.ask("admin", tool, json!({})).await), "blocked", "{tool}");
    }
    for tool in [
        "d\u{435}lete_file",
        "delete_file ",
        " delete_file",
        "\u{ff44}elete_file",
        "del\u{200b}ete_file",
        "delete_file\u{0}",
        "",
    ] {
        assert_eq!(
            verdict(&gateway.ask("admin", tool, json!({})).await),
            "malformed_call",
            "{tool:?}"
        );
    }
    for tool in ["mcp__SystemPrompt__list_users", "mcp__systemprompt__List_Users"] {
        assert_ne!(
            verdict(&gateway.ask("user", tool, json!({})).await),
            "malformed_call",
            "{tool}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t38_unknown_tools_are_denied() {
    let gateway = Gateway::edited(|text| text.replace("tools: [\"*\"]", "tools: [\"Read\"]"));
    assert_eq!(verdict(&gateway.ask("user", "Read", json!({})).await), "allow");
    for tool in ["Write", "mcp__other__Read", "read"] {
        assert_eq!(verdict(&gateway.ask("user", tool, json!({})).await), "unknown_tool", "{tool}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hooks_answer_200_and_deny_whatever_is_wrong() {
    let gateway = Gateway::fresh();
    let url = format!("{}/api/public/hooks/govern", gateway.base());
    let envelope = json!({ "hook_event_name": "PreToolUse", "session_id": "s", "tool_name": "Read",
        "tool_input": { "file_path": "/tmp/a" }, "tool_use_id": "toolu_1", "cwd": "/tmp", "novel": 1 });
    let both = |body: &Value| {
        body["hookSpecificOutput"]["hookEventName"] == "PreToolUse"
            && body["hookSpecificOutput"]["permissionDecision"] == "deny"
            && body["decision"] == "block"
    };
    for request in [
        gateway.client().post(&url).json(&envelope),
        gateway.client().post(&url).bearer_auth("nonsense").json(&envelope),
        gateway.post("/api/public/hooks/govern", "user").body("{"),
        gateway.post("/api/public/hooks/govern", "user").body("[]"),
        gateway.post("/api/public/hooks/govern", "user").body(vec![0xff; 10]),
    ] {
        let (status, body) = answer(request).await;
        assert_eq!(status, 200);
        assert!(both(&body), "{body}");
    }
    let hook = async |body: Value| {
        answer(gateway.post("/api/public/hooks/govern?plugin_id=p1", "user").json(&body)).await.1
    };
    let allowed = hook(envelope.clone()).await;
    assert_eq!(allowed["hookSpecificOutput"]["permissionDecision"], "allow", "{allowed}");
    let mut blocked = envelope.clone();
    blocked["tool_name"] = json!("mcp__db__drop_table");
    let blocked = hook(blocked).await;
    assert_eq!(blocked["hookSpecificOutput"]["permissionDecision"], "deny");
    assert!(
        blocked["hookSpecificOutput"]["permissionDecisionReason"]
            .as_str()
            .unwrap()
            .contains("drop")
    );
    let prompt =
        json!({ "hook_event_name": "UserPromptSubmit", "session_id": "s", "prompt": "hello" });
    assert_eq!(hook(prompt).await, json!({}));
    for event in ["Stop", "SessionStart", "Notification", "SomethingNew"] {
        assert_eq!(
            hook(json!({ "hook_event_name": event, "session_id": "s" })).await,
            json!({}),
            "{event}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_bad_tokens_is_aggregated_and_slows_nobody() {
    let gateway = Gateway::fresh();
    let before = std::fs::metadata(gateway.database_file()).unwrap().len();
    let url = format!("{}/api/v1/govern", gateway.base());
    let mut limited = 0;
    for chunk in 0..100 {
        let requests = (0..100).map(|n| {
            let token = format!("sp_live_bad{chunk}x{n}_{}", "0".repeat(64));
            let request = gateway.client().post(&url).bearer_auth(token).json(&json!({}));
            async move { request.send().await.unwrap().status().as_u16() }
        });
        for status in futures_util::future::join_all(requests).await {
            assert!(matches!(status, 401 | 429), "{status}");
            limited += usize::from(status == 429);
        }
        if chunk % 20 == 0 {
            assert_eq!(verdict(&gateway.ask("user", "Read", json!({})).await), "allow");
        }
    }
    assert!(limited > 9000, "only {limited} were limited");
    eventually("the refusals are written", || async {
        let mut database = gateway.database().await;
        let rows: i64 =
            sqlx::query_scalar("SELECT count(*) FROM audit_events WHERE kind = 'auth_refused'")
                .fetch_one(&mut database)
                .await
                .unwrap();
        (1..1000).contains(&rows)
    })
    .await;
    let wal = gateway.database_file().with_extension("db-wal");
    let after = std::fs::metadata(gateway.database_file()).unwrap().len()
        + std::fs::metadata(wal).map_or(0, |meta| meta.len());
    assert!(after.saturating_sub(before) < 8 * 1024 * 1024, "{before} -> {after}");
}
