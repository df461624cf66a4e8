//! What the tests share.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use systemprompt_core::call::{Arguments, CallContext, Door, ToolCall, ToolRef};
use systemprompt_core::clock::{Clock, ManualClock, Timestamp};
use systemprompt_core::contract::{
    AuditError, AuditSink, ChangeSink, OpenSecret, SecretStore as _, SecretStoreError, SecretUse,
    Sink,
};
use systemprompt_core::database::{
    ConnectionMut, DatabaseOptions, DbPool, DbTransaction, SchemaInstaller,
};
use systemprompt_core::encryption::{KeyEncryption, KeyEncryptionError, LocalKey};
use systemprompt_core::event::{AuditBody, AuditEvent, EventKind};
use systemprompt_core::id::{Audience, SecretName, ServerName, TenantId, TokenId, UserId};
use systemprompt_core::principal::{Principal, PrincipalClaims};
use systemprompt_core::secret::{Redact, Secret};
use systemprompt_custody::{
    Actor, Custody, CustodyError, CustodyParts, Grant, NewSecret, Place, schema,
};
use tempfile::TempDir;
use zeroize::Zeroizing;

/// Runs each of the tests named on every backend.
macro_rules! on_both {
    ($($test:ident;)+) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)] async fn $test() {
                super::$test(crate::support::Home::new().await).await;
            })+
        }

        #[cfg(feature = "postgres")]
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)] async fn $test() {
                super::$test(crate::support::Home::postgres().await).await;
            })+
        }
    };
}
pub(crate) use on_both;

pub(crate) const OPS: Actor<'static> = Actor::Operator("ops");
pub(crate) const API: Sink<'static> =
    Sink::Header { host: "api.github.com", header: "authorization" };
pub(crate) const ENV: Sink<'static> = Sink::Env { variable: "GITHUB_TOKEN" };

/// A log in memory, which can be made to fail; and a record of what it was given.
#[derive(Default)]
pub(crate) struct Log {
    events: Mutex<Vec<AuditEvent>>,
    pub(crate) broken: AtomicBool,
}

impl Log {
    fn take(&self, events: Vec<AuditEvent>) -> Result<(), AuditError> {
        if self.broken.load(SeqCst) {
            return Err(AuditError::Unavailable("the disk is full".to_owned()));
        }
        self.events.lock().unwrap().extend(events);
        Ok(())
    }

    pub(crate) fn events(&self) -> Vec<AuditEvent> {
        self.events.lock().unwrap().clone()
    }

    /// The details of the events of a kind.
    pub(crate) fn details(&self, kind: EventKind) -> Vec<serde_json::Value> {
        let of_kind = |event: AuditEvent| match event.body {
            AuditBody::Other { kind: other, detail } if other == kind => Some(detail),
            _ => None,
        };
        self.events().into_iter().filter_map(of_kind).collect()
    }
}

#[async_trait]
impl AuditSink for Log {
    async fn append(&self, event: AuditEvent) -> Result<(), AuditError> {
        self.take(vec![event])
    }
}

#[async_trait]
impl ChangeSink for Log {
    async fn append_in(
        &self,
        _: &mut DbTransaction<'_>,
        events: Vec<AuditEvent>,
    ) -> Result<(), AuditError> {
        self.take(events)
    }
}

/// Replaces one word, as the scanner replaces secrets.
pub(crate) struct Redactor;

impl Redact for Redactor {
    fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match text.contains("hunter2") {
            true => text.replace("hunter2", "redacted").into(),
            false => text.into(),
        }
    }
}

/// A key encryption key that can be out of reach, and counts what it is asked.
pub(crate) struct Remote {
    pub(crate) key: Mutex<Arc<LocalKey>>,
    pub(crate) down: AtomicBool,
}

impl Remote {
    pub(crate) fn use_keys(&self, bytes: &[u8]) {
        *self.key.lock().unwrap() = Arc::new(local(bytes));
    }

    fn reach(&self) -> Result<Arc<LocalKey>, KeyEncryptionError> {
        match self.down.load(SeqCst) {
            true => Err(KeyEncryptionError::Unavailable("no route".to_owned())),
            false => Ok(self.key.lock().unwrap().clone()),
        }
    }
}

#[async_trait]
impl KeyEncryption for Remote {
    async fn wrap(&self, key: &[u8]) -> Result<String, KeyEncryptionError> {
        self.reach()?.wrap(key).await
    }

    async fn unwrap(&self, wrapped: &str) -> Result<Zeroizing<Vec<u8>>, KeyEncryptionError> {
        self.reach()?.unwrap(wrapped).await
    }

    fn is_current(&self, wrapped: &str) -> bool {
        self.key.lock().unwrap().is_current(wrapped)
    }
}

pub(crate) fn local(bytes: &[u8]) -> LocalKey {
    let lines: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}").repeat(32)).collect();
    LocalKey::parse(&Secret::new(lines.join("\n"))).unwrap()
}

pub(crate) fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

pub(crate) fn tenant(name: &str) -> TenantId {
    TenantId::parse(name).unwrap()
}

pub(crate) fn name(name: &str) -> SecretName {
    SecretName::parse(name).unwrap()
}

pub(crate) fn server(name: &str) -> ServerName {
    ServerName::parse(name).unwrap()
}

/// A call of a tool by `user` of `tenant`.
pub(crate) fn call(tenant: &str, user: &str, context: CallContext) -> ToolCall {
    let principal = Principal::assert_authenticated(PrincipalClaims {
        tenant: TenantId::parse(tenant).unwrap(),
        user: UserId::parse(user).unwrap(),
        roles: [].into(),
        scopes: [].into(),
        department: None,
        audience: Audience::parse("mcp").unwrap(),
        credential: TokenId::parse("key-1").unwrap(),
        actors: Vec::new(),
    });
    let tool = ToolRef::parse(Some("github"), "list_issues").unwrap();
    let arguments = Arguments::parse(&b"{}"[..]).unwrap();
    ToolCall::new(principal.unwrap(), Door::Mcp, tool, arguments, context)
}

/// A database of its own with nothing in it but the schema.
pub(crate) struct Home {
    pub(crate) folder: TempDir,
    pub(crate) db: DbPool,
    pub(crate) log: Arc<Log>,
    pub(crate) key: Arc<Remote>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) custody: Custody,
    #[cfg(feature = "postgres")]
    _database: Option<systemprompt_test_postgres::TestDatabase>,
}

impl Home {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("custody.db").display());
        Self::at(folder, &url).await
    }

    #[cfg(feature = "postgres")]
    pub(crate) async fn postgres() -> Self {
        let database = systemprompt_test_postgres::database().await;
        let home = Self::at(tempfile::tempdir().unwrap(), &database.url()).await;
        Self { _database: Some(database), ..home }
    }

    async fn at(folder: TempDir, url: &str) -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::from_micros(1_795_348_800_000_000)));
        let db = DbPool::open(&DatabaseOptions::new(url).create(true)).await.unwrap();
        let installer = SchemaInstaller::new(&[schema()]).unwrap();
        installer.apply(&db, &*clock).await.unwrap();
        let log = Arc::new(Log::default());
        let key = Arc::new(Remote {
            key: Mutex::new(Arc::new(local(&[1]))),
            down: AtomicBool::new(false),
        });
        let custody = Custody::new(CustodyParts {
            database: db.clone(),
            encryption: key.clone(),
            uses: log.clone(),
            changes: log.clone(),
            redact: Arc::new(Redactor),
            clock: clock.clone() as Arc<dyn Clock>,
        });
        Self {
            folder,
            db,
            log,
            key,
            clock,
            custody,
            #[cfg(feature = "postgres")]
            _database: None,
        }
    }

    /// Keeps a secret of the tenant `acme`.
    pub(crate) async fn create(&self, named: &str, value: &str) -> u32 {
        self.create_for("acme", named, value).await.unwrap()
    }

    pub(crate) async fn create_for(
        &self,
        of: &str,
        named: &str,
        value: &str,
    ) -> Result<u32, CustodyError> {
        let new = NewSecret {
            tenant: tenant(of),
            name: name(named),
            description: "a test".to_owned(),
            value: secret(value),
        };
        self.custody.create(&new, OPS).await
    }

    /// Grants a secret of the tenant `acme` to the server `github`.
    pub(crate) async fn grant(&self, named: &str, place: Place) -> Result<(), CustodyError> {
        self.custody.grant(&grant(named, place), OPS).await
    }

    /// Keeps a secret that is granted as a variable.
    pub(crate) async fn granted(&self, named: &str, value: &str) {
        self.create(named, value).await;
        self.grant(named, Place::env("GITHUB_TOKEN").unwrap()).await.unwrap();
    }

    /// Opens a secret of the tenant `acme` for the server `github`.
    pub(crate) async fn open(
        &self,
        named: &str,
        version: Option<u32>,
        sink: Sink<'_>,
    ) -> Result<OpenSecret, SecretStoreError> {
        self.open_for(("acme", named, "github"), version, sink, None).await
    }

    pub(crate) async fn open_for(
        &self,
        (of, named, by): (&str, &str, &str),
        version: Option<u32>,
        sink: Sink<'_>,
        call: Option<&ToolCall>,
    ) -> Result<OpenSecret, SecretStoreError> {
        let (tenant, name, server) = (tenant(of), name(named), server(by));
        let usage =
            SecretUse { tenant: &tenant, name: &name, version, server: &server, sink, call };
        self.custody.open(usage).await
    }

    /// The value of a secret that is granted as a variable.
    pub(crate) async fn value(&self, named: &str) -> String {
        self.open(named, None, ENV).await.unwrap().value.expose().clone()
    }

    /// Runs a statement, and says how many rows it has changed.
    pub(crate) async fn run(&self, sql: &'static str) -> u64 {
        let mut connection = self.db.connect().await.unwrap();
        match connection.driver() {
            ConnectionMut::Sqlite(connection) => {
                sqlx::query(sql).execute(connection).await.unwrap().rows_affected()
            }
            #[cfg(feature = "postgres")]
            ConnectionMut::Postgres(connection) => {
                sqlx::query(sql).execute(connection).await.unwrap().rows_affected()
            }
            other => panic!("{:?}", other.backend()),
        }
    }

    /// Whether any file of the database holds these bytes.
    pub(crate) fn holds(&self, bytes: &str) -> bool {
        std::fs::read_dir(self.folder.path()).unwrap().any(|entry| {
            let content = std::fs::read(entry.unwrap().path()).unwrap();
            content.windows(bytes.len()).any(|window| window == bytes.as_bytes())
        })
    }
}

pub(crate) fn grant(named: &str, place: Place) -> Grant {
    Grant { tenant: tenant("acme"), name: name(named), server: server("github"), place }
}
