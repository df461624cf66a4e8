//! Every event arrives, in the order of its log, whatever the receiver does.

use std::time::Duration;

use serde_json::Value;
use systemprompt_audit::export::{
    Destination, Exporter, FileSettings, Format, HttpSettings, SinkSettings, SinkStats, StartAt,
};
use systemprompt_audit::{AuditLog, append_in};
use systemprompt_core::contract::AuditSink as _;
use systemprompt_core::event::{AuditEvent, EventKind};
use systemprompt_core::secret::Secret;

use super::receiver::{Answer, Receiver};
use crate::fixture::{Fixture, on_both};

on_both! {
    #[tokio::test]
    what_was_written_while_the_receiver_was_down_arrives_later;
    #[tokio::test]
    a_receiver_that_fails_in_every_way_gets_everything_in_the_end;
    #[tokio::test]
    a_receiver_is_not_asked_again_before_the_time_it_named;
    #[tokio::test]
    a_sink_goes_on_where_it_was_and_ids_stay;
    #[tokio::test]
    an_unordered_end_repeats_events_but_loses_none;
    #[tokio::test]
    all_logs_of_the_database_are_exported;
    #[tokio::test]
    a_new_sink_can_begin_at_the_end;
    #[tokio::test]
    a_second_process_stands_by_until_the_first_has_ended;
}

/// Longest that anything here may take.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn http(fixture: &Fixture, format: Format, url: &str) -> SinkSettings {
    let settings = HttpSettings {
        url: Secret::new(url.to_owned()),
        headers: vec![("X-Token".to_owned(), Secret::new("t0ken".to_owned()))],
        gzip: false,
        timeout: Duration::from_secs(10),
        splunk_ack: false,
    };
    quick(SinkSettings::new("siem", format, Destination::Http(settings), folder(fixture, "siem")))
}

pub(crate) fn file(fixture: &Fixture) -> SinkSettings {
    let path = fixture.folder.path().join("audit.jsonl");
    let settings = FileSettings { path, rotate_bytes: 1 << 30, keep: 3, sync: true };
    let to = Destination::File(settings);
    quick(SinkSettings::new("file", Format::JsonLines, to, folder(fixture, "file")))
}

pub(crate) fn quick(mut settings: SinkSettings) -> SinkSettings {
    settings.poll = Duration::from_millis(5);
    settings.backoff_first = Duration::from_millis(2);
    settings.backoff_longest = Duration::from_millis(20);
    settings
}

pub(crate) fn folder(fixture: &Fixture, sink: &str) -> std::path::PathBuf {
    fixture.folder.path().join("spool").join(sink)
}

pub(crate) async fn append(fixture: &Fixture, log: &AuditLog, count: usize) {
    for _ in 0..count.div_ceil(100) {
        let events = (0..count.min(100)).map(|_| fixture.allow("ada")).collect();
        log.append_all(events).await.unwrap();
    }
}

/// Waits until `done`, and fails when it never is.
pub(crate) async fn until(what: &str, mut done: impl FnMut() -> bool) {
    let waiting = async {
        while !done() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, waiting).await.is_ok(), "it never happened: {what}");
}

pub(crate) fn stats(exporter: &Exporter) -> SinkStats {
    exporter.stats().remove(0)
}

/// Whether each place from 1 to `last` is there, and each first comes after the one before.
pub(crate) fn in_order(places: &[i64], last: i64) {
    let mut next = 1;
    for place in places {
        assert!(*place <= next, "{place} came before {next}");
        next = next.max(place + 1);
    }
    assert_eq!(next, last + 1, "the last ones are missing");
}

async fn what_was_written_while_the_receiver_was_down_arrives_later(fixture: Fixture) {
    let log = fixture.log().await;
    let mut receiver = Receiver::new([], Answer::Accept).await;
    receiver.down();
    let exporter =
        Exporter::start(&fixture.pool, vec![http(&fixture, Format::JsonLines, &receiver.url)])
            .unwrap();
    append(&fixture, &log, 300).await;
    until("a failure", || stats(&exporter).failures > 2).await;
    assert!(!stats(&exporter).healthy);
    receiver.up().await;
    append(&fixture, &log, 100).await;
    until("arrival", || receiver.places().last() == Some(&400)).await;
    in_order(&receiver.places(), 400);
    until("health", || stats(&exporter).healthy && stats(&exporter).events >= 400).await;
    exporter.stop(PATIENCE).await;
    log.close().await;
}

async fn a_receiver_that_fails_in_every_way_gets_everything_in_the_end(fixture: Fixture) {
    let log = fixture.log().await;
    append(&fixture, &log, 200).await;
    let script = [
        Answer::Status(429, "retry-after: 0\r\n"),
        Answer::Status(500, ""),
        Answer::Cut,
        Answer::Status(503, "retry-after: Wed, 21 Oct 2015 07:28:00 GMT\r\n"),
        Answer::Silence,
        Answer::Status(401, ""),
        Answer::Status(302, "location: http://127.0.0.1:9/elsewhere\r\n"),
        Answer::Accept,
        Answer::Cut,
        Answer::Status(408, ""),
    ];
    let receiver = Receiver::new(script, Answer::Accept).await;
    let mut settings = http(&fixture, Format::JsonLines, &receiver.url);
    settings.batch_events = 40;
    if let Destination::Http(http) = &mut settings.destination {
        http.timeout = Duration::from_millis(300);
    }
    let exporter = Exporter::start(&fixture.pool, vec![settings]).unwrap();
    until("arrival", || receiver.places().last() == Some(&200)).await;
    in_order(&receiver.places(), 200);
    assert_eq!(stats(&exporter).rejected, 0);
    assert!(stats(&exporter).failures >= 9, "{:?}", stats(&exporter));
    exporter.stop(PATIENCE).await;
    log.close().await;
}

async fn a_receiver_is_not_asked_again_before_the_time_it_named(fixture: Fixture) {
    let log = fixture.log().await;
    append(&fixture, &log, 1).await;
    let receiver =
        Receiver::new([Answer::Status(429, "retry-after: 3600\r\n")], Answer::Accept).await;
    let settings = http(&fixture, Format::JsonLines, &receiver.url);
    let exporter = Exporter::start(&fixture.pool, vec![settings]).unwrap();
    until("the refusal", || stats(&exporter).failures == 1).await;
    // Without the header there would be a dozen attempts by now.
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(receiver.seen(), 1);
    // Neither does stopping wait for an hour.
    exporter.stop(PATIENCE).await;
    log.close().await;
}

async fn a_sink_goes_on_where_it_was_and_ids_stay(fixture: Fixture) {
    let log = fixture.log().await;
    let receiver = Receiver::new([], Answer::Accept).await;
    for round in 1..=3 {
        append(&fixture, &log, 50).await;
        let settings = http(&fixture, Format::JsonLines, &receiver.url);
        let exporter = Exporter::start(&fixture.pool, vec![settings, file(&fixture)]).unwrap();
        exporter.stop(PATIENCE).await;
        assert_eq!(receiver.places(), (1..=50 * round).collect::<Vec<_>>());
    }
    let rows = fixture.texts("SELECT id FROM governance_decisions ORDER BY seq").await;
    let rows: Vec<String> = rows.into_iter().flatten().collect();
    let ids = |events: Vec<Value>| -> Vec<String> {
        events.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(receiver.events()), rows);
    assert_eq!(ids(file_events(&fixture)), rows);
    log.close().await;
}

async fn an_unordered_end_repeats_events_but_loses_none(fixture: Fixture) {
    let log = fixture.log().await;
    let archive = fixture.folder.path().join("audit.jsonl");
    let lines =
        || std::fs::read(&archive).map_or(0, |text| text.iter().filter(|b| **b == b'\n').count());
    for round in 1..=3 {
        append(&fixture, &log, 100).await;
        // Dropped without a stop: nothing more is noted. What the one before had begun may still come.
        let exporter = Exporter::start(&fixture.pool, vec![file(&fixture)]).unwrap();
        until("some events", || lines() >= 100 * round).await;
        drop(exporter);
    }
    let exporter = Exporter::start(&fixture.pool, vec![file(&fixture)]).unwrap();
    exporter.stop(PATIENCE).await;
    let places: Vec<_> =
        file_events(&fixture).iter().map(|event| event["seq"].as_i64().unwrap()).collect();
    in_order(&places, 300);
    log.close().await;
}

async fn all_logs_of_the_database_are_exported(fixture: Fixture) {
    let log = fixture.log().await;
    append(&fixture, &log, 20).await;
    let exporter = Exporter::start(&fixture.pool, vec![file(&fixture)]).unwrap();
    // The log of the command line is made while the export runs.
    for _ in 0..5 {
        let mut transaction = fixture.pool.begin_write().await.unwrap();
        let event = AuditEvent::system(fixture.now(), EventKind::KeyCreated, Value::Null);
        append_in(&mut transaction, vec![event]).await.unwrap();
        transaction.commit().await.unwrap();
    }
    append(&fixture, &log, 20).await;
    exporter.stop(PATIENCE).await;
    let events = file_events(&fixture);
    let of = |prefix: &str| -> Vec<i64> {
        let of = |event: &&Value| event["origin"].as_str().unwrap().starts_with(prefix);
        events.iter().filter(of).map(|event| event["seq"].as_i64().unwrap()).collect()
    };
    assert_eq!(of("server@"), (1..=40).collect::<Vec<_>>());
    assert_eq!(of("cli@"), (1..=5).collect::<Vec<_>>());
    log.close().await;
}

async fn a_new_sink_can_begin_at_the_end(fixture: Fixture) {
    let log = fixture.log().await;
    append(&fixture, &log, 30).await;
    let start = || {
        let mut settings = file(&fixture);
        settings.start_at = StartAt::End;
        Exporter::start(&fixture.pool, vec![settings]).unwrap()
    };
    let exporter = start();
    let noted = "SELECT coalesce(max(seq), 0) FROM audit_exports";
    while fixture.number(noted).await != 30 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    exporter.stop(PATIENCE).await;
    append(&fixture, &log, 10).await;
    start().stop(PATIENCE).await;
    let places: Vec<_> =
        file_events(&fixture).iter().map(|event| event["seq"].as_i64().unwrap()).collect();
    assert_eq!(places, (31..=40).collect::<Vec<_>>());
    log.close().await;
}

#[tokio::test]
async fn requests_are_as_the_receivers_of_the_format_want_them() {
    for format in Format::ALL {
        let fixture = Fixture::sqlite().await;
        let log = fixture.log().await;
        append(&fixture, &log, 3).await;
        let receiver = Receiver::new([], Answer::Accept).await;
        let mut settings = http(&fixture, format, &receiver.url);
        if let Destination::Http(http) = &mut settings.destination {
            http.gzip = true;
        }
        let exporter = Exporter::start(&fixture.pool, vec![settings]).unwrap();
        exporter.stop(PATIENCE).await;
        let request = receiver.accepted().remove(0);
        let head = request.head.to_ascii_lowercase();
        assert!(head.contains("x-token: t0ken\r\n"), "{format}: {head}");
        assert!(head.contains(&format!("content-type: {}\r\n", format.content_type())), "{format}");
        let body = &request.body;
        let count = match format {
            Format::Datadog => {
                serde_json::from_str::<Value>(body).unwrap().as_array().unwrap().len()
            }
            Format::OtlpLogs => {
                let body: Value = serde_json::from_str(body).unwrap();
                let records = &body["resourceLogs"][0]["scopeLogs"][0]["logRecords"];
                records.as_array().unwrap().len()
            }
            Format::Cef => body.lines().filter(|line| line.starts_with("CEF:0|")).count(),
            _ => serde_json::Deserializer::from_str(body)
                .into_iter::<Value>()
                .map(Result::unwrap)
                .count(),
        };
        assert_eq!(count, 3, "{format}");
        log.close().await;
    }
}

async fn a_second_process_stands_by_until_the_first_has_ended(fixture: Fixture) {
    let log = fixture.log().await;
    let first = Exporter::start(&fixture.pool, vec![file(&fixture)]).unwrap();
    append(&fixture, &log, 10).await;
    until("the first works", || stats(&first).events == 10).await;
    let second = Exporter::start(&fixture.pool, vec![file(&fixture)]).unwrap();
    append(&fixture, &log, 10).await;
    until("the first goes on", || stats(&first).events == 20).await;
    assert_eq!(stats(&second).events, 0);
    first.stop(PATIENCE).await;
    append(&fixture, &log, 10).await;
    until("the second takes over", || stats(&second).events == 10).await;
    second.stop(PATIENCE).await;
    assert_eq!(file_events(&fixture).len(), 30);
    log.close().await;
}

#[tokio::test]
async fn a_row_that_was_tampered_with_does_not_stop_the_export() {
    let fixture = Fixture::sqlite().await;
    let log = fixture.log().await;
    append(&fixture, &log, 10).await;
    log.close().await;
    for change in [
        "UPDATE audit_events SET detail = '{' WHERE seq = 3",
        "UPDATE audit_events SET tool = CAST(x'ff' AS TEXT) WHERE seq = 5",
        "UPDATE audit_events SET occurred_at = 9223372036854775807 WHERE seq = 7",
        "DELETE FROM audit_events WHERE seq = 8",
    ] {
        sqlx::query(change).execute(fixture.pool.sqlite().unwrap()).await.unwrap();
    }
    let exporter = Exporter::start(&fixture.pool, vec![file(&fixture)]).unwrap();
    exporter.stop(PATIENCE).await;
    let places: Vec<_> =
        file_events(&fixture).iter().map(|event| event["seq"].as_i64().unwrap()).collect();
    assert_eq!(places, [1, 2, 4, 6, 9, 10]);
    assert_eq!(stats(&exporter).unreadable, 3);
}

pub(crate) fn file_events(fixture: &Fixture) -> Vec<Value> {
    let text = std::fs::read_to_string(fixture.folder.path().join("audit.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
