//! Events that have been kept long enough are removed, and what is left is verified as before.

use std::time::Duration;

use systemprompt_audit::checkpoint::SigningKeys;
use systemprompt_audit::retention::{PruneError, Pruned, Retention, plan, prune};
use systemprompt_audit::verify::{FindingKind, Report};
use systemprompt_audit::{AuditLog, EventFilter, PageSize, ReadScope, append_in};
use systemprompt_core::contract::{AuditSink as _, PermitLedger as _};
use systemprompt_core::event::{AuditEvent, EventKind};
use systemprompt_core::id::PermitId;

use crate::fixture::{Fixture, on_both, principal, success};
use crate::signed::{Signed, found, run_on, signing_key};

use FindingKind::{RowChanged, RowMissing, TreeChanged};

const DAY: Duration = Duration::from_secs(86_400);

on_both! {
    #[tokio::test]
    what_is_old_goes_and_what_is_left_is_verified;
    #[tokio::test]
    whatever_else_is_missing_or_changed_is_found;
    #[tokio::test]
    what_was_interrupted_is_verified_and_goes_on;
    #[tokio::test]
    what_is_not_signed_or_closed_or_exported_stays;
    #[tokio::test]
    a_size_is_kept_about;
    #[tokio::test]
    an_outcome_may_outlive_its_decision;
    #[tokio::test]
    what_was_pruned_of_a_log_is_said_again_when_it_would_be_pruned_itself;
    #[tokio::test]
    a_crash_before_it_was_said_again_is_made_up_for;
    #[tokio::test]
    a_mark_that_no_event_has_made_deletes_nothing;
    #[tokio::test]
    keys_that_were_named_before_are_still_known;
}

fn older_than(age: Duration) -> Retention {
    Retention { age: Some(age), ..Retention::default() }
}

/// A log of which `old` events, with all that belongs to them, are two days old, and `new` ones are not.
async fn aged(signed: &Signed, old: usize, new: usize) -> AuditLog {
    let log = signed.log().await;
    append(signed, &log, old).await;
    signed.fixture.clock.advance(2 * DAY);
    // Closes the permits, with events of today.
    log.sweep().await.unwrap();
    let swept = usize::try_from(log.stats().last_seq).unwrap();
    append(signed, &log, swept + new).await;
    log.sweep().await.unwrap();
    log
}

/// Appends until the log has `events` events, and waits until it is signed up to the last few.
pub(crate) async fn append(signed: &Signed, log: &AuditLog, events: usize) {
    signed.append(log, events).await;
    let signed = async {
        while log.stats().checkpointed + 50 < log.stats().last_seq {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), signed).await.unwrap();
}

async fn pruned(signed: &Signed, log: &AuditLog, retention: &Retention) -> Vec<Pruned> {
    let fixture = &signed.fixture;
    prune(&fixture.pool, Some(log), retention, "retention", fixture.now()).await.unwrap()
}

async fn rows(fixture: &Fixture) -> (i64, i64) {
    let first = "SELECT coalesce(min(seq), 0) FROM audit_events WHERE log_id = 1";
    let count = "SELECT count(*) FROM audit_events WHERE log_id = 1";
    (fixture.number(first).await, fixture.number(count).await)
}

async fn closed(signed: &Signed, log: &AuditLog) -> Report {
    log.close().await;
    signed.fixture.pool.close().await;
    signed.verify(signed.url()).await
}

async fn what_is_old_goes_and_what_is_left_is_verified(fixture: Fixture) {
    let signed = Signed::on(fixture);
    let log = aged(&signed, 600, 60).await;
    let before = rows(&signed.fixture).await;
    let plans = plan(&signed.fixture.pool, &older_than(DAY), signed.fixture.now()).await.unwrap();
    assert_eq!(plans.iter().map(|plan| (plan.from, plan.up_to)).collect::<Vec<_>>(), [(1, 512)]);
    assert_eq!(rows(&signed.fixture).await, before);
    assert!(pruned(&signed, &log, &older_than(3 * DAY)).await.is_empty());
    let gone = pruned(&signed, &log, &older_than(DAY)).await;
    let origin = log.origin().to_string();
    assert_eq!(gone, [Pruned { origin, up_to: 512, events: 512 }]);
    assert_eq!(rows(&signed.fixture).await, (513, before.1 - 512 + 1));
    assert!(pruned(&signed, &log, &older_than(DAY)).await.is_empty());
    let kind = Some(EventKind::Pruned);
    let filter = EventFilter { kind, ..EventFilter::default() };
    let reader = signed.fixture.reader();
    let said = reader.events(&ReadScope::All, &filter, None, PageSize::MAX).await.unwrap().items;
    assert_eq!(said.len(), 1);
    let detail = said[0].detail.as_ref().unwrap();
    assert_eq!((&detail["up_to"], &detail["by"]), (&512.into(), &"retention".into()));
    // The log goes on, also after a restart, and is signed.
    log.close().await;
    let log = signed.log().await;
    append(&signed, &log, before.1 as usize + 120).await;
    assert!(!log.stats().diverged);
    let last = log.stats().last_seq;
    let report = closed(&signed, &log).await;
    assert!(report.is_clean() && report.proven, "{:?}", report.findings);
    let state = &report.logs[0];
    assert_eq!((state.pruned_to, state.rows), (512, last - 512));
    assert_eq!(state.signed_to as u64, last);
    assert!(state.root.is_some());
    assert!(signed.verify_inside(signed.url()).await.is_clean());
}

async fn whatever_else_is_missing_or_changed_is_found(fixture: Fixture) {
    let signed = Signed::on(fixture);
    let log = aged(&signed, 600, 60).await;
    pruned(&signed, &log, &older_than(DAY)).await;
    let said = signed.fixture.number("SELECT seq FROM audit_events WHERE kind = 'pruned'").await;
    assert!(closed(&signed, &log).await.is_clean());
    let tampered = [
        ("DELETE FROM audit_events WHERE seq <= 513", (RowMissing, 513, None)),
        ("DELETE FROM audit_events WHERE seq <= 530", (RowMissing, 513, Some(530))),
        ("DELETE FROM audit_events WHERE seq = 600", (RowMissing, 600, None)),
        ("UPDATE audit_events SET tool = 'x' WHERE seq = 513", (RowChanged, 513, None)),
        ("DELETE FROM audit_pruned", (RowMissing, 1, Some(512))),
        ("UPDATE audit_pruned SET up_to = 768", (RowMissing, 1, Some(512))),
        (
            "UPDATE audit_tiles SET hashes = zeroblob(8192), root = zeroblob(32) WHERE level = 0 AND idx = 0",
            (TreeChanged, 1, Some(512)),
        ),
        ("DELETE FROM audit_tiles WHERE level = 0 AND idx = 1", (TreeChanged, 1, Some(512))),
        (
            // Both agree that more was pruned: the event is not the one that was written.
            "UPDATE audit_pruned SET up_to = 768;
             UPDATE audit_events SET detail = replace(detail, '512', '768') WHERE kind = 'pruned';
             DELETE FROM audit_events WHERE seq <= 768",
            (RowChanged, said, None),
        ),
    ];
    for (nth, (sql, wanted)) in tampered.into_iter().enumerate() {
        let copy = signed.tampered(&format!("tampered-{nth}.db"), sql).await;
        let report = signed.verify(copy.url()).await;
        assert!(found(&report).contains(&wanted), "{sql}: {:?}", report.findings);
    }
}

async fn what_was_interrupted_is_verified_and_goes_on(fixture: Fixture) {
    let signed = Signed::on(fixture);
    let log = aged(&signed, 900, 60).await;
    let pool = &signed.fixture.pool;
    run_on(
        pool,
        "CREATE TABLE kept AS SELECT * FROM audit_events WHERE log_id = 1 AND seq BETWEEN 257 AND 768",
    )
    .await;
    assert_eq!(pruned(&signed, &log, &older_than(DAY)).await[0].up_to, 768);
    // As it was when the first tile had gone.
    run_on(pool, "INSERT INTO audit_events SELECT * FROM kept; DROP TABLE kept").await;
    let report = signed.verify(signed.url()).await;
    assert!(report.is_clean(), "{:?}", report.findings);
    assert_eq!(report.logs[0].pruned_to, 256);
    // What is there still is not to be picked from.
    run_on(pool, "DELETE FROM audit_events WHERE seq = 300 AND log_id = 1").await;
    let report = signed.verify(signed.url()).await;
    assert_eq!(found(&report), [(RowMissing, 300, None)]);
    let gone = pruned(&signed, &log, &older_than(DAY)).await;
    assert_eq!((gone[0].up_to, gone[0].events), (768, 511));
    let said = "SELECT count(*) FROM audit_events WHERE kind = 'pruned'";
    assert_eq!(signed.fixture.number(said).await, 1);
    let report = closed(&signed, &log).await;
    assert!(report.is_clean(), "{:?}", report.findings);
}

async fn what_is_not_signed_or_closed_or_exported_stays(fixture: Fixture) {
    let signed = Signed::on(fixture);
    let log = signed.log().await;
    append(&signed, &log, 600).await;
    signed.fixture.clock.advance(2 * DAY);
    // Permits that nobody has closed.
    assert!(pruned(&signed, &log, &older_than(DAY)).await.is_empty());
    log.sweep().await.unwrap();
    log.sweep().await.unwrap();
    // A sink that has not come so far.
    let sinks = vec!["siem".to_owned()];
    let exported = Retention { sinks, ..older_than(DAY) };
    assert!(pruned(&signed, &log, &exported).await.is_empty());
    run_on(
        &signed.fixture.pool,
        "INSERT INTO audit_exports (sink, log_id, seq, noted_at) VALUES ('siem', 1, 300, 0)",
    )
    .await;
    assert_eq!(pruned(&signed, &log, &exported).await[0].up_to, 256);
    // Without a checkpoint nothing goes.
    run_on(&signed.fixture.pool, "DELETE FROM audit_checkpoints").await;
    assert!(pruned(&signed, &log, &older_than(DAY)).await.is_empty());
    log.close().await;
}

async fn a_size_is_kept_about(fixture: Fixture) {
    let signed = Signed::on(fixture);
    let log = aged(&signed, 1100, 60).await;
    let large = Retention { size: Some(1 << 30), ..Retention::default() };
    assert!(pruned(&signed, &log, &large).await.is_empty());
    let count = rows(&signed.fixture).await.1;
    let half = Retention { size: Some(count as u64 * 1200 / 2), ..Retention::default() };
    assert_eq!(pruned(&signed, &log, &half).await.len(), 1);
    let left = rows(&signed.fixture).await.1;
    assert!((count / 4..count * 3 / 4 + 256).contains(&left), "{left} of {count}");
    assert!(closed(&signed, &log).await.is_clean());
}

async fn an_outcome_may_outlive_its_decision(fixture: Fixture) {
    let signed = Signed::on(fixture);
    let log = signed.log().await;
    append(&signed, &log, 255).await;
    let event = signed.fixture.allow("ada");
    let permit = PermitId::from(event.id);
    log.append(event).await.unwrap();
    assert_eq!(log.stats().last_seq, 256);
    append(&signed, &log, 300).await;
    log.settle(permit, &principal("acme", "ada"), success()).await.unwrap();
    signed.fixture.clock.advance(2 * DAY);
    log.sweep().await.unwrap();
    log.sweep().await.unwrap();
    assert_eq!(pruned(&signed, &log, &older_than(DAY)).await[0].up_to, 256);
    let report = closed(&signed, &log).await;
    assert!(report.is_clean(), "{:?}", report.findings);
}

async fn what_was_pruned_of_a_log_is_said_again_when_it_would_be_pruned_itself(fixture: Fixture) {
    let signed = Signed::on(fixture);
    let mut change = signed.fixture.pool.begin_write().await.unwrap();
    let event = || {
        let detail = serde_json::json!({ "key": "k" });
        AuditEvent::system(signed.fixture.now(), EventKind::KeyRevoked, detail)
    };
    append_in(&mut change, (0..300).map(|_| event()).collect()).await.unwrap();
    change.commit().await.unwrap();
    let log = aged(&signed, 100, 20).await;
    let gone = pruned(&signed, &log, &older_than(DAY)).await;
    assert_eq!(gone.len(), 1);
    assert!(gone[0].origin.starts_with("cli@") && gone[0].up_to == 256, "{gone:?}");
    let at = log.stats().last_seq;
    // The event that says so grows old, too.
    append(&signed, &log, 600).await;
    signed.fixture.clock.advance(2 * DAY);
    log.sweep().await.unwrap();
    log.sweep().await.unwrap();
    let gone = pruned(&signed, &log, &older_than(DAY)).await;
    let server = gone.iter().find(|gone| gone.origin == log.origin().as_str()).unwrap();
    assert!(server.up_to as u64 > at, "{gone:?}");
    let report = closed(&signed, &log).await;
    assert!(report.is_clean(), "{:?}", report.findings);
    assert!(report.logs.iter().all(|log| log.pruned_to >= 256), "{:?}", report.logs);
}

/// A log of the command line that is pruned, and a server's whose event says so and is old, too.
async fn pruned_twice(signed: &Signed) -> AuditLog {
    let mut change = signed.fixture.pool.begin_write().await.unwrap();
    let event = || {
        let detail = serde_json::json!({ "key": "k" });
        AuditEvent::system(signed.fixture.now(), EventKind::KeyRevoked, detail)
    };
    append_in(&mut change, (0..300).map(|_| event()).collect()).await.unwrap();
    change.commit().await.unwrap();
    let log = aged(signed, 100, 20).await;
    assert_eq!(pruned(signed, &log, &older_than(DAY)).await.len(), 1);
    append(signed, &log, 600).await;
    signed.fixture.clock.advance(2 * DAY);
    log.sweep().await.unwrap();
    log.sweep().await.unwrap();
    log
}

async fn a_crash_before_it_was_said_again_is_made_up_for(fixture: Fixture) {
    let signed = Signed::on(fixture);
    let log = pruned_twice(&signed).await;
    // A pruner that dies when it has said what goes of this log: the mark is there and the rows are.
    let pool = &signed.fixture.pool;
    run_on(
        pool,
        "CREATE TABLE kept AS SELECT * FROM audit_events WHERE log_id = 2;
         CREATE TABLE marks AS SELECT * FROM audit_pruned",
    )
    .await;
    pruned(&signed, &log, &older_than(DAY)).await;
    run_on(
        pool,
        "INSERT INTO audit_events SELECT * FROM kept WHERE seq <= 512
             AND NOT EXISTS (SELECT 1 FROM audit_events WHERE log_id = 2 AND seq = kept.seq);
         DELETE FROM audit_pruned WHERE log_id IN (SELECT log_id FROM marks);
         INSERT INTO audit_pruned SELECT * FROM marks;
         DROP TABLE kept; DROP TABLE marks",
    )
    .await;
    let report = signed.verify(signed.url()).await;
    assert!(report.is_clean(), "{:?}", report.findings);
    pruned(&signed, &log, &older_than(DAY)).await;
    let report = closed(&signed, &log).await;
    assert!(report.is_clean(), "{:?}", report.findings);
}

async fn a_mark_that_no_event_has_made_deletes_nothing(fixture: Fixture) {
    let signed = Signed::on(fixture);
    let log = aged(&signed, 600, 60).await;
    let before = rows(&signed.fixture).await;
    let (pool, now) = (&signed.fixture.pool, signed.fixture.now());
    for sql in [
        "INSERT INTO audit_pruned (log_id, up_to, event) VALUES (1, 512, zeroblob(16))",
        "UPDATE audit_pruned SET up_to = 9223372036854775807",
    ] {
        run_on(pool, sql).await;
        for age in [DAY, 3 * DAY] {
            let pruned = prune(pool, Some(&log), &older_than(age), "retention", now).await;
            assert!(matches!(pruned, Err(PruneError::Mark { .. })), "{pruned:?}");
        }
        assert_eq!(rows(&signed.fixture).await, before);
        let report = signed.verify(signed.url()).await;
        assert_eq!(found(&report), [(FindingKind::TableChanged, -1, None)]);
    }
    run_on(pool, "DELETE FROM audit_pruned").await;
    assert_eq!(pruned(&signed, &log, &older_than(DAY)).await[0].up_to, 512);
    assert!(closed(&signed, &log).await.is_clean());
}

/// An old copy that went on instead, and was pruned later than it was forked.
#[tokio::test]
async fn every_checkpoint_outside_is_held_against_what_was_pruned() {
    let mut signed = Signed::on(Fixture::sqlite().await);
    let log = signed.log().await;
    append(&signed, &log, 60).await;
    log.close().await;
    signed.fixture.pool.close().await;
    let path = signed.fixture.path();
    let copy = std::fs::read(&path).unwrap();
    signed.fixture.pool = crate::fixture::open(&path).await;
    let log = signed.log().await;
    append(&signed, &log, 160).await;
    log.close().await;
    signed.fixture.pool.close().await;
    let before = std::fs::read_to_string(signed.outside()).unwrap();
    std::fs::write(&path, copy).unwrap();
    std::fs::remove_file(signed.outside()).unwrap();
    signed.fixture.pool = crate::fixture::open(&path).await;
    let log = aged(&signed, 600, 60).await;
    pruned(&signed, &log, &older_than(DAY)).await;
    assert!(closed(&signed, &log).await.is_clean());
    let after = std::fs::read_to_string(signed.outside()).unwrap();
    std::fs::write(signed.outside(), format!("{after}{before}")).unwrap();
    let report = signed.verify(signed.url()).await;
    let forked = report.findings.iter().any(|finding| finding.kind == FindingKind::Forked);
    assert!(forked, "{:?}", report.findings);
}

async fn keys_that_were_named_before_are_still_known(fixture: Fixture) {
    let mut signed = Signed::on(fixture);
    let log = aged(&signed, 300, 60).await;
    log.close().await;
    // The second key is vouched for by the first, which the verifier trusts.
    let until = signed.fixture.now().after(DAY);
    signed.keys = SigningKeys { current: signing_key(2), previous: Some((signing_key(1), until)) };
    let log = signed.log().await;
    append(&signed, &log, 620).await;
    signed.fixture.clock.advance(4 * DAY);
    log.sweep().await.unwrap();
    log.sweep().await.unwrap();
    for _ in 0..2 {
        pruned(&signed, &log, &older_than(DAY)).await;
        let last = log.stats().last_seq as usize;
        append(&signed, &log, last + 300).await;
        signed.fixture.clock.advance(2 * DAY);
        log.sweep().await.unwrap();
        log.sweep().await.unwrap();
    }
    let report = closed(&signed, &log).await;
    assert!(report.is_clean() && report.proven, "{:?}", report.findings);
    assert!(report.logs[0].pruned_to >= 768, "{:?}", report.logs);
    assert_eq!(report.logs[0].signed_to, report.logs[0].last_seq);
}
