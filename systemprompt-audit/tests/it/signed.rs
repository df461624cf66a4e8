//! A log that is signed, with checkpoints outside, and copies of it to tamper with.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use systemprompt_audit::checkpoint::{CheckpointOptions, FilePlace, SigningKey, SigningKeys};
use systemprompt_audit::note::VerifierKey;
use systemprompt_audit::verify::{
    AuditSource, FindingKind, Outside, Report, VerifyOptions, verify,
};
use systemprompt_audit::{AuditLog, AuditOptions};
use systemprompt_core::contract::{AuditSink as _, PermitLedger as _};
use systemprompt_core::database::{DatabaseOptions, DbPool, Driver};
use systemprompt_core::id::PermitId;
use systemprompt_core::secret::Secret;

use crate::fixture::{Fixture, Place, principal, success};

pub(crate) fn signing_key(byte: u8) -> SigningKey {
    SigningKey::parse(&Secret::new(hex::encode([byte; 32]))).unwrap()
}

pub(crate) struct Signed {
    pub(crate) fixture: Fixture,
    pub(crate) keys: SigningKeys,
}

impl Signed {
    pub(crate) fn on(fixture: Fixture) -> Self {
        Self { fixture, keys: SigningKeys::new(signing_key(1)) }
    }

    /// A signed log of `events` events, closed; every third decision has its outcome.
    pub(crate) async fn of(fixture: Fixture, events: usize) -> Self {
        let signed = Self::on(fixture);
        let log = signed.log().await;
        signed.append_signed(&log, events).await;
        log.close().await;
        signed.fixture.pool.close().await;
        signed
    }

    /// Appends until the log has `events` events, and waits for the checkpoints on the way: of several that
    /// are due only the newest is signed.
    pub(crate) async fn append_signed(&self, log: &AuditLog, events: usize) {
        // The first event, which names the key, is signed at once.
        for due in (51..events).step_by(50) {
            self.append(log, due).await;
            let signed = async {
                while log.stats().checkpointed < due as u64 {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            };
            tokio::time::timeout(Duration::from_secs(60), signed).await.unwrap();
        }
        self.append(log, events).await;
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

    /// Where the database is.
    pub(crate) fn url(&self) -> String {
        self.fixture.url()
    }

    /// A copy of the closed database. On SQLite it lies in a file of this name, which may be reused.
    pub(crate) async fn copy(&self, name: &str) -> Copied {
        match &self.fixture.place {
            Place::Sqlite => {
                let to = self.fixture.folder.path().join(name);
                std::fs::copy(self.fixture.path(), &to).unwrap();
                Copied::Sqlite(to)
            }
            #[cfg(feature = "postgres")]
            Place::Postgres(database) => Copied::Postgres(database.copy().await),
        }
    }

    /// A copy of the closed database on which `sql` was run.
    pub(crate) async fn tampered(&self, name: &str, sql: &str) -> Copied {
        let copy = self.copy(name).await;
        run(copy.url(), sql).await;
        copy
    }

    /// The names of the columns of events but for `others`, with commas between them.
    pub(crate) async fn columns_but(&self, others: &str) -> String {
        let copy = self.copy("read.db").await;
        let pool = open(&copy.url()).await;
        let all = column_types(&pool).await.into_iter().map(|(name, _)| name);
        let others: Vec<_> = others.split(' ').collect();
        let columns: Vec<_> = all.filter(|name| !others.contains(&name.as_str())).collect();
        pool.close().await;
        columns.join(", ")
    }

    pub(crate) fn key(&self) -> VerifierKey {
        let outside = Outside::read(&self.outside()).unwrap();
        outside.key.unwrap()
    }

    /// Verifies with what is outside.
    pub(crate) async fn verify(&self, database: String) -> Report {
        let outside = Some(Outside::read(&self.outside()).unwrap());
        verify_with(database, &VerifyOptions { outside, ..VerifyOptions::default() }).await
    }

    /// Verifies with the key alone.
    pub(crate) async fn verify_inside(&self, database: String) -> Report {
        let keys = vec![self.key()];
        verify_with(database, &VerifyOptions { keys, ..VerifyOptions::default() }).await
    }
}

/// A copy of a database.
pub(crate) enum Copied {
    Sqlite(PathBuf),
    #[cfg(feature = "postgres")]
    Postgres(systemprompt_test_postgres::TestDatabase),
}

impl Copied {
    /// Where it is.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite://{}", path.display()),
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => database.url(),
        }
    }
}

pub(crate) async fn open(url: &str) -> DbPool {
    DbPool::open(&DatabaseOptions::new(url)).await.unwrap()
}

/// The columns of events, each with `INTEGER`, `TEXT` or `BLOB`.
pub(crate) async fn column_types(pool: &DbPool) -> Vec<(String, String)> {
    match pool.driver() {
        Driver::Sqlite(database) => {
            sqlx::query_as("SELECT name, type FROM pragma_table_info('audit_events')")
                .fetch_all(database.pool())
                .await
                .unwrap()
        }
        #[cfg(feature = "postgres")]
        Driver::Postgres(database) => sqlx::query_as(
            "SELECT column_name::text,
                    CASE data_type WHEN 'bigint' THEN 'INTEGER' WHEN 'text' THEN 'TEXT' ELSE 'BLOB' END
             FROM information_schema.columns WHERE table_name = 'audit_events'
             ORDER BY ordinal_position",
        )
        .fetch_all(database.pool())
        .await
        .unwrap(),
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn verify_with(database: String, options: &VerifyOptions) -> Report {
    let mut source = AuditSource::open(&database).await.unwrap();
    verify(&mut source, options, &mut |_| {}).await.unwrap()
}

/// Runs statements, written for SQLite, on either backend.
pub(crate) async fn run(database: String, sql: &str) {
    let pool = open(&database).await;
    run_on(&pool, sql).await;
    pool.close().await;
}

/// Runs statements, written for SQLite, on either backend.
pub(crate) async fn run_on(pool: &DbPool, sql: &str) {
    match pool.driver() {
        Driver::Sqlite(database) => {
            let sql = sqlx::AssertSqlSafe(sql.to_owned());
            sqlx::raw_sql(sql).execute(database.pool()).await.unwrap();
        }
        #[cfg(feature = "postgres")]
        Driver::Postgres(database) => {
            let sql = sql
                .replace("char(10)", "chr(10)")
                .replace(" AS BLOB)", " AS BYTEA)")
                .replace(" x'", " '\\x");
            let sql = sqlx::AssertSqlSafe(format!("{BLOBS} {sql}"));
            sqlx::raw_sql(sql).execute(database.pool()).await.unwrap();
        }
        other => panic!("{other:?}"),
    }
}

/// Functions of SQLite that PostgreSQL has not.
#[cfg(feature = "postgres")]
const BLOBS: &str = "
    CREATE OR REPLACE FUNCTION randomblob(size bigint) RETURNS bytea LANGUAGE sql AS
        $$ SELECT substr(sha256(random()::text::bytea), 1, size::int) $$;
    CREATE OR REPLACE FUNCTION zeroblob(size bigint) RETURNS bytea LANGUAGE sql AS
        $$ SELECT decode(repeat('00', size::int), 'hex') $$;";

/// The findings as `kind seq to_seq`.
pub(crate) fn found(report: &Report) -> Vec<(FindingKind, i64, Option<i64>)> {
    let place = |finding: &systemprompt_audit::verify::Finding| {
        (finding.kind, finding.seq.unwrap_or(-1), finding.to_seq)
    };
    report.findings.iter().map(place).collect()
}
