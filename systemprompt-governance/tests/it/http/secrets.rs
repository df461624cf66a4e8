//! What the doors say where the policy takes secrets out.

use serde_json::{Value, json};
use systemprompt_core::policy::{
    OnAllow, PolicyDocument, SecretAction, SecretActionRule, SecretDirection, SecretPolicy,
};

use super::governed::{Doored, token, tool};
use super::openapi::assert_fits;
use super::{BATCH, GOVERN, HOOK, INSPECT};
use crate::house::{rule, starter};

fn redacting(on_allow: OnAllow) -> PolicyDocument {
    let redact = SecretActionRule {
        action: SecretAction::Redact,
        rules: Vec::new(),
        vendors: Vec::new(),
        tools: Vec::new(),
        directions: vec![SecretDirection::Call],
        min_confidence: None,
        bind: Vec::new(),
    };
    let secrets = SecretPolicy { actions: vec![redact], ..SecretPolicy::default() };
    PolicyDocument { secrets, on_allow, rules: vec![rule("all", &["*"])], ..starter() }
}

#[tokio::test]
async fn callers_are_told_what_to_run_the_tool_with() {
    let input = json!({ "command": format!("curl -H x:{} y", token()), "n": 1 });
    let clean = json!({ "command": "curl -H x:[redacted:github-token] y", "n": 1 });
    for (on_allow, decision) in [(OnAllow::Allow, "allow"), (OnAllow::Defer, "ask")] {
        let world = Doored::new(redacting(on_allow));
        let answer = world.post(HOOK, "user", tool("Bash", json!({ "tool_input": input }))).await;
        assert_fits(HOOK, 200, &answer);
        let output = &answer["hookSpecificOutput"];
        assert_eq!(output["permissionDecision"], decision);
        assert_eq!(output["updatedInput"], clean);
    }
    let world = Doored::new(redacting(OnAllow::Allow));
    let call = json!({ "tool": "Bash", "arguments": input });
    let answer = world.post(GOVERN, "user", call.clone()).await;
    assert_fits(GOVERN, 200, &answer);
    assert_eq!((&answer["decision"], &answer["arguments"]), (&json!("allow"), &clean));
    let plain = json!({ "tool": "Bash", "arguments": { "command": "ls" } });
    let answer = world.post(BATCH, "user", json!({ "calls": [plain, call] })).await;
    assert_fits(BATCH, 200, &answer);
    assert_eq!(answer["decisions"][0].get("arguments"), None);
    assert_eq!(answer["decisions"][1]["arguments"], clean);
    assert!(!world.house.log.text().contains(&token()));
}

#[tokio::test]
async fn texts_are_looked_through_on_request() {
    let world = Doored::new(starter());
    let ask = |direction: &str, content: Value| {
        let body = json!({
            "direction": direction, "server": "db", "tool": "query", "session_id": "s-1",
            "call_id": "c-1", "content": content,
        });
        let world = &world;
        async move {
            let answer = world.post(INSPECT, "user", body).await;
            assert_fits(INSPECT, 200, &answer);
            assert!(!answer.to_string().contains(&token()));
            answer
        }
    };
    let clean = ask("result", json!({ "rows": [] })).await;
    assert_eq!(clean, json!({ "verdict": "pass", "findings": [] }));
    let rows = ask("result", json!({ "rows": [token(), 1, null] })).await;
    assert_eq!(rows["content"], json!({ "rows": ["[redacted:github-token]", 1, null] }));
    assert_eq!(rows["findings"][0]["location"], "$.rows[0]");
    let text = ask("answer", json!(format!("it is \"{}\"", token()))).await;
    assert_eq!(text["content"], "it is \"[redacted:github-token]\"");
    let prompt = ask("prompt", json!(token())).await;
    assert_eq!(
        (&prompt["verdict"], &prompt["reason"]["code"]),
        (&json!("withheld"), &json!("secret_detected"))
    );
    assert_eq!(world.house.log.events.lock().len(), 3, "one record for each with a finding");
}

#[tokio::test]
async fn a_request_that_cannot_be_used_says_why() {
    let world = Doored::new(starter());
    for (body, said) in [
        (json!({ "content": 1 }), "`direction` is missing"),
        (json!({ "direction": "up", "content": 1 }), "`direction` is not one of `call`, "),
        (json!({ "direction": "result" }), "`content` is missing"),
        (json!({ "direction": "result", "content": 1, "tool": "a b" }), "tool"),
        (json!({ "direction": "result", "content": 1, "call_id": "" }), "call_id"),
        (json!({ "direction": "result", "content": 1, "text": "" }), "`text` is not a known field"),
    ] {
        let answer = world.post(INSPECT, "user", body).await;
        assert_fits(INSPECT, 400, &answer);
        assert!(answer["detail"].as_str().unwrap().contains(said), "{answer}");
    }
    let refused = world.post(INSPECT, "stranger", json!({})).await;
    assert_eq!(refused["status"], 401);
}

fn reported(name: &str, response: Value) -> Value {
    let event = json!({ "hook_event_name": "PostToolUse", "tool_response": response });
    tool(name, event)
}

#[tokio::test]
async fn a_reported_result_with_a_secret_is_replaced_for_the_model() {
    let world = Doored::new(starter());
    for name in ["mcp__db__query", "Bash"] {
        world.post(HOOK, "user", tool(name, json!({}))).await;
        let response = json!([{ "type": "text", "text": format!("key {}", token()) }]);
        let answer = world.post(HOOK, "user", reported(name, response)).await;
        assert_fits(HOOK, 200, &answer);
        let output = &answer["hookSpecificOutput"];
        assert_eq!(output["hookEventName"], "PostToolUse");
        assert_eq!(output["updatedMCPToolOutput"][0]["text"], "key [redacted:github-token]");
        assert!(output["additionalContext"].as_str().unwrap().contains("(github-token)"));
        assert!(!answer.to_string().contains(&token()));
    }
    let clean = world.post(HOOK, "user", reported("Bash", json!({ "stdout": "ok" }))).await;
    assert_eq!(clean, json!({}));
    let settled = world.house.log.outcomes.lock().values().flatten().count();
    assert_eq!(settled, 2, "each report settles its permit");
    assert!(!world.house.log.text().contains(&token()));
}

#[tokio::test]
async fn a_result_that_the_policy_withholds_is_blocked() {
    let deny = SecretActionRule {
        action: SecretAction::Deny,
        directions: vec![SecretDirection::Result],
        ..redacting(OnAllow::Allow).secrets.actions.remove(0)
    };
    let secrets = SecretPolicy { actions: vec![deny], ..SecretPolicy::default() };
    let world = Doored::new(PolicyDocument { secrets, ..starter() });
    let answer = world.post(HOOK, "user", reported("mcp__db__query", json!(token()))).await;
    assert_fits(HOOK, 200, &answer);
    assert_eq!(answer["decision"], "block");
    let said = answer["hookSpecificOutput"]["updatedMCPToolOutput"].as_str().unwrap();
    assert!(said.starts_with("The result is withheld [secret_detected]"), "{said}");
}
