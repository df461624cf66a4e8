//! Outcomes without permission, twice, and permits that nobody has closed.

use std::time::Duration;

use systemprompt_audit::verify::{FindingKind, VerifyOptions};
use systemprompt_core::contract::AuditSink as _;
use systemprompt_core::decision::OutcomeStatus;
use systemprompt_core::event::{AuditBody, AuditEvent, EventKind, OutcomeBody};
use systemprompt_core::id::PermitId;

use crate::fixture::{decision, principal, success};
use crate::signed::{Signed, found, verify_with};

fn outcome(signed: &Signed, permit: PermitId) -> AuditEvent {
    let mut event = signed.fixture.allow("ada");
    event.body = AuditBody::Outcome(Box::new(OutcomeBody { permit, outcome: success() }));
    event
}

#[tokio::test]
async fn an_outcome_needs_its_permission_and_settles_it_once() {
    let signed = Signed::new().await;
    let log = signed.log().await;
    let denied = decision(
        &principal("acme", "ada"),
        signed.fixture.now(),
        systemprompt_core::event::Verdict::Deny,
    );
    let (allowed, denied_id) = (signed.fixture.allow("ada"), PermitId::from(denied.id));
    let allowed_id = PermitId::from(allowed.id);
    log.append_all(vec![allowed, denied]).await.unwrap();
    let before = i64::try_from(log.stats().last_seq).unwrap();
    log.append(outcome(&signed, PermitId::generate())).await.unwrap();
    log.append(outcome(&signed, denied_id)).await.unwrap();
    log.append(outcome(&signed, allowed_id)).await.unwrap();
    let drop_index = sqlx::raw_sql("DROP INDEX audit_events_outcome");
    drop_index.execute(signed.fixture.pool.sqlite().unwrap()).await.unwrap();
    log.append(outcome(&signed, allowed_id)).await.unwrap();
    log.close().await;
    signed.fixture.pool.close().await;
    let report = signed.verify(&signed.fixture.path()).await;
    assert_eq!(
        found(&report),
        [
            // The index that had to go for this.
            (FindingKind::TableChanged, -1, None),
            (FindingKind::OutcomeWithoutPermit, before + 1, None),
            (FindingKind::OutcomeWithoutPermit, before + 2, None),
            (FindingKind::OutcomeTwice, before + 4, None),
        ]
    );
    assert!(!report.completeness);
}

#[tokio::test]
async fn open_and_abandoned_permits_are_counted() {
    let signed = Signed::new().await;
    let log = signed.log().await;
    for _ in 0..3 {
        log.append(signed.fixture.allow("ada")).await.unwrap();
    }
    signed.fixture.clock.advance(Duration::from_secs(1000));
    log.append(signed.fixture.allow("ada")).await.unwrap();
    assert_eq!(log.sweep().await.unwrap(), 3);
    log.close().await;
    signed.fixture.pool.close().await;
    let report = signed.verify(&signed.fixture.path()).await;
    assert!(report.is_clean(), "{:?}", report.findings);
    assert_eq!((report.open_permits, report.abandoned_permits), (1, 3));
    assert_eq!(OutcomeStatus::Abandoned.as_str(), "abandoned");
}

#[tokio::test]
async fn a_permit_that_a_later_run_has_not_closed_is_a_finding() {
    let signed = Signed::new().await;
    let log = signed.log().await;
    log.append(signed.fixture.allow("ada")).await.unwrap();
    let seq = i64::try_from(log.stats().last_seq).unwrap();
    let started = |at| AuditEvent::system(at, EventKind::ServerStarted, serde_json::json!({}));
    signed.fixture.clock.advance(Duration::from_secs(1000));
    log.append(started(signed.fixture.now())).await.unwrap();
    let clean = |report: &systemprompt_audit::verify::Report| report.is_clean();
    // A run that has just begun may still close it.
    log.close().await;
    let report = signed.verify_live().await;
    assert!(clean(&report), "{:?}", report.findings);
    let log = signed.log().await;
    signed.fixture.clock.advance(Duration::from_secs(7200));
    log.append(started(signed.fixture.now())).await.unwrap();
    signed.fixture.clock.advance(Duration::from_secs(7200));
    log.append(decision(
        &principal("acme", "ada"),
        signed.fixture.now(),
        systemprompt_core::event::Verdict::Deny,
    ))
    .await
    .unwrap();
    log.close().await;
    let report = signed.verify_live().await;
    assert_eq!(found(&report), [(FindingKind::PermitLeftOpen, seq, None)]);
}

#[tokio::test]
async fn an_abandonment_that_was_deleted_is_missed_twice() {
    let signed = Signed::new().await;
    let log = signed.log().await;
    log.append(signed.fixture.allow("ada")).await.unwrap();
    let seq = i64::try_from(log.stats().last_seq).unwrap();
    signed.fixture.clock.advance(Duration::from_secs(1000));
    log.sweep().await.unwrap();
    // Its place is in the past of the sweep now.
    log.append(signed.fixture.allow("ada")).await.unwrap();
    log.sweep().await.unwrap();
    log.close().await;
    let delete = sqlx::raw_sql("DELETE FROM audit_events WHERE kind = 'outcome'");
    delete.execute(signed.fixture.pool.sqlite().unwrap()).await.unwrap();
    let found = found(&signed.verify_live().await);
    assert_eq!(
        found,
        [(FindingKind::RowMissing, seq + 1, None), (FindingKind::PermitLeftOpen, seq, None)]
    );
}

impl Signed {
    /// Verifies the database while it is open.
    async fn verify_live(&self) -> systemprompt_audit::verify::Report {
        let outside = Some(systemprompt_audit::verify::Outside::read(&self.outside()).unwrap());
        let options = VerifyOptions { outside, ..VerifyOptions::default() };
        verify_with(&self.fixture.path(), &options).await
    }
}
