//! The encrypted store behind the injector: what is granted is what arrives, and both logs agree.

use std::borrow::Cow;
use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use serde_json::{Value, json};
use systemprompt_core::clock::{Clock, SystemClock};
use systemprompt_core::contract::{AuditError, AuditSink, ChangeSink};
use systemprompt_core::database::{DatabaseOptions, DbPool, DbTransaction, SchemaInstaller};
use systemprompt_core::decision::OutcomeStatus;
use systemprompt_core::encryption::LocalKey;
use systemprompt_core::event::{AuditBody, AuditEvent, EventKind};
use systemprompt_core::secret::{Redact, Secret};
use systemprompt_custody::inject::{
    Bindings, HttpSettings, InjectingClient, InjectionSettings, Injector, UpstreamRequest,
};
use systemprompt_custody::{Actor, Custody, CustodyParts, Grant, NewSecret, Place, schema};
use tempfile::TempDir;
use url::Url;

use crate::house::{MemoryLedger, TOKEN, assert_clean, call, permit, server, tenant};
use crate::upstream::Upstream;

const OPS: Actor<'static> = Actor::Operator("ops");

#[derive(Default)]
struct Log(Mutex<Vec<AuditEvent>>);

impl Log {
    fn details(&self, kind: EventKind) -> Vec<Value> {
        let detail = |event: &AuditEvent| match &event.body {
            AuditBody::Other { kind: other, detail } if *other == kind => Some(detail.clone()),
            _ => None,
        };
        self.0.lock().iter().filter_map(detail).collect()
    }
}

#[async_trait]
impl AuditSink for Log {
    async fn append(&self, event: AuditEvent) -> Result<(), AuditError> {
        self.0.lock().push(event);
        Ok(())
    }
}

#[async_trait]
impl ChangeSink for Log {
    async fn append_in(
        &self,
        _: &mut DbTransaction<'_>,
        events: Vec<AuditEvent>,
    ) -> Result<(), AuditError> {
        self.0.lock().extend(events);
        Ok(())
    }
}

struct Nothing;

impl Redact for Nothing {
    fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        text.into()
    }
}

/// A store with one secret `key`, granted to server `api` for these places.
async fn custody(places: Vec<Place>) -> (TempDir, Custody, Arc<Log>) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("custody.db").display());
    let database = DbPool::open(&DatabaseOptions::new(url).create(true)).await.unwrap();
    let clock: Arc<dyn Clock> = SystemClock::shared();
    SchemaInstaller::new(&[schema()]).unwrap().apply(&database, &*clock).await.unwrap();
    let log = Arc::new(Log::default());
    let custody = Custody::new(CustodyParts {
        database,
        encryption: Arc::new(LocalKey::parse(&Secret::new("01".repeat(32))).unwrap()),
        uses: log.clone(),
        changes: log.clone(),
        redact: Arc::new(Nothing),
        clock,
    });
    let new = NewSecret {
        tenant: tenant(),
        name: "key".parse().unwrap(),
        description: "a test".to_owned(),
        value: Secret::new(TOKEN.to_owned()),
    };
    custody.create(&new, OPS).await.unwrap();
    for place in places {
        let (tenant, name, server) = (tenant(), new.name.clone(), server("api"));
        custody.grant(&Grant { tenant, name, server, place }, OPS).await.unwrap();
    }
    (folder, custody, log)
}

fn injector(custody: Custody, host: &str) -> Injector {
    let settings: InjectionSettings = serde_json::from_value(json!({ "bindings": [
        { "server": "api", "secret": "key", "sink": { "header": { "host": host, "name": "Authorization", "template": "Bearer {}" } } },
        { "server": "api", "secret": "key@1", "sink": { "argument": { "tool": "store", "argument": "key" } } },
    ] }))
    .unwrap();
    Injector::new(Arc::new(custody), Bindings::compile(&settings).unwrap())
}

/// Calls `mcp__api__store` with a placeholder; what the caller gets.
async fn store(
    injector: &Injector,
    upstream: &Upstream,
    ledger: &Arc<MemoryLedger>,
) -> Result<String, String> {
    let private_hosts = ["127.0.0.1".to_owned()].into();
    let settings = HttpSettings { private_hosts, ..HttpSettings::default() };
    let client = InjectingClient::new(&settings).unwrap();
    let url = Url::parse(&upstream.url("/echo")).unwrap();
    let decided = call("mcp__api__store", r#"{"key":"secret://key"}"#);
    let result = injector
        .run(&server("api"), permit(&decided, ledger), |injection| async move {
            let arguments = injection.arguments().await?;
            let request = UpstreamRequest::new(http::Method::POST, url).arguments(arguments);
            client.send(&injection, request).await?.bytes().await
        })
        .await;
    match result {
        Ok(text) => Ok(String::from_utf8(text.to_vec()).unwrap()),
        Err(error) => Err(format!("{error}: {}", std::error::Error::source(&error).unwrap())),
    }
}

#[tokio::test]
async fn what_is_granted_arrives_and_is_recorded() {
    let upstream = Upstream::start().await;
    let (_folder, custody, log) = custody(vec![
        Place::header(&upstream.host(), "authorization").unwrap(),
        Place::argument("store", "/key").unwrap(),
    ])
    .await;
    let ledger = Arc::default();
    let text = store(&injector(custody, &upstream.host()), &upstream, &ledger).await.unwrap();
    assert_clean(text.as_bytes(), TOKEN);
    assert!(text.ends_with(r#"body={"key":"[redacted:secret://key]"}"#), "{text}");
    let received = upstream.log.all().remove(0);
    assert_eq!(received.header("authorization"), Some(&*format!("Bearer {TOKEN}")));
    assert_eq!(received.body, format!(r#"{{"key":"{TOKEN}"}}"#));
    assert_eq!(ledger.only_outcome().status, OutcomeStatus::Success);
    assert_eq!(log.details(EventKind::SecretUsed).len(), 2);
    assert_clean(format!("{:?}", log.0.lock()).as_bytes(), TOKEN);
}

#[tokio::test]
async fn what_is_not_granted_does_not() {
    let upstream = Upstream::start().await;
    let (_folder, custody, log) = custody(vec![Place::argument("store", "/key").unwrap()]).await;
    let ledger = Arc::default();
    let error = store(&injector(custody, &upstream.host()), &upstream, &ledger).await.unwrap_err();
    let place = format!("header `authorization` of host `{}`", upstream.host());
    assert!(error.contains(&format!("is not granted to server `api` for the {place}")), "{error}");
    assert!(upstream.log.all().is_empty());
    let outcome = ledger.only_outcome();
    assert_eq!(outcome.status, OutcomeStatus::Failed);
    assert!(outcome.error.unwrap().contains("secret://key"));
    assert_eq!(log.details(EventKind::SecretDenied).len(), 1);
}
