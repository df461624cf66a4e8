use systemprompt_core::call::{Arguments, CallContext, Door, ToolCall};
use systemprompt_core::decision::CheckOutcome::{Denied, Disabled, Passed, Skipped};
use systemprompt_core::decision::{Decision, DenialReason};
use systemprompt_core::policy::{Blocklist, Effect, PolicyDocument, ScopeRule};

use crate::house::{admin, call, code, house, outcomes, rule, starter, texts, user};

#[tokio::test]
async fn a_clean_call_passes_every_check_in_order() {
    let house = house(starter());
    let decision = house.governor.evaluate(call(&user(), "Read").build()).await;
    let names: Vec<(String, _)> =
        ["scope", "secret", "blocklist", "rate"].map(|id| (id.to_owned(), Passed)).into();
    assert_eq!(outcomes(&decision), names);
    assert_eq!(house.log.decisions().len(), 1, "the row is there before the answer");
    let Decision::Allow(permit) = decision else { panic!("denied") };
    assert_eq!(Some(permit.id()), house.log.decisions()[0].permit);
}

#[tokio::test]
async fn only_admins_reach_admin_tools_whatever_the_call_claims() {
    let house = house(starter());
    let tool = "mcp__systemprompt__users";
    assert_eq!(code(&house.governor.evaluate(call(&admin(), tool).build()).await), "allow");
    let denied = house.governor.evaluate(call(&user(), tool).build()).await;
    match denied.reason() {
        Some(DenialReason::ScopeViolation { required, .. }) => {
            assert_eq!(required.iter().map(|need| &**need).collect::<Vec<_>>(), ["admin"]);
        }
        other => panic!("{other:?}"),
    }
    let claiming = call(&user(), tool).agent("developer_agent");
    assert_eq!(code(&house.governor.evaluate(claiming.build()).await), "scope_violation");
    let granted = call(&user(), tool).agent("associate_agent");
    assert_eq!(code(&house.governor.evaluate(granted.build()).await), "scope_violation");
}

#[tokio::test]
async fn the_first_deny_wins_and_later_checks_are_skipped() {
    let house = house(starter());
    let decision = house.governor.evaluate(call(&user(), "delete_records").build()).await;
    assert_eq!(code(&decision), "blocked");
    let seen: Vec<_> = outcomes(&decision).into_iter().map(|(_, outcome)| outcome).collect();
    assert_eq!(seen, [Passed, Passed, Denied, Skipped]);
    assert_eq!(
        code(&house.governor.evaluate(call(&user(), "undelete_items").build()).await),
        "allow"
    );
    assert_eq!(
        code(&house.governor.evaluate(call(&admin(), "deleteRecords").build()).await),
        "blocked"
    );
}

#[tokio::test]
async fn secrets_are_denied_to_everyone_and_appear_nowhere() {
    let house = house(starter());
    let key = format!("AKIA{}", "Q3EGRPV7ZXKLMN2W");
    for principal in [user(), admin()] {
        for arguments in [
            format!("{{\"key\":\"{key}\"}}"),
            format!("{{\"{key}\":1}}"),
            format!("{{\"a\":[{{\"b\":\"use {key} now\"}}]}}"),
        ] {
            let decision = house
                .governor
                .evaluate(call(&principal, "Read").arguments(arguments).build())
                .await;
            assert_eq!(code(&decision), "secret_detected");
            assert!(!format!("{decision:?}").contains(&key));
        }
    }
    assert!(!house.log.text().contains(&key));
}

#[tokio::test]
async fn unknown_tools_and_agents_are_denied() {
    let house = house(PolicyDocument { rules: vec![rule("read", &["Read"])], ..starter() });
    let evaluate = |call: crate::house::Call| house.governor.evaluate(call.build());
    assert_eq!(code(&evaluate(call(&user(), "Write")).await), "unknown_tool");
    assert_eq!(code(&evaluate(call(&user(), "read")).await), "unknown_tool");
    assert_eq!(code(&evaluate(call(&user(), "Read").agent("nobody")).await), "unknown_agent");
    let label = call(&user(), "Read").agent("nobody").context(|c| c.agent_is_label = true);
    assert_eq!(code(&evaluate(label).await), "allow");
    let label = call(&user(), "Read").agent("developer_agent").context(|c| c.agent_is_label = true);
    assert_eq!(code(&evaluate(label).await), "scope_violation");
}

#[tokio::test]
async fn deny_rules_override_in_any_case_and_for_either_form_of_the_name() {
    let deny = ScopeRule { effect: Effect::Deny, ..rule("no-query", &["query"]) };
    let house = house(PolicyDocument { rules: vec![rule("all", &["*"]), deny], ..starter() });
    for tool in ["query", "Query", "mcp__db__query", "mcp__DB__QUERY"] {
        let decision = house.governor.evaluate(call(&admin(), tool).build()).await;
        assert_eq!(code(&decision), "scope_violation", "{tool}");
    }
    assert_eq!(code(&house.governor.evaluate(call(&admin(), "queries").build()).await), "allow");
}

#[tokio::test]
async fn a_prompt_needs_no_rule_until_one_names_it() {
    let prompt = || {
        let arguments = Arguments::parse("{\"prompt\":\"hello\"}").unwrap();
        ToolCall::prompt(user(), Door::Hook, arguments, CallContext::default())
    };
    let open = house(PolicyDocument { rules: vec![rule("read", &["Read"])], ..starter() });
    assert_eq!(code(&open.governor.evaluate(prompt()).await), "allow");
    let named = ScopeRule { scopes: texts(&["admin"]), ..rule("prompts", &["prompt:submit"]) };
    let closed = house(PolicyDocument { rules: vec![rule("all", &["Re*"]), named], ..starter() });
    assert_eq!(code(&closed.governor.evaluate(prompt()).await), "scope_violation");
    let deny = ScopeRule { effect: Effect::Deny, ..rule("nothing", &["prompt*"]) };
    let denied = house(PolicyDocument { rules: vec![deny], ..starter() });
    assert_eq!(code(&denied.governor.evaluate(prompt()).await), "scope_violation");
    let tool = call(&user(), "prompt:submit").build();
    assert_eq!(code(&open.governor.evaluate(tool).await), "unknown_tool");
}

#[tokio::test]
async fn exempt_principals_pass_the_blocklist() {
    let list = Blocklist {
        id: "words".into(),
        patterns: texts(&["delete", "*_all"]),
        exempt_scopes: texts(&["admin"]),
        exempt_roles: Vec::new(),
    };
    let house = house(PolicyDocument { blocklists: vec![list], ..starter() });
    assert_eq!(code(&house.governor.evaluate(call(&admin(), "delete_it").build()).await), "allow");
    assert_eq!(code(&house.governor.evaluate(call(&user(), "delete_it").build()).await), "blocked");
    assert_eq!(code(&house.governor.evaluate(call(&user(), "Read_All").build()).await), "blocked");
    assert_eq!(
        code(&house.governor.evaluate(call(&user(), "mcp__x__read_all").build()).await),
        "blocked"
    );
}

#[tokio::test]
async fn governance_that_is_off_allows_and_records() {
    let house = house(PolicyDocument { enabled: false, ..PolicyDocument::default() });
    let decision = house.governor.evaluate(call(&user(), "delete_all").build()).await;
    assert_eq!(code(&decision), "allow");
    assert!(outcomes(&decision).iter().all(|(_, outcome)| *outcome == Disabled));
    assert_eq!(house.log.decisions().len(), 1);
}

#[tokio::test]
async fn a_batch_is_decided_one_by_one_in_order() {
    let house = house(starter());
    let calls = ["Read", "delete_x", "Write", "mcp__systemprompt__users"];
    let calls = calls.map(|tool| call(&user(), tool).build()).into();
    let decisions = house.governor.evaluate_batch(calls).await;
    let codes: Vec<_> = decisions.iter().map(code).collect();
    assert_eq!(codes, ["allow", "blocked", "allow", "scope_violation"]);
    assert_eq!(house.log.decisions().len(), 4);
}

#[tokio::test]
async fn a_reload_is_all_or_nothing() {
    let house = house(starter());
    let before = house.governor.policy_version();
    let mut broken = starter();
    broken.rules[0].scopes = texts(&["admn"]);
    broken.permit_lifetime_s = 0;
    let faults = house.governor.reload(&broken).unwrap_err().0;
    assert_eq!(faults.len(), 2);
    assert!(faults.iter().any(|fault| {
        fault.path == "rules[0].scopes[0]" && fault.problem.contains("did you mean `admin`?")
    }));
    assert_eq!(house.governor.policy_version(), before);
    assert_eq!(code(&house.governor.evaluate(call(&user(), "Read").build()).await), "allow");
    let other = PolicyDocument { rules: Vec::new(), ..starter() };
    let after = house.governor.reload(&other).unwrap();
    assert_ne!(after, before);
    let decision = house.governor.evaluate(call(&user(), "Read").build()).await;
    assert_eq!(code(&decision), "unknown_tool");
    assert_eq!(decision.evaluation().policy_version, after);
    let stats = house.governor.stats();
    assert_eq!((stats.reloads, stats.reload_failures), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_sees_half_a_policy() {
    let allow_a = PolicyDocument { rules: vec![rule("a", &["A"])], ..starter() };
    let allow_b = PolicyDocument { rules: vec![rule("b", &["B"])], ..starter() };
    let house = house(allow_a.clone());
    let version_a = house.governor.policy_version();
    let governor = house.governor.clone();
    let swapper = tokio::spawn(async move {
        for round in 0..200 {
            governor.reload(if round % 2 == 0 { &allow_b } else { &allow_a }).unwrap();
            tokio::task::yield_now().await;
        }
    });
    while !swapper.is_finished() {
        let decision = house.governor.evaluate(call(&user(), "A").build()).await;
        let under_a = decision.evaluation().policy_version == version_a;
        assert_eq!(code(&decision), if under_a { "allow" } else { "unknown_tool" });
        tokio::task::yield_now().await;
    }
    swapper.await.unwrap();
}

#[tokio::test]
async fn a_rehearsal_leaves_no_trace() {
    let house = house(crate::house::with_limit(1, 60, &[]));
    for _ in 0..3 {
        let rehearsal = house.governor.dry_run(&call(&user(), "Read").build()).await;
        assert_eq!(rehearsal.denial, None);
        assert_eq!(rehearsal.evaluation.limits[0].remaining, 1);
    }
    assert!(house.log.decisions().is_empty());
    assert_eq!(code(&house.governor.evaluate(call(&user(), "Read").build()).await), "allow");
    let rehearsal = house.governor.dry_run(&call(&user(), "Read").build()).await;
    assert_eq!(rehearsal.denial.map(|reason| reason.code()), Some("rate_limited"));
}

#[tokio::test]
async fn servers_compare_exactly_in_grants_and_folded_in_denials() {
    let served = |rule: ScopeRule, server: &str| ScopeRule { servers: texts(&[server]), ..rule };
    let grant = served(rule("grant", &["read", "mcp__db__write"]), "db");
    let all = rule("all", &["mcp__*"]);
    let deny = served(ScopeRule { effect: Effect::Deny, ..rule("deny", &["*"]) }, "prod*");
    let granted = house(PolicyDocument { rules: vec![grant], ..starter() });
    for (tool, verdict) in [
        ("mcp__db__read", "allow"),
        ("mcp__db__write", "allow"),
        ("mcp__DB__read", "unknown_tool"),
        ("mcp__other__read", "unknown_tool"),
        ("read", "unknown_tool"),
    ] {
        assert_eq!(code(&granted.governor.evaluate(call(&user(), tool).build()).await), verdict);
    }
    let denied = house(PolicyDocument { rules: vec![all, deny], ..starter() });
    for (tool, verdict) in [
        ("mcp__prod1__read", "scope_violation"),
        ("mcp__PROD1__read", "scope_violation"),
        ("mcp__test__read", "allow"),
    ] {
        assert_eq!(code(&denied.governor.evaluate(call(&user(), tool).build()).await), verdict);
    }
}

#[tokio::test]
async fn deny_rules_for_agents_also_hit_calls_that_name_none() {
    let deny = ScopeRule {
        effect: Effect::Deny,
        agents: texts(&["associate_agent"]),
        ..rule("deny", &["Write"])
    };
    let house = house(PolicyDocument { rules: vec![rule("all", &["*"]), deny], ..starter() });
    let evaluate = |call: crate::house::Call| house.governor.evaluate(call.build());
    let write = || call(&admin(), "Write");
    assert_eq!(code(&evaluate(write()).await), "scope_violation");
    assert_eq!(code(&evaluate(write().agent("associate_agent")).await), "scope_violation");
    assert_eq!(code(&evaluate(write().agent("developer_agent")).await), "allow");
    let label = write().agent("some_worker").context(|context| context.agent_is_label = true);
    assert_eq!(code(&evaluate(label).await), "scope_violation");
}

#[tokio::test]
async fn grants_need_every_scope_and_one_of_the_roles() {
    let grant = ScopeRule {
        scopes: texts(&["tools:use", "audit:read"]),
        roles: texts(&["admin", "user"]),
        ..rule("both", &["Read"])
    };
    let house = house(PolicyDocument { rules: vec![grant], ..starter() });
    let lacking = house.governor.evaluate(call(&user(), "Read").build()).await;
    match lacking.reason() {
        Some(DenialReason::ScopeViolation { required, agent: None, .. }) => {
            let required: Vec<&str> = required.iter().map(|need| &**need).collect();
            let both = "tools:use+audit:read+role:";
            assert_eq!(required, [format!("{both}admin"), format!("{both}user")]);
        }
        other => panic!("{other:?}"),
    }
    let enough = crate::house::principal("u", &["tools:use", "audit:read"]);
    assert_eq!(code(&house.governor.evaluate(call(&enough, "Read").build()).await), "allow");
}

#[tokio::test]
async fn a_rejected_tool_name_cannot_forge_lines() {
    use systemprompt_core::call::MalformedCall;
    let house = house(starter());
    let rejected = systemprompt_core::contract::RejectedCall {
        principal: user(),
        door: Door::Embedded,
        context: CallContext::default(),
        tool: Some("Read\r\nforged\u{1b}[31m".into()),
        reason: DenialReason::MalformedCall(MalformedCall::Envelope { detail: "no".into() }),
    };
    assert_eq!(code(&house.governor.reject(rejected).await), "malformed_call");
    assert_eq!(&*house.log.decisions()[0].tool, "Read\\r\\nforged\\u{1b}[31m");
}
