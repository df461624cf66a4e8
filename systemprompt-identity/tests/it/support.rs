//! What the tests share.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey};
use parking_lot::Mutex;
use serde_json::{Value, json};
use systemprompt_core::clock::{Clock, ManualClock, Timestamp};
use systemprompt_core::contract::{AuditError, AuditSink, TokenError, TokenVerifier as _};
use systemprompt_core::database::{ConnectionMut, DatabaseOptions, DbPool, SchemaInstaller};
use systemprompt_core::event::AuditEvent;
use systemprompt_core::id::{Audience, TenantId};
use systemprompt_core::principal::Principal;
use systemprompt_core::secret::Redact;
use systemprompt_identity::{
    CredentialVerifier, IdentityStore, IssuerSettings, KeySource, Seeded, SigningAlgorithm,
    VerifierSettings, schema,
};
use tempfile::TempDir;

/// Runs each of the tests named on every backend.
macro_rules! on_both {
    ($($(#[$attribute:meta])+ $test:ident;)+) => {
        mod on_sqlite {
            $($(#[$attribute])+ async fn $test() {
                super::$test(crate::support::Home::new().await).await;
            })+
        }

        #[cfg(feature = "postgres")]
        mod on_postgres {
            $($(#[$attribute])+ async fn $test() {
                super::$test(crate::support::Home::postgres().await).await;
            })+
        }
    };
}
pub(crate) use on_both;

/// Noon of 22 November 2026, in seconds.
pub(crate) const NOW: i64 = 1_795_348_800;
pub(crate) const ISSUER: &str = "https://issuer.example";

pub(crate) fn api() -> Audience {
    Audience::parse("api").unwrap()
}

pub(crate) fn hook() -> Audience {
    Audience::parse("hook").unwrap()
}

pub(crate) fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(Timestamp::from_micros(NOW * 1_000_000)))
}

/// A database of its own with the schema and the seeded users.
pub(crate) struct Home {
    pub(crate) folder: TempDir,
    url: String,
    #[cfg(feature = "postgres")]
    _database: Option<systemprompt_test_postgres::TestDatabase>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) store: IdentityStore,
    pub(crate) seeded: Seeded,
}

impl Home {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("identity.db").display());
        Self {
            #[cfg(feature = "postgres")]
            _database: None,
            ..Self::at(folder, url).await
        }
    }

    #[cfg(feature = "postgres")]
    pub(crate) async fn postgres() -> Self {
        let database = systemprompt_test_postgres::database().await;
        let home = Self::at(tempfile::tempdir().unwrap(), database.url()).await;
        Self { _database: Some(database), ..home }
    }

    async fn at(folder: TempDir, url: String) -> Self {
        let clock = clock();
        let store = open(&url, clock.clone()).await;
        let mut tx = store.db().begin_write().await.unwrap();
        let seeded = store.seed(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        Self {
            folder,
            url,
            #[cfg(feature = "postgres")]
            _database: None,
            clock,
            store,
            seeded,
        }
    }

    /// The same database as another process would open it.
    pub(crate) async fn elsewhere(&self) -> IdentityStore {
        open(&self.url, self.clock.clone()).await
    }

    /// Runs statements on a connection of their own.
    pub(crate) async fn run(&self, sql: &'static str) {
        let mut connection = self.store.db().connect().await.unwrap();
        match connection.driver() {
            ConnectionMut::Sqlite(connection) => {
                sqlx::raw_sql(sql).execute(connection).await.unwrap();
            }
            #[cfg(feature = "postgres")]
            ConnectionMut::Postgres(connection) => {
                sqlx::raw_sql(sql).execute(connection).await.unwrap();
            }
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn verifier(&self) -> CredentialVerifier {
        CredentialVerifier::start(&self.store, VerifierSettings::default()).await.unwrap()
    }

    pub(crate) async fn verifier_for(&self, issuer: IssuerSettings) -> CredentialVerifier {
        let settings = VerifierSettings { issuers: vec![issuer], ..VerifierSettings::default() };
        CredentialVerifier::start(&self.store, settings).await.unwrap()
    }

    pub(crate) fn admin_key(&self) -> &str {
        self.seeded.admin.key.token.expose()
    }

    pub(crate) fn user_key(&self) -> &str {
        self.seeded.user.key.token.expose()
    }

    /// A JWKS file with the given keys.
    pub(crate) fn jwks_file(&self, keys: &[Value]) -> KeySource {
        let path = self.folder.path().join("jwks.json");
        std::fs::write(&path, json!({ "keys": keys }).to_string()).unwrap();
        KeySource::File(path)
    }
}

async fn open(url: &str, clock: Arc<dyn Clock>) -> IdentityStore {
    let db = DbPool::open(&DatabaseOptions::new(url).create(true)).await.unwrap();
    SchemaInstaller::new(&[schema()]).unwrap().apply(&db, &*clock).await.unwrap();
    IdentityStore::new(db, clock)
}

/// A signing key of the tests.
pub(crate) struct Signer {
    pub(crate) kid: &'static str,
    pub(crate) algorithm: Algorithm,
    key: EncodingKey,
}

impl Signer {
    pub(crate) fn rsa() -> Self {
        Self::rsa_from(include_bytes!("../keys/test-only-rsa-issuer.pem"), "rsa-1")
    }

    pub(crate) fn other_rsa() -> Self {
        Self::rsa_from(include_bytes!("../keys/test-only-rsa-other.pem"), "rsa-1")
    }

    fn rsa_from(pem: &[u8], kid: &'static str) -> Self {
        Self { kid, algorithm: Algorithm::RS256, key: EncodingKey::from_rsa_pem(pem).unwrap() }
    }

    pub(crate) fn ec() -> Self {
        let pem = include_bytes!("../keys/test-only-ec-issuer.pem");
        let key = EncodingKey::from_ec_pem(pem).unwrap();
        Self { kid: "ec-1", algorithm: Algorithm::ES256, key }
    }

    pub(crate) fn ed() -> Self {
        let pem = include_bytes!("../keys/test-only-ed25519-issuer.pem");
        let key = EncodingKey::from_ed_pem(pem).unwrap();
        Self { kid: "ed-1", algorithm: Algorithm::EdDSA, key }
    }

    pub(crate) fn other_ed() -> Self {
        let pem = include_bytes!("../keys/test-only-ed25519-other.pem");
        let key = EncodingKey::from_ed_pem(pem).unwrap();
        Self { kid: "ed-2", algorithm: Algorithm::EdDSA, key }
    }

    /// The public key as a JWK.
    pub(crate) fn jwk(&self) -> Value {
        let mut jwk =
            serde_json::to_value(Jwk::from_encoding_key(&self.key, self.algorithm).unwrap())
                .unwrap();
        jwk["kid"] = self.kid.into();
        jwk["use"] = "sig".into();
        jwk
    }

    pub(crate) fn header(&self) -> Value {
        json!({ "alg": format!("{:?}", self.algorithm), "typ": "at+jwt", "kid": self.kid })
    }

    /// A token with this key's ordinary header.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_raw(&self.header(), &claims.to_string())
    }

    pub(crate) fn sign_raw(&self, header: &Value, claims: &str) -> String {
        let message = unsigned(header, claims);
        let signature =
            jsonwebtoken::crypto::sign(message.as_bytes(), &self.key, self.algorithm).unwrap();
        format!("{message}.{signature}")
    }
}

/// Header and claims without a signature.
pub(crate) fn unsigned(header: &Value, claims: &str) -> String {
    format!("{}.{}", B64.encode(header.to_string()), B64.encode(claims))
}

/// Claims of a good access token.
pub(crate) fn claims() -> Value {
    json!({
        "iss": ISSUER,
        "aud": "systemprompt-api",
        "sub": "alice",
        "iat": NOW,
        "exp": NOW + 600,
        "jti": "token-1",
        "scope": "tools:use audit:read",
    })
}

/// `claims` with one of them replaced, or left out when it is null.
pub(crate) fn claims_with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    match value {
        Value::Null => {
            claims.as_object_mut().unwrap().remove(name);
        }
        value => claims[name] = value,
    }
    claims
}

/// Settings for the issuer of the tests, with all algorithms.
pub(crate) fn issuer(keys: KeySource) -> IssuerSettings {
    IssuerSettings::new(ISSUER, TenantId::parse("default").unwrap(), keys)
        .algorithm(SigningAlgorithm::Rs256)
        .algorithm(SigningAlgorithm::Es256)
        .algorithm(SigningAlgorithm::EdDsa)
        .audience(api(), "systemprompt-api")
        .audience(hook(), "systemprompt-hook")
}

pub(crate) async fn verify(
    verifier: &CredentialVerifier,
    token: &str,
) -> Result<Principal, TokenError> {
    verifier.verify(token, &api()).await
}

/// An issuer's key server.
pub(crate) struct KeyServer {
    pub(crate) url: String,
    pub(crate) answer: Arc<Mutex<Answer>>,
    requests: Arc<AtomicUsize>,
}

#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl KeyServer {
    pub(crate) async fn start(keys: &[Value]) -> Self {
        let answer = Answer {
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: json!({ "keys": keys }).to_string(),
        };
        let answer = Arc::new(Mutex::new(answer));
        let requests = Arc::new(AtomicUsize::new(0));
        let (served, counted) = (answer.clone(), requests.clone());
        let router = Router::new().fallback(get(move || {
            counted.fetch_add(1, Ordering::SeqCst);
            let Answer { status, headers, body } = served.lock().clone();
            async move { (status, headers, body) }
        }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, answer, requests }
    }

    pub(crate) fn source(&self) -> KeySource {
        KeySource::Url(self.url.parse().unwrap())
    }

    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    pub(crate) fn publish(&self, keys: &[Value]) {
        self.answer.lock().body = json!({ "keys": keys }).to_string();
    }
}

/// An audit log in memory that can be told to fail.
#[derive(Default)]
pub(crate) struct Log {
    pub(crate) events: Mutex<Vec<AuditEvent>>,
    pub(crate) failing: std::sync::atomic::AtomicBool,
    pub(crate) arrived: tokio::sync::Notify,
}

#[async_trait]
impl AuditSink for Log {
    async fn append(&self, event: AuditEvent) -> Result<(), AuditError> {
        self.append_all(vec![event]).await
    }

    async fn append_all(&self, events: Vec<AuditEvent>) -> Result<(), AuditError> {
        if self.failing.load(Ordering::SeqCst) {
            return Err(AuditError::QueueFull);
        }
        self.events.lock().extend(events);
        self.arrived.notify_one();
        Ok(())
    }
}

/// Redacts one word.
pub(crate) struct RedactWord(pub(crate) &'static str);

impl Redact for RedactWord {
    fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        text.replace(self.0, "[redacted:word]").into()
    }
}
