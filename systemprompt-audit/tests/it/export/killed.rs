//! A process that is killed at any point exports everything in the end.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use systemprompt_audit::AuditLog;
use systemprompt_audit::export::{Exporter, Format};
use systemprompt_core::contract::AuditSink as _;

use super::delivery::{file, file_events, http, in_order, until};
use super::receiver::{Answer, Receiver};
use crate::fixture::Fixture;

/// Tells a test process that it is the one to be killed: where its folder and its receiver are.
const VICTIM: &str = "SYSTEMPROMPT_EXPORT_TEST_VICTIM";
const RECEIVER: &str = "SYSTEMPROMPT_EXPORT_TEST_RECEIVER";

/// Not a test of its own: what the killed process runs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn victim() {
    let Some(folder) = std::env::var_os(VICTIM).map(PathBuf::from) else { return };
    let url = std::env::var(RECEIVER).unwrap();
    let fixture = Fixture::at(&folder).await;
    let mut siem = http(&fixture, Format::JsonLines, &url);
    siem.batch_events = 50;
    let _exporter = Exporter::start(&fixture.pool, vec![file(&fixture), siem]).unwrap();
    let log = AuditLog::open(&fixture.pool, fixture.options()).await.unwrap();
    loop {
        let events = (0..10).map(|_| fixture.allow("ada")).collect();
        log.append_all(events).await.unwrap();
        println!("appended");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_loses_no_event() {
    let fixture = Fixture::sqlite().await;
    let receiver = Receiver::new([], Answer::Accept).await;
    for round in 1..=4_usize {
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["export::killed::victim", "--exact", "--nocapture", "--test-threads=1"])
            .env(VICTIM, fixture.folder.path())
            .env(RECEIVER, &receiver.url)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stdout = victim.stdout.take().unwrap();
        let reading = tokio::task::spawn_blocking(move || {
            let lines = BufReader::new(stdout).lines().map_while(Result::ok);
            lines.filter(|line| line == "appended").take(40 * round).count()
        });
        assert_eq!(reading.await.unwrap(), 40 * round, "the victim ended by itself");
        victim.kill().unwrap();
        victim.wait().unwrap();
    }
    let last = fixture.number("SELECT max(seq) FROM audit_events").await;
    assert!(last >= 4000, "{last}");
    let siem = http(&fixture, Format::JsonLines, &receiver.url);
    let exporter = Exporter::start(&fixture.pool, vec![file(&fixture), siem]).unwrap();
    until("arrival", || receiver.places().last() == Some(&last)).await;
    exporter.stop(Duration::from_secs(30)).await;
    in_order(&receiver.places(), last);
    let places: Vec<_> =
        file_events(&fixture).iter().map(|event| event["seq"].as_i64().unwrap()).collect();
    in_order(&places, last);
}
