//! A database of its own for each test, and events to put into it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use systemprompt_audit::{AuditLog, AuditOptions, AuditReader, schema};
use systemprompt_core::call::{Digest, Door};
use systemprompt_core::clock::{Clock, ManualClock, Timestamp};
use systemprompt_core::database::{Backend, DatabaseOptions, DbPool, Driver, SchemaInstaller};
use systemprompt_core::decision::{
    CheckOutcome, CheckRecord, Evaluation, LimitState, Outcome, OutcomeStatus,
};
use systemprompt_core::event::{
    AuditBody, AuditEvent, DecisionBody, EventContext, EventSubject, Verdict,
};
use systemprompt_core::id::{Audience, CallId, EventId, TokenId, TraceId};
use systemprompt_core::principal::{Principal, PrincipalClaims};

/// How long the permits of [`decision`] last.
pub(crate) const LIFETIME: Duration = Duration::from_secs(900);

pub(crate) struct Fixture {
    /// Where the fixture keeps files; SQLite's database is among them.
    pub(crate) folder: Folder,
    pub(crate) pool: DbPool,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) place: Place,
}

/// What the database is kept in.
pub(crate) enum Place {
    Sqlite,
    #[cfg(feature = "postgres")]
    Postgres(systemprompt_test_postgres::TestDatabase),
}

/// Runs each of the tests named on every backend.
macro_rules! on_both {
    ($($(#[$attribute:meta])+ $test:ident;)+) => {
        mod on_sqlite {
            $($(#[$attribute])+ async fn $test() {
                super::$test(crate::fixture::Fixture::sqlite().await).await;
            })+
        }

        #[cfg(feature = "postgres")]
        mod on_postgres {
            $($(#[$attribute])+ async fn $test() {
                super::$test(crate::fixture::Fixture::postgres().await).await;
            })+
        }
    };
}
pub(crate) use on_both;

impl Fixture {
    pub(crate) async fn sqlite() -> Self {
        Self::in_folder(tempfile::tempdir().unwrap()).await
    }

    /// In a folder that is there and stays.
    #[cfg(feature = "export")]
    pub(crate) async fn at(folder: &std::path::Path) -> Self {
        Self::in_folder(Folder::Lasting(folder.to_owned())).await
    }

    #[cfg(feature = "postgres")]
    pub(crate) async fn postgres() -> Self {
        let database = systemprompt_test_postgres::database().await;
        let pool = DbPool::open(&DatabaseOptions::new(database.url())).await.unwrap();
        Self::on_server(database, pool).await
    }

    pub(crate) async fn in_folder(folder: impl Into<Folder>) -> Self {
        let folder = folder.into();
        let pool = open(&folder.path().join("audit.db")).await;
        Self::over(pool, folder, Place::Sqlite).await
    }

    /// A fixture of a database of a server that is open.
    #[cfg(feature = "postgres")]
    pub(crate) async fn on_server(
        database: systemprompt_test_postgres::TestDatabase,
        pool: DbPool,
    ) -> Self {
        Self::over(pool, tempfile::tempdir().unwrap().into(), Place::Postgres(database)).await
    }

    async fn over(pool: DbPool, folder: Folder, place: Place) -> Self {
        let clock = Arc::new(ManualClock::at("2026-11-22T20:15:00Z".parse().unwrap()));
        let installer = SchemaInstaller::new(&[schema()]).unwrap();
        installer.apply(&pool, &*clock).await.unwrap();
        Self { folder, pool, clock, place }
    }

    /// The URL of the database.
    pub(crate) fn url(&self) -> String {
        match &self.place {
            Place::Sqlite => format!("sqlite://{}", self.path().display()),
            #[cfg(feature = "postgres")]
            Place::Postgres(database) => database.url().to_owned(),
        }
    }

    /// The path of the SQLite file.
    pub(crate) fn path(&self) -> PathBuf {
        match &self.place {
            Place::Sqlite => self.folder.path().join("audit.db"),
            #[cfg(feature = "postgres")]
            Place::Postgres(_) => panic!("not a file"),
        }
    }

    /// A connection to SQLite.
    pub(crate) async fn sqlite_connection(&self) -> sqlx::SqliteConnection {
        match self.pool.driver() {
            Driver::Sqlite(database) => database.connect().await.unwrap(),
            other => panic!("{other:?}"),
        }
    }

    /// One of two texts, as the backend needs it.
    pub(crate) fn either(&self, sqlite: &'static str, postgres: &'static str) -> &'static str {
        match self.pool.backend() {
            Backend::Sqlite => sqlite,
            _ => postgres,
        }
    }

    /// Runs a statement.
    pub(crate) async fn execute(&self, sql: &'static str) -> Result<u64, sqlx::Error> {
        match self.pool.driver() {
            Driver::Sqlite(database) => {
                Ok(sqlx::query(sql).execute(database.pool()).await?.rows_affected())
            }
            #[cfg(feature = "postgres")]
            Driver::Postgres(database) => {
                Ok(sqlx::query(sql).execute(database.pool()).await?.rows_affected())
            }
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn options(&self) -> AuditOptions {
        AuditOptions {
            clock: self.clock.clone(),
            sweep_interval: Duration::ZERO,
            index_interval: Duration::ZERO,
            lock_timeout: Duration::from_millis(50),
            ..AuditOptions::default()
        }
    }

    pub(crate) async fn log(&self) -> AuditLog {
        AuditLog::open(&self.pool, self.options()).await.unwrap()
    }

    pub(crate) fn reader(&self) -> AuditReader {
        AuditReader::new(self.pool.clone())
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A number from the database.
    pub(crate) async fn number(&self, sql: &'static str) -> i64 {
        match self.pool.driver() {
            Driver::Sqlite(database) => {
                sqlx::query_scalar(sql).fetch_one(database.pool()).await.unwrap()
            }
            #[cfg(feature = "postgres")]
            Driver::Postgres(database) => {
                // Sums of PostgreSQL have a type of their own.
                let sql = format!("SELECT x::text::bigint FROM ({sql}) AS n (x)");
                let sql = sqlx::AssertSqlSafe(sql);
                sqlx::query_scalar(sql).fetch_one(database.pool()).await.unwrap()
            }
            other => panic!("{other:?}"),
        }
    }

    /// A text from the database.
    pub(crate) async fn text(&self, sql: &'static str) -> Option<String> {
        self.texts(sql).await.into_iter().next().unwrap()
    }

    /// Texts from the database.
    pub(crate) async fn texts(&self, sql: &'static str) -> Vec<Option<String>> {
        match self.pool.driver() {
            Driver::Sqlite(database) => {
                sqlx::query_scalar(sql).fetch_all(database.pool()).await.unwrap()
            }
            #[cfg(feature = "postgres")]
            Driver::Postgres(database) => {
                sqlx::query_scalar(sql).fetch_all(database.pool()).await.unwrap()
            }
            other => panic!("{other:?}"),
        }
    }

    /// An allowing decision for `user` of the tenant `acme`.
    pub(crate) fn allow(&self, user: &str) -> AuditEvent {
        decision(&principal("acme", user), self.now(), Verdict::Allow)
    }
}

/// The folder of a fixture.
pub(crate) enum Folder {
    Temporary(tempfile::TempDir),
    #[cfg(feature = "export")]
    Lasting(PathBuf),
}

impl Folder {
    pub(crate) fn path(&self) -> &std::path::Path {
        match self {
            Self::Temporary(folder) => folder.path(),
            #[cfg(feature = "export")]
            Self::Lasting(path) => path,
        }
    }
}

impl From<tempfile::TempDir> for Folder {
    fn from(folder: tempfile::TempDir) -> Self {
        Self::Temporary(folder)
    }
}

pub(crate) async fn open(path: &std::path::Path) -> DbPool {
    let options = DatabaseOptions::new(format!("sqlite://{}", path.display())).create(true);
    DbPool::open(&options).await.unwrap()
}

pub(crate) fn principal(tenant: &str, user: &str) -> Principal {
    Principal::assert_authenticated(PrincipalClaims {
        tenant: tenant.parse().unwrap(),
        user: user.parse().unwrap(),
        roles: ["user".parse().unwrap()].into(),
        scopes: ["tools:use".parse().unwrap()].into(),
        department: Some("research".parse().unwrap()),
        audience: Audience::parse("api").unwrap(),
        credential: TokenId::parse(&format!("key-{user}")).unwrap(),
        actors: vec!["assistant".parse().unwrap()],
    })
    .unwrap()
}

pub(crate) fn decision(principal: &Principal, at: Timestamp, verdict: Verdict) -> AuditEvent {
    let id = EventId::generate();
    let allowed = verdict == Verdict::Allow;
    AuditEvent {
        id,
        occurred_at: at,
        trace_id: TraceId::generate(),
        subject: Some(EventSubject::from(principal)),
        context: EventContext {
            call_id: Some(CallId::generate()),
            session: Some("session-1".parse().unwrap()),
            agent: Some("developer_agent".parse().unwrap()),
            door: Some(Door::Api),
            user_agent: Some("curl/8.9.1".into()),
            client_addr: Some("127.0.0.1".parse().unwrap()),
            ..EventContext::default()
        },
        body: AuditBody::Decision(Box::new(DecisionBody {
            server: Some("files".into()),
            tool: "Read".into(),
            arguments_digest: Some(Digest::of(b"{}")),
            arguments_bytes: 2,
            call_digest: Some(Digest::of(b"call")),
            verdict,
            reason_code: (!allowed).then_some("blocked"),
            reason: (!allowed).then(|| "The tool is blocked by `delete`.".to_owned()),
            reason_data: (!allowed).then(|| serde_json::json!({ "pattern": "delete" })),
            evaluation: Arc::new(evaluation()),
            duration: Duration::from_micros(3),
            permit: allowed.then(|| id.into()),
            expires_at: allowed.then(|| at.after(LIFETIME)),
            features: None,
        })),
    }
}

fn evaluation() -> Evaluation {
    let check = |check: &'static str| CheckRecord {
        check: check.into(),
        outcome: CheckOutcome::Passed,
        detail: None,
        duration_ns: 412,
    };
    Evaluation {
        policy_version: "p-3f9a2b7c11d0e4a8".parse().unwrap(),
        checks: ["scope", "secret", "blocklist", "rate"].map(check).into(),
        limits: vec![LimitState { name: "per-session".into(), remaining: 299, reset_ms: 200 }],
    }
}

pub(crate) fn success() -> Outcome {
    let mut outcome = Outcome::new(OutcomeStatus::Success, Duration::from_millis(12));
    outcome.result_bytes = Some(4096);
    outcome.result_digest = Some(Digest::of(b"result"));
    outcome
}
