//! What every store must do. Written against the log's own interface and the views, so that a second
//! backend joins by making a fixture.

use std::sync::Arc;

use systemprompt_audit::{AuditLog, AuditOptions, PageSize, ReadScope, append_in};
use systemprompt_core::contract::{AuditError, AuditSink, PermitLedger as _};
use systemprompt_core::event::{AuditBody, AuditEvent, EventKind};
use tokio::task::JoinSet;

use crate::fixture::{Fixture, principal, success};

const GAPS: &str = "SELECT count(*) FROM (SELECT max(seq) - count(*) AS gap FROM audit_events \
                    GROUP BY log_id) WHERE gap <> 0";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_appends_have_gap_free_places() {
    let fixture = Fixture::new().await;
    let log = fixture.log().await;
    let mut tasks = JoinSet::new();
    for _ in 0..32 {
        let events: Vec<_> = (0..25).map(|_| fixture.allow("ada")).collect();
        let log = log.clone();
        tasks.spawn(async move {
            for event in events {
                log.append(event).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(fixture.number("SELECT count(*) FROM audit_events").await, 800);
    assert_eq!(fixture.number("SELECT max(seq) FROM audit_events").await, 800);
    assert_eq!(fixture.number(GAPS).await, 0);
    let stats = log.stats();
    assert_eq!((stats.events, stats.last_seq, stats.queued), (800, 800, 0));
    assert!(stats.batches < 800, "nothing was written together");
    assert_eq!(stats.latency.counts.iter().sum::<u64>(), 800);
}

#[tokio::test]
async fn every_size_of_batch_arrives_whole_and_in_order() {
    let fixture = Fixture::new().await;
    let log = fixture.log().await;
    let mut ids = Vec::new();
    for size in (0..=40).chain([63, 64, 65, 127, 200, 300]) {
        let events: Vec<_> = (0..size).map(|_| fixture.allow("ada")).collect();
        ids.extend(events.iter().map(|event| event.id));
        log.append_all(events).await.unwrap();
    }
    let mut read = Vec::new();
    while let Some(after) = Some(i64::try_from(read.len()).unwrap()) {
        let page = fixture
            .reader()
            .tail(&ReadScope::All, log.origin(), after, PageSize::MAX)
            .await
            .unwrap();
        if page.is_empty() {
            break;
        }
        read.extend(page.into_iter().map(|event| event.id));
    }
    assert_eq!(read, ids);
}

#[tokio::test]
async fn unicode_control_characters_and_long_texts_survive() {
    let fixture = Fixture::new().await;
    let log = fixture.log().await;
    let text =
        format!("line\r\n\u{1b}[31mred\u{0}nul \u{1f512} \u{e9}\u{301} {}", "x".repeat(64 << 10));
    let mut event = fixture.allow("ada");
    event.body =
        AuditBody::Other { kind: EventKind::Tracked, detail: serde_json::json!({ "text": text }) };
    event.context.user_agent = Some(text.as_str().into());
    let id = event.id;
    log.append(event).await.unwrap();
    let mut with_error = success();
    let decision = fixture.allow("ada");
    let permit = decision.id.into();
    log.append(decision).await.unwrap();
    with_error.error = Some(text.clone());
    log.settle(permit, &principal("acme", "ada"), with_error).await.unwrap();
    let events =
        fixture.reader().tail(&ReadScope::All, log.origin(), 0, PageSize::default()).await.unwrap();
    assert_eq!(events[0].id, id);
    assert_eq!(events[0].user_agent.as_deref(), Some(&*text));
    assert_eq!(events[0].detail.as_ref().unwrap()["text"], text);
    assert_eq!(events[2].error.as_deref(), Some(&*text));
}

#[tokio::test]
async fn one_bad_event_costs_only_its_own_caller_the_answer() {
    let fixture = Fixture::new().await;
    let log = fixture.log().await;
    let first = fixture.allow("ada");
    let again = AuditEvent { id: first.id, ..fixture.allow("eve") };
    log.append(first).await.unwrap();
    let (bad, good, other) = tokio::join!(
        log.append(again),
        log.append(fixture.allow("bob")),
        log.append_all(vec![fixture.allow("cy"), fixture.allow("cy")]),
    );
    assert!(matches!(bad, Err(AuditError::Unavailable(_))), "{bad:?}");
    good.unwrap();
    other.unwrap();
    assert!(log.healthy());
    assert_eq!(fixture.number("SELECT count(*) FROM audit_events").await, 4);
    assert_eq!(fixture.number(GAPS).await, 0);
}

#[tokio::test]
async fn places_go_on_after_a_restart_and_the_installation_stays() {
    let fixture = Fixture::new().await;
    let log = fixture.log().await;
    let (origin, installation) = (log.origin().clone(), log.installation().to_owned());
    log.append(fixture.allow("ada")).await.unwrap();
    log.close().await;
    assert!(matches!(log.append(fixture.allow("ada")).await, Err(AuditError::Closed)));
    assert!(!log.healthy());
    let log = fixture.log().await;
    assert_eq!((log.origin(), log.installation()), (&origin, &*installation));
    assert_eq!(origin.as_str(), format!("server@{installation}"));
    log.append(fixture.allow("ada")).await.unwrap();
    assert_eq!(fixture.number("SELECT max(seq) FROM audit_events").await, 2);
}

#[tokio::test]
async fn closing_writes_what_is_waiting() {
    let fixture = Fixture::new().await;
    let log = fixture.log().await;
    let mut tasks = JoinSet::new();
    for _ in 0..50 {
        let (log, event) = (log.clone(), fixture.allow("ada"));
        tasks.spawn(async move { log.append(event).await });
    }
    tokio::task::yield_now().await;
    log.close().await;
    let answers = tasks.join_all().await;
    let written = answers.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(fixture.number("SELECT count(*) FROM audit_events").await, written as i64);
    for refused in answers.into_iter().filter_map(Result::err) {
        assert!(matches!(refused, AuditError::Closed), "{refused}");
    }
}

#[tokio::test]
async fn retention_does_not_make_places_start_again() {
    let fixture = Fixture::new().await;
    let log = fixture.log().await;
    log.append_all((0..5).map(|_| fixture.allow("ada")).collect()).await.unwrap();
    log.close().await;
    sqlx::query("DELETE FROM audit_events").execute(fixture.pool.sqlite()).await.unwrap();
    let log = fixture.log().await;
    log.append(fixture.allow("ada")).await.unwrap();
    assert_eq!(fixture.number("SELECT seq FROM audit_events").await, 6);
}

#[tokio::test]
async fn a_command_appends_beside_a_server_and_rolls_back_with_its_change() {
    let fixture = Fixture::new().await;
    let log = fixture.log().await;
    log.append(fixture.allow("ada")).await.unwrap();
    let revoked = |key: &str| {
        let detail = serde_json::json!({ "key": key });
        AuditEvent::system(fixture.now(), EventKind::KeyRevoked, detail)
    };
    let mut change = fixture.pool.begin_write().await.unwrap();
    append_in(&mut change, vec![revoked("a"), revoked("b")]).await.unwrap();
    change.commit().await.unwrap();
    let mut change = fixture.pool.begin_write().await.unwrap();
    append_in(&mut change, vec![revoked("c")]).await.unwrap();
    change.rollback().await.unwrap();
    let mut change = fixture.pool.begin_write().await.unwrap();
    append_in(&mut change, (0..20).map(|_| revoked("d")).collect()).await.unwrap();
    change.commit().await.unwrap();
    log.append(fixture.allow("ada")).await.unwrap();
    let logs = fixture.reader().logs().await.unwrap();
    let server = format!("server@{}", log.installation());
    let cli = format!("cli@{}", log.installation());
    assert_eq!(logs, [(server, 2), (cli, 22)]);
    assert_eq!(fixture.number(GAPS).await, 0);
}

#[tokio::test]
async fn a_full_queue_refuses_at_once() {
    let fixture = Fixture::new().await;
    let options = AuditOptions { queue: 2, max_batch: 1, ..fixture.options() };
    let log = AuditLog::open(&fixture.pool, options).await.unwrap();
    let log = Arc::new(log);
    let mut tasks = JoinSet::new();
    // On one thread the writer gets no turn before all of these have been sent.
    for _ in 0..10 {
        let (log, event) = (log.clone(), fixture.allow("ada"));
        tasks.spawn(async move { log.append(event).await });
    }
    let answers = tasks.join_all().await;
    let refused =
        answers.iter().filter(|answer| matches!(answer, Err(AuditError::QueueFull))).count();
    assert_eq!(refused, 8);
    assert_eq!(log.stats().refused, 8);
    assert_eq!(fixture.number("SELECT count(*) FROM audit_events").await, 2);
}
