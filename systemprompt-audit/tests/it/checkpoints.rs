//! Checkpoints reach the database and every outside place, and nothing waits for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use async_trait::async_trait;
use systemprompt_audit::checkpoint::{CheckpointPlace, CheckpointRecord, PlaceError};
use systemprompt_audit::verify::FindingKind;
use systemprompt_audit::{AuditLog, append_in};
use systemprompt_core::contract::AuditSink as _;
use systemprompt_core::event::{AuditEvent, EventKind};

use crate::fixture::{Fixture, on_both};
use crate::signed::{Signed, column_types, found, run_on, verify_with};

on_both! {
    #[tokio::test]
    they_come_with_events_and_at_the_end_and_the_first_record_is_the_key;
    #[cfg(unix)]
    #[tokio::test]
    the_file_is_for_its_owner_alone_and_survives_half_a_line;
    #[tokio::test]
    a_checkpoint_that_comes_late_does_not_hide_a_newer_one;
    #[tokio::test]
    a_place_that_fails_is_tried_again_and_counted;
    #[tokio::test]
    a_place_that_hangs_holds_nothing_up;
    #[tokio::test]
    the_log_of_the_command_line_is_signed_by_the_server;
    #[tokio::test]
    rows_of_others_get_into_the_log_but_not_unnoticed;
    #[tokio::test]
    rows_that_vanish_beneath_a_log_leave_a_gap;
    #[tokio::test]
    tiles_that_are_missing_are_made_anew;
    #[tokio::test]
    a_log_without_a_tree_is_told_as_such;
}

async fn they_come_with_events_and_at_the_end_and_the_first_record_is_the_key(fixture: Fixture) {
    let signed = Signed::on(fixture);
    let log = signed.log().await;
    let key = log.verifier_key().unwrap().to_string();
    signed.append_signed(&log, 120).await;
    log.close().await;
    let text = std::fs::read_to_string(signed.outside()).unwrap();
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["vkey"], key);
    assert!(lines.len() >= 4, "{text}");
    assert_eq!(lines.last().unwrap()["size"], 120);
    let sizes: Vec<_> = lines[1..].iter().map(|line| line["size"].as_u64().unwrap()).collect();
    assert!(sizes.is_sorted(), "{sizes:?}");
    assert_eq!(signed.fixture.number("SELECT max(size) FROM audit_checkpoints").await, 120);
    // Nothing new, nothing signed.
    let count = lines.len();
    signed.log().await.close().await;
    let text = std::fs::read_to_string(signed.outside()).unwrap();
    assert_eq!(text.lines().count(), count);
}

async fn the_file_is_for_its_owner_alone_and_survives_half_a_line(fixture: Fixture) {
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt as _;
    let signed = Signed::on(fixture);
    let log = signed.log().await;
    signed.append(&log, 10).await;
    log.close().await;
    let mode = std::fs::metadata(signed.outside()).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    let mut file = std::fs::OpenOptions::new().append(true).open(signed.outside()).unwrap();
    file.write_all(b"{\"at\":\"2026-11-22T20:").unwrap();
    drop(file);
    let log = signed.log().await;
    signed.append(&log, 20).await;
    log.close().await;
    signed.fixture.pool.close().await;
    let report = signed.verify(signed.url()).await;
    assert!(report.is_clean(), "{:?}", report.findings);
    assert_eq!(report.logs[0].signed_to, 20);
}

async fn a_checkpoint_that_comes_late_does_not_hide_a_newer_one(fixture: Fixture) {
    let signed = Signed::on(fixture);
    let log = signed.log().await;
    signed.append_signed(&log, 120).await;
    log.close().await;
    // As a witness brings it that was away.
    let text = std::fs::read_to_string(signed.outside()).unwrap();
    let early = text.lines().find(|line| line.contains("\"size\"")).unwrap();
    std::fs::write(signed.outside(), format!("{text}{early}\n")).unwrap();
    run_on(&signed.fixture.pool, "DELETE FROM audit_events WHERE seq > 90").await;
    run_on(&signed.fixture.pool, "DELETE FROM audit_checkpoints WHERE size > 90").await;
    run_on(&signed.fixture.pool, "UPDATE audit_logs SET size = 90").await;
    let log = signed.log().await;
    assert!(log.stats().diverged);
    log.close().await;
}

/// Fails some times before it takes anything, or hangs for ever.
struct Stubborn {
    failures: AtomicU32,
    taken: AtomicU32,
    hangs: bool,
}

#[async_trait]
impl CheckpointPlace for Stubborn {
    fn name(&self) -> String {
        "stubborn".to_owned()
    }

    async fn put(&self, _: &CheckpointRecord) -> Result<(), PlaceError> {
        if self.hangs {
            std::future::pending::<()>().await;
        }
        if self.failures.fetch_sub(1, Relaxed) > 1 {
            return Err(PlaceError::Refused(503));
        }
        self.failures.store(0, Relaxed);
        self.failures.fetch_add(1, Relaxed);
        self.taken.fetch_add(1, Relaxed);
        Ok(())
    }
}

async fn with(signed: &Signed, place: Arc<Stubborn>) -> AuditLog {
    let mut options = signed.options();
    options.checkpoints.as_mut().unwrap().places.push(place);
    AuditLog::open(&signed.fixture.pool, options).await.unwrap()
}

async fn a_place_that_fails_is_tried_again_and_counted(fixture: Fixture) {
    let signed = Signed::on(fixture);
    let place =
        Arc::new(Stubborn { failures: AtomicU32::new(3), taken: AtomicU32::new(0), hangs: false });
    let log = with(&signed, place.clone()).await;
    signed.append(&log, 60).await;
    log.close().await;
    assert!(place.taken.load(Relaxed) >= 1);
    assert_eq!(log.stats().checkpoint_failures, 2);
    // The others did not wait.
    signed.fixture.pool.close().await;
    assert!(signed.verify(signed.url()).await.is_clean());
}

async fn a_place_that_hangs_holds_nothing_up(fixture: Fixture) {
    let signed = Signed::on(fixture);
    let place =
        Arc::new(Stubborn { failures: AtomicU32::new(0), taken: AtomicU32::new(0), hangs: true });
    let log = with(&signed, place).await;
    signed.append(&log, 300).await;
    assert_eq!(log.stats().last_seq, 300);
    tokio::time::timeout(Duration::from_secs(20), log.close()).await.unwrap();
}

async fn the_log_of_the_command_line_is_signed_by_the_server(fixture: Fixture) {
    let signed = Signed::on(fixture);
    let event = |number: u64| {
        let detail = serde_json::json!({ "number": number });
        AuditEvent::system(signed.fixture.now(), EventKind::UserCreated, detail)
    };
    for round in 0..3 {
        let mut transaction = signed.fixture.pool.begin_write().await.unwrap();
        append_in(&mut transaction, (0..100).map(|n| event(round * 100 + n)).collect())
            .await
            .unwrap();
        transaction.commit().await.unwrap();
    }
    assert_eq!(signed.fixture.number("SELECT count(*) FROM audit_tiles").await, 1);
    let log = signed.log().await;
    log.append(event(1000)).await.unwrap();
    log.close().await;
    signed.fixture.pool.close().await;
    let report = signed.verify(signed.url()).await;
    assert!(report.is_clean(), "{:?}", report.findings);
    let cli = report.logs.iter().find(|log| log.origin.starts_with("cli@")).unwrap();
    // And the event of the key.
    assert_eq!((cli.rows, cli.signed_to), (301, 301));
    let alone = verify_with(signed.url(), &Default::default()).await;
    assert!(alone.is_clean() && !alone.proven, "{:?}", alone.findings);
}

async fn rows_of_others_get_into_the_log_but_not_unnoticed(fixture: Fixture) {
    let signed = Signed::on(fixture);
    let log = signed.log().await;
    signed.append(&log, 20).await;
    let columns = column_types(&signed.fixture.pool).await.into_iter().map(|(name, _)| name);
    let columns: Vec<_> =
        columns.filter(|name| !matches!(&**name, "seq" | "id" | "kind")).collect();
    let columns = columns.join(", ");
    let sql = format!(
        "INSERT INTO audit_events (seq, id, kind, {columns})
         SELECT 21, randomblob(16), 'tracked', {columns} FROM audit_events WHERE seq = 5"
    );
    run_on(&signed.fixture.pool, &sql).await;
    // Whoever calls just then may be denied; the log goes on.
    drop(log.append(signed.fixture.allow("ada")).await);
    log.append(signed.fixture.allow("ada")).await.unwrap();
    log.close().await;
    assert_eq!(signed.fixture.number("SELECT max(seq) - count(*) FROM audit_events").await, 0);
    signed.fixture.pool.close().await;
    let found = found(&signed.verify(signed.url()).await);
    assert!(found.contains(&(FindingKind::ForeignRow, 21, None)), "{found:?}");
}

async fn rows_that_vanish_beneath_a_log_leave_a_gap(fixture: Fixture) {
    let signed = Signed::on(fixture);
    let log = signed.log().await;
    signed.append(&log, 20).await;
    run_on(&signed.fixture.pool, "DELETE FROM audit_events WHERE seq > 15").await;
    log.append(signed.fixture.allow("ada")).await.unwrap();
    log.close().await;
    signed.fixture.pool.close().await;
    let found = found(&signed.verify(signed.url()).await);
    assert!(found.contains(&(FindingKind::RowMissing, 16, Some(20))), "{found:?}");
}

async fn tiles_that_are_missing_are_made_anew(fixture: Fixture) {
    let signed = Signed::on(fixture);
    let log = signed.log().await;
    signed.append(&log, 600).await;
    log.close().await;
    run_on(&signed.fixture.pool, "DELETE FROM audit_tiles").await;
    let log = signed.log().await;
    assert!(!log.stats().diverged);
    signed.append(&log, 601).await;
    log.close().await;
    assert_eq!(signed.fixture.number("SELECT count(*) FROM audit_tiles").await, 2);
    signed.fixture.pool.close().await;
    assert!(signed.verify(signed.url()).await.is_clean());
}

async fn a_log_without_a_tree_is_told_as_such(fixture: Fixture) {
    let signed = Signed::on(fixture);
    let options = systemprompt_audit::AuditOptions { merkle: false, ..signed.fixture.options() };
    let log = AuditLog::open(&signed.fixture.pool, options).await.unwrap();
    signed.append(&log, 300).await;
    assert!(log.verifier_key().is_none());
    log.close().await;
    assert_eq!(signed.fixture.number("SELECT count(*) FROM audit_tiles").await, 0);
    signed.fixture.pool.close().await;
    let report = verify_with(signed.url(), &Default::default()).await;
    assert_eq!(found(&report), [(FindingKind::TreeChanged, 1, Some(256))]);
}
