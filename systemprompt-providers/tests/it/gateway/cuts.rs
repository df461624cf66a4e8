//! Answers that outgrow what was reserved for them.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use systemprompt_core::clock::SystemClock;
use systemprompt_core::contract::{BudgetCap, BudgetStore};
#[cfg(any(feature = "sqlite", feature = "postgres"))]
use systemprompt_core::database::{DatabaseOptions, DbPool, SchemaInstaller};
use systemprompt_core::event::{AiRequest, AiRequestStatus};
use systemprompt_core::id::{TenantId, TokenId, UserId};
use systemprompt_providers::budget::{
    BudgetDimension, BudgetRule, BudgetRules, BudgetSubject, MemoryBudgetStore,
};
use systemprompt_providers::scripted::{Script, Step, sse};

use super::house::{House, Plan};
use super::scanner::FAULT;
use super::wire::{FRONTS, Text, UPSTREAMS, Wire};

/// More than a request sets as its limit here.
const LONG: usize = 4_000;

fn tokens(limit: u64) -> BudgetRule {
    BudgetRule {
        name: "the last cent".to_owned(),
        key: vec![BudgetDimension::User],
        limit_microdollars: None,
        limit_tokens: Some(limit),
        window_s: 31_000_000,
    }
}

fn money(limit: u64) -> BudgetRule {
    BudgetRule { limit_microdollars: Some(limit), limit_tokens: None, ..tokens(0) }
}

fn caps(rule: &BudgetRule) -> Vec<BudgetCap> {
    let (tenant, user) = (TenantId::parse("acme").unwrap(), UserId::parse("ann").unwrap());
    let key = TokenId::parse("key1").unwrap();
    let subject = BudgetSubject { tenant: &tenant, user: &user, key: &key, model: "any" };
    BudgetRules::compile(std::slice::from_ref(rule)).unwrap().caps(&subject)
}

/// What is settled and held of what the rule caps.
async fn state(store: &Arc<dyn BudgetStore>, rule: &BudgetRule) -> (u64, u64) {
    let state = store.remaining(&caps(rule)).await.unwrap().remove(0);
    let of = if rule.limit_tokens.is_some() { state.tokens } else { state.microdollars };
    (of.settled, of.held)
}

/// What is settled, once nothing is held.
async fn settled(store: &Arc<dyn BudgetStore>, rule: &BudgetRule) -> u64 {
    let all = async {
        loop {
            match state(store, rule).await {
                (settled, 0) => return settled,
                _ => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), all).await.expect("nothing is held")
}

fn used(record: &AiRequest) -> u64 {
    let used = record.tokens;
    used.input + used.cached_input + used.cache_write + used.output
}

fn text(bytes: usize) -> &'static str {
    Box::leak("so many words ".repeat(bytes / 14 + 1).into_boxed_str())
}

/// A request whose answer may have few tokens.
fn short(front: Wire, model: &str, stream: bool) -> Value {
    let mut asked = front.request(model, stream);
    let limit = match front {
        Wire::A => "max_tokens",
        Wire::C => "max_completion_tokens",
        _ => "max_output_tokens",
    };
    asked[limit] = 16.into();
    asked
}

#[tokio::test]
async fn a_stream_ends_where_its_budget_does() {
    const CAP: u64 = 700;
    let rule = tokens(CAP);
    for front in FRONTS {
        for upstream in UPSTREAMS {
            let at = format!("{front:?} {upstream:?}");
            let house = House::built(Plan { budgets: vec![rule.clone()], ..Plan::default() }).await;
            // It writes far more than it may, and would go on.
            let frames = upstream.stream(&[Text(text(LONG))]);
            let most = frames.len() * 9 / 10;
            house.plays(upstream, sse(&frames[..most]).step(Step::Hang));
            let model = format!("{upstream:?}-x").to_lowercase();
            let reply = house.ask(front, short(front, &model, true)).await;
            assert_eq!(reply.status, 200, "{at} {}", reply.text());
            front.check(&reply.body, false);
            let got = front.read_stream(&reply.body);
            let error = got.error.unwrap_or_else(|| panic!("{at} {}", reply.text()));
            assert!(error.contains("the last cent"), "{at} {error}");
            assert_eq!(got.stop, "", "{at}");
            let record = house.record(1).await;
            assert_eq!(record.status, AiRequestStatus::Failed, "{at}");
            assert_eq!(record.error_code.as_deref(), Some("budget_exceeded"), "{at}");
            let settled = settled(&house.budgets, &rule).await;
            assert_eq!(settled, used(&record), "{at}");
            // It got what there was, and no more than a frame beyond.
            assert!((CAP - 64..=CAP + 1).contains(&settled), "{at} {settled}");
            let gone = async {
                while house.upstream.departures().is_empty() {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            };
            tokio::time::timeout(Duration::from_secs(20), gone).await.expect("it was let go");
            house.is_settled().await;
        }
    }
}

#[tokio::test]
async fn an_answer_that_is_whole_is_counted_as_it_is() {
    let rule = tokens(1_000);
    for front in FRONTS {
        let house = House::built(Plan { budgets: vec![rule.clone()], ..Plan::default() }).await;
        let whole = Wire::A.whole(&[Text("hi")]);
        // More than it may, and than there is.
        let whole = whole.replace("\"output_tokens\":7", "\"output_tokens\":7000");
        house.plays(Wire::A, Script::json(whole));
        let reply = house.ask(front, short(front, "a-x", false)).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(settled(&house.budgets, &rule).await, 7_011);
        assert_eq!(house.record(1).await.status, AiRequestStatus::Success);
        let refused = house.ask(front, short(front, "a-x", true)).await;
        assert!(refused.text().contains("the last cent"), "{}", refused.text());
        house.is_settled().await;
    }
}

/// Stores, and what must be kept as long as they are.
async fn stores() -> Vec<(Arc<dyn BudgetStore>, Box<dyn Any>)> {
    let clock = SystemClock::shared();
    let mut all: Vec<(Arc<dyn BudgetStore>, Box<dyn Any>)> =
        vec![(Arc::new(MemoryBudgetStore::new(clock.clone())), Box::new(()))];
    #[cfg(feature = "sqlite")]
    {
        let folder = tempfile::tempdir().unwrap();
        let db = open(&format!("sqlite://{}", folder.path().join("b.db").display())).await;
        let store = systemprompt_providers::budget::SqliteBudgetStore::new(db, clock.clone());
        all.push((Arc::new(store.unwrap()), Box::new(folder)));
    }
    #[cfg(feature = "postgres")]
    {
        let database = systemprompt_test_postgres::database().await;
        let db = open(&database.url()).await;
        let store = systemprompt_providers::budget::PostgresBudgetStore::new(db, clock.clone());
        all.push((Arc::new(store.unwrap()), Box::new(database)));
    }
    all
}

#[cfg(any(feature = "sqlite", feature = "postgres"))]
async fn open(url: &str) -> DbPool {
    let mut options = DatabaseOptions::new(url).create(true);
    options.acquire_timeout = Duration::from_secs(60);
    options.busy_timeout = Duration::from_secs(60);
    let db = DbPool::open(&options).await.unwrap();
    let installer = SchemaInstaller::new(&[systemprompt_providers::schema()]).unwrap();
    installer.apply(&db, &*SystemClock::shared()).await.unwrap();
    db
}

/// A stream of Chat that has so many tokens, 50 in each frame.
fn chat(tokens: usize) -> Script {
    let chunk = |delta: Value, end: Value| {
        let choice = json!({ "index": 0, "delta": delta, "finish_reason": end });
        let chunk = json!({ "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "up", "choices": [choice] });
        format!("data: {chunk}\n\n")
    };
    let mut frames = vec![chunk(json!({ "role": "assistant", "content": "" }), Value::Null)];
    let piece = "x".repeat(200);
    frames.extend((0..tokens / 50).map(|_| chunk(json!({ "content": piece }), Value::Null)));
    frames.extend([chunk(json!({}), json!("stop")), "data: [DONE]\n\n".to_owned()]);
    sse(&frames)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_streams_without_a_limit_never_pass_the_last_cent() {
    // There is enough for all to begin, with 8,192 tokens each, and not for all to end.
    const CAP: u64 = 50 * 8_300 + 20_000;
    let rule = tokens(CAP);
    for (store, _kept) in stores().await {
        let plan = Plan {
            budgets: vec![rule.clone()],
            store: Some(store.clone()),
            timeouts: "{connect_ms: 20000, first_byte_ms: 60000, idle_ms: 60000, total_ms: 90000}",
            ..Plan::default()
        };
        let house = House::built(plan).await;
        for number in 0..50 {
            let script = chat(if number % 5 == 0 { 2_000 } else { 12_000 });
            house.upstream.on("POST", Wire::C.path(), script);
        }
        let asked = Wire::C.request("c-x", true).to_string();
        let all = (0..50).map(|_| house.patiently(Wire::C, &asked));
        let watch = async {
            let mut most = 0;
            loop {
                let (settled, held) = state(&store, &rule).await;
                most = most.max(settled + held);
                assert!(most <= CAP, "{most}");
                tokio::time::sleep(Duration::from_millis(10)).await;
                if house.governor.records().len() == 50 {
                    return most;
                }
            }
        };
        let (replies, most) = tokio::join!(futures_util::future::join_all(all), watch);
        assert!(most > CAP - 20_000, "{most}");
        // One that comes late may find that the others have outgrown what they began with.
        let (begun, late): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status == 200);
        begun.iter().for_each(|reply| Wire::C.check(&reply.body, false));
        late.iter().for_each(|reply| assert!(reply.text().contains("the last cent")));
        let records = house.governor.records();
        let cut = records.iter().filter(|record| record.error_code.is_some());
        let cut: Vec<_> = cut.filter(|record| used(record) > 0).collect();
        assert!(!cut.is_empty() && cut.len() < 50, "{} were cut", cut.len());
        for record in &cut {
            assert_eq!(record.error_code.as_deref(), Some("budget_exceeded"));
            assert!(record.tokens.output >= 8_192 - 64, "{}", record.tokens.output);
        }
        let total: u64 = records.iter().map(used).sum();
        assert_eq!(settled(&store, &rule).await, total);
        assert!(total <= CAP, "{total}");
        house.is_settled().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_streams_that_break_their_limit_pass_the_last_cent_by_less_than_a_step() {
    // 1,024 tokens of `claude-opus-5`.
    const STEP: u64 = 25_600;
    const CAP: u64 = 90_000;
    let rule = money(CAP);
    for (store, _kept) in stores().await {
        let plan = Plan {
            budgets: vec![rule.clone()],
            store: Some(store.clone()),
            timeouts: "{connect_ms: 20000, first_byte_ms: 60000, idle_ms: 60000, total_ms: 90000}",
            ..Plan::default()
        };
        let house = House::built(plan).await;
        house.plays(Wire::A, sse(Wire::A.stream(&[Text(text(1_200))])));
        let asked = short(Wire::A, "claude-opus-5", true).to_string();
        let all = (0..50).map(|_| house.patiently(Wire::A, &asked));
        let replies = futures_util::future::join_all(all).await;
        let mut cut = 0;
        for reply in replies.iter().filter(|reply| reply.status == 200) {
            Wire::A.check(&reply.body, false);
            cut += usize::from(Wire::A.read_stream(&reply.body).error.is_some());
        }
        assert!(cut > 0, "some were cut");
        house.gateway.settled().await;
        let records = house.governor.records();
        let total: i64 = records.iter().map(|record| record.cost_microdollars.get()).sum();
        let settled = settled(&store, &rule).await;
        assert_eq!(settled, u64::try_from(total).unwrap());
        assert!(settled < CAP + STEP, "{settled}");
        house.is_settled().await;
    }
}

#[tokio::test]
async fn what_a_task_held_that_failed_is_settled_at_once() {
    let rule = tokens(1_000_000);
    for stream in [true, false] {
        for front in FRONTS {
            let house = House::built(Plan { budgets: vec![rule.clone()], ..Plan::default() }).await;
            let words: &str = Box::leak(format!("{}{FAULT}", text(400)).into_boxed_str());
            house.says(Wire::A, &[Text(words)], stream);
            let reply = house.ask(front, short(front, "a-x", stream)).await;
            assert_eq!(reply.status == 200, stream, "{}", reply.text());
            let settled = settled(&house.budgets, &rule).await;
            // What was known by then: of the stream, what it had written.
            let known = if stream { 100..200 } else { 18..19 };
            assert!(known.contains(&settled), "{front:?} {stream} {settled}");
        }
    }
}
