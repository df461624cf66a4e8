use systemprompt_core::call::{Arguments, CallContext, Door, ToolCall};
use systemprompt_core::decision::{CheckOutcome, Decision};
use systemprompt_core::policy::{
    SecretAction, SecretActionRule, SecretConfidence, SecretDirection, SecretExemption,
    SecretPolicy,
};
use systemprompt_governance::policy::{KnownIds, Policy};

use super::{act, aws, exempt, github, policy, with};
use crate::house::{House, call, code, house, texts, user};

async fn evaluate(house: &House, tool: &'static str, arguments: &str) -> Decision {
    house.governor.evaluate(call(&user(), tool).arguments(arguments).build()).await
}

/// What the tool gets.
fn delivered(decision: Decision) -> String {
    let permit = decision.permit().expect("allowed");
    assert!(permit.is_rewritten());
    String::from_utf8(permit.call().arguments().raw().to_vec()).unwrap()
}

fn secret_check(decision: &Decision) -> (CheckOutcome, String) {
    let check = decision.evaluation().checks.iter().find(|check| check.check == "secret").unwrap();
    (check.outcome, check.detail.as_deref().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn redacting_leaves_everything_else_as_it_is() {
    let house = house(with(vec![act(SecretAction::Redact)]));
    let (token, id) = (github(), aws());
    let asked = format!(
        r#"{{"n":1.50,"id":123456789012345678901234567890,"env":[null,{{"GH":"say {token} twice: {token}."}}],"{id}":true,"b":"é"}}"#
    );
    let decision = evaluate(&house, "Write", &asked).await;
    assert_eq!(secret_check(&decision).0, CheckOutcome::Passed);
    assert!(secret_check(&decision).1.starts_with("redact github-token at $.env[1].GH; "));
    let redacted = "[redacted:github-token]";
    assert_eq!(
        delivered(decision),
        format!(
            "{{\"n\":1.50,\"id\":123456789012345678901234567890,\"env\":[null,{{\"GH\":\"say {redacted} twice: {redacted}.\"}}],\
             \"[redacted:aws-access-key-id]\":true,\"b\":\"é\"}}"
        )
    );
    let log = house.log.text();
    assert!(!log.contains(&token) && !log.contains(&id));
}

#[tokio::test]
async fn encoded_and_split_secrets_are_taken_out_whole() {
    let house = house(with(vec![act(SecretAction::Redact)]));
    let token = github();
    let (head, tail) = token.split_at(20);
    let hex: String = token.bytes().map(|byte| format!("{byte:02x}")).collect();
    let asked = format!(r#"{{"a":"{head}","b":"{tail}","c":"hex {hex} end","d":["x","y"]}}"#);
    let delivered = delivered(evaluate(&house, "Write", &asked).await);
    assert_eq!(
        delivered,
        "{\"a\":\"[redacted:github-token]\",\"b\":\"\",\"c\":\"hex [redacted:github-token] end\",\
         \"d\":[\"x\",\"y\"]}"
    );
}

#[tokio::test]
async fn what_stands_beside_a_secret_stays() {
    let house = house(with(vec![act(SecretAction::Redact)]));
    let (one, other) = (github(), format!("ghp_{}", "9Kd2LmQ4rTz7Vx1Wb8Nc5Yp3Hs6Jf0GaUeXi"));
    for (arguments, expected) in [
        (
            format!(r#"{{"token":"{one}","user":"alice","repo":"main"}}"#),
            r#"{"token":"[redacted:github-token]","user":"alice","repo":"main"}"#,
        ),
        (
            format!(r#"["{one}","the","{other}","main"]"#),
            r#"["[redacted:github-token]","the","[redacted:github-token]","main"]"#,
        ),
    ] {
        let decision = evaluate(&house, "Bash", &arguments).await;
        assert_eq!(delivered(decision), expected);
    }
}

#[tokio::test]
async fn a_key_block_is_taken_out_line_by_line() {
    let house = house(with(vec![act(SecretAction::Redact)]));
    let line = |seed: usize| -> String {
        let letters = b"MIIEowIBAAKCAQEA7x9Zq3kLmN0pRsTuVwYb2cD4fGhJ5+/8";
        (0..64).map(|at| char::from(letters[(at * 7 + seed * 11) % letters.len()])).collect()
    };
    let (begin, end) =
        (format!("-----{} RSA PRIVATE KEY-----", "BEGIN"), "-----END RSA PRIVATE KEY-----");
    let lines = [line(1), line(2), line(3), "q8Zt==".to_owned()];
    let items: Vec<_> = [begin.as_str()]
        .into_iter()
        .chain(lines.iter().map(String::as_str))
        .chain([end, "done", "README.md"])
        .map(|line| format!("\"{line}\""))
        .collect();
    let members: Vec<_> =
        items.iter().enumerate().map(|(at, item)| format!("\"{at}\":{item}")).collect();
    for arguments in
        [format!(r#"{{"lines":[{}]}}"#, items.join(",")), format!("{{{}}}", members.join(","))]
    {
        let delivered = delivered(evaluate(&house, "Write", &arguments).await);
        assert!(lines.iter().all(|line| !delivered.contains(line.as_str())), "{delivered}");
        assert!(delivered.contains("\"done\"") && delivered.contains("\"README.md\""));
    }
}

#[tokio::test]
async fn the_first_action_that_matches_counts_and_denying_wins_in_one_document() {
    let rules = vec![
        SecretActionRule { vendors: texts(&["github"]), ..act(SecretAction::Flag) },
        SecretActionRule { tools: texts(&["mcp__vault__*"]), ..act(SecretAction::Redact) },
        SecretActionRule {
            rules: texts(&["aws-*"]),
            min_confidence: Some(SecretConfidence::Certain),
            ..act(SecretAction::Flag)
        },
    ];
    let house = house(with(rules));
    let one = |secret: &str| format!(r#"{{"a":"{secret}"}}"#);
    let flagged = evaluate(&house, "Write", &one(&github())).await;
    assert_eq!(code(&flagged), "allow");
    assert_eq!(secret_check(&flagged).1, "flag github-token at $.a");
    assert!(!flagged.permit().unwrap().is_rewritten());
    // Not certain, so the default counts.
    assert_eq!(code(&evaluate(&house, "Write", &one(&aws())).await), "secret_detected");
    assert_eq!(code(&evaluate(&house, "mcp__vault__put", &one(&aws())).await), "allow");
    let both = format!(r#"{{"a":"{}","b":"{}"}}"#, github(), aws());
    let both = evaluate(&house, "Write", &both).await;
    assert_eq!(code(&both), "secret_detected");
    assert_eq!(both.reason().unwrap().data()["rule"], "aws-access-key-id");
}

#[tokio::test]
async fn a_lenient_action_for_vague_findings_hides_no_credential() {
    let generic = SecretActionRule { rules: texts(&["generic-*"]), ..act(SecretAction::Flag) };
    let house = house(with(vec![generic]));
    for text in [
        format!("password=x-{}", github()),
        format!("secret_key: 'aB3xY-{}'", github()),
        format!("token={}", github()),
    ] {
        let asked = serde_json::json!({ "password": text }).to_string();
        assert_eq!(code(&evaluate(&house, "Write", &asked).await), "secret_detected", "{text}");
    }
}

#[tokio::test]
async fn an_exemption_covers_what_it_names_and_is_recorded() {
    let field = SecretExemption {
        rules: texts(&["github-token"]),
        tools: texts(&["Write"]),
        fields: texts(&["$.files[*].content"]),
        ..exempt("fixtures")
    };
    let secrets = SecretPolicy { exemptions: vec![field], ..SecretPolicy::default() };
    let house = house(policy(secrets));
    let token = github();
    let inside = format!(r#"{{"files":[{{"content":"token={token}"}}]}}"#);
    let decision = evaluate(&house, "Write", &inside).await;
    assert_eq!(code(&decision), "allow");
    assert_eq!(
        secret_check(&decision).1,
        "github-token at $.files[0].content is exempt by `fixtures`"
    );
    let recorded = house.log.decisions();
    let check = &recorded[0].evaluation.checks[1];
    assert!(check.detail.as_deref().unwrap().contains("`fixtures`"));
    for (tool, arguments) in [
        ("Edit", inside.clone()),
        ("write", inside.clone()),
        ("Write", format!(r#"{{"content":"{token}"}}"#)),
        ("Write", format!(r#"{{"files":[{{"content":"{}"}}]}}"#, aws())),
        ("Write", format!(r#"{{"files[0].content":"{token}"}}"#)),
    ] {
        let denied = evaluate(&house, tool, &arguments).await;
        assert_eq!(code(&denied), "secret_detected", "{tool} {arguments}");
    }
}

#[tokio::test]
async fn a_prompt_that_cannot_be_changed_is_denied_where_it_would_be() {
    let house = house(with(vec![act(SecretAction::Redact)]));
    let prompt = |door| {
        let arguments = Arguments::parse(format!(r#"{{"prompt":"use {}"}}"#, github())).unwrap();
        ToolCall::prompt(user(), door, arguments, CallContext::default())
    };
    assert_eq!(code(&house.governor.evaluate(prompt(Door::Hook)).await), "secret_detected");
    let rewritten = house.governor.evaluate(prompt(Door::Embedded)).await;
    assert_eq!(delivered(rewritten), r#"{"prompt":"use [redacted:github-token]"}"#);
}

#[tokio::test]
async fn directions_are_told_apart() {
    let prompts =
        SecretActionRule { directions: vec![SecretDirection::Prompt], ..act(SecretAction::Flag) };
    let house = house(with(vec![prompts]));
    let asked = format!(r#"{{"prompt":"use {}"}}"#, github());
    assert_eq!(code(&evaluate(&house, "Write", &asked).await), "secret_detected");
    let arguments = Arguments::parse(asked).unwrap();
    let prompt = ToolCall::prompt(user(), Door::Hook, arguments, CallContext::default());
    assert_eq!(code(&house.governor.evaluate(prompt).await), "allow");
}

#[tokio::test]
async fn a_repeat_gets_the_same_arguments() {
    let house = house(with(vec![act(SecretAction::Redact)]));
    let asked = format!(r#"{{"a":"{}"}}"#, github());
    let again = || call(&user(), "Write").session("s").id("c1").arguments(asked.clone()).build();
    let (first, second) =
        (house.governor.evaluate(again()).await, house.governor.evaluate(again()).await);
    assert_eq!(delivered(first), delivered(second));
}

/// Every fault of a policy, as `path: problem`.
fn faults(secrets: SecretPolicy) -> Vec<String> {
    let faults = Policy::compile(&policy(secrets), &KnownIds::built_in([])).err();
    faults.unwrap_or_default().iter().map(|fault| fault.to_string()).collect()
}

#[test]
fn what_is_wrong_with_actions_and_exemptions_is_named() {
    let redact = || act(SecretAction::Redact);
    let secrets = SecretPolicy {
        disabled_rules: texts(&["scan-budget"]),
        actions: vec![
            SecretActionRule { rules: texts(&["github-tokn"]), ..redact() },
            SecretActionRule { vendors: texts(&["GitHib"]), ..redact() },
            SecretActionRule { bind: texts(&["Read"]), ..redact() },
            SecretActionRule { tools: texts(&["Read"]), ..redact() },
        ],
        exemptions: vec![
            SecretExemption { fields: texts(&["headers.x"]), ..exempt("a") },
            SecretExemption { reason: " ".into(), ..exempt("a") },
        ],
        ..SecretPolicy::default()
    };
    let said = faults(secrets);
    for expected in [
        "`secrets.disabled_rules[0]`: `scan-budget` says",
        "`secrets.actions[0].rules[0]`: unknown secret rule `github-tokn`; did you mean `github-token`?",
        "`secrets.actions[1].vendors[0]`: unknown vendor `GitHib`; did you mean `GitHub`?",
        "`secrets.actions[2].bind`: only `tokenise` binds tools",
        "`secrets.actions[3]`: is never reached: secrets.actions[2] covers all of it",
        "`secrets.exemptions[0].fields[0]`: `headers.x` is no path",
        "`secrets.exemptions[1].id`: the exemption id `a` is used by secrets.exemptions[0] already",
        "`secrets.exemptions[1].reason`: an exemption says why",
        "`secrets.exemptions[1]`: exempts everything",
    ] {
        assert!(said.iter().any(|fault| fault.starts_with(expected)), "{expected}\n{said:#?}");
    }
    assert_eq!(said.len(), 9, "{said:#?}");
}
