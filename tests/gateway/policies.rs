//! Other policies, tried on what was decided.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use sqlx::Connection as _;

use crate::harness::{Gateway, built};

/// `systemprompt policy` beside a gateway.
fn policy(data: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(built("", "systemprompt"));
    command.arg("--config").arg(data.join("profile.yaml")).arg("policy").args(arguments);
    command.output().unwrap()
}

/// A replay with a candidate of this text; the exit code, the report and what was said.
fn replay(gateway: &Gateway, candidate: &str, more: &[&str]) -> (i32, Value, String) {
    let file = gateway.data().join("candidate.yaml");
    fs::write(&file, candidate).unwrap();
    let arguments = ["replay", "--json", "--policy", file.to_str().unwrap()];
    let output = policy(gateway.data(), &[&arguments, more].concat());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let report = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (output.status.code().unwrap(), report, said)
}

fn profile(gateway: &Gateway) -> String {
    fs::read_to_string(gateway.data().join("profile.yaml")).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_candidate_is_held_against_what_was_decided() {
    let gateway = Gateway::fresh();
    let secret = format!("{}_{}", "ghp", "16C7e42F292c6912E7710c838347Ae178B4a");
    for (user, tool) in [("user", "Read"), ("admin", "Read"), ("user", "mcp__systemprompt__list")] {
        gateway.ask(user, tool, json!({})).await;
    }
    gateway.ask("user", "delete_everything", json!({})).await;
    gateway.ask("user", "Write", json!({ "token": secret })).await;
    gateway.ask("user", "Re ad", json!({})).await;
    let body = json!({ "tool": "Read", "arguments": {}, "agent_id": "associate_agent",
        "session_id": "s", "call_id": "c" });
    for _ in 0..2 {
        gateway.govern("user", body.clone()).await;
    }

    // The policy in force changes nothing. One call was none, and that is said.
    let (code, same, said) = replay(&gateway, &profile(&gateway), &["--fail-on", "any"]);
    assert_eq!(code, 0, "{said}");
    let report = &same["report"];
    assert_eq!((&report["decisions"], &report["unchanged"]), (&json!(8), &json!(7)), "{same:#}");
    assert_eq!(report["other_grounds"], 0, "{same:#}");
    let reasons = report["undecided"]["by_reason"].as_object().unwrap();
    assert_eq!(reasons.iter().collect::<Vec<_>>().len(), 1);
    assert!(reasons.contains_key("what came in was no tool call"), "{same:#}");
    let (code, _, _) = replay(&gateway, &profile(&gateway), &["--fail-on-undecided"]);
    assert_eq!(code, 31);

    // Words that were free are blocked, one that was blocked is free, and so are secrets.
    let candidate = profile(&gateway)
        .replace("patterns: [delete, drop", "patterns: [read, drop")
        .replace("governance:\n", "governance:\n  secrets: {disabled_rules: [github-token]}\n");
    let (code, other, said) = replay(&gateway, &candidate, &[]);
    assert_eq!(code, 0, "{said}");
    let report = &other["report"];
    let denied = &report["allow_to_deny"];
    assert_eq!(denied["total"], 4, "{other:#}");
    assert_eq!(denied["by_rule"], json!({ "blocklist:destructive": 4 }));
    assert_eq!(denied["by_tool"], json!({ "Read": 4 }));
    assert_eq!(denied["by_user"], json!({ "default/admin": 1, "default/user": 3 }));
    let allowed = &report["deny_to_allow"];
    let rules = json!({ "blocklist:destructive": 1, "secret:github-token": 1 });
    assert_eq!(allowed["by_rule"], rules);
    for (way, expected) in [("allow-to-deny", 30), ("deny-to-allow", 30), ("any", 30)] {
        assert_eq!(replay(&gateway, &candidate, &["--fail-on", way]).0, expected, "{way}");
    }
    let stricter = profile(&gateway).replace("patterns: [delete", "patterns: [read, delete");
    assert_eq!(replay(&gateway, &stricter, &["--fail-on", "deny-to-allow"]).0, 0);

    // A limit of its own, at the recorded times; the repeat is no call of its own.
    let limited =
        profile(&gateway).replace("limit: 300", "limit: 1").replace("burst: 300", "burst: 1");
    let (_, limited, _) = replay(&gateway, &limited, &[]);
    let by_rule = &limited["report"]["allow_to_deny"]["by_rule"];
    assert_eq!(*by_rule, json!({}), "a bucket for each caller and session: {limited:#}");

    let file = gateway.data().join("candidate.yaml");
    fs::write(&file, &candidate).unwrap();
    let people = policy(gateway.data(), &["replay", "--policy", file.to_str().unwrap()]);
    let text = String::from_utf8(people.stdout).unwrap();
    for words in ["allowed -> denied, by tool", "4  Read", "denied -> allowed, by rule"] {
        assert!(text.contains(words), "{words} in {text}");
    }
    assert!(!text.contains(&secret) && !other.to_string().contains(&secret));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_candidate_is_refused_with_file_and_line() {
    let gateway = Gateway::fresh();
    for (candidate, expected) in [
        ("rulez: []\n".to_owned(), "candidate.yaml:1:1: unknown key `rulez`"),
        (profile(&gateway).replace("scopes: [admin]", "scopes: [adminn]"), "candidate.yaml:"),
        ("rules: [\n".to_owned(), "candidate.yaml:"),
        (String::new(), "candidate.yaml: holds no policy"),
    ] {
        let (code, _, said) = replay(&gateway, &candidate, &[]);
        assert_eq!(code, 3, "{said}");
        assert!(said.contains(expected), "{expected} in {said}");
    }
    let missing = policy(gateway.data(), &["replay", "--policy", "/nowhere.yaml"]);
    assert_eq!(missing.status.code(), Some(3));
    for arguments in [&["--since", "yesterday"][..], &["--until", "30d"], &["--fail-on", "doubt"]] {
        assert_eq!(replay(&gateway, "rules: []\n", arguments).0, 2, "{arguments:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_log_and_foreign_rows_are_no_obstacle() {
    let mut gateway = Gateway::fresh();
    let own = profile(&gateway);
    let (code, empty, said) = replay(&gateway, &own, &["--fail-on", "any", "--fail-on-undecided"]);
    assert_eq!((code, &empty["report"]["decisions"]), (0, &json!(0)), "{said}");
    for tool in ["Read", "Grep", "Glob", "Write"] {
        gateway.ask("user", tool, json!({})).await;
    }
    gateway.stop();
    let mut database = gateway.database().await;
    for statement in [
        "UPDATE audit_events SET kind = 'wish' WHERE tool = 'Read'",
        "UPDATE audit_events SET detail = NULL WHERE tool = 'Grep'",
        "UPDATE audit_events SET evaluation = 'nonsense' WHERE tool = 'Glob'",
    ] {
        let done = sqlx::query(statement).execute(&mut database).await.unwrap();
        assert_eq!(done.rows_affected(), 1, "{statement}");
    }
    database.close().await.unwrap();
    let (code, foreign, said) = replay(&gateway, &own, &["--fail-on", "any"]);
    assert_eq!(code, 0, "{said}");
    let report = &foreign["report"];
    assert_eq!((&report["decisions"], &report["unchanged"]), (&json!(3), &json!(1)), "{foreign:#}");
    let reasons = json!({
        "the event holds no call that can be read": 1,
        "what the decision depended on was not kept": 1,
    });
    assert_eq!(report["undecided"]["by_reason"], reasons);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shadow_is_summed_up_like_a_replay() {
    let mut first = Gateway::fresh();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let own = profile(&first);
    first.stop();
    fs::create_dir(&data).unwrap();
    fs::write(data.join("profile.yaml"), own + "\nshadow:\n  - {id: open, file: open.yaml}\n")
        .unwrap();
    let open = "governance:\n  rules:\n    - {id: all, tools: ['*'], except: [Grep]}\n";
    fs::write(data.join("open.yaml"), open).unwrap();
    let gateway = Gateway::on(&data);
    for tool in ["Read", "Grep", "delete_everything", "drop_table"] {
        gateway.ask("user", tool, json!({})).await;
    }
    let output = policy(&data, &["shadow", "--json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["decisions"], 4, "{report:#}");
    let shadow = &report["shadows"][0];
    assert_eq!(shadow["id"], "open");
    assert_eq!(shadow["allow_to_deny"]["by_rule"], json!({ "scope:unknown_tool": 1 }));
    let allowed = &shadow["deny_to_allow"];
    assert_eq!(allowed["by_rule"], json!({ "blocklist:destructive": 2 }), "{report:#}");
    let people = policy(&data, &["shadow", "--since", "1h"]);
    let text = String::from_utf8(people.stdout).unwrap();
    assert!(text.contains("shadow open") && text.contains("2  denied -> allowed"), "{text}");
    let none = policy(&data, &["shadow", "--id", "other"]);
    assert!(String::from_utf8(none.stdout).unwrap().contains("no shadow policy that differs"));
}
