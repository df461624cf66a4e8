use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use systemprompt_core::call::{CallKind, Digest, Door};
use systemprompt_core::decision::OutcomeStatus;
use systemprompt_core::event::{AuditBody, EventKind};
use systemprompt_core::policy::OnAllow;

use super::{HOOK, TRACE, TRACK, World, post};

fn golden() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/hooks");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap())
        })
        .collect();
    files.sort_by(|a: &(String, Value), b| a.0.cmp(&b.0));
    files
}

fn event(name: &str) -> Value {
    golden().into_iter().find(|(file, _)| file == name).expect(name).1["event"].take()
}

fn decision_of(answer: &Value) -> &str {
    answer["hookSpecificOutput"]["permissionDecision"].as_str().unwrap_or("none")
}

#[tokio::test]
async fn every_event_of_the_client_is_answered_as_it_expects() {
    for (name, file) in golden() {
        let world = World::new();
        let recorder = &world.recorder;
        if file["recorded"] == "outcome" {
            let mut before = file["event"].clone();
            before["hook_event_name"] = "PreToolUse".into();
            world.post(HOOK, before).await;
        }
        let before = recorder.calls.lock().unwrap().len();
        let answer = world.post(&format!("{HOOK}?plugin_id="), &file["event"]).await;
        assert_eq!(answer.status, 200, "{name}");
        assert_eq!(answer.body, file["answer"], "{name}");
        assert_eq!(answer.header("x-trace-id"), TRACE, "{name}");
        assert_eq!(answer.header("content-type"), "application/json", "{name}");
        let outcomes =
            || recorder.permits.lock().unwrap().iter().filter(|p| p.outcome.is_some()).count();
        let counted = (
            recorder.calls.lock().unwrap().len() - before,
            recorder.rejected.lock().unwrap().len(),
            recorder.tracked.lock().unwrap().len(),
            outcomes(),
        );
        let expected = match file["recorded"].as_str().unwrap() {
            "decision" | "prompt" => (1, 0, 0, 0),
            "rejection" => (0, 1, 0, 0),
            "tracked" => (0, 0, 1, 0),
            "outcome" => (0, 0, 0, 1),
            other => panic!("{name}: {other}"),
        };
        assert_eq!(counted, expected, "{name}");
    }
}

#[tokio::test]
async fn an_event_that_only_reports_never_carries_a_decision() {
    let reporting = golden().into_iter().filter(|(_, file)| file["recorded"] == "tracked");
    let names: BTreeSet<_> = reporting
        .map(|(name, file)| {
            assert_eq!(file["answer"], json!({}), "{name}");
            file["event"]["hook_event_name"].as_str().unwrap().to_owned()
        })
        .collect();
    assert!(names.len() > 25, "{names:?}");
}

#[tokio::test]
async fn a_tool_event_becomes_the_call_it_says() {
    let world = World::new();
    let path = format!("{HOOK}?plugin_id=orders-plugin&x=1");
    let answer = world.post(&path, event("pre_tool_use_mcp")).await;
    assert_eq!(decision_of(&answer.body), "allow");
    let call = world.recorder.call();
    assert_eq!((call.kind(), call.door()), (CallKind::Tool, Door::Hook));
    assert_eq!(call.tool().qualified(), "mcp__github__create_issue");
    assert_eq!(call.tool().server().unwrap().as_str(), "github");
    assert_eq!(call.call_id().as_str(), "toolu_01QwErTyUiOpAsDfGhJkLzXc");
    assert!(call.call_id_supplied());
    assert_eq!(call.session().unwrap().as_str(), "6c1f0f2e-3b7a-4d52-9a55-6d2a3c5f9b10");
    assert_eq!(call.trace_id().to_string(), TRACE);
    assert_eq!(call.context().plugin.as_ref().unwrap().as_str(), "orders-plugin");
    assert_eq!(call.arguments().raw(), br#"{"body":"see README","title":"Broken link"}"#);
    assert_eq!(call.principal().user().as_str(), "ada");
    assert_eq!(call.agent(), None);
}

#[tokio::test]
async fn the_bytes_of_the_arguments_are_kept() {
    let world = World::new();
    let body = r#"{"hook_event_name":"PreToolUse","tool_name":"Read","tool_input": {"b" : 1.0e2,
        "a":"\u0041"} }"#;
    world.post(HOOK, body).await;
    let kept = world.recorder.call();
    assert_eq!(kept.arguments().raw(), b"{\"b\" : 1.0e2,\n        \"a\":\"\\u0041\"}");
}

#[tokio::test]
async fn a_subagent_is_a_label_and_a_bare_agent_id_a_claim() {
    let world = World::new();
    world.post(HOOK, event("pre_tool_use_subagent")).await;
    let context = world.recorder.call().context().clone();
    assert_eq!(context.agent.unwrap().as_str(), "Explore");
    assert!(context.agent_is_label);

    let mut claim = event("pre_tool_use_read");
    claim["agent_id"] = "developer_agent".into();
    world.post(HOOK, claim).await;
    let context = world.recorder.call().context().clone();
    assert_eq!(context.agent.unwrap().as_str(), "developer_agent");
    assert!(!context.agent_is_label);
}

#[tokio::test]
async fn a_prompt_passes_as_a_prompt_and_its_permit_is_settled_at_once() {
    let world = World::new();
    world.post(HOOK, event("user_prompt_submit")).await;
    let call = world.recorder.call();
    assert_eq!(call.kind(), CallKind::Prompt);
    assert_eq!(call.tool().qualified(), "prompt:submit");
    let arguments: Value = call.arguments().deserialize().unwrap();
    assert_eq!(arguments, json!({ "prompt": "Write a function that adds two \"numbers\"\n" }));
}

#[tokio::test]
async fn on_allow_defer_leaves_the_clients_own_prompt_in_place() {
    let world = World::new();
    *world.recorder.on_allow.lock().unwrap() = Some(OnAllow::Defer);
    assert_eq!(world.post(HOOK, event("pre_tool_use_bash")).await.body, json!({}));
    let denied = world.post(HOOK, event("pre_tool_use_blocked")).await;
    assert_eq!(decision_of(&denied.body), "deny");
}

#[tokio::test]
async fn what_cannot_be_read_is_denied_in_both_forms() {
    let world = World::new();
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let bodies: [Vec<u8>; 8] = [
        b"".into(),
        b"not json".into(),
        b"[]".into(),
        b"{\"hook_event_name\":7}".into(),
        b"{\"hook_event_name\":\"PreToolUse\",\"hook_event_name\":\"Stop\"}".into(),
        b"{\"hook_event_name\":\"PreToolUse\",\"tool_name\":\"Read\",\"tool_name\":\"rm\"}".into(),
        b"{\"hook_event_name\":\"PreToolUse\",\"tool_name\":\"\xff\"}".into(),
        deep.into(),
    ];
    for path in [HOOK, TRACK] {
        for body in &bodies {
            let shown = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
            let before = world.recorder.rejected.lock().unwrap().len();
            let answer = world.send(post(path).body(body.clone().into()).unwrap()).await;
            assert_both_forms(&answer.body, "malformed_call", &shown);
            assert_eq!(answer.status, 200, "{shown}");
            assert_eq!(world.recorder.rejected.lock().unwrap().len(), before + 1, "{shown}");
        }
    }
}

#[tokio::test]
async fn a_body_that_was_cut_off_is_denied_with_what_happened() {
    let world = World::new();
    for (kind, words) in [
        (ErrorKind::FileTooLarge, "the body is longer than 1048576 bytes"),
        (ErrorKind::TimedOut, "the body did not arrive in time"),
        (ErrorKind::ConnectionReset, "the body ended early"),
    ] {
        let chunks = [Ok("{"), Err(std::io::Error::new(kind, "cut off"))];
        let body = Body::from_stream(futures_util::stream::iter(chunks));
        let answer = world.send(post(HOOK).body(body).unwrap()).await;
        assert_both_forms(&answer.body, words, words);
    }
}

#[tokio::test]
async fn a_bad_credential_is_denied_in_both_forms_with_status_200() {
    let world = World::new();
    let body = event("pre_tool_use_read").to_string();
    for path in [HOOK, TRACK] {
        for (token, code) in [
            (None, "unauthenticated"),
            (Some("Bearer nobody"), "unauthenticated"),
            (Some("Bearer elsewhere"), "audience_mismatch"),
            (Some("Bearer flood"), "too_many_failures"),
        ] {
            let mut request = Request::post(path);
            if let Some(token) = token {
                request = request.header("authorization", token);
            }
            let answer = world.send(request.body(body.clone().into()).unwrap()).await;
            assert_eq!(answer.status, 200);
            assert_both_forms(&answer.body, code, &format!("{token:?}"));
            assert_eq!(answer.header("x-trace-id").len(), 32);
        }
    }
    assert!(world.recorder.calls.lock().unwrap().is_empty());
    assert!(world.recorder.tracked.lock().unwrap().is_empty());
}

fn assert_both_forms(answer: &Value, code: &str, context: &str) {
    assert_eq!(answer["hookSpecificOutput"]["hookEventName"], "PreToolUse", "{context}: {answer}");
    assert_eq!(decision_of(answer), "deny", "{context}: {answer}");
    assert_eq!(answer["decision"], "block", "{context}: {answer}");
    let reason = answer["reason"].as_str().unwrap();
    assert!(reason.contains(code), "{context}: {reason}");
    assert_eq!(answer["hookSpecificOutput"]["permissionDecisionReason"], reason, "{context}");
}

#[tokio::test]
async fn the_outcome_of_a_call_settles_its_permit_through_either_door_and_after_a_restart() {
    for (path, restart) in [(HOOK, false), (TRACK, false), (TRACK, true)] {
        let first = World::new();
        let mut before = event("post_tool_use");
        before["hook_event_name"] = "PreToolUse".into();
        first.post(HOOK, before).await;
        let world = if restart { first.restarted() } else { first };
        assert_eq!(world.post(path, event("post_tool_use")).await.body, json!({}));
        let outcome = world.recorder.outcome();
        let result = r#"{"filePath":"/home/ada/orders/notes.txt","success":true}"#;
        assert_eq!(outcome.status, OutcomeStatus::Success);
        assert_eq!(outcome.duration.as_millis(), 12);
        assert_eq!(outcome.result_bytes, Some(result.len() as u64));
        assert_eq!(outcome.result_digest, Some(Digest::of(result.as_bytes())));
        assert!(world.recorder.tracked.lock().unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_failure_is_recorded_without_the_secret_in_its_message() {
    let world = World::new();
    let mut failure = event("post_tool_use_failure");
    let mut before = failure.clone();
    before["hook_event_name"] = "PreToolUse".into();
    world.post(HOOK, before).await;
    failure["error"] = "denied for SECRET\u{1b}[31m\r\nforged line".into();
    failure.as_object_mut().unwrap().remove("duration_ms");
    world.post(TRACK, failure).await;
    let outcome = world.recorder.outcome();
    assert_eq!(outcome.status, OutcomeStatus::Failed);
    let error = outcome.error.unwrap();
    assert_eq!(error, "denied for [redacted:test]\\u{1b}[31m\\r\\nforged line");
}

#[tokio::test]
async fn an_outcome_without_a_permit_is_tracked_with_the_reason() {
    let unsettled = |world: &World| {
        let AuditBody::Other { kind: EventKind::Tracked, detail } = world.recorder.event().body
        else {
            panic!("no tracked event")
        };
        detail["unsettled"].as_str().unwrap_or_default().to_owned()
    };
    let world = World::new();
    world.post(TRACK, event("post_tool_use")).await;
    assert_eq!(unsettled(&world), "unknown_permit");

    let mut before = event("post_tool_use");
    before["hook_event_name"] = "PreToolUse".into();
    world.post(HOOK, before).await;
    let stranger = Request::post(TRACK)
        .header("authorization", "Bearer bob")
        .body(Body::from(event("post_tool_use").to_string()))
        .unwrap();
    world.send(stranger).await;
    assert_eq!(unsettled(&world), "unknown_permit");
    world.post(TRACK, event("post_tool_use")).await;
    world.post(TRACK, event("post_tool_use")).await;
    assert_eq!(unsettled(&world), "permit_settled");

    world.recorder.expire_all();
    world.post(TRACK, event("post_tool_use")).await;
    assert_eq!(unsettled(&world), "permit_expired");
    let mut nameless = event("post_tool_use");
    nameless.as_object_mut().unwrap().remove("tool_use_id");
    world.post(TRACK, nameless).await;
    assert_eq!(unsettled(&world), "no_call_id");
}

#[tokio::test]
async fn an_outcome_settles_no_permit_of_another_tool() {
    for restart in [false, true] {
        let first = World::new();
        let mut before = event("post_tool_use");
        before["hook_event_name"] = "PreToolUse".into();
        first.post(HOOK, before).await;
        let world = if restart { first.restarted() } else { first };
        for name in [json!("Other"), json!("mcp__files__Write"), json!("no tool"), Value::Null] {
            let mut other = event("post_tool_use");
            other["tool_name"] = name;
            world.post(TRACK, other).await;
            let AuditBody::Other { detail, .. } = world.recorder.event().body else {
                panic!("no tracked event")
            };
            assert_eq!(detail["unsettled"], "other_tool", "{detail}");
        }
        assert!(world.recorder.permits.lock().unwrap()[0].outcome.is_none());
        world.post(TRACK, event("post_tool_use")).await;
        assert_eq!(world.recorder.outcome().status, OutcomeStatus::Success);
    }
}

#[tokio::test]
async fn the_answer_to_an_outcome_names_the_trace_of_the_decision() {
    for restart in [false, true] {
        let first = World::new();
        let mut before = event("post_tool_use");
        before["hook_event_name"] = "PreToolUse".into();
        first.post(HOOK, before).await;
        let world = if restart { first.restarted() } else { first };
        let request = Request::post(TRACK)
            .header("authorization", "Bearer ada")
            .body(Body::from(event("post_tool_use").to_string()))
            .unwrap();
        assert_eq!(world.send(request).await.header("x-trace-id"), TRACE);
    }
}

#[tokio::test]
async fn the_tracking_door_decides_nothing() {
    let world = World::new();
    for name in ["pre_tool_use_blocked", "user_prompt_submit_secret", "stop"] {
        assert_eq!(world.post(TRACK, event(name)).await.body, json!({}), "{name}");
    }
    assert!(world.recorder.calls.lock().unwrap().is_empty());
    assert_eq!(world.recorder.tracked.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn a_user_agent_is_redacted_before_it_is_cut() {
    let world = World::new();
    let agent = format!("{}SECRET", "x".repeat(251));
    let request = post(HOOK).header("user-agent", agent);
    world.send(request.body(event("pre_tool_use_bash").to_string().into()).unwrap()).await;
    let recorded = world.recorder.call().context().user_agent.clone().unwrap();
    assert_eq!(&*recorded, format!("{}[red", "x".repeat(251)));
}

#[tokio::test]
async fn a_tracked_event_keeps_the_circumstances_and_no_secret() {
    let world = World::new();
    let body = json!({
        "hook_event_name": "Stop-SECRET", "session_id": "s-SECRET", "tool_use_id": "toolu_9",
        "tool_name": "Read\r\nSECRET", "agent_type": "Explore", "last_assistant_message": "SECRET",
    });
    let request = post(&format!("{TRACK}?plugin_id=p-SECRET"))
        .header("user-agent", "claude-code/3 SECRET")
        .body(body.to_string().into())
        .unwrap();
    world.send(request).await;
    let event = world.recorder.event();
    let shown = format!("{event:?}");
    assert!(!shown.contains("SECRET"), "{shown}");
    assert_eq!(event.trace_id.to_string(), TRACE);
    assert_eq!(event.subject.unwrap().user.as_str(), "ada");
    assert_eq!(event.context.session.unwrap().as_str(), "s-[redacted:test]");
    assert_eq!(event.context.plugin.unwrap().as_str(), "p-[redacted:test]");
    assert_eq!(event.context.agent.unwrap().as_str(), "Explore");
    assert_eq!(event.context.door, Some(Door::Hook));
    let AuditBody::Other { detail, .. } = event.body else { panic!("not a tracked event") };
    assert_eq!(detail["event"], "Stop-[redacted:test]");
    assert_eq!(detail["tool"], "Read\\r\\n[redacted:test]");
}
