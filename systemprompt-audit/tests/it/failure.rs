//! A store that does not work: what was not written is denied, and the log recovers by itself.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::{Connection as _, Executor as _};
use systemprompt_audit::{AuditLog, AuditOptions};
use systemprompt_core::contract::{
    AuditError, AuditSink as _, PermitLedger as _, PermitState, SettleError,
};

use crate::fixture::{Fixture, principal, success};

/// Waits until the log has noticed by itself that it can write again.
async fn recovered(log: &AuditLog) {
    tokio::time::timeout(Duration::from_secs(20), async {
        while !log.healthy() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("the log did not recover without traffic");
}

fn assert_unavailable(result: Result<(), AuditError>) {
    assert!(matches!(result, Err(AuditError::Unavailable(_))), "{result:?}");
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

#[tokio::test]
async fn a_locked_database_denies_until_it_is_free() {
    let fixture = Fixture::sqlite().await;
    let log = fixture.log().await;
    let granted = fixture.allow("ada");
    let permit = granted.id.into();
    log.append(granted).await.unwrap();
    let mut other = fixture.sqlite_connection().await;
    other.execute("BEGIN EXCLUSIVE").await.unwrap();
    assert_unavailable(log.append(fixture.allow("ada")).await);
    assert!(!log.healthy());
    let settled = log.settle(permit, &principal("acme", "ada"), success()).await;
    assert!(matches!(settled, Err(SettleError::Audit(AuditError::Unavailable(_)))), "{settled:?}");
    other.execute("COMMIT").await.unwrap();
    recovered(&log).await;
    log.append(fixture.allow("ada")).await.unwrap();
    log.settle(permit, &principal("acme", "ada"), success()).await.unwrap();
    // What was denied was not written and took no place.
    assert_eq!(fixture.number("SELECT count(*) FROM audit_events").await, 3);
    assert_eq!(fixture.number("SELECT max(seq) FROM audit_events").await, 3);
    assert_eq!(log.stats().failed, 2);
    other.close().await.unwrap();
}

#[tokio::test]
async fn a_file_that_is_moved_away_is_missed_before_anything_is_acknowledged() {
    let fixture = Fixture::sqlite().await;
    let log = fixture.log().await;
    log.append(fixture.allow("ada")).await.unwrap();
    let (path, away) = (fixture.path(), beside(&fixture.path(), ".away"));
    std::fs::rename(&path, &away).unwrap();
    assert_unavailable(log.append(fixture.allow("ada")).await);
    assert!(!log.healthy());
    assert!(!path.exists(), "an empty log was made in its place");
    // Neither is another file at the same path good enough.
    std::fs::copy(&away, &path).unwrap();
    assert_unavailable(log.append(fixture.allow("ada")).await);
    std::fs::remove_file(&path).unwrap();
    std::fs::rename(&away, &path).unwrap();
    recovered(&log).await;
    log.append(fixture.allow("ada")).await.unwrap();
    assert_eq!(fixture.number("SELECT count(*) FROM audit_events").await, 2);
    assert_eq!(fixture.number("SELECT max(seq) FROM audit_events").await, 2);
}

#[tokio::test]
async fn a_write_ahead_log_that_is_gone_denies() {
    let fixture = Fixture::sqlite().await;
    let log = fixture.log().await;
    log.append(fixture.allow("ada")).await.unwrap();
    let wal = beside(&fixture.path(), "-wal");
    let away = beside(&fixture.path(), "-wal.away");
    std::fs::rename(&wal, &away).unwrap();
    assert_unavailable(log.append(fixture.allow("ada")).await);
    std::fs::rename(&away, &wal).unwrap();
    recovered(&log).await;
    log.append(fixture.allow("ada")).await.unwrap();
    assert_eq!(fixture.number("SELECT count(*) FROM audit_events").await, 2);
}

#[tokio::test]
async fn a_full_disk_denies_and_recovers() {
    let Some(disk) = SmallDisk::mount() else {
        eprintln!("not run: mounting a small disk takes root");
        return;
    };
    let fixture = Fixture::in_folder(tempfile::tempdir_in(&disk.0).unwrap()).await;
    let log = fixture.log().await;
    let ballast = disk.0.join("ballast");
    let mut acknowledged = 1;
    log.append(fixture.allow("ada")).await.unwrap();
    fill(&ballast);
    let mut refused = None;
    for _ in 0..2_000 {
        match log.append(fixture.allow("ada")).await {
            Ok(()) => acknowledged += 1,
            Err(error) => {
                refused = Some(error);
                break;
            }
        }
    }
    let refused = refused.expect("the disk never filled up");
    assert!(matches!(refused, AuditError::Unavailable(_)), "{refused}");
    assert!(!log.healthy());
    std::fs::remove_file(&ballast).unwrap();
    recovered(&log).await;
    for _ in 0..20 {
        log.append(fixture.allow("ada")).await.unwrap();
        acknowledged += 1;
    }
    assert_eq!(fixture.number("SELECT count(*) FROM audit_events").await, acknowledged);
    assert_eq!(fixture.number("SELECT max(seq) FROM audit_events").await, acknowledged);
    let sound = "SELECT integrity_check FROM pragma_integrity_check";
    assert_eq!(fixture.text(sound).await.as_deref(), Some("ok"));
    log.close().await;
    fixture.pool.close().await;
    drop(fixture);
}

fn fill(ballast: &Path) {
    use std::io::Write as _;
    let mut file = std::fs::File::create(ballast).unwrap();
    for block in [64 << 10, 4 << 10, 1] {
        while file.write_all(&vec![0; block]).is_ok() {}
    }
}

/// A file system of 2 MiB.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap().keep();
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=2m", "tmpfs"])
            .arg(&folder)
            .status();
        if mounted.is_ok_and(|status| status.success()) {
            Some(Self(folder))
        } else {
            std::fs::remove_dir(&folder).unwrap();
            None
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
        if unmounted.is_ok_and(|status| status.success()) {
            drop(std::fs::remove_dir(&self.0));
        }
    }
}

/// Waits until the log has spent a permit by itself.
async fn abandoned(log: &AuditLog, permits: u64) {
    tokio::time::timeout(Duration::from_secs(20), async {
        while log.stats().abandoned < permits {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("the permit was not abandoned");
}

#[tokio::test]
async fn a_call_that_was_denied_has_no_live_permit_when_its_event_lands_late() {
    let fixture = Fixture::sqlite().await;
    let options = AuditOptions {
        lock_timeout: Duration::from_secs(20),
        append_timeout: Duration::from_millis(300),
        ..fixture.options()
    };
    let log = AuditLog::open(&fixture.pool, options).await.unwrap();
    let mut other = fixture.sqlite_connection().await;
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let event = fixture.allow("ada");
    let permit = event.id.into();
    assert_unavailable(log.append(event).await);
    other.execute("COMMIT").await.unwrap();
    abandoned(&log, 1).await;
    assert_eq!(log.state(permit).await.unwrap(), PermitState::Settled);
    let said = "SELECT json_extract(detail, '$.answered') FROM audit_events WHERE kind = 'outcome'";
    assert_eq!(fixture.text(said).await.as_deref(), Some("deny"));
    other.close().await.unwrap();
}

#[tokio::test]
async fn a_caller_that_hung_up_was_not_denied() {
    let fixture = Fixture::sqlite().await;
    let options = AuditOptions { lock_timeout: Duration::from_secs(20), ..fixture.options() };
    let log = AuditLog::open(&fixture.pool, options).await.unwrap();
    let mut other = fixture.sqlite_connection().await;
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let event = fixture.allow("ada");
    let permit = event.id.into();
    let gone = tokio::time::timeout(Duration::from_millis(300), log.append(event)).await;
    assert!(gone.is_err());
    other.execute("COMMIT").await.unwrap();
    log.append(fixture.allow("ada")).await.unwrap();
    log.append(fixture.allow("ada")).await.unwrap();
    assert!(matches!(log.state(permit).await.unwrap(), PermitState::Open { .. }));
    other.close().await.unwrap();
}
