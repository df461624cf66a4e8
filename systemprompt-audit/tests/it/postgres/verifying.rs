//! Verification needs no more than to read, and much can be done beside it.

use sqlx::AssertSqlSafe;
use systemprompt_audit::proof::{WhichEvent, prove};
use systemprompt_audit::verify::{AuditSource, VerifyOptions, verify};

use crate::fixture::Fixture;
use crate::signed::{Signed, open};

#[tokio::test]
async fn a_role_that_may_only_read_verifies_and_proves() {
    let signed = Signed::of(Fixture::postgres().await, 300).await;
    let pool = open(&signed.url()).await;
    let role = format!("auditor_{}", std::process::id());
    let sql = format!(
        "DROP ROLE IF EXISTS {role}; CREATE ROLE {role} LOGIN PASSWORD 'only to read';
         GRANT SELECT ON audit_events, audit_logs, audit_tiles, audit_checkpoints, audit_pruned
             TO {role}"
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(pool.postgres().unwrap()).await.unwrap();
    let url = signed.url();
    let (scheme, rest) = url.split_once("://").unwrap();
    let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    let mut source =
        AuditSource::open(&format!("{scheme}://{role}:only%20to%20read@{place}")).await.unwrap();
    let options = VerifyOptions { keys: vec![signed.key()], ..VerifyOptions::default() };
    let report = verify(&mut source, &options, &mut |_| {}).await.unwrap();
    assert!(report.is_clean() && report.proven, "{:?}", report.findings);
    assert_eq!(report.rows, 300);
    let origin = report.logs[0].origin.clone();
    let proof = prove(&mut source, &WhichEvent::Place { origin, seq: 7 }, true).await.unwrap();
    assert_eq!(proof.verify(&[signed.key()]).unwrap().seq, 7);
    drop(source);
    let sql = format!("DROP OWNED BY {role}; DROP ROLE {role}");
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(pool.postgres().unwrap()).await.unwrap();
    pool.close().await;
}
