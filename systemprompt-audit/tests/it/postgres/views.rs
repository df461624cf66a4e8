//! Views that somebody has made to show something else are found and named.

use systemprompt_audit::verify::{FindingKind, Report};

use crate::fixture::Fixture;
use crate::signed::{Signed, run, verify_with};

/// Statements that take the text of a view, change it and put it in its place.
fn redefined(view: &str, change: &str) -> String {
    format!(
        "DO $do$ DECLARE def text := rtrim(pg_get_viewdef('{view}'::regclass), ' ;');
         BEGIN EXECUTE 'CREATE OR REPLACE VIEW {view} AS ' || {change}; END $do$"
    )
}

fn named(report: &Report, object: &str) -> bool {
    let of = |finding: &systemprompt_audit::verify::Finding| {
        finding.kind == FindingKind::TableChanged && finding.detail.contains(&format!("`{object}`"))
    };
    report.findings.iter().any(of) && !report.integrity
}

#[tokio::test]
async fn a_view_that_hides_or_changes_rows_is_found() {
    let signed = Signed::of(Fixture::postgres().await, 60).await;
    assert!(signed.verify(signed.url()).await.is_clean());
    let hiding =
        |view: &str, condition: &str| redefined(view, &format!("def || $$ AND {condition}$$"));
    for (object, sql) in [
        ("governance_decisions", hiding("governance_decisions", "e.user_id <> 'mallory'")),
        ("tool_executions", hiding("tool_executions", "o.user_id IS DISTINCT FROM 'mallory'")),
        ("five_point_trace", hiding("five_point_trace", "d.seq <> 7")),
        ("ai_requests", hiding("ai_requests", "e.tenant_id <> 'acme'")),
        // To the auditor it looks as ever.
        ("governance_decisions", hiding("governance_decisions", "current_user <> 'dashboard'")),
        ("governance_decisions", redefined("governance_decisions", "def || ' LIMIT 1000000'")),
        (
            "governance_decisions",
            redefined(
                "governance_decisions",
                "replace(def, 'e.user_id,', $$CASE e.user_id
                 WHEN 'mallory' THEN 'ada' ELSE e.user_id END AS user_id,$$)",
            ),
        ),
        // Two columns have changed their places.
        (
            "governance_decisions",
            "ALTER VIEW governance_decisions RENAME COLUMN user_id TO x;
             ALTER VIEW governance_decisions RENAME COLUMN tenant_id TO user_id;
             ALTER VIEW governance_decisions RENAME COLUMN x TO tenant_id"
                .to_owned(),
        ),
        // Code that says it is immutable would be run, and vanish, while a statement is planned.
        (
            "governance_decisions",
            format!(
                "CREATE FUNCTION shown() RETURNS boolean IMMUTABLE LANGUAGE sql AS
                     $$ SELECT current_user <> 'dashboard' $$; {}",
                hiding("governance_decisions", "shown()")
            ),
        ),
        (
            "governance_decisions",
            format!(
                "CREATE FUNCTION same(int, int) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS
                     $$ BEGIN RETURN current_user <> 'dashboard'; END $$;
                 CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = same); {}",
                hiding("governance_decisions", "1 === 1")
            ),
        ),
        (
            "governance_decisions",
            format!(
                "CREATE TABLE other AS SELECT * FROM audit_events WHERE seq < 10; {}",
                redefined("governance_decisions", "replace(def, 'audit_events', 'other')")
            ),
        ),
        (
            "governance_decisions",
            "CREATE TABLE copied AS SELECT * FROM governance_decisions LIMIT 3;
             DROP VIEW governance_decisions;
             ALTER TABLE copied RENAME TO governance_decisions"
                .to_owned(),
        ),
        ("tool_executions", "DROP VIEW tool_executions".to_owned()),
        ("ai_requests", "ALTER VIEW ai_requests SET (security_barrier = true)".to_owned()),
        ("kept", "CREATE RULE kept AS ON INSERT TO ai_requests DO INSTEAD NOTHING".to_owned()),
        (
            "swallow",
            "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN RETURN NULL; END $$;
             CREATE TRIGGER swallow INSTEAD OF DELETE ON ai_requests
             FOR EACH ROW EXECUTE FUNCTION swallow()"
                .to_owned(),
        ),
        (
            "evil.governance_decisions",
            "CREATE SCHEMA evil;
             CREATE VIEW evil.governance_decisions AS
                 SELECT * FROM public.governance_decisions WHERE user_id <> 'mallory';
             DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = evil, public',
                                        current_database()); END $$"
                .to_owned(),
        ),
        // Row security that is not on yet.
        ("mine", "CREATE POLICY mine ON audit_events USING (user_id <> 'mallory')".to_owned()),
    ] {
        let copy = signed.tampered("", &sql).await;
        let report = signed.verify(copy.url()).await;
        assert!(named(&report, object), "{sql}: {:?}", report.findings);
    }
}

#[tokio::test]
async fn a_view_that_was_made_again_as_it_was_is_the_same() {
    let signed = Signed::of(Fixture::postgres().await, 60).await;
    // As a dump that is read back makes it, and with other statistics.
    for view in ["governance_decisions", "tool_executions", "ai_requests", "five_point_trace"] {
        run(signed.url(), &redefined(view, "def")).await;
    }
    run(signed.url(), "ANALYZE").await;
    let report = signed.verify(signed.url()).await;
    assert!(report.is_clean(), "{:?}", report.findings);
    // What is the customer's own is nobody's business.
    let sql = "CREATE VIEW mine AS SELECT * FROM governance_decisions WHERE user_id = 'ada';
               GRANT SELECT ON governance_decisions TO PUBLIC";
    let copy = signed.tampered("", sql).await;
    assert!(signed.verify(copy.url()).await.is_clean());
    assert!(verify_with(copy.url(), &Default::default()).await.is_clean());
}
