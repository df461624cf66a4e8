//! What a receiver does not take at once, or not at all.

use std::collections::BTreeSet;
use std::time::Duration;

use systemprompt_audit::export::{Exporter, Format};
use systemprompt_core::contract::AuditSink as _;

use super::delivery::{append, folder, http, stats, until};
use super::receiver::{Answer, Receiver};
use crate::fixture::Fixture;

const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_batch_that_is_too_large_is_halved_until_it_fits() {
    let fixture = Fixture::sqlite().await;
    let log = fixture.log().await;
    append(&fixture, &log, 100).await;
    let receiver = Receiver::new([], Answer::AtMost(7)).await;
    let settings = http(&fixture, Format::JsonLines, &receiver.url);
    let exporter = Exporter::start(&fixture.pool, vec![settings]).unwrap();
    exporter.stop(PATIENCE).await;
    assert_eq!(receiver.places(), (1..=100).collect::<Vec<_>>());
    assert_eq!(stats(&exporter).rejected, 0);
    log.close().await;
}

#[tokio::test]
async fn an_event_that_the_receiver_never_takes_is_set_aside_and_the_rest_arrives() {
    let fixture = Fixture::sqlite().await;
    let log = fixture.log().await;
    append(&fixture, &log, 60).await;
    log.append(fixture.allow("poison")).await.unwrap();
    append(&fixture, &log, 60).await;
    let receiver = Receiver::new([], Answer::Unless("poison".to_owned())).await;
    let settings = http(&fixture, Format::JsonLines, &receiver.url);
    let exporter = Exporter::start(&fixture.pool, vec![settings]).unwrap();
    until("setting aside", || stats(&exporter).rejected == 1).await;
    exporter.stop(PATIENCE).await;
    let expected: Vec<_> = (1..=121).filter(|seq| *seq != 61).collect();
    assert_eq!(receiver.places(), expected);
    assert_eq!(stats(&exporter).rejected, 1);
    let kept = folder(&fixture, "siem").join("rejected.lines");
    let kept = std::fs::read_to_string(kept).unwrap();
    assert_eq!(kept.lines().count(), 1);
    assert!(kept.contains("\"user_id\":\"poison\""), "{kept}");
    log.close().await;
}

#[tokio::test]
async fn a_receiver_that_refuses_everything_gets_everything_once_it_does_not() {
    let fixture = Fixture::sqlite().await;
    let log = fixture.log().await;
    append(&fixture, &log, 20).await;
    let receiver = Receiver::new([], Answer::Status(400, "")).await;
    let settings = http(&fixture, Format::JsonLines, &receiver.url);
    let exporter = Exporter::start(&fixture.pool, vec![settings]).unwrap();
    until("many refusals", || stats(&exporter).failures > 60).await;
    assert_eq!(stats(&exporter).rejected, 0);
    receiver.then(Answer::Accept);
    // Those that were refused just before may come last.
    let arrived = || receiver.places().into_iter().collect::<BTreeSet<_>>();
    until("arrival", || arrived() == (1..=20).collect()).await;
    assert_eq!(stats(&exporter).rejected, 0);
    exporter.stop(PATIENCE).await;
    log.close().await;
}
