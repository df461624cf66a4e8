//! Decisions made again: the oracle is a governor that was there.

use std::sync::Arc;
use std::time::Duration;

use systemprompt_core::call::{CallKind, ToolCall};
use systemprompt_core::contract::{Check, CheckFailure, CheckVerdict};
use systemprompt_core::decision::CheckOutcome;
use systemprompt_core::event::{AuditBody, AuditEvent, DecisionFeatures, Verdict};
use systemprompt_core::policy::{Blocklist, LimitKey, PolicyDocument, SecretPolicy};
use systemprompt_governance::replay::{
    RecordedCheck, RecordedDecision, Replay, ReplayReport, Replayed, Unknown,
};
use systemprompt_governance::{KnownIds, Policy};

use crate::house::{
    House, admin, agent, call, code, house, house_with, limit, principal, rule, scanner, starter,
    texts, user,
};

const TOKEN: &str = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";

fn recorded(event: &AuditEvent) -> RecordedDecision {
    let AuditBody::Decision(body) = &event.body else { panic!("a decision") };
    let subject = event.subject.as_ref().unwrap();
    let checks = body.evaluation.checks.iter().map(|check| RecordedCheck {
        check: check.check.to_string(),
        outcome: check.outcome,
        detail: check.detail.as_deref().map(str::to_owned),
    });
    RecordedDecision {
        origin: "log".to_owned(),
        id: event.id,
        occurred_at: event.occurred_at,
        tenant: subject.tenant.to_string(),
        user: subject.user.to_string(),
        department: subject.department.as_ref().map(ToString::to_string),
        session: event.context.session.as_ref().map(ToString::to_string),
        agent: event.context.agent.as_ref().map(ToString::to_string),
        server: body.server.as_deref().map(str::to_owned),
        tool: body.tool.to_string(),
        one_off: false,
        verdict: body.verdict,
        reason_code: body.reason_code.map(str::to_owned),
        reason_data: body.reason_data.clone(),
        permit: body.permit,
        checks: checks.collect(),
        features: body.features.as_deref().map(|text| DecisionFeatures::parse(text).unwrap()),
    }
}

fn log(house: &House) -> Vec<RecordedDecision> {
    house.log.events.lock().iter().map(recorded).collect()
}

fn compiled(document: &PolicyDocument) -> Arc<Policy> {
    let known = KnownIds::built_in(["office-hours".into()]);
    Arc::new(Policy::compile(document, &known).unwrap())
}

fn replay(document: &PolicyDocument) -> Replay {
    Replay::new(compiled(document), scanner().rules().clone())
}

fn verdict(replayed: &Replayed) -> Verdict {
    match replayed {
        Replayed::Allowed | Replayed::NowAllowed => Verdict::Allow,
        Replayed::Denied(_) | Replayed::NowDenied(_) => Verdict::Deny,
        Replayed::Undecided(unknown) => panic!("{unknown}"),
    }
}

/// Policies that differ in every check.
fn policies() -> Vec<PolicyDocument> {
    let base = starter();
    let limits = vec![
        limit("per-session", 3, 60, &[LimitKey::Session]),
        limit("per-tool", 5, 10, &[LimitKey::User, LimitKey::Tool, LimitKey::Agent]),
    ];
    let mut denies = base.clone();
    let mut no_grep = rule("no-grep", &["Grep", "prompt:submit"]);
    no_grep.effect = systemprompt_core::policy::Effect::Deny;
    denies.rules.push(no_grep);
    let mut exempt = base.clone();
    exempt.blocklists = vec![Blocklist {
        id: "reads".into(),
        patterns: texts(&["read", "*lob"]),
        exempt_scopes: texts(&["admin"]),
        exempt_roles: Vec::new(),
    }];
    let mut agents = base.clone();
    agents.agents = vec![agent("developer_agent")];
    agents.agents[0].users = texts(&["ursula"]);
    vec![
        base.clone(),
        PolicyDocument { limits, ..base.clone() },
        denies,
        exempt,
        agents,
        PolicyDocument {
            secrets: SecretPolicy { enabled: false, ..SecretPolicy::default() },
            ..base.clone()
        },
        PolicyDocument {
            secrets: SecretPolicy {
                disabled_rules: texts(&["github-token"]),
                ..SecretPolicy::default()
            },
            ..base.clone()
        },
        PolicyDocument { enabled: false, ..base.clone() },
        PolicyDocument::default(),
    ]
}

/// A day of calls: every tool, agent, session and caller, secrets, prompts, labels, at uneven times.
fn calls() -> Vec<(Duration, ToolCall)> {
    let tools =
        ["Read", "Grep", "mcp__systemprompt__list", "mcp__files__Glob", "delete_file", "Write"];
    let mut calls = Vec::new();
    for step in 0_usize..240 {
        let who = match step % 5 {
            0 => admin(),
            1 => principal("nobody", &[]),
            _ => user(),
        };
        let mut next = call(&who, tools[step % tools.len()]);
        if step % 3 != 0 {
            next = next.session(["one", "two"][step % 2]);
        }
        next = match step % 7 {
            0 => next.agent("developer_agent"),
            1 => next.agent("stranger"),
            2 => next.context(|context| {
                context.agent = Some("helper".parse().unwrap());
                context.agent_is_label = true;
            }),
            _ => next,
        };
        if step % 11 == 0 {
            next = next.arguments(format!("{{\"token\":\"{TOKEN}\"}}"));
        }
        let mut next = next.build();
        if step % 13 == 0 {
            let (arguments, context) = (next.arguments().clone(), next.context().clone());
            next = ToolCall::prompt(who, next.door(), arguments, context);
        }
        calls.push((Duration::from_millis(37 * (step as u64 % 17)), next));
    }
    calls
}

async fn decide_all(house: &House) {
    for (pause, call) in calls() {
        house.clock.advance(pause);
        let _ = house.governor.evaluate(call).await;
    }
}

#[tokio::test]
async fn a_replay_says_what_a_governor_would_have_said() {
    let mut houses = Vec::new();
    for document in policies() {
        let house = house(document);
        decide_all(&house).await;
        houses.push(log(&house));
    }
    let whether: Vec<_> = calls().iter().map(|(_, call)| call.kind() == CallKind::Prompt).collect();
    let mut changed = [0, 0];
    for (then, then_log) in policies().iter().zip(&houses) {
        for (now, expected) in policies().iter().zip(&houses) {
            let mut replay = replay(now);
            for (at, (recorded, expected)) in then_log.iter().zip(expected).enumerate() {
                let replayed = replay.decide(recorded);
                if let Replayed::Undecided(unknown) = &replayed {
                    // Nobody looked for secrets, and now somebody would.
                    assert_eq!(*unknown, Unknown::SecretNotScanned);
                    assert!(!(then.enabled && then.secrets.enabled));
                    assert!(now.enabled && now.secrets.enabled);
                    continue;
                }
                let blind = !(then.enabled && then.secrets.enabled);
                let limited = !now.limits.is_empty();
                if blind && limited {
                    // What could not be told may have used up a limit.
                    continue;
                }
                assert_eq!(
                    verdict(&replayed),
                    expected.verdict,
                    "call {at} (prompt: {}), {recorded:#?}",
                    whether[at]
                );
                changed[0] += u32::from(matches!(replayed, Replayed::NowDenied(_)));
                changed[1] += u32::from(matches!(replayed, Replayed::NowAllowed));
            }
        }
    }
    assert!(changed.iter().all(|count| *count > 500), "{changed:?}");
}

#[tokio::test]
async fn the_same_policy_changes_nothing() {
    for document in policies() {
        let house = house(document.clone());
        decide_all(&house).await;
        let mut replay = replay(&document);
        let mut report = ReplayReport::default();
        for recorded in log(&house) {
            let replayed = replay.decide(&recorded);
            report.add(&recorded, &replayed);
        }
        assert_eq!((report.decisions, report.unchanged), (240, 240), "{report:#?}");
        assert_eq!(report.other_grounds, 0, "{report:#?}");
    }
}

#[tokio::test]
async fn a_report_groups_what_changes() {
    let house = house(starter());
    for tool in ["Read", "Read", "Grep", "delete_file", "mcp__systemprompt__list"] {
        let _ = house.governor.evaluate(call(&user(), tool).build()).await;
    }
    let mut candidate = starter();
    candidate.blocklists = vec![Blocklist {
        id: "reads".into(),
        patterns: texts(&["read"]),
        exempt_scopes: Vec::new(),
        exempt_roles: Vec::new(),
    }];
    let mut replay = replay(&candidate);
    let mut report = ReplayReport::default();
    for recorded in log(&house) {
        let replayed = replay.decide(&recorded);
        report.add(&recorded, &replayed);
    }
    assert_eq!((report.decisions, report.unchanged, report.undecided.total), (5, 2, 0));
    let denied = &report.allow_to_deny;
    assert_eq!(denied.by_rule.most_frequent(), [("blocklist:reads", 2)]);
    assert_eq!(denied.by_tool.most_frequent(), [("Read", 2)]);
    assert_eq!(denied.by_user.most_frequent(), [("acme/ursula", 2)]);
    assert_eq!(denied.examples.len(), 2);
    let allowed = &report.deny_to_allow;
    assert_eq!(allowed.by_rule.most_frequent(), [("blocklist:destructive", 1)]);
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["allow_to_deny"]["by_tool"]["Read"], 2);
}

#[tokio::test]
async fn repeats_are_charged_only_when_there_is_something_to_repeat() {
    let house = house(starter());
    // A permit that is dropped is no permit to repeat.
    let mut permits = Vec::new();
    for _ in 0..3 {
        let again = call(&user(), "Read").session("s").id("call-1").build();
        permits.push(house.governor.evaluate(again).await);
    }
    let once =
        PolicyDocument { limits: vec![limit("once", 1, 3600, &[LimitKey::User])], ..starter() };
    let mut replay = replay(&once);
    for recorded in log(&house) {
        assert_eq!(replay.decide(&recorded), Replayed::Allowed);
    }
    // Used up by another call, the first is denied, and then there is nothing to repeat either.
    let other = RecordedDecision { one_off: false, permit: None, ..log(&house).remove(0) };
    let mut replay = self::replay(&once);
    assert_eq!(replay.decide(&other), Replayed::Allowed);
    for recorded in log(&house) {
        assert!(matches!(replay.decide(&recorded), Replayed::NowDenied(_)));
    }
}

#[tokio::test]
async fn limits_remember_across_calls_and_forget_with_the_server() {
    let house = house(starter());
    for _ in 0..3 {
        let _ = house.governor.evaluate(call(&user(), "Read").build()).await;
        house.clock.advance(Duration::from_secs(10));
    }
    let tight =
        PolicyDocument { limits: vec![limit("one", 1, 15, &[LimitKey::User])], ..starter() };
    let mut replay = replay(&tight);
    assert_eq!(replay.memory(), Duration::from_secs(15));
    let log = log(&house);
    assert_eq!(replay.decide(&log[0]), Replayed::Allowed);
    assert!(matches!(replay.decide(&log[1]), Replayed::NowDenied(grounds)
        if grounds.as_str() == "rate:one"));
    assert_eq!(replay.decide(&log[2]), Replayed::Allowed);
    replay.restarted("log");
    assert_eq!(replay.decide(&log[2]), Replayed::Allowed);
    // The command line begins anew with every call.
    let one_off = RecordedDecision { one_off: true, ..log[2].clone() };
    assert_eq!(replay.decide(&one_off), Replayed::Allowed);
}

/// Denies one tool and fails for another.
struct OfficeHours;

#[async_trait::async_trait]
impl Check for OfficeHours {
    fn id(&self) -> &str {
        "office-hours"
    }

    async fn check(&self, call: &ToolCall) -> Result<CheckVerdict, CheckFailure> {
        match call.tool().qualified() {
            "Write" => Ok(CheckVerdict::Deny { detail: "not at night".into() }),
            _ => Ok(CheckVerdict::Pass),
        }
    }
}

#[tokio::test]
async fn host_checks_count_as_they_answered() {
    let house = house_with(starter(), |builder| builder.check(Arc::new(OfficeHours)));
    for tool in ["Read", "Write", "delete_file"] {
        let _ = house.governor.evaluate(call(&user(), tool).build()).await;
    }
    let log = log(&house);
    let mut same = replay(&starter());
    assert_eq!(same.decide(&log[0]), Replayed::Allowed);
    assert!(matches!(same.decide(&log[1]), Replayed::Denied(grounds)
        if grounds.as_str() == "check:office-hours"));
    let open = PolicyDocument { blocklists: Vec::new(), ..starter() };
    let unknown = Unknown::CheckNotAsked("office-hours".to_owned());
    assert_eq!(replay(&open).decide(&log[2]), Replayed::Undecided(unknown));
    let mut without = open;
    without.checks.disabled = texts(&["office-hours"]);
    assert_eq!(replay(&without).decide(&log[1]), Replayed::NowAllowed);
    assert_eq!(replay(&without).decide(&log[2]), Replayed::NowAllowed);
}

type Edit = Box<dyn Fn(&mut RecordedDecision)>;

#[tokio::test]
async fn what_cannot_be_told_is_named() {
    let house = house(starter());
    let _ = house.governor.evaluate(call(&user(), "Read").build()).await;
    let known = log(&house).remove(0);
    let cases: Vec<(Edit, Unknown)> = vec![
        (Box::new(|it| it.features = None), Unknown::NoFeatures),
        (Box::new(|it| it.verdict = Verdict::Pending), Unknown::Pending),
        (Box::new(|it| it.reason_code = Some("malformed_call".to_owned())), Unknown::Malformed),
        (Box::new(|it| it.tool = "Re ad".to_owned()), Unknown::Unreadable),
        (Box::new(|it| it.user = String::new()), Unknown::Unreadable),
        (Box::new(|it| it.features.as_mut().unwrap().redacted = true), Unknown::Redacted),
        (
            Box::new(|it| it.features.as_mut().unwrap().scan.as_mut().unwrap().rules = "0".into()),
            Unknown::SecretRulesChanged,
        ),
    ];
    for (change, unknown) in cases {
        let mut recorded = known.clone();
        change(&mut recorded);
        assert_eq!(replay(&starter()).decide(&recorded), Replayed::Undecided(unknown));
    }
    // A denial that does not rest on what is missing is one all the same.
    let mut blind = known.clone();
    blind.features.as_mut().unwrap().scan = None;
    let blocked = PolicyDocument {
        blocklists: vec![Blocklist {
            id: "reads".into(),
            patterns: texts(&["read"]),
            exempt_scopes: Vec::new(),
            exempt_roles: Vec::new(),
        }],
        ..starter()
    };
    assert!(matches!(replay(&blocked).decide(&blind), Replayed::NowDenied(_)));
}

#[tokio::test]
async fn features_say_what_was_found_and_never_a_secret() {
    let house = house(starter());
    let secret = format!("{{\"a\":\"{TOKEN}\",\"b\":\"{TOKEN}\"}}");
    for tool in ["Read", "mcp__systemprompt__list", "delete_file"] {
        let call = call(&user(), tool).arguments(&*secret).session(TOKEN).build();
        assert_ne!(code(&house.governor.evaluate(call).await), "allow");
    }
    for recorded in log(&house) {
        let features = recorded.features.unwrap();
        let found = features.scan.unwrap().found;
        assert_eq!(found.iter().map(|rule| &**rule).collect::<Vec<_>>(), ["github-token"]);
        assert!(features.redacted, "the session was no name to keep");
    }
    assert!(!house.log.text().contains(TOKEN));
}

#[tokio::test]
async fn shadows_are_asked_and_never_answer() {
    let house = house(starter());
    let mut strict = starter();
    strict.blocklists[0].patterns.push("read".into());
    let mut open = starter();
    open.blocklists.clear();
    let shadows = || {
        let pair = |id: &str, document| (Arc::from(id), compiled(document));
        [pair("strict", &strict), pair("open", &open)]
    };
    house.governor.set_shadows(shadows());
    for tool in ["Read", "Grep", "delete_file"] {
        let decision = house.governor.evaluate(call(&user(), tool).build()).await;
        let expected = if tool == "delete_file" { "blocked" } else { "allow" };
        assert_eq!(code(&decision), expected);
    }
    let log = log(&house);
    let shadow = |at: usize| {
        let features = log[at].features.as_ref().unwrap();
        features
            .shadow
            .iter()
            .map(|it| (&*it.id, it.decision, it.by.as_deref()))
            .collect::<Vec<_>>()
    };
    assert_eq!(shadow(0), [("strict", Verdict::Deny, Some("blocklist:destructive"))]);
    assert_eq!(shadow(1), []);
    assert_eq!(shadow(2), [("open", Verdict::Allow, None)]);
    let counts = |house: &House| {
        let stats = house.governor.shadows().into_iter();
        stats
            .map(|it| (it.id.to_string(), it.same, it.allow_to_deny, it.deny_to_allow))
            .collect::<Vec<_>>()
    };
    assert_eq!(counts(&house), [("strict".into(), 2, 1, 0), ("open".into(), 2, 0, 1)]);
    // The same shadows again keep their counts; without any there is nothing.
    house.governor.set_shadows(shadows());
    assert_eq!(counts(&house), [("strict".into(), 2, 1, 0), ("open".into(), 2, 0, 1)]);
    house.governor.set_shadows([]);
    assert!(house.governor.shadows().is_empty());
}

#[tokio::test]
async fn a_shadow_has_limits_of_its_own_and_looks_for_secrets_where_nobody_does() {
    let off = SecretPolicy { enabled: false, ..SecretPolicy::default() };
    let house = house(PolicyDocument { secrets: off, ..starter() });
    let tight =
        PolicyDocument { limits: vec![limit("two", 2, 3600, &[LimitKey::User])], ..starter() };
    house.governor.set_shadows([(Arc::from("tight"), compiled(&tight))]);
    let with_secret = call(&user(), "Read").arguments(format!("{{\"a\":\"{TOKEN}\"}}"));
    for call in [with_secret, call(&user(), "Read"), call(&user(), "Grep"), call(&user(), "Read")] {
        let decision = house.governor.evaluate(call.build()).await;
        assert_eq!(code(&decision), "allow");
        let scope = &decision.evaluation().checks[1];
        assert_eq!(scope.outcome, CheckOutcome::Disabled, "the record does not say otherwise");
    }
    let by: Vec<_> = log(&house)
        .into_iter()
        .map(|it| it.features.unwrap().shadow.first().and_then(|it| it.by.clone()))
        .collect();
    let expected = [Some("secret:github-token"), None, None, Some("rate:two")];
    assert_eq!(by.iter().map(|by| by.as_deref()).collect::<Vec<_>>(), expected);
}
