use std::sync::LazyLock;

use systemprompt_core::call::{CallContext, Door, ToolRef};
use systemprompt_core::content::{Content, ContentBody, ContentOrigin, ContentVerdict};
use systemprompt_core::event::{AuditBody, EventKind};
use systemprompt_core::policy::{SecretAction, SecretActionRule, SecretDirection, SecretPolicy};
use systemprompt_core::principal::Principal;

use super::{act, aws, github, policy, with};
use crate::house::{house, starter, texts, user};

static CONTEXT: LazyLock<CallContext> = LazyLock::new(CallContext::default);

pub(super) fn content<'c>(
    principal: &'c Principal,
    tool: Option<&'c ToolRef>,
    body: ContentBody<'c>,
) -> Content<'c> {
    let direction = SecretDirection::Result;
    let origin = ContentOrigin { direction, principal, tool, door: Door::Mcp, context: &CONTEXT };
    Content { origin, body }
}

#[tokio::test]
async fn results_are_redacted_and_what_was_found_is_recorded() {
    let house = house(starter());
    let (caller, tool) = (user(), ToolRef::parse(None, "mcp__db__query").unwrap());
    let json = format!(r#"{{"rows":[{{"key":"{}","n":1}}],"ok":true}}"#, aws());
    let inspected =
        house.governor.inspect(content(&caller, Some(&tool), ContentBody::Json(&json))).await;
    let redacted = r#"{"rows":[{"key":"[redacted:aws-access-key-id]","n":1}],"ok":true}"#;
    assert_eq!(inspected.verdict, ContentVerdict::Rewritten(redacted.to_owned()));
    assert_eq!(inspected.findings.len(), 1);
    assert_eq!(inspected.findings[0].action, Some(SecretAction::Redact));
    let events = house.log.events.lock();
    let AuditBody::Other { kind: EventKind::SecretFound, detail } = &events[0].body else {
        panic!()
    };
    assert_eq!(detail["direction"], "result");
    assert_eq!(detail["tool"], "mcp__db__query");
    assert_eq!(detail["findings"][0]["location"], "$.rows[0].key");
    assert_eq!(detail["findings"][0]["action"], "redact");
    assert!(!format!("{events:?}").contains(&aws()));
}

#[tokio::test]
async fn clean_text_passes_without_a_record_and_is_remembered() {
    let house = house(starter());
    let caller = user();
    let text = "all quiet on the western front ".repeat(100);
    for _ in 0..2 {
        let inspected =
            house.governor.inspect(content(&caller, None, ContentBody::Text(&text))).await;
        assert_eq!(inspected.verdict, ContentVerdict::Pass);
    }
    assert!(house.log.events.lock().is_empty());
    // A policy with more to find does not rely on it.
    let rule = systemprompt_core::policy::SecretRule {
        id: "front".into(),
        name: None,
        vendor: None,
        pattern: "western front".into(),
        keywords: texts(&["western"]),
        names: Vec::new(),
        lead: 0,
        entropy: 0.0,
        confidence: None,
    };
    let text = format!("{text} 0123456789-western front");
    house.governor.inspect(content(&caller, None, ContentBody::Text(&text))).await;
    let secrets = SecretPolicy { rules: vec![rule], ..SecretPolicy::default() };
    house.governor.reload(&policy(secrets)).unwrap();
    let inspected = house.governor.inspect(content(&caller, None, ContentBody::Text(&text))).await;
    assert_ne!(inspected.verdict, ContentVerdict::Pass);
}

#[tokio::test]
async fn the_policy_withholds_and_so_does_a_log_that_cannot_be_written() {
    let deny =
        SecretActionRule { directions: vec![SecretDirection::Result], ..act(SecretAction::Deny) };
    let strict = house(with(vec![deny]));
    let (caller, text) = (user(), github());
    let inspected = strict.governor.inspect(content(&caller, None, ContentBody::Text(&text))).await;
    let ContentVerdict::Withheld(reason) = inspected.verdict else { panic!() };
    assert_eq!(reason.code(), "secret_detected");
    let lenient = house(starter());
    lenient.log.set_broken(true);
    let inspected =
        lenient.governor.inspect(content(&caller, None, ContentBody::Text(&text))).await;
    let ContentVerdict::Withheld(reason) = inspected.verdict else { panic!() };
    assert_eq!(reason.code(), "audit_unavailable");
}

#[tokio::test]
async fn an_old_finding_in_a_history_stops_no_conversation() {
    let house = house(starter());
    let (caller, text) = (user(), format!("earlier I said {}", github()));
    for direction in SecretDirection::ALL {
        let mut content = content(&caller, None, ContentBody::Text(&text));
        content.origin.direction = direction;
        let verdict = house.governor.inspect(content).await.verdict;
        let stopped = matches!(verdict, ContentVerdict::Withheld(_));
        let outward = matches!(direction, SecretDirection::Call | SecretDirection::Prompt);
        assert_eq!(stopped, outward, "{direction:?}");
        if let ContentVerdict::Rewritten(text) = verdict {
            assert_eq!(text, "earlier I said [redacted:github-token]");
        }
    }
}

#[tokio::test]
async fn what_is_no_json_is_searched_as_text() {
    let house = house(starter());
    let caller = user();
    let huge = format!("[{}\"{}\"]", "1,".repeat(600_000), github());
    let deep = format!("{}\"{}\"{}", "[".repeat(100), github(), "]".repeat(100));
    let twice = format!(r#"{{"a":1,"a":"{}"}}"#, github());
    let broken = format!(r#"{{"a":"{}"#, github());
    for text in [huge, deep, twice, broken] {
        let inspected =
            house.governor.inspect(content(&caller, None, ContentBody::Json(&text))).await;
        let ContentVerdict::Rewritten(text) = inspected.verdict else {
            panic!("{:?}", &text[..20])
        };
        assert!(!text.contains(&github()) && text.contains("[redacted:github-token]"));
    }
}

#[tokio::test]
async fn what_was_json_stays_json_or_is_withheld() {
    let house = house(starter());
    let caller = user();
    let verdict = async |text: &str| {
        house.governor.inspect(content(&caller, None, ContentBody::Json(text))).await.verdict
    };
    let token = github();
    let (head, tail) = token.split_at(12);
    for (text, expected) in [
        // Keys that occur twice, as some servers write them.
        (
            r#"{"password":"Xk29\"zLq!mPw8","a":1,"a":2}"#.to_owned(),
            r#"{"password":"[redacted:generic-password]","a":1,"a":2}"#,
        ),
        (
            r#"{"password":"\u0058k29zLq\/mPw8","a":1,"a":2}"#.to_owned(),
            r#"{"password":"[redacted:generic-password]","a":1,"a":2}"#,
        ),
        (
            format!(r#"{{"x":"{head}","y":"{tail}","a":1,"a":1}}"#),
            r#"{"x":"[redacted:github-token]","y":"","a":1,"a":1}"#,
        ),
    ] {
        assert_eq!(verdict(&text).await, ContentVerdict::Rewritten(expected.to_owned()), "{text}");
    }
    // Deeper than a document is read: taking the value out of the text would leave half of an escape.
    let deep = |inner: &str| format!("{}{inner}{}", "[".repeat(200), "]".repeat(200));
    for inner in [r#"{"password":"\u0058k29zLq!mPw8"}"#, r#"{"password":"Xk29zLq!mPw8"}"#] {
        match verdict(&deep(inner)).await {
            ContentVerdict::Rewritten(text) => {
                assert!(!text.contains("zLq!mPw8"));
                assert!(serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok(), "{text}");
            }
            ContentVerdict::Withheld(_) => {}
            ContentVerdict::Pass => panic!("{inner}"),
        }
    }
}

#[tokio::test]
async fn findings_that_all_overlap_are_judged_in_linear_time() {
    let house = house(starter());
    let caller = user();
    // What could not be read to its end is one place with everything that was found before.
    let text = "://a:bc1@".repeat(100_000);
    let started = std::time::Instant::now();
    let inspected = house.governor.inspect(content(&caller, None, ContentBody::Text(&text))).await;
    let ContentVerdict::Withheld(reason) = inspected.verdict else { panic!() };
    assert_eq!(reason.code(), "scan_budget_exceeded");
    // Compared with each other they take minutes.
    assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
}
