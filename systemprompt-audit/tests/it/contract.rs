//! What every store must do. Written against the log's own interface and the views, and run on every
//! backend.

use std::sync::Arc;

use systemprompt_audit::{AuditLog, AuditOptions, PageSize, ReadScope, append_in};
use systemprompt_core::contract::{AuditError, AuditSink, PermitLedger as _};
use systemprompt_core::event::{AuditBody, AuditEvent, EventKind};
use tokio::task::JoinSet;

use crate::fixture::{Fixture, on_both, principal, success};
use crate::signed::Signed;

const GAPS: &str = "SELECT count(*) FROM (SELECT max(seq) - count(*) AS gap FROM audit_events \
                    GROUP BY log_id) AS logs WHERE gap <> 0";

on_both! {
    #[tokio::test]
    an_event_of_a_mebibyte_arrives_whole;
    #[tokio::test]
    a_clock_that_goes_back_changes_no_place;
    #[tokio::test]
    a_text_with_nul_is_found_by_a_filter;
    #[tokio::test]
    a_text_that_is_stored_in_another_form_is_hashed_as_it_was;
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    concurrent_appends_have_gap_free_places;
    #[tokio::test]
    every_size_of_batch_arrives_whole_and_in_order;
    #[tokio::test]
    unicode_control_characters_and_long_texts_survive;
    #[tokio::test]
    one_bad_event_costs_only_its_own_caller_the_answer;
    #[tokio::test]
    an_event_that_a_trigger_swallows_is_denied;
    #[tokio::test]
    places_go_on_after_a_restart_and_the_installation_stays;
    #[tokio::test]
    closing_writes_what_is_waiting;
    #[tokio::test]
    retention_does_not_make_places_start_again;
    #[tokio::test]
    a_command_appends_beside_a_server_and_rolls_back_with_its_change;
    #[tokio::test]
    a_full_queue_refuses_at_once;
}

async fn concurrent_appends_have_gap_free_places(fixture: Fixture) {
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

async fn every_size_of_batch_arrives_whole_and_in_order(fixture: Fixture) {
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

async fn unicode_control_characters_and_long_texts_survive(fixture: Fixture) {
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

async fn one_bad_event_costs_only_its_own_caller_the_answer(fixture: Fixture) {
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

/// A trigger is all it takes to keep rows out of a table without an error.
async fn an_event_that_a_trigger_swallows_is_denied(fixture: Fixture) {
    let log = fixture.log().await;
    log.append(fixture.allow("ada")).await.unwrap();
    let function = fixture.either(
        "SELECT 1",
        "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN RETURN NULL; END $$",
    );
    let trigger = fixture.either(
        "CREATE TRIGGER swallow BEFORE INSERT ON audit_events WHEN NEW.user_id = 'eve'
         BEGIN SELECT raise(IGNORE); END",
        "CREATE TRIGGER swallow BEFORE INSERT ON audit_events
         FOR EACH ROW WHEN (NEW.user_id = 'eve') EXECUTE FUNCTION swallow()",
    );
    for sql in [function, trigger] {
        fixture.execute(sql).await.unwrap();
    }
    let (swallowed, good, batch) = tokio::join!(
        log.append(fixture.allow("eve")),
        log.append(fixture.allow("bob")),
        log.append_all(vec![fixture.allow("cy"), fixture.allow("eve"), fixture.allow("cy")]),
    );
    assert!(matches!(swallowed, Err(AuditError::Unavailable(_))), "{swallowed:?}");
    assert!(matches!(batch, Err(AuditError::Unavailable(_))), "{batch:?}");
    good.unwrap();
    let mut change = fixture.pool.begin_write().await.unwrap();
    let beside = append_in(&mut change, vec![fixture.allow("eve")]).await;
    assert!(beside.is_err(), "{beside:?}");
    drop(change);
    assert!(log.healthy());
    assert_eq!(fixture.number("SELECT count(*) FROM audit_events").await, 2);
    assert_eq!(fixture.number(GAPS).await, 0);
}

async fn places_go_on_after_a_restart_and_the_installation_stays(fixture: Fixture) {
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

async fn closing_writes_what_is_waiting(fixture: Fixture) {
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

async fn retention_does_not_make_places_start_again(fixture: Fixture) {
    let log = fixture.log().await;
    log.append_all((0..5).map(|_| fixture.allow("ada")).collect()).await.unwrap();
    log.close().await;
    fixture.execute("DELETE FROM audit_events").await.unwrap();
    let log = fixture.log().await;
    log.append(fixture.allow("ada")).await.unwrap();
    assert_eq!(fixture.number("SELECT seq FROM audit_events").await, 6);
}

async fn a_command_appends_beside_a_server_and_rolls_back_with_its_change(fixture: Fixture) {
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

async fn a_full_queue_refuses_at_once(fixture: Fixture) {
    let options = AuditOptions { queue: 2, max_batch: 1, ..fixture.options() };
    let log = AuditLog::open(&fixture.pool, options).await.unwrap();
    let log = Arc::new(log);
    let mut tasks = JoinSet::new();
    // However soon the writer has its turn, it commits one while all of these are sent.
    for _ in 0..10 {
        let (log, event) = (log.clone(), fixture.allow("ada"));
        tasks.spawn(async move { log.append(event).await });
    }
    let answers = tasks.join_all().await;
    let refused =
        answers.iter().filter(|answer| matches!(answer, Err(AuditError::QueueFull))).count();
    assert!((5..10).contains(&refused), "{refused} of 10");
    assert_eq!(log.stats().refused, refused as u64);
    let written = fixture.number("SELECT count(*) FROM audit_events").await;
    assert_eq!(usize::try_from(written).unwrap() + refused, 10);
}

async fn an_event_of_a_mebibyte_arrives_whole(fixture: Fixture) {
    let log = fixture.log().await;
    let text = "\u{1f512}x".repeat((1 << 20) / 5);
    let mut event = fixture.allow("ada");
    let detail = serde_json::json!({ "text": text });
    event.body = AuditBody::Other { kind: EventKind::Tracked, detail };
    log.append_all(vec![event, fixture.allow("bob")]).await.unwrap();
    let read =
        fixture.reader().tail(&ReadScope::All, log.origin(), 0, PageSize::default()).await.unwrap();
    assert_eq!(read[0].detail.as_ref().unwrap()["text"], text);
    assert_eq!(read.len(), 2);
}

async fn a_clock_that_goes_back_changes_no_place(fixture: Fixture) {
    let log = fixture.log().await;
    let later = fixture.now().after(std::time::Duration::from_secs(3600));
    let first = AuditEvent { occurred_at: later, ..fixture.allow("ada") };
    let (first_id, second) = (first.id, fixture.allow("ada"));
    let second_id = second.id;
    log.append(first).await.unwrap();
    log.append(second).await.unwrap();
    let reader = fixture.reader();
    let tail = reader.tail(&ReadScope::All, log.origin(), 0, PageSize::default()).await.unwrap();
    let places: Vec<_> = tail.iter().map(|event| (event.seq, event.id)).collect();
    assert_eq!(places, [(1, first_id), (2, second_id)]);
    // A page goes by time, and its cursor still shows each once.
    let filter = systemprompt_audit::EventFilter::default();
    let one = PageSize::new(1).unwrap();
    let page = reader.decisions(&ReadScope::All, &filter, None, one).await.unwrap();
    assert_eq!(page.items[0].id, first_id);
    let rest = reader.decisions(&ReadScope::All, &filter, page.next_cursor.as_ref(), one).await;
    let rest = rest.unwrap();
    assert_eq!((rest.items[0].id, rest.next_cursor.is_none()), (second_id, true));
}

async fn a_text_with_nul_is_found_by_a_filter(fixture: Fixture) {
    let log = fixture.log().await;
    let mut event = fixture.allow("ada");
    let name = "a\0b\u{1a}0";
    let AuditBody::Decision(body) = &mut event.body else { panic!("no decision") };
    body.server = Some(name.into());
    log.append_all(vec![event, fixture.allow("ada")]).await.unwrap();
    let server = Some(name.to_owned());
    let filter = systemprompt_audit::EventFilter { server, ..Default::default() };
    let page = fixture.reader().decisions(&ReadScope::All, &filter, None, PageSize::MAX).await;
    let page = page.unwrap();
    assert_eq!(page.items.len(), 1);
    assert_eq!(page.items[0].server.as_deref(), Some(name));
}

async fn a_text_that_is_stored_in_another_form_is_hashed_as_it_was(fixture: Fixture) {
    let signed = Signed::on(fixture);
    let log = signed.log().await;
    for name in ["a\0b", "\u{1a}", "\u{1a}0\u{1a}1", "\0", "plain"] {
        let mut event = signed.fixture.allow("ada");
        let AuditBody::Decision(body) = &mut event.body else { panic!("no decision") };
        body.server = Some(name.into());
        log.append(event).await.unwrap();
    }
    log.close().await;
    signed.fixture.pool.close().await;
    let report = signed.verify(signed.url()).await;
    assert!(report.is_clean() && report.proven, "{:?}", report.findings);
}
