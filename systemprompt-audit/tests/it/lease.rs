use systemprompt_audit::{AuditLog, AuditOptions, OpenError};
use systemprompt_core::contract::AuditSink as _;

use crate::fixture::{Fixture, LIFETIME};

#[tokio::test]
async fn a_second_writer_is_told_who_holds_the_log() {
    let fixture = Fixture::sqlite().await;
    let log = fixture.log().await;
    let refused = AuditLog::open(&fixture.pool, fixture.options()).await.unwrap_err();
    let OpenError::Held { origin, holder } = &refused else { panic!("{refused}") };
    assert_eq!(origin, log.origin());
    assert!(holder.contains(&std::process::id().to_string()), "{holder}");
    assert!(refused.to_string().contains("is already being written by process"), "{refused}");

    let other = AuditOptions { origin: Some("replica-2".parse().unwrap()), ..fixture.options() };
    let other = AuditLog::open(&fixture.pool, other).await.unwrap();
    other.append(fixture.allow("ada")).await.unwrap();
    log.append(fixture.allow("ada")).await.unwrap();
    assert_eq!(fixture.number("SELECT sum(seq) FROM audit_events").await, 2);

    log.close().await;
    fixture.log().await;
}

#[tokio::test]
async fn permits_of_a_former_origin_are_swept_once_its_writer_is_gone() {
    let fixture = Fixture::sqlite().await;
    let options = AuditOptions { origin: Some("former".parse().unwrap()), ..fixture.options() };
    let former = AuditLog::open(&fixture.pool, options).await.unwrap();
    former.append(fixture.allow("ada")).await.unwrap();
    let log = fixture.log().await;
    fixture.clock.advance(LIFETIME * 2);
    assert_eq!(log.sweep().await.unwrap(), 0, "its own writer sweeps it");
    former.close().await;
    assert_eq!(log.sweep().await.unwrap(), 1);
    assert_eq!(log.sweep().await.unwrap(), 0);
}
