//! A database of its own for each test, and events to put into it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use systemprompt_audit::{AuditLog, AuditOptions, AuditReader, schema};
use systemprompt_core::call::{Digest, Door};
use systemprompt_core::clock::{Clock, ManualClock, Timestamp};
use systemprompt_core::database::{DatabaseOptions, DbPool, SchemaInstaller};
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
    pub(crate) folder: Folder,
    pub(crate) pool: DbPool,
    pub(crate) clock: Arc<ManualClock>,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        Self::in_folder(tempfile::tempdir().unwrap()).await
    }

    /// In a folder that is there and stays.
    #[cfg(feature = "export")]
    pub(crate) async fn at(folder: &std::path::Path) -> Self {
        Self::in_folder(Folder::Lasting(folder.to_owned())).await
    }

    pub(crate) async fn in_folder(folder: impl Into<Folder>) -> Self {
        let folder = folder.into();
        let clock = Arc::new(ManualClock::at("2026-11-22T20:15:00Z".parse().unwrap()));
        let pool = open(&folder.path().join("audit.db")).await;
        let installer = SchemaInstaller::new(&[schema()]).unwrap();
        installer.apply(&pool, &*clock).await.unwrap();
        Self { folder, pool, clock }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("audit.db")
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
        sqlx::query_scalar(sql).fetch_one(self.pool.sqlite()).await.unwrap()
    }

    /// A text from the database.
    pub(crate) async fn text(&self, sql: &'static str) -> Option<String> {
        sqlx::query_scalar(sql).fetch_one(self.pool.sqlite()).await.unwrap()
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
