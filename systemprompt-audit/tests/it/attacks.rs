//! What somebody with SQL access does to the log is found and named.

use systemprompt_audit::verify::{FindingKind, Outside, VerifyOptions};
use systemprompt_core::contract::AuditSink as _;

use crate::fixture::open;
use crate::signed::{Signed, found, run, verify_with};

use FindingKind::{
    BadSignature, CheckpointChanged, ForeignRow, Forked, HistoryChanged, RowChanged, RowMissing,
    TableChanged, TailMissing, TreeChanged,
};

/// One tile and a tail.
const EVENTS: usize = 300;

#[tokio::test]
async fn a_log_that_nobody_touched_is_clean() {
    let signed = Signed::of(EVENTS).await;
    let report = signed.verify(&signed.fixture.path()).await;
    assert!(report.is_clean(), "{:?}", report.findings);
    assert!(report.proven && report.integrity && report.completeness);
    let log = &report.logs[0];
    assert_eq!((report.rows, log.rows, log.last_seq, log.signed_to), (300, 300, 300, 300));
    // In the database and outside: every 50 events or a few more, and at the end.
    assert!(log.checkpoints >= 6, "{}", log.checkpoints);
    assert_eq!(log.checkpoints, report.outside_checkpoints * 2);
    // Without anything from outside nothing is proven to anybody.
    let alone = verify_with(&signed.fixture.path(), &VerifyOptions::default()).await;
    assert!(alone.is_clean() && !alone.proven);
}

#[tokio::test]
async fn an_edit_of_any_column_is_found_and_named() {
    let signed = Signed::of(EVENTS).await;
    let pool = open(&signed.copy("columns.db")).await;
    let columns: Vec<(String, String)> =
        sqlx::query_as("SELECT name, type FROM pragma_table_info('audit_events')")
            .fetch_all(pool.sqlite().unwrap())
            .await
            .unwrap();
    pool.close().await;
    assert_eq!(columns.len(), 42);
    for (column, kind) in columns {
        // In a tile, and in the tail that is in none yet.
        for seq in [100, 290] {
            let changed = match &*kind {
                "INTEGER" => format!("coalesce({column}, 0) + 1000000"),
                "TEXT" => format!("coalesce({column}, '') || 'x'"),
                _ => "randomblob(16)".to_owned(),
            };
            let sql = format!("UPDATE audit_events SET {column} = {changed} WHERE seq = {seq}");
            let path = signed.tampered("edited.db", &sql).await;
            let report = signed.verify_inside(&path).await;
            let found = found(&report);
            let expected = match &*column {
                // The row has left its place.
                "seq" | "log_id" => (RowMissing, seq, None),
                _ => (RowChanged, seq, None),
            };
            assert!(found.contains(&expected), "{column} of {seq}: {found:?}");
            assert!(found.len() <= 3, "{column} of {seq}: {found:?}");
            if column == "tool" {
                assert!(!report.integrity && report.completeness);
                assert!(report.findings[0].event.is_some());
            }
        }
    }
}

#[tokio::test]
async fn a_value_that_becomes_null_is_found() {
    let signed = Signed::of(60).await;
    let sql = "UPDATE audit_events SET reason = NULL, user_agent = NULL WHERE seq = 10";
    let path = signed.tampered("null.db", sql).await;
    assert_eq!(found(&signed.verify(&path).await), [(RowChanged, 10, None)]);
}

#[tokio::test]
async fn deleted_rows_are_named() {
    let signed = Signed::of(EVENTS).await;
    let path = signed.tampered("one.db", "DELETE FROM audit_events WHERE seq = 120").await;
    let report = signed.verify(&path).await;
    let missing: Vec<_> = found(&report).into_iter().filter(|f| f.0 == RowMissing).collect();
    assert_eq!(missing, [(RowMissing, 120, None)]);
    assert!(report.integrity && !report.completeness, "{:?}", report.findings);
    let sql = "DELETE FROM audit_events WHERE seq BETWEEN 270 AND 275";
    let path = signed.tampered("some.db", sql).await;
    let report = signed.verify(&path).await;
    assert!(found(&report).contains(&(RowMissing, 270, Some(275))), "{:?}", report.findings);
}

#[tokio::test]
async fn swapped_rows_are_both_named() {
    let signed = Signed::of(EVENTS).await;
    let sql = "UPDATE audit_events SET seq = -1 WHERE seq = 20;
               UPDATE audit_events SET seq = 20 WHERE seq = 40;
               UPDATE audit_events SET seq = 40 WHERE seq = -1";
    let path = signed.tampered("swapped.db", sql).await;
    let found = found(&signed.verify(&path).await);
    assert_eq!(found, [(RowChanged, 20, None), (RowChanged, 40, None)]);
}

#[tokio::test]
async fn an_inserted_row_is_named() {
    let signed = Signed::of(EVENTS).await;
    let columns = "SELECT group_concat(name) FROM pragma_table_info('audit_events')
                   WHERE name NOT IN ('seq', 'id', 'kind')";
    let columns = signed.fixture_text(columns).await;
    for (seq, kind) in [(301, RowChanged), (-5, ForeignRow), (0, ForeignRow)] {
        let sql = format!(
            "INSERT INTO audit_events (seq, id, kind, {columns})
             SELECT {seq}, randomblob(16), 'tracked', {columns} FROM audit_events WHERE seq = 7"
        );
        let path = signed.tampered("inserted.db", &sql).await;
        let found = found(&signed.verify(&path).await);
        assert_eq!(found, [(kind, seq, None)]);
    }
}

#[tokio::test]
async fn a_tail_that_is_cut_off_is_found() {
    let signed = Signed::of(EVENTS).await;
    let cut = "DELETE FROM audit_events WHERE seq > 280";
    let path = signed.tampered("cut.db", cut).await;
    // The log itself remembers.
    let report = signed.verify_inside(&path).await;
    assert_eq!(found(&report), [(TailMissing, 281, Some(300))]);
    assert!(report.integrity && !report.completeness);
    // Made to forget, only what is outside knows.
    let forget = "DELETE FROM audit_events WHERE seq > 240; UPDATE audit_logs SET size = 0;
                  DELETE FROM audit_checkpoints WHERE size > 240; DELETE FROM audit_tiles";
    let path = signed.tampered("forgotten.db", forget).await;
    assert!(signed.verify_inside(&path).await.is_clean());
    let report = signed.verify(&path).await;
    assert_eq!(found(&report), [(TailMissing, 241, Some(300))]);
    // All of it.
    let all = "DELETE FROM audit_events; DELETE FROM audit_logs; DELETE FROM audit_tiles;
               DELETE FROM audit_checkpoints";
    let path = signed.tampered("all.db", all).await;
    assert_eq!(found(&signed.verify(&path).await), [(TailMissing, 1, Some(300))]);
}

#[tokio::test]
async fn a_restored_backup_is_found_and_so_is_its_fork() {
    let signed = Signed::new().await;
    let log = signed.log().await;
    signed.append(&log, 200).await;
    log.close().await;
    sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        .execute(signed.fixture.pool.sqlite().unwrap())
        .await
        .unwrap();
    let backup = signed.copy("backup.db");
    let log = signed.log().await;
    signed.append(&log, 300).await;
    log.close().await;
    signed.fixture.pool.close().await;
    assert!(signed.verify(&signed.fixture.path()).await.is_clean());

    let report = signed.verify(&backup).await;
    assert_eq!(found(&report), [(TailMissing, 201, Some(300))]);

    // A log that goes on from there says so, and is not signed: the two histories would be.
    let pool = open(&backup).await;
    let log = systemprompt_audit::AuditLog::open(&pool, signed.options()).await.unwrap();
    assert!(log.stats().diverged);
    for _ in 0..150 {
        log.append(signed.fixture.allow("eve")).await.unwrap();
    }
    assert_eq!(log.stats().checkpoints, 0);
    log.close().await;
    pool.close().await;
    let report = signed.verify(&backup).await;
    let [(Forked, from, Some(to))] = *found(&report) else { panic!("{:?}", report.findings) };
    assert!(from <= 201 && (201..=300).contains(&to), "{from} to {to}");
    // Inside there is nothing wrong with it.
    assert!(signed.verify_inside(&backup).await.is_clean());
}

#[tokio::test]
async fn a_log_that_was_tampered_with_is_not_signed_any_more() {
    let signed = Signed::of(EVENTS).await;
    // A row with its hash, in the tail, which no tile holds.
    let sql = "UPDATE audit_events SET leaf_hash = randomblob(32) WHERE seq = 270";
    run(&signed.fixture.path(), sql).await;
    let pool = open(&signed.fixture.path()).await;
    let log = systemprompt_audit::AuditLog::open(&pool, signed.options()).await.unwrap();
    assert!(log.stats().diverged);
    // Decisions go on.
    log.append(signed.fixture.allow("ada")).await.unwrap();
    log.close().await;
}

#[tokio::test]
async fn changes_of_the_stored_tree_are_told_from_changes_of_rows() {
    let signed = Signed::of(EVENTS).await;
    let tree = (TreeChanged, 1, Some(256));
    for sql in [
        "UPDATE audit_tiles SET root = randomblob(32)",
        "DELETE FROM audit_tiles",
        "UPDATE audit_tiles SET hashes = substr(hashes, 33)",
    ] {
        let path = signed.tampered("tiles.db", sql).await;
        let found = found(&signed.verify(&path).await);
        assert_eq!(found, [tree], "{sql}");
    }
    // The hash of row 3 in the tile: the checkpoints say that the row is right.
    let sql = "UPDATE audit_tiles
               SET hashes = CAST(substr(hashes, 1, 64) || randomblob(32) || substr(hashes, 97) AS BLOB)";
    let path = signed.tampered("hash.db", sql).await;
    let found = found(&signed.verify(&path).await);
    assert!(found.contains(&(TreeChanged, 3, None)), "{found:?}");
    assert!(found.iter().all(|finding| finding.0 == TreeChanged), "{found:?}");
}

#[tokio::test]
async fn forged_checkpoints_are_found() {
    let signed = Signed::of(EVENTS).await;
    let size =
        signed.fixture_number("SELECT max(size) FROM audit_checkpoints WHERE size < 290").await;
    for (sql, kind) in [
        ("UPDATE audit_checkpoints SET root = randomblob(32)", CheckpointChanged),
        ("UPDATE audit_checkpoints SET note = 'none'", CheckpointChanged),
        (
            "UPDATE audit_checkpoints SET note = replace(note, char(10) || size || char(10), char(10) || (size - 1) || char(10)), size = size - 1",
            BadSignature,
        ),
    ] {
        let path = signed.tampered("forged.db", &format!("{sql} WHERE size = {size}")).await;
        let found = found(&signed.verify_inside(&path).await);
        assert!(found.len() == 1 && found[0].0 == kind, "{sql}: {found:?}");
    }
    // Another key of the same name.
    let other = Signed {
        keys: systemprompt_audit::checkpoint::SigningKeys::new(crate::signed::signing_key(9)),
        ..Signed::new().await
    };
    let log = other.log().await;
    other.append(&log, 60).await;
    log.close().await;
    other.fixture.pool.close().await;
    let keys = vec![signed.key()];
    let options = VerifyOptions { keys, ..VerifyOptions::default() };
    let report = verify_with(&other.fixture.path(), &options).await;
    assert!(
        found(&report).iter().all(|finding| finding.0 == BadSignature),
        "{:?}",
        report.findings
    );
    assert!(!report.is_clean());
}

#[tokio::test]
async fn a_history_that_was_made_anew_does_not_match_the_checkpoints() {
    // Another log of the same name, with other events.
    let signed = Signed::of(EVENTS).await;
    let made = Signed::of(EVENTS).await;
    let from = made.fixture.path();
    let sql = format!(
        "ATTACH '{}' AS made;
         UPDATE audit_installation SET id = (SELECT id FROM made.audit_installation);
         DELETE FROM audit_events; INSERT INTO audit_events SELECT * FROM made.audit_events;
         DELETE FROM audit_tiles; INSERT INTO audit_tiles SELECT * FROM made.audit_tiles;
         UPDATE audit_logs SET origin = (SELECT origin FROM made.audit_logs);",
        from.display()
    );
    let path = signed.tampered("anew.db", &sql).await;
    // The checkpoints of the first under the name of the second: their notes give them away.
    let report = signed.verify_inside(&path).await;
    assert!(!report.integrity, "{:?}", report.findings);
    let report = signed.verify(&path).await;
    assert!(found(&report).iter().any(|finding| finding.0 == TailMissing), "{:?}", report.findings);
    // Under one name: a checkpoint in the database was signed over other rows.
    let sql =
        "DELETE FROM audit_tiles; UPDATE audit_events SET leaf_hash = zeroblob(32) WHERE seq = 290";
    let path = signed.tampered("leaf.db", sql).await;
    let kinds: Vec<_> = found(&signed.verify_inside(&path).await).iter().map(|f| f.0).collect();
    assert!(kinds.contains(&RowChanged) && kinds.contains(&TreeChanged), "{kinds:?}");
    assert!(!kinds.contains(&HistoryChanged), "the row itself is right: {kinds:?}");
}

#[tokio::test]
async fn a_table_without_types_is_reported() {
    let signed = Signed::of(60).await;
    let sql = "CREATE TABLE other AS SELECT * FROM audit_events;
               PRAGMA legacy_alter_table = ON; DROP VIEW governance_decisions;
               DROP VIEW tool_executions; DROP VIEW five_point_trace; DROP TABLE audit_events;
               ALTER TABLE other RENAME TO audit_events";
    let path = signed.tampered("loose.db", sql).await;
    let found = found(&signed.verify(&path).await);
    assert_eq!(found.first().map(|finding| finding.0), Some(TableChanged), "{found:?}");
}

#[tokio::test]
async fn verification_can_begin_at_a_checkpoint() {
    let signed = Signed::of(EVENTS).await;
    let size =
        signed.fixture_number("SELECT max(size) FROM audit_checkpoints WHERE size < 290").await;
    let since = |outside| VerifyOptions {
        since_checkpoint: Some(u64::try_from(size).unwrap()),
        outside: Some(outside),
        ..VerifyOptions::default()
    };
    let outside = || Outside::read(&signed.outside()).unwrap();
    let report = verify_with(&signed.fixture.path(), &since(outside())).await;
    assert!(report.is_clean(), "{:?}", report.findings);
    assert_eq!(report.rows, 300 - u64::try_from(size).unwrap());
    let path =
        signed.tampered("late.db", "UPDATE audit_events SET tool = 'x' WHERE seq = 295").await;
    assert_eq!(found(&verify_with(&path, &since(outside())).await), [(RowChanged, 295, None)]);
    // What the checkpoint covers is believed only as long as the tree is the one that was signed.
    let sql = "UPDATE audit_events SET leaf_hash = randomblob(32) WHERE seq = 260";
    let path = signed.tampered("early.db", sql).await;
    let found = found(&verify_with(&path, &since(outside())).await);
    assert!(found.contains(&(RowChanged, 260, None)), "{found:?}");
}

#[tokio::test]
async fn verification_leaves_nothing_behind() {
    let signed = Signed::of(60).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy.db");
    std::fs::copy(signed.fixture.path(), &path).unwrap();
    let mut permissions = std::fs::metadata(&path).unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(&path, permissions).unwrap();
    assert!(signed.verify(&path).await.is_clean());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

impl Signed {
    async fn fixture_number(&self, sql: &'static str) -> i64 {
        let pool = open(&self.copy("read.db")).await;
        let number = sqlx::query_scalar(sql).fetch_one(pool.sqlite().unwrap()).await.unwrap();
        pool.close().await;
        number
    }

    async fn fixture_text(&self, sql: &'static str) -> String {
        let pool = open(&self.copy("read.db")).await;
        let text = sqlx::query_scalar(sql).fetch_one(pool.sqlite().unwrap()).await.unwrap();
        pool.close().await;
        text
    }
}
