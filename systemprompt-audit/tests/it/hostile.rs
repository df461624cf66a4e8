//! What somebody does who makes table, index and schema disagree, or writes what breaks a verifier.

use FindingKind::{ForeignRow, RowChanged, RowMissing, TableChanged, TailMissing};
use systemprompt_audit::verify::{AuditSource, FindingKind, Outside, VerifyOptions, verify};

use crate::fixture::{Fixture, on_both};
use crate::signed::{Signed, found, verify_with};

on_both! {
    #[tokio::test]
    a_row_at_a_place_beyond_all_counting_is_a_finding;
    #[tokio::test(flavor = "multi_thread")]
    what_is_appended_meanwhile_is_left_to_the_next_time;
    #[tokio::test]
    damaged_records_outside_are_counted;
}

/// One tile and a tail.
const EVENTS: usize = 300;

/// Gives an index that was built without some of its rows the text it had before.
const RESTORED: &str = "PRAGMA writable_schema = ON;
    UPDATE sqlite_master SET sql = (SELECT sql FROM kept WHERE kept.name = sqlite_master.name)
    WHERE name IN (SELECT name FROM kept);
    PRAGMA writable_schema = RESET; DROP TABLE kept;";

/// Verifies what `sql` makes of the log, which must be found and named.
async fn found_in_the_table(signed: &Signed, sql: &str, object: &str) {
    let copy = signed.tampered("table.db", sql).await;
    let report = signed.verify(copy.url()).await;
    let named = report.findings.iter().any(|finding| {
        finding.kind == TableChanged && finding.detail.contains(&format!("`{object}`"))
    });
    assert!(named && !report.integrity, "{sql}: {:?}", report.findings);
}

#[tokio::test]
async fn a_row_that_is_in_the_table_but_not_in_its_index_is_found() {
    let signed = Signed::of(Fixture::sqlite().await, EVENTS).await;
    // A row at a place of its own, and one that readers are shown instead of another.
    for seq in [301, 150] {
        let sql = format!(
            "CREATE TABLE kept AS SELECT name, sql FROM sqlite_master
             WHERE name = 'audit_events_position';
             CREATE TABLE forged AS SELECT * FROM audit_events WHERE seq = 150;
             UPDATE forged SET seq = {seq}, id = randomblob(16), salt = x'00', user_id = 'bob';
             DROP INDEX audit_events_position;
             CREATE UNIQUE INDEX audit_events_position ON audit_events (log_id, seq)
             WHERE salt <> x'00';
             INSERT INTO audit_events SELECT * FROM forged; DROP TABLE forged; {RESTORED}"
        );
        found_in_the_table(&signed, &sql, "audit_events").await;
    }
}

#[tokio::test]
async fn a_row_that_a_search_does_not_come_upon_is_found() {
    let signed = Signed::of(Fixture::sqlite().await, EVENTS).await;
    for (table, unique, index, on, without) in [
        ("audit_events", "", "audit_events_time", "occurred_at, log_id, seq", "seq <> 150"),
        ("audit_tiles", "UNIQUE", "audit_tiles_position", "log_id, level, idx", "idx <> 0"),
        ("audit_checkpoints", "", "audit_checkpoints_size", "log_id, size", "size < 250"),
    ] {
        let sql = format!(
            "CREATE TABLE kept AS SELECT name, sql FROM sqlite_master WHERE name = '{index}';
             DROP INDEX {index};
             CREATE {unique} INDEX {index} ON {table} ({on}) WHERE {without}; {RESTORED}"
        );
        found_in_the_table(&signed, &sql, table).await;
    }
}

#[tokio::test]
async fn what_was_installed_around_the_rows_is_held_against_what_is_there() {
    let signed = Signed::of(Fixture::sqlite().await, 60).await;
    for (object, sql) in [
        (
            "governance_decisions",
            "PRAGMA writable_schema = ON;
             UPDATE sqlite_master SET sql = sql || ' AND e.decision = ''allow'' '
             WHERE name = 'governance_decisions'; PRAGMA writable_schema = RESET",
        ),
        ("tool_executions", "DROP VIEW tool_executions"),
        ("audit_events_trace", "DROP INDEX audit_events_trace"),
        (
            "swallow",
            "CREATE TRIGGER swallow BEFORE INSERT ON audit_events WHEN NEW.decision = 'deny'
             BEGIN SELECT raise(IGNORE); END",
        ),
    ] {
        found_in_the_table(&signed, sql, object).await;
    }
}

async fn a_row_at_a_place_beyond_all_counting_is_a_finding(fixture: Fixture) {
    let signed = Signed::of(fixture, EVENTS).await;
    for seq in [i64::MAX, i64::MAX - 1, i64::MAX - 4096, i64::MIN, 0, -1] {
        for of in [100, 300] {
            let sql = format!("UPDATE audit_events SET seq = {seq} WHERE seq = {of}");
            let copy = signed.tampered("far.db", &sql).await;
            let found = found(&signed.verify(copy.url()).await);
            assert!(found.contains(&(ForeignRow, seq, None)), "{seq} of {of}: {found:?}");
            let gone = if of == 300 { TailMissing } else { RowMissing };
            assert!(found.contains(&(gone, of, None)), "{seq} of {of}: {found:?}");
        }
    }
    // Further than anything, and still a place.
    let far = i64::MAX / 2;
    let sql = format!("UPDATE audit_events SET seq = {far} WHERE seq = 300");
    let copy = signed.tampered("far.db", &sql).await;
    let found = found(&signed.verify(copy.url()).await);
    assert!(found.contains(&(RowChanged, far, None)), "{found:?}");
    // The same of what else is counted: nothing breaks.
    for sql in [
        format!("UPDATE audit_logs SET size = {}", i64::MAX),
        format!("UPDATE audit_logs SET swept_to = {}, size = {}", i64::MAX, i64::MIN),
        format!("UPDATE audit_checkpoints SET size = {} WHERE size = 300", i64::MAX),
        format!("UPDATE audit_tiles SET idx = {}", i64::MAX),
        format!("UPDATE audit_tiles SET level = {}", i64::MAX),
    ] {
        let copy = signed.tampered("counted.db", &sql).await;
        signed.verify(copy.url()).await;
    }
}

async fn what_is_appended_meanwhile_is_left_to_the_next_time(fixture: Fixture) {
    let signed = Signed::on(fixture);
    let log = signed.log().await;
    signed.append(&log, 120).await;
    let mut source = AuditSource::open(&signed.url()).await.unwrap();
    let options = VerifyOptions { keys: vec![signed.key()], ..VerifyOptions::default() };
    let before = log.stats().checkpoints;
    let mut meanwhile = |_| {
        let append = signed.append(&log, 700);
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(append));
    };
    let report = verify(&mut source, &options, &mut meanwhile).await.unwrap();
    assert!(log.stats().checkpoints > before);
    assert!(report.is_clean(), "{:?}", report.findings);
    // The same source sees the rest.
    let after = verify(&mut source, &options, &mut |_| {}).await.unwrap();
    assert!(after.is_clean(), "{:?}", after.findings);
    assert!(after.rows >= 700 && report.rows < 130, "{} {}", report.rows, after.rows);
    log.close().await;
}

async fn damaged_records_outside_are_counted(fixture: Fixture) {
    let signed = Signed::of(fixture, 60).await;
    let text = std::fs::read_to_string(signed.outside()).unwrap();
    let path = signed.fixture.folder.path().join("damaged.log");
    std::fs::write(&path, format!("{text}{{\"size\":\nwhat\n")).unwrap();
    let outside = Some(Outside::read(&path).unwrap());
    let options = VerifyOptions { outside, ..VerifyOptions::default() };
    let report = verify_with(signed.url(), &options).await;
    assert_eq!(report.outside_damaged, 2);
    assert!(report.is_clean() && report.outside_checkpoints > 0);
    assert_eq!(signed.verify(signed.url()).await.outside_damaged, 0);
    // When no checkpoint is left it is no file of checkpoints.
    let key = text.lines().next().unwrap();
    std::fs::write(&path, format!("{key}\n{{\"size\":\n")).unwrap();
    assert!(Outside::read(&path).is_err());
}
