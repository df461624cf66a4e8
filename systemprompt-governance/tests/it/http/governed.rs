//! The doors over a real governor.

use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::http::Request;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use systemprompt_core::api::{AuthRefusal, Authenticate, RequestHead};
use systemprompt_core::decision::OutcomeStatus;
use systemprompt_core::id::Audience;
use systemprompt_core::policy::PolicyDocument;
use systemprompt_core::principal::Principal;
use systemprompt_governance::http::{Doors, router};
use tower::ServiceExt as _;

use super::{BATCH, GOVERN, HOOK, TRACK};
use crate::house::{House, admin, house, rule, scanner, starter, user};

/// Lets `user` and `admin` in.
struct Gate;

#[async_trait]
impl Authenticate for Gate {
    async fn authenticate(
        &self,
        request: RequestHead<'_>,
        _: &Audience,
    ) -> Result<Principal, AuthRefusal> {
        match request.headers.get("authorization").and_then(|value| value.to_str().ok()) {
            Some("Bearer user") => Ok(user()),
            Some("Bearer admin") => Ok(admin()),
            _ => Err(AuthRefusal::Missing),
        }
    }

    fn client_addr(&self, _: RequestHead<'_>) -> Option<IpAddr> {
        None
    }
}

pub(super) struct Doored {
    pub(super) house: House,
    router: Router,
}

impl Doored {
    pub(super) fn new(policy: PolicyDocument) -> Self {
        let house = house(policy);
        let governor = Arc::new(house.governor.clone());
        let ledger = house.governor.ledger();
        let log = house.log.clone();
        let doors = Doors::new(
            (governor.clone(), governor),
            ledger,
            Arc::new(Gate),
            log,
            Arc::new(scanner()),
        );
        Self { house, router: router(doors) }
    }

    pub(super) async fn post(&self, path: &str, caller: &str, body: Value) -> Value {
        let request = Request::post(path)
            .header("authorization", format!("Bearer {caller}"))
            .body(axum::body::Body::from(body.to_string()))
            .unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        serde_json::from_slice(&bytes).unwrap()
    }

    pub(super) async fn prompt(&self, text: &str) -> Value {
        let event = json!({ "hook_event_name": "UserPromptSubmit", "prompt": text });
        self.post(HOOK, "user", event).await
    }
}

pub(super) fn tool(tool: &str, more: Value) -> Value {
    let mut event = json!({
        "hook_event_name": "PreToolUse", "session_id": "s-1", "tool_use_id": "toolu_1",
        "tool_name": tool, "tool_input": { "path": "a" },
    });
    for (name, value) in more.as_object().unwrap() {
        event[name] = value.clone();
    }
    event
}

fn verdict(answer: &Value) -> String {
    let output = &answer["hookSpecificOutput"];
    let reason = output["permissionDecisionReason"].as_str().unwrap_or_default();
    match output["permissionDecision"].as_str() {
        Some("deny") => reason.rsplit('[').next().unwrap().split(',').next().unwrap().to_owned(),
        other => other.unwrap_or("none").to_owned(),
    }
}

/// A GitHub token with a valid checksum is not needed: the form alone is a finding.
pub(super) fn token() -> String {
    format!("ghp_{}", "a1B2c3D4e5".repeat(4).get(..36).unwrap())
}

#[tokio::test]
async fn the_same_call_gets_the_same_verdict_through_both_doors() {
    let world = Doored::new(starter());
    for (name, caller) in [
        ("Read", "user"),
        ("mcp__systemprompt__users", "user"),
        ("mcp__systemprompt__users", "admin"),
        ("delete_records", "admin"),
        ("Re ad", "admin"),
    ] {
        let hook = verdict(&world.post(HOOK, caller, tool(name, json!({}))).await);
        let call = json!({ "tool": name, "arguments": { "path": "a" } });
        let answer = world.post(GOVERN, caller, call).await;
        let api = answer["reason"]["code"].as_str().unwrap_or("allow");
        assert_eq!(hook, api, "{name} by {caller}");
    }
    assert_eq!(world.house.log.decisions().len(), 10, "every answer has its row");
}

#[tokio::test]
async fn a_prompt_needs_no_rule_and_carries_no_secret() {
    let world = Doored::new(starter());
    assert_eq!(world.prompt("write a test").await, json!({}));
    let blocked = world.prompt(&format!("push with {}", token())).await;
    assert_eq!(blocked["decision"], "block");
    assert!(blocked["reason"].as_str().unwrap().contains("[secret_detected, "), "{blocked}");
    assert!(!blocked.to_string().contains(&token()));
    assert!(!world.house.log.text().contains(&token()));
    assert_eq!(world.house.log.decisions().len(), 2);
    let outcomes = world.house.log.outcomes.lock();
    assert_eq!(outcomes.values().flatten().count(), 1, "the prompt's permit is settled");
}

#[tokio::test]
async fn a_rule_that_names_prompts_decides_about_them() {
    let mut policy = starter();
    let deny = systemprompt_core::policy::Effect::Deny;
    policy.rules.push(systemprompt_core::policy::ScopeRule {
        effect: deny,
        ..rule("no-prompts", &["prompt:submit"])
    });
    let world = Doored::new(policy);
    assert_eq!(world.prompt("write a test").await["decision"], "block");
}

#[tokio::test]
async fn a_plain_call_of_the_prompt_tool_is_a_plain_call() {
    let world = Doored::new(PolicyDocument { rules: Vec::new(), ..starter() });
    assert_eq!(world.prompt("write a test").await, json!({}));
    let call = json!({ "tool": "prompt:submit", "arguments": { "prompt": "write a test" } });
    let answer = world.post(GOVERN, "user", call).await;
    assert_eq!(answer["decision"], "deny", "{answer}");
}

#[tokio::test]
async fn subagents_work_and_agents_must_be_granted() {
    let world = Doored::new(starter());
    let ask = |more: Value| world.post(HOOK, "user", tool("Read", more));
    let explore = json!({ "agent_id": "a4d2c8", "agent_type": "Explore" });
    assert_eq!(verdict(&ask(explore).await), "allow");
    let spaced = json!({ "agent_type": "my \"agent\"" });
    assert_eq!(verdict(&ask(spaced).await), "allow");
    let known = json!({ "agent_type": "developer_agent" });
    assert_eq!(verdict(&ask(known).await), "scope_violation");
    let claim = json!({ "agent_id": "developer_agent" });
    assert_eq!(verdict(&ask(claim).await), "scope_violation");
    assert_eq!(verdict(&ask(json!({ "agent_id": "nobody" })).await), "unknown_agent");
}

#[tokio::test]
async fn a_reported_outcome_settles_the_permit_of_the_call() {
    let world = Doored::new(starter());
    assert_eq!(verdict(&world.post(HOOK, "user", tool("Read", json!({}))).await), "allow");
    let report = json!({ "hook_event_name": "PostToolUseFailure", "error": "no such file" });
    assert_eq!(world.post(TRACK, "user", tool("Read", report)).await, json!({}));
    let outcomes = world.house.log.outcomes.lock();
    let outcome = outcomes.values().flatten().next().expect("an outcome");
    assert_eq!(outcome.status, OutcomeStatus::Failed);
    assert_eq!(outcome.error.as_deref(), Some("no such file"));
}

#[tokio::test]
async fn a_log_that_takes_no_writes_denies_at_every_door() {
    let world = Doored::new(starter());
    world.house.log.set_broken(true);
    let hook = world.post(HOOK, "user", tool("Read", json!({}))).await;
    assert_eq!(verdict(&hook), "audit_unavailable");
    let call = json!({ "tool": "Read", "arguments": {} });
    let answer = world.post(GOVERN, "user", call).await;
    assert_eq!(answer["reason"]["code"], "audit_unavailable");
    assert_eq!(world.prompt("hello").await["decision"], "block");
    let unread = world.post(HOOK, "user", json!({})).await;
    assert_eq!(
        (verdict(&unread).as_str(), &unread["decision"]),
        ("audit_unavailable", &json!("block"))
    );
}

#[tokio::test]
async fn an_answer_shows_a_call_id_as_it_is_recorded() {
    let world = Doored::new(starter());
    let secret = token();
    for name in ["Read", "delete_records"] {
        let call = json!({ "tool": name, "arguments": {}, "call_id": secret });
        let one = world.post(GOVERN, "user", call.clone()).await;
        let many = world.post(BATCH, "user", json!({ "calls": [call] })).await;
        let recorded = world.house.log.events.lock().last().unwrap().context.call_id.clone();
        for answer in [&one, &many["decisions"][0]] {
            assert_eq!(answer["call_id"].as_str(), recorded.as_ref().map(AsRef::as_ref), "{name}");
        }
        let shown = format!("{one}{many}");
        assert!(!shown.contains(&secret), "{shown}");
    }
}
