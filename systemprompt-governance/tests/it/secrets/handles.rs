use std::time::Duration;

use systemprompt_core::call::ToolRef;
use systemprompt_core::content::{ContentBody, ContentVerdict};
use systemprompt_core::policy::{SecretAction, SecretActionRule};
use systemprompt_core::principal::Principal;

use super::content::content;
use super::{act, github, with};
use crate::house::{House, call, house, principal, texts, user};

/// What the model sees of a result of `tool` with a token in it.
async fn handle(house: &House, caller: &Principal, tool: &str) -> String {
    let tool = ToolRef::parse(None, tool).unwrap();
    let text = github();
    let inspected =
        house.governor.inspect(content(caller, Some(&tool), ContentBody::Text(&text))).await;
    match inspected.verdict {
        ContentVerdict::Rewritten(handle) => handle,
        other => panic!("{other:?}"),
    }
}

/// What `tool` is run with, and what everybody else sees of the call.
async fn run(
    house: &House,
    caller: &Principal,
    tool: &'static str,
    text: &str,
) -> (String, String) {
    let arguments = serde_json::json!({ "with": [text] }).to_string();
    let decision = house.governor.evaluate(call(caller, tool).arguments(arguments).build()).await;
    let permit = decision.permit().expect("allowed");
    let seen = String::from_utf8(permit.call().arguments().raw().to_vec()).unwrap();
    let run = permit
        .run(|injected| async move {
            Ok::<_, std::convert::Infallible>(injected.arguments().raw().to_vec())
        })
        .await
        .unwrap();
    (String::from_utf8(run).unwrap(), seen)
}

#[tokio::test]
async fn the_bound_tool_gets_the_value_back_and_nobody_else() {
    let tokenise =
        SecretActionRule { bind: texts(&["mcp__git__push"]), ..act(SecretAction::Tokenise) };
    let house = house(with(vec![tokenise]));
    let token = github();
    let handle = handle(&house, &user(), "mcp__vault__read").await;
    let digits = handle.strip_prefix("secret://h/").expect("a handle");
    assert!(digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()));

    let text = format!("https://x:{handle}@git.example/");
    let (given, seen) = run(&house, &user(), "mcp__git__push", &text).await;
    assert_eq!(given, format!(r#"{{"with":["https://x:{token}@git.example/"]}}"#));
    assert!(seen.contains(&handle) && !seen.contains(&token));

    let other = principal("otto", &["tools:use"]);
    for (caller, tool) in [
        (&user(), "mcp__git__pull"),
        (&user(), "mcp__vault__read"),
        (&user(), "Write"),
        (&other, "mcp__git__push"),
    ] {
        let (given, _) = run(&house, caller, tool, &handle).await;
        assert!(given.contains(&handle) && !given.contains(&token), "{tool}");
    }
    assert!(!house.log.text().contains(&token));
}

#[tokio::test]
async fn a_handle_stays_the_same_and_ends_after_a_day() {
    let house = house(with(vec![act(SecretAction::Tokenise)]));
    let first = handle(&house, &user(), "mcp__vault__read").await;
    assert_eq!(handle(&house, &user(), "mcp__vault__read").await, first);
    assert_ne!(handle(&house, &principal("otto", &["tools:use"]), "mcp__vault__read").await, first);
    // Without `bind`, the tools of the server it came from.
    assert!(run(&house, &user(), "mcp__vault__write", &first).await.0.contains(&github()));
    assert!(!run(&house, &user(), "mcp__other__write", &first).await.0.contains(&github()));
    house.clock.advance(Duration::from_secs(25 * 3600));
    assert!(run(&house, &user(), "mcp__vault__write", &first).await.0.contains(&first));
}

#[tokio::test]
async fn a_call_with_a_secret_reaches_the_bound_tool_only() {
    let house = house(with(vec![SecretActionRule {
        bind: texts(&["mcp__git__*"]),
        ..act(SecretAction::Tokenise)
    }]));
    let (given, seen) = run(&house, &user(), "mcp__git__push", &github()).await;
    assert!(given.contains(&github()) && !seen.contains(&github()));
    let (given, seen) = run(&house, &user(), "Write", &github()).await;
    assert!(given == seen && seen.contains("secret://h/"), "{given}");
}

#[tokio::test]
async fn what_looks_like_a_handle_is_left_alone() {
    let house = house(with(vec![act(SecretAction::Tokenise)]));
    handle(&house, &user(), "mcp__vault__read").await;
    for text in ["secret://h/", "secret://h/zz", "secret://h/0123456789abcdef0123456789abcdef"] {
        let (given, seen) = run(&house, &user(), "mcp__vault__read", text).await;
        assert_eq!(given, seen);
    }
}

#[tokio::test]
async fn what_stands_in_for_a_secret_is_none() {
    let house = house(with(vec![act(SecretAction::Tokenise)]));
    let handle = handle(&house, &user(), "mcp__vault__read").await;
    for stand_in in [handle.as_str(), "[redacted:github-token]", "secret://db-password"] {
        for text in [
            format!("password={stand_in}"),
            format!("{{\"api_key\": \"{stand_in}\"}}"),
            format!("Authorization: Bearer {stand_in}"),
            format!("export TOKEN='{stand_in}'"),
            format!("postgres://app:{stand_in}@db/app"),
        ] {
            let arguments = serde_json::json!({ "password": stand_in, "text": text }).to_string();
            let call = call(&user(), "Write").arguments(arguments).build();
            let decision = house.governor.evaluate(call).await;
            assert!(!decision.permit().expect("allowed").is_rewritten(), "{text}");
        }
    }
}
