//! What somebody does to the tables of a log on a server is found and named.

use systemprompt_audit::verify::FindingKind;

use crate::fixture::Fixture;
use crate::signed::Signed;

#[tokio::test]
async fn what_was_installed_around_the_rows_is_held_against_what_is_there() {
    let signed = Signed::of(Fixture::postgres().await, 60).await;
    assert!(signed.verify(signed.url()).await.is_clean());
    for (object, sql) in [
        ("audit_events_trace", "DROP INDEX audit_events_trace"),
        (
            "audit_events_position",
            "DROP INDEX audit_events_position;
             CREATE INDEX audit_events_position ON audit_events (log_id, seq)",
        ),
        (
            "audit_events_position",
            "DROP INDEX audit_events_position;
             CREATE UNIQUE INDEX audit_events_position ON audit_events (log_id, seq)
             WHERE seq <> 20",
        ),
        (
            "audit_tiles_position",
            "UPDATE pg_index SET indisvalid = false
             WHERE indexrelid = 'audit_tiles_position'::regclass",
        ),
        (
            "swallow",
            "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN RETURN NULL; END $$;
             CREATE TRIGGER swallow BEFORE INSERT ON audit_events
             FOR EACH ROW WHEN (NEW.decision = 'deny') EXECUTE FUNCTION swallow()",
        ),
        ("hide", "CREATE RULE hide AS ON DELETE TO audit_events DO INSTEAD NOTHING"),
        ("audit_events", "ALTER TABLE audit_events ADD COLUMN more text"),
        ("audit_events", "ALTER TABLE audit_events ALTER COLUMN occurred_at DROP NOT NULL"),
        ("audit_checkpoints", "ALTER TABLE audit_checkpoints SET UNLOGGED"),
        ("audit_events", "CREATE TABLE more () INHERITS (audit_events)"),
        ("audit_logs", "ALTER TABLE audit_logs ENABLE ROW LEVEL SECURITY"),
    ] {
        let copy = signed.tampered("", sql).await;
        let report = signed.verify(copy.url()).await;
        let named = report.findings.iter().any(|finding| {
            finding.kind == FindingKind::TableChanged
                && finding.detail.contains(&format!("`{object}`"))
        });
        assert!(named && !report.integrity, "{sql}: {:?}", report.findings);
    }
    // An index of the customer's own is nobody's business.
    let copy = signed.tampered("", "CREATE INDEX mine ON audit_events (department)").await;
    assert!(signed.verify(copy.url()).await.is_clean());
}

#[tokio::test]
async fn a_text_in_a_form_that_the_log_does_not_write_is_found() {
    let signed = Signed::of(Fixture::postgres().await, 20).await;
    // Read back, it would be the text that was written.
    let sql = "UPDATE audit_events SET user_agent = chr(26) || 'x' WHERE seq = 10";
    let copy = signed.tampered("", sql).await;
    let report = signed.verify(copy.url()).await;
    assert_eq!(report.findings[0].kind, FindingKind::RowChanged);
    assert_eq!(report.findings[0].seq, Some(10));
}

#[tokio::test]
async fn names_that_the_owner_puts_before_the_servers_own_change_nothing() {
    let signed = Signed::of(Fixture::postgres().await, 60).await;
    let copy = signed
        .tampered(
            "",
            "UPDATE audit_events SET tool = 'x' WHERE seq = 30;
             CREATE SCHEMA evil;
             CREATE FUNCTION evil.always(bigint, bigint) RETURNS boolean LANGUAGE sql AS
                 $$ SELECT pg_catalog.int8gt($1, $2) AND $1 <> 30 $$;
             CREATE OPERATOR evil.> (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = evil.always);
             CREATE VIEW evil.audit_logs AS SELECT * FROM public.audit_logs LIMIT 0;
             DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = evil, pg_catalog, public',
                                        current_database()); END $$",
        )
        .await;
    let report = signed.verify(copy.url()).await;
    let found =
        report.findings.iter().any(|it| it.kind == FindingKind::RowChanged && it.seq == Some(30));
    assert!(found, "{:?}", report.findings);
}
