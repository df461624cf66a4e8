//! A log that is signed, with checkpoints outside, and copies of it to tamper with.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use systemprompt_audit::checkpoint::{CheckpointOptions, FilePlace, SigningKey, SigningKeys};
use systemprompt_audit::note::VerifierKey;
use systemprompt_audit::verify::{
    AuditSource, FindingKind, Outside, Report, VerifyOptions, verify,
};
use systemprompt_audit::{AuditLog, AuditOptions};
use systemprompt_core::contract::{AuditSink as _, PermitLedger as _};
use systemprompt_core::id::PermitId;
use systemprompt_core::secret::Secret;

use crate::fixture::{Fixture, open, principal, success};

pub(crate) fn signing_key(byte: u8) -> SigningKey {
    SigningKey::parse(&Secret::new(hex::encode([byte; 32]))).unwrap()
}

pub(crate) struct Signed {
    pub(crate) fixture: Fixture,
    pub(crate) keys: SigningKeys,
}

impl Signed {
    pub(crate) async fn new() -> Self {
        Self { fixture: Fixture::sqlite().await, keys: SigningKeys::new(signing_key(1)) }
    }

    /// A signed log of `events` events, closed; every third decision has its outcome.
    pub(crate) async fn of(events: usize) -> Self {
        let signed = Self::new().await;
        let log = signed.log().await;
        signed.append(&log, events).await;
        log.close().await;
        signed.fixture.pool.close().await;
        signed
    }

    pub(crate) fn outside(&self) -> PathBuf {
        self.fixture.folder.path().join("checkpoints.log")
    }

    pub(crate) fn options(&self) -> AuditOptions {
        let mut checkpoints = CheckpointOptions::new(self.keys.clone());
        checkpoints.every_events = 50;
        checkpoints.interval = Duration::from_secs(3600);
        checkpoints.places = vec![Arc::new(FilePlace::new(self.outside()))];
        AuditOptions { checkpoints: Some(checkpoints), ..self.fixture.options() }
    }

    pub(crate) async fn log(&self) -> AuditLog {
        AuditLog::open(&self.fixture.pool, self.options()).await.unwrap()
    }

    /// Appends until the log has `events` events.
    pub(crate) async fn append(&self, log: &AuditLog, events: usize) {
        let mut number = 0;
        while log.stats().last_seq < events as u64 {
            number += 1;
            let event = self.fixture.allow("ada");
            let permit = PermitId::from(event.id);
            log.append(event).await.unwrap();
            if number % 3 == 0 && log.stats().last_seq < events as u64 {
                log.settle(permit, &principal("acme", "ada"), success()).await.unwrap();
            }
        }
    }

    /// A copy of the closed database.
    pub(crate) fn copy(&self, name: &str) -> PathBuf {
        let to = self.fixture.folder.path().join(name);
        std::fs::copy(self.fixture.path(), &to).unwrap();
        to
    }

    /// A copy of the closed database on which `sql` was run.
    pub(crate) async fn tampered(&self, name: &str, sql: &str) -> PathBuf {
        let path = self.copy(name);
        run(&path, sql).await;
        path
    }

    pub(crate) fn key(&self) -> VerifierKey {
        let outside = Outside::read(&self.outside()).unwrap();
        outside.key.unwrap()
    }

    /// Verifies with what is outside.
    pub(crate) async fn verify(&self, database: &Path) -> Report {
        let outside = Some(Outside::read(&self.outside()).unwrap());
        verify_with(database, &VerifyOptions { outside, ..VerifyOptions::default() }).await
    }

    /// Verifies with the key alone.
    pub(crate) async fn verify_inside(&self, database: &Path) -> Report {
        let keys = vec![self.key()];
        verify_with(database, &VerifyOptions { keys, ..VerifyOptions::default() }).await
    }
}

pub(crate) async fn verify_with(database: &Path, options: &VerifyOptions) -> Report {
    let url = format!("sqlite://{}", database.display());
    let mut source = AuditSource::open(&url).await.unwrap();
    verify(&mut source, options, &mut |_| {}).await.unwrap()
}

pub(crate) async fn run(database: &Path, sql: &str) {
    let pool = open(database).await;
    let sql = sqlx::AssertSqlSafe(sql.to_owned());
    sqlx::raw_sql(sql).execute(pool.sqlite().unwrap()).await.unwrap();
    pool.close().await;
}

/// The findings as `kind seq to_seq`.
pub(crate) fn found(report: &Report) -> Vec<(FindingKind, i64, Option<i64>)> {
    let place = |finding: &systemprompt_audit::verify::Finding| {
        (finding.kind, finding.seq.unwrap_or(-1), finding.to_seq)
    };
    report.findings.iter().map(place).collect()
}
