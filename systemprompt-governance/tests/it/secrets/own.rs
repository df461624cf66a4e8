use systemprompt_core::policy::{
    Canary, SecretAction, SecretActionRule, SecretConfidence, SecretExemption, SecretPolicy,
    SecretRule,
};
use systemprompt_governance::Governor;
use systemprompt_governance::policy::{KnownIds, Policy};

use super::{act, exempt, policy};
use crate::house::{call, code, house, starter, texts, user};

fn canary(id: &str, value: &str) -> Canary {
    Canary { id: id.into(), tenant: "acme".into(), value: value.into() }
}

fn rule(id: &str, keyword: &str, pattern: &str) -> SecretRule {
    SecretRule {
        id: id.into(),
        name: None,
        vendor: None,
        pattern: pattern.into(),
        keywords: texts(&[keyword]),
        names: Vec::new(),
        lead: 0,
        entropy: 0.0,
        confidence: None,
    }
}

const PLANTED: &str = "acct-7f3Q9x-never-used-anywhere";

async fn verdict(governor: &Governor, text: &str) -> String {
    let arguments = serde_json::json!({ "text": text }).to_string();
    let decision = governor.evaluate(call(&user(), "Write").arguments(arguments).build()).await;
    match decision.reason() {
        Some(reason) => format!("{} {}", reason.code(), reason.data()["rule"].as_str().unwrap()),
        None => decision.as_str().to_owned(),
    }
}

#[tokio::test]
async fn a_canary_is_denied_whatever_the_policy_says() {
    let secrets = SecretPolicy {
        canaries: vec![canary("crm", PLANTED)],
        actions: vec![act(SecretAction::Flag)],
        exemptions: vec![SecretExemption { tools: texts(&["*"]), ..exempt("all") }],
        ..SecretPolicy::default()
    };
    let house = house(policy(secrets));
    let found = "secret_detected canary-crm";
    assert_eq!(verdict(&house.governor, PLANTED).await, found);
    assert_eq!(verdict(&house.governor, &format!("see `{PLANTED}`, please")).await, found);
    let hex: String = PLANTED.bytes().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(verdict(&house.governor, &hex).await, found);
    let apart: String = PLANTED.chars().flat_map(|letter| [letter, ' ']).collect();
    assert_eq!(verdict(&house.governor, apart.trim()).await, found);
    let (head, tail) = PLANTED.split_at(12);
    let split = call(&user(), "Write").arguments(format!(r#"{{"a":"{head}","b":"{tail}"}}"#));
    assert_eq!(code(&house.governor.evaluate(split.build()).await), "secret_detected");
    assert_eq!(verdict(&house.governor, "acct-7f3Q9x-never-used-anywhen").await, "allow");
    assert!(!house.log.text().contains(PLANTED));
}

#[tokio::test]
async fn formats_of_a_policy_come_and_go_with_it() {
    let house = house(starter());
    let token = format!("corp_{}", "9f8e7d6c5b4a39281706f5e4d3c2b1a0");
    assert_eq!(verdict(&house.governor, &format!("see {token}")).await, "allow");
    let secrets = SecretPolicy {
        rules: vec![rule("corp-token", "corp_", "corp_[0-9a-f]{32}")],
        ..SecretPolicy::default()
    };
    house.governor.reload(&policy(secrets.clone())).unwrap();
    assert_eq!(
        verdict(&house.governor, &format!("see {token}")).await,
        "secret_detected corp-token"
    );
    // It is taken out of what is recorded as well.
    let redacted = house.governor.redactor().redact(&token).into_owned();
    assert_eq!(redacted, "[redacted:corp-token]");
    // And an action can name it.
    let actions = vec![SecretActionRule {
        rules: texts(&["corp-*"]),
        vendors: texts(&["corp-token"]),
        min_confidence: Some(SecretConfidence::High),
        ..act(SecretAction::Flag)
    }];
    house.governor.reload(&policy(SecretPolicy { actions, ..secrets })).unwrap();
    assert_eq!(verdict(&house.governor, &token).await, "allow");
    house.governor.reload(&starter()).unwrap();
    assert_eq!(house.governor.redactor().redact(&token), token);
    assert_eq!(code(&house.governor.evaluate(call(&user(), "Write").build()).await), "allow");
}

#[test]
fn what_is_wrong_with_them_is_named() {
    let secrets = SecretPolicy {
        canaries: vec![
            canary("a", "short1"),
            canary("B", PLANTED),
            canary("a", "aaaaaaaaaaaaaaa1"),
            canary("number", "90817263540918273645"),
        ],
        rules: vec![
            rule("github-token", "corp_", "corp_x"),
            rule("corp", "corp_", "corp_("),
            rule("corp", "corp_", "corp_x"),
            rule("never", "corp_", "xyz[0-9]+"),
            SecretRule { keywords: Vec::new(), ..rule("none", "", "x") },
        ],
        ..SecretPolicy::default()
    };
    let faults = Policy::compile(&policy(secrets), &KnownIds::built_in([])).unwrap_err();
    let said: Vec<_> = faults.iter().map(ToString::to_string).collect();
    for expected in [
        "`secrets.canaries[0].value`: a canary is 16 to 512",
        "`secrets.canaries[1].id`: a canary id is lower case",
        "`secrets.canaries[2].id`: the canary id `a` is used",
        "`secrets.canaries[2].value`: a canary is",
        "`secrets.canaries[3].value`: a canary is",
        "`secrets.rules[0]`: there is a rule `github-token` already",
        "`secrets.rules[1]`: pattern of rule `corp`",
        "`secrets.rules[2]`: there is a rule `corp` already",
        "`secrets.rules[3]`: pattern of rule `never`: it matches nothing that starts with the keyword `corp_`",
        "`secrets.rules[4]`: rule `none` needs exactly one of",
    ] {
        assert!(said.iter().any(|fault| fault.starts_with(expected)), "{expected}\n{said:#?}");
    }
    assert!(said.iter().all(|fault| !fault.contains(PLANTED)));
}
