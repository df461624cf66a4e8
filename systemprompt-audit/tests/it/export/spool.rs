//! What waits on disk.

use std::fs;
use std::time::Duration;

use systemprompt_audit::export::{Exporter, Format};

use super::delivery::{append, folder, http, in_order, stats, until};
use super::receiver::{Answer, Receiver};
use crate::fixture::Fixture;

const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_full_spool_pauses_reading_and_loses_nothing() {
    let fixture = Fixture::sqlite().await;
    let log = fixture.log().await;
    let mut receiver = Receiver::new([], Answer::Accept).await;
    receiver.down();
    let cap = 100_000;
    let start = || {
        let mut settings = http(&fixture, Format::JsonLines, &receiver.url);
        settings.spool_bytes = cap;
        settings.batch_events = 20;
        Exporter::start(&fixture.pool, vec![settings]).unwrap()
    };
    let exporter = start();
    append(&fixture, &log, 500).await;
    until("a pause", || stats(&exporter).paused && stats(&exporter).behind == 500).await;
    let bytes: u64 = segments(&fixture).iter().map(|path| fs::metadata(path).unwrap().len()).sum();
    assert!((cap / 2..=cap).contains(&bytes), "{bytes}");
    assert_eq!(stats(&exporter).spooled_bytes, bytes);
    receiver.up().await;
    until("arrival", || receiver.places().last() == Some(&500)).await;
    in_order(&receiver.places(), 500);
    exporter.stop(PATIENCE).await;
    assert!(!stats(&exporter).paused);
    assert_eq!(segments(&fixture), Vec::<std::path::PathBuf>::new());
    log.close().await;
}

#[tokio::test]
async fn what_waits_survives_a_restart_and_damage() {
    type Damage = fn(&std::path::Path);
    let damages: [Damage; 4] = [
        |_| {},
        |path| fs::write(path, "{\"v\":1").unwrap(),
        |path| {
            let text = fs::read(path).unwrap();
            fs::write(path, &text[..text.len() - 3]).unwrap();
        },
        |path| fs::remove_file(path).unwrap(),
    ];
    for damage in damages {
        let fixture = Fixture::sqlite().await;
        let log = fixture.log().await;
        append(&fixture, &log, 200).await;
        let mut receiver = Receiver::new([], Answer::Accept).await;
        receiver.down();
        let start = || {
            let mut settings = http(&fixture, Format::JsonLines, &receiver.url);
            settings.batch_events = 20;
            Exporter::start(&fixture.pool, vec![settings]).unwrap()
        };
        let exporter = start();
        until("spooling", || segments(&fixture).len() == 10).await;
        exporter.stop(Duration::ZERO).await;
        // What was being written when the power went.
        fs::write(folder(&fixture, "siem").join("draft"), "half a segm").unwrap();
        damage(&segments(&fixture)[4]);
        let exporter = start();
        receiver.up().await;
        until("arrival", || receiver.places().last() == Some(&200)).await;
        in_order(&receiver.places(), 200);
        exporter.stop(PATIENCE).await;
        log.close().await;
    }
}

#[tokio::test]
async fn a_segment_that_is_damaged_while_it_waits_is_read_again() {
    let fixture = Fixture::sqlite().await;
    let log = fixture.log().await;
    append(&fixture, &log, 200).await;
    let mut receiver = Receiver::new([], Answer::Accept).await;
    receiver.down();
    let mut settings = http(&fixture, Format::JsonLines, &receiver.url);
    settings.batch_events = 20;
    let exporter = Exporter::start(&fixture.pool, vec![settings]).unwrap();
    until("spooling", || segments(&fixture).len() == 10).await;
    fs::write(&segments(&fixture)[5], "nothing").unwrap();
    receiver.up().await;
    until("arrival", || receiver.places().last() == Some(&200)).await;
    in_order(&receiver.places(), 200);
    exporter.stop(PATIENCE).await;
    log.close().await;
}

#[cfg(unix)]
#[tokio::test]
async fn the_spool_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let fixture = Fixture::sqlite().await;
    let log = fixture.log().await;
    append(&fixture, &log, 20).await;
    let mut receiver = Receiver::new([], Answer::Accept).await;
    receiver.down();
    let settings = http(&fixture, Format::JsonLines, &receiver.url);
    let exporter = Exporter::start(&fixture.pool, vec![settings]).unwrap();
    until("spooling", || !segments(&fixture).is_empty()).await;
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder(&fixture, "siem")), 0o700);
    assert_eq!(mode(&segments(&fixture)[0]), 0o600);
    assert_eq!(mode(&folder(&fixture, "siem").join("lock")), 0o600);
    exporter.stop(Duration::ZERO).await;
    log.close().await;
}

fn segments(fixture: &Fixture) -> Vec<std::path::PathBuf> {
    let Ok(entries) = fs::read_dir(folder(fixture, "siem")) else { return Vec::new() };
    let mut paths: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "segment"))
        .collect();
    paths.sort();
    paths
}
