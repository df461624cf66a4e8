//! How long a decision takes when the audit log costs nothing.
//!
//! `cargo bench --bench evaluate`: nanoseconds per call, the median of many rounds, all four checks on,
//! token already verified, audit events discarded. Growth is a ratio inside the run, and so is what a
//! conversation costs that was looked through before.

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a bench prints its numbers and stops when it cannot be set up"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use systemprompt::governance::Governor;
use systemprompt::identifiers::{Audience, PermitId, Scope};
use systemprompt::models::{
    AgentPolicy, Arguments, AuditEvent, Blocklist, CallContext, Content, ContentBody,
    ContentOrigin, ContentVerdict, Door, Effect, LimitKey, LimitPolicy, Outcome, PolicyDocument,
    Principal, PrincipalClaims, ScopeRule, SecretDirection, ToolCall, ToolRef,
};
use systemprompt::security::scan::Scanner;
use systemprompt::traits::{AuditError, AuditSink, PermitLedger, PermitState, SettleError};
use systemprompt_benches::conversation::turns;

/// Calls that are built before and evaluated in one measurement.
const BATCH: usize = 64;
/// Measurements of which the median is taken.
const ROUNDS: usize = 3_000;
/// Conversations that are looked through twice, and their size in bytes.
const CONVERSATIONS: usize = 200;
const CONVERSATION: usize = 200_000;

fn main() {
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    systemprompt_benches::print_machine(&std::env::temp_dir()).expect("a temporary file");
    println!("evaluate: ns per call, median (5th to 95th percentile of rounds), one thread");
    let house = governor(200);
    let mut allowed = Vec::new();
    for (name, bytes, bar) in [("60 B", 60, 1_500), ("1 KB", 1024, 3_000), ("4 KB", 4096, 8_000)] {
        allowed.push(report(&format!("allow, {name}, 200 rules"), Some(bar), || {
            measure(&house, "tool_7", &text(bytes))
        }));
    }
    report("deny, unknown tool", None, || measure(&house, "nothing_known", &text(60)));
    report("deny, scope", None, || measure(&house, "admin_3", &text(60)));
    report("deny, blocklist", None, || measure(&house, "tool_delete", &text(60)));
    let secret = format!("{{\"command\":\"deploy\",\"key\":\"AKIA{}\"}}", "Q3EGRPV7ZXKLMN2W");
    report("deny, secret", None, || measure(&house, "tool_7", &secret));
    report("evaluate_batch of 100, per call", None, || measure_batch(&house, &text(60)));
    println!("growth with rules, 60 B");
    let mut base = None;
    for rules in [10, 100, 1_000, 10_000] {
        let house = governor(rules);
        let median =
            report(&format!("allow, {rules} rules"), None, || measure(&house, "tool_7", &text(60)));
        let base = *base.get_or_insert(median);
        println!("{:>48}", format!("{:.2} times 10 rules (bar 2.00)", median / base));
    }
    println!("a conversation of 200 KB, turn by turn");
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for number in 0..CONVERSATIONS {
        let turns: Vec<String> =
            turns(CONVERSATION, number).iter().map(ToString::to_string).collect();
        first.push(look_through(&house, &turns));
        second.push(look_through(&house, &turns));
    }
    let first = report("the first time", None, || first);
    let second = report("the second time", None, || second);
    println!("{:>48}", format!("{:.1} % of the first time (bar 25)", 100.0 * second / first));
}

/// Nanoseconds that it takes to find nothing in `turns`.
fn look_through(governor: &Governor, turns: &[String]) -> f64 {
    let (principal, context) = (principal(), CallContext::default());
    let origin = ContentOrigin {
        direction: SecretDirection::History,
        principal: &principal,
        tool: None,
        door: Door::Gateway,
        context: &context,
    };
    runtime().block_on(async {
        let start = Instant::now();
        for turn in turns {
            let found = governor.inspect(Content { origin, body: ContentBody::Json(turn) }).await;
            assert_eq!(found.verdict, ContentVerdict::Pass, "there is no secret in it");
        }
        start.elapsed().as_nanos() as f64
    })
}

fn report(name: &str, bar: Option<u32>, measure: impl FnOnce() -> Vec<f64>) -> f64 {
    let mut rounds = measure();
    rounds.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let position = (rounds.len() as f64 * share) as usize;
        rounds.get(position.min(rounds.len() - 1)).copied().unwrap_or(f64::NAN)
    };
    let bar = bar.map_or(String::new(), |bar| format!("   bar {bar} ns"));
    println!("{name:<34} {:>8.0} ns ({:.0} to {:.0}){bar}", at(0.5), at(0.05), at(0.95));
    at(0.5)
}

fn measure(governor: &Governor, tool: &str, arguments: &str) -> Vec<f64> {
    let runtime = runtime();
    rounds(ROUNDS, || {
        let calls: Vec<ToolCall> = (0..BATCH).map(|_| call(tool, arguments)).collect();
        let mut decisions = Vec::with_capacity(BATCH);
        let took = runtime.block_on(async {
            let start = Instant::now();
            for call in calls {
                decisions.push(governor.evaluate(black_box(call)).await);
            }
            start.elapsed()
        });
        took.as_nanos() as f64 / BATCH as f64
    })
}

fn measure_batch(governor: &Governor, arguments: &str) -> Vec<f64> {
    let runtime = runtime();
    rounds(ROUNDS, || {
        let calls: Vec<ToolCall> = (0..100).map(|_| call("tool_7", arguments)).collect();
        let start = Instant::now();
        black_box(runtime.block_on(governor.evaluate_batch(calls)));
        start.elapsed().as_nanos() as f64 / 100.0
    })
}

/// Runs `round` once to warm up and then as often as asked.
fn rounds(count: usize, mut round: impl FnMut() -> f64) -> Vec<f64> {
    for _ in 0..count / 10 {
        round();
    }
    (0..count).map(|_| round()).collect()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime")
}

fn call(tool: &str, arguments: &str) -> ToolCall {
    thread_local! {
        static PRINCIPAL: Principal = principal();
    }
    let context = CallContext {
        session: Some("0192f3c4-7a1e-7c3b-9f60-2f1f6f0d9a11".parse().expect("a session id")),
        agent: Some("associate_agent".parse().expect("an agent id")),
        user_agent: Some("claude-code/2.0.14 (cli)".into()),
        ..CallContext::default()
    };
    ToolCall::new(
        PRINCIPAL.with(Clone::clone),
        Door::Embedded,
        ToolRef::parse(None, tool).expect("a tool name"),
        Arguments::parse(arguments.to_owned()).expect("arguments"),
        context,
    )
}

/// JSON of about `bytes` bytes, prose and code as tools get them.
fn text(bytes: usize) -> String {
    const PROSE: &str = "Read the file src/main.rs and explain what the function parse_args does \
        with its second parameter; then list the callers. fn main() { let x = read(&path)?; } ";
    let mut fields = Vec::new();
    let mut left = bytes.saturating_sub(2);
    while left > 0 {
        let name = format!("field_{}", fields.len());
        let room = left.saturating_sub(name.len() + 6).min(300);
        let value: String = PROSE.chars().cycle().take(room.max(1)).collect();
        fields.push(format!("\"{name}\":\"{value}\""));
        left = left.saturating_sub(name.len() + 6 + room.max(1));
    }
    format!("{{{}}}", fields.join(","))
}

fn governor(rules: usize) -> Governor {
    let scope = |text: &str| vec![text.to_owned()];
    let written = (0..rules)
        .map(|number| ScopeRule {
            id: format!("rule-{number}"),
            effect: Effect::Allow,
            tools: match number % 4 {
                0 => vec![format!("admin_{number}"), "admin_3".into()],
                1 => vec![format!("mcp__server{number}__*")],
                _ => vec![format!("tool_{number}"), format!("tool_{number}_*")],
            },
            except: Vec::new(),
            servers: Vec::new(),
            agents: Vec::new(),
            scopes: scope(if number % 4 == 0 { "admin" } else { "tools:use" }),
            roles: Vec::new(),
        })
        .chain([ScopeRule {
            id: "tools".into(),
            effect: Effect::Allow,
            tools: vec!["tool_delete".into(), "tool_7".into()],
            except: Vec::new(),
            servers: Vec::new(),
            agents: Vec::new(),
            scopes: scope("tools:use"),
            roles: Vec::new(),
        }])
        .collect();
    let words = ["delete", "drop", "destroy", "truncate", "wipe", "purge", "shutdown"];
    let policy = PolicyDocument {
        agents: vec![AgentPolicy {
            id: "associate_agent".into(),
            everyone: true,
            scopes: Vec::new(),
            roles: Vec::new(),
            users: Vec::new(),
            departments: Vec::new(),
        }],
        rules: written,
        blocklists: vec![Blocklist {
            id: "destructive".into(),
            patterns: words.map(str::to_owned).into(),
            exempt_scopes: Vec::new(),
            exempt_roles: Vec::new(),
        }],
        limits: vec![LimitPolicy {
            id: "session".into(),
            key: vec![LimitKey::Session, LimitKey::User],
            limit: 1_000_000_000,
            window_s: 1,
            burst: None,
        }],
        ..PolicyDocument::default()
    };
    let scanner = Scanner::builder().fingerprint_key(b"0123456789abcdef").build();
    Governor::builder()
        .policy(policy)
        .scanner(scanner.expect("a scanner"))
        .audit(Arc::new(Discard))
        .ledger(Arc::new(Discard))
        .build()
        .expect("a governor")
}

fn principal() -> Principal {
    Principal::assert_authenticated(PrincipalClaims {
        tenant: "acme".parse().expect("a tenant"),
        user: "ursula".parse().expect("a user"),
        roles: ["user".parse().expect("a role")].into(),
        scopes: [Scope::parse("tools:use").expect("a scope")].into(),
        department: None,
        audience: Audience::api(),
        credential: "k4f9".parse().expect("a key id"),
        actors: Vec::new(),
    })
    .expect("a principal")
}

/// Takes everything and keeps nothing.
struct Discard;

#[async_trait::async_trait]
impl AuditSink for Discard {
    async fn append(&self, event: AuditEvent) -> Result<(), AuditError> {
        black_box(event);
        Ok(())
    }
}

#[async_trait::async_trait]
impl PermitLedger for Discard {
    async fn settle(&self, _: PermitId, _: &Principal, _: Outcome) -> Result<(), SettleError> {
        Ok(())
    }

    fn abandon(&self, _: PermitId) {}

    async fn state(&self, _: PermitId) -> Result<PermitState, AuditError> {
        Ok(PermitState::Unknown)
    }
}
