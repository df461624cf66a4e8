//! The gate: credentials of requests, refusals and their record.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri};
use systemprompt_core::api::{AuthRefusal, Authenticate as _, RequestHead};
use systemprompt_core::contract::TokenError;
use systemprompt_core::event::{AuditBody, AuditEvent, EventKind};
use systemprompt_core::id::TraceId;
use systemprompt_core::principal::Principal;
use systemprompt_identity::{Gate, GateSettings, TrustedProxies};

use crate::support::{Home, Log, RedactWord, api};

struct Door {
    home: Home,
    log: Arc<Log>,
    gate: Gate,
}

impl Door {
    async fn new() -> Self {
        Self::with(GateSettings::default()).await
    }

    async fn with(settings: GateSettings) -> Self {
        let home = Home::new().await;
        let log = Arc::new(Log::default());
        let verifier = Arc::new(home.verifier().await);
        let redact = Arc::new(RedactWord("hunter2"));
        let gate = Gate::start(verifier, log.clone(), redact, home.clock.clone(), settings);
        Self { home, log, gate }
    }

    async fn knock(&self, peer: &str, pairs: &[(&str, &[u8])]) -> Result<Principal, AuthRefusal> {
        self.knock_at("/api/v1/govern", peer, pairs).await
    }

    async fn knock_at(
        &self,
        uri: &str,
        peer: &str,
        pairs: &[(&str, &[u8])],
    ) -> Result<Principal, AuthRefusal> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            let name: HeaderName = name.parse().unwrap();
            headers.append(name, HeaderValue::from_bytes(value).unwrap());
        }
        let uri: Uri = uri.parse().unwrap();
        let peer: IpAddr = peer.parse().unwrap();
        let head = RequestHead {
            uri: &uri,
            headers: &headers,
            peer: Some(peer),
            trace_id: TraceId::generate(),
        };
        self.gate.authenticate(head, &api()).await
    }

    async fn bearer(&self, peer: &str, token: &str) -> Result<Principal, AuthRefusal> {
        self.knock(peer, &[("authorization", format!("Bearer {token}").as_bytes())]).await
    }

    /// What was written down, after everything has been.
    async fn written(&self) -> Vec<AuditEvent> {
        self.gate.close().await;
        assert_eq!(self.gate.stats().unwritten, 0);
        self.log.events.lock().clone()
    }
}

fn detail(event: &AuditEvent) -> &serde_json::Value {
    match &event.body {
        AuditBody::Other { kind: EventKind::AuthRefused, detail } => detail,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_credential_is_taken_from_either_header() {
    let door = Door::new().await;
    let key = door.home.user_key().to_owned();
    let bearer = format!("Bearer {key}");
    for pairs in [
        vec![("authorization", bearer.as_bytes())],
        vec![("x-api-key", key.as_bytes())],
        vec![("authorization", bearer.as_bytes()), ("x-api-key", key.as_bytes())],
    ] {
        assert_eq!(door.knock("192.0.2.1", &pairs).await.unwrap().user().as_str(), "user");
    }
    let two =
        [("authorization", bearer.as_bytes()), ("x-api-key", door.home.admin_key().as_bytes())];
    assert_eq!(door.knock("192.0.2.1", &two).await.unwrap_err(), AuthRefusal::Ambiguous);
    assert_eq!(door.gate.stats().passed, 3);
}

#[tokio::test]
async fn t11_a_token_in_the_query_is_not_looked_at() {
    let door = Door::new().await;
    let key = door.home.admin_key();
    for name in ["access_token", "token", "api_key", "key"] {
        let uri = format!("/api/v1/govern?{name}={key}");
        let refusal = door.knock_at(&uri, "192.0.2.1", &[]).await.unwrap_err();
        assert_eq!(refusal, AuthRefusal::Missing);
    }
    assert!(!format!("{:?}", door.written().await).contains(key));
}

#[tokio::test]
async fn t13_hostile_header_values_are_refused_and_recorded_once() {
    let door = Door::new().await;
    let megabyte = [b"Bearer ".as_slice(), &vec![b'a'; 1_000_000]].concat();
    let injection = b"' OR 1=1--".as_slice();
    let malformed = AuthRefusal::Token(TokenError::Malformed);
    for (pairs, expected) in [
        (vec![("authorization", injection)], malformed.clone()),
        (vec![("authorization", b"Bearer ' OR 1=1--".as_slice())], malformed.clone()),
        (vec![("x-api-key", b"'OR/**/1=1--".as_slice())], malformed.clone()),
        (vec![("authorization", megabyte.as_slice())], malformed.clone()),
        (vec![("authorization", b"Bearer \xf0\x28\x8c\xbc".as_slice())], AuthRefusal::Ambiguous),
        (
            vec![("authorization", b"Bearer a".as_slice()), ("authorization", b"Bearer a")],
            malformed.clone(),
        ),
        (
            vec![("authorization", b"Bearer a".as_slice()), ("authorization", b"Bearer b")],
            AuthRefusal::Ambiguous,
        ),
    ] {
        let refusal = door.knock("192.0.2.1", &pairs).await.unwrap_err();
        assert_eq!(refusal, expected);
        let text = refusal.to_string().to_lowercase();
        assert!(!text.contains("sql") && !text.contains("1=1"), "{text}");
    }
    let written = door.written().await;
    let counts: Vec<_> = written
        .iter()
        .map(|e| (detail(e)["cause"].as_str().unwrap(), detail(e)["count"].as_u64().unwrap()))
        .collect();
    assert_eq!(written.len(), 2, "one row for each cause: {counts:?}");
    assert!(counts.contains(&("malformed", 5)) && counts.contains(&("ambiguous", 2)));
    assert!(!format!("{written:?}").contains("1=1"));
}

#[tokio::test]
async fn t30_headers_about_the_host_change_nothing() {
    let door = Door::new().await;
    for name in
        ["x-forwarded-host", "x-user-id", "x-user-permissions", "x-forwarded-for", "forwarded"]
    {
        let pairs = [(name, b"admin".as_slice())];
        assert_eq!(door.knock("127.0.0.1", &pairs).await.unwrap_err(), AuthRefusal::Missing);
        let key = door.home.user_key().to_owned();
        let pairs = [(name, b"admin".as_slice()), ("x-api-key", key.as_bytes())];
        let principal = door.knock("127.0.0.1", &pairs).await.unwrap();
        assert_eq!(principal.user().as_str(), "user");
        assert!(!principal.has_scope("admin"));
    }
}

#[tokio::test]
async fn too_many_failures_slow_the_address_but_no_valid_credential() {
    let door = Door::new().await;
    for _ in 0..60 {
        let refusal = door.bearer("192.0.2.1", "nonsense").await.unwrap_err();
        assert_eq!(refusal, AuthRefusal::Token(TokenError::Malformed));
    }
    let refusal = door.bearer("192.0.2.1", "nonsense").await.unwrap_err();
    assert_eq!(refusal, AuthRefusal::TooManyFailures { retry_after: Duration::from_secs(1) });
    door.bearer("192.0.2.1", door.home.user_key()).await.unwrap();
    let other = door.bearer("192.0.2.2", "nonsense").await.unwrap_err();
    assert_eq!(other, AuthRefusal::Token(TokenError::Malformed));
    assert_eq!(door.knock("192.0.2.1", &[]).await.unwrap_err(), AuthRefusal::Missing);
    door.home.clock.advance(Duration::from_secs(60));
    let refusal = door.bearer("192.0.2.1", "nonsense").await.unwrap_err();
    assert_eq!(refusal, AuthRefusal::Token(TokenError::Malformed));
    assert_eq!(door.gate.stats().slowed, 1);
}

#[tokio::test]
async fn a_forwarded_address_counts_only_behind_a_trusted_proxy() {
    let proxy: IpAddr = "10.0.0.1".parse().unwrap();
    let trusted_proxies = TrustedProxies::matching(move |address| address == proxy);
    let door = Door::with(GateSettings { failures_per_minute: 1, trusted_proxies }).await;
    let bad = |from: &'static str| {
        [("x-api-key", b"bad".as_slice()), ("x-forwarded-for", from.as_bytes())]
    };
    let slowed = |result: Result<Principal, AuthRefusal>| {
        matches!(result, Err(AuthRefusal::TooManyFailures { .. }))
    };
    assert!(!slowed(door.knock("10.0.0.1", &bad("192.0.2.1")).await));
    assert!(!slowed(door.knock("10.0.0.1", &bad("192.0.2.2")).await));
    assert!(slowed(door.knock("10.0.0.1", &bad("192.0.2.1")).await));
    assert!(slowed(door.knock("10.0.0.1", &bad("6.6.6.6, 192.0.2.2")).await));
    assert!(!slowed(door.knock("192.0.2.9", &bad("1.1.1.1")).await));
    assert!(slowed(door.knock("192.0.2.9", &bad("1.1.1.2")).await));
    let addresses: Vec<_> =
        door.written().await.iter().filter_map(|event| event.context.client_addr).collect();
    assert!(addresses.contains(&"192.0.2.1".parse().unwrap()));
    assert!(addresses.contains(&"192.0.2.9".parse().unwrap()));
    assert!(!addresses.contains(&proxy) && !addresses.contains(&"1.1.1.1".parse().unwrap()));
}

#[tokio::test]
async fn refusals_are_written_by_themselves_and_hold_no_credential() {
    let door = Door::new().await;
    let wrong = format!("{}0", &door.home.admin_key()[..door.home.admin_key().len() - 1]);
    let wrong = if wrong == door.home.admin_key() { wrong.replace("0", "1") } else { wrong };
    let bearer = format!("Bearer {wrong}");
    let agent = format!("agent/1.0 {wrong}");
    for agent in ["agent/1.0 hunter2", agent.as_str()] {
        let pairs = [("authorization", bearer.as_bytes()), ("user-agent", agent.as_bytes())];
        door.knock("192.0.2.1", &pairs).await.unwrap_err();
    }
    door.log.arrived.notified().await;
    let events = door.log.events.lock().clone();
    assert_eq!(events.len(), 1);
    let event = &events[0];
    assert_eq!(event.kind(), EventKind::AuthRefused);
    assert_eq!(detail(event)["code"], "unauthenticated");
    assert_eq!(detail(event)["cause"], "invalid");
    assert_eq!(detail(event)["surface"], "api");
    assert_eq!(detail(event)["count"], 2);
    assert_eq!(event.context.client_addr, Some("192.0.2.1".parse().unwrap()));
    assert_eq!(event.context.user_agent.as_deref(), Some("agent/1.0 [redacted:word]"));
    let shown = format!("{events:?}");
    assert!(
        !shown.contains(&wrong[8..24])
            && !shown.contains(&wrong[30..])
            && !shown.contains("hunter2")
    );
}

#[tokio::test]
async fn a_user_agent_is_cleaned_before_it_is_cut() {
    let door = Door::new().await;
    let agent = format!("{}hunter2 and more", "x".repeat(196));
    let pairs =
        [("authorization", b"Bearer sp_wrong".as_slice()), ("user-agent", agent.as_bytes())];
    door.knock("192.0.2.1", &pairs).await.unwrap_err();
    let events = door.written().await;
    let shown = events[0].context.user_agent.clone().unwrap();
    assert_eq!(*shown, *format!("{}[red", "x".repeat(196)));
}

#[tokio::test]
async fn a_flood_of_bad_tokens_becomes_a_handful_of_rows() {
    let door = Door::new().await;
    for n in 0..10_000_u32 {
        let peer = IpAddr::V4((n * 7919).into()).to_string();
        door.bearer(&peer, &format!("bad-{n}")).await.unwrap_err();
    }
    let written = door.written().await;
    let counted: u64 = written.iter().map(|event| detail(event)["count"].as_u64().unwrap()).sum();
    assert_eq!(counted, 10_000, "none is lost");
    // A second's worth is at most 64 addresses and one row for all the others.
    let bytes: usize = written.iter().map(|event| format!("{event:?}").len()).sum();
    assert!(bytes < 1024 * 1024, "{} rows, {bytes} bytes", written.len());
}

#[tokio::test]
async fn what_the_log_does_not_take_waits() {
    let door = Door::new().await;
    door.log.failing.store(true, Ordering::SeqCst);
    for _ in 0..3 {
        door.bearer("192.0.2.1", "nonsense").await.unwrap_err();
    }
    door.gate.close().await;
    assert_eq!(door.gate.stats().unwritten, 3);
    door.log.failing.store(false, Ordering::SeqCst);
    let written = door.written().await;
    assert_eq!(written.len(), 1);
    assert_eq!(detail(&written[0])["count"], 3);
}

#[tokio::test]
async fn the_background_ends_with_the_last_handle() {
    let home = Home::new().await;
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    // What the pool does after the set-up comes to an end first.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let before = tasks();
    let verifier = home.verifier().await;
    let gate = Gate::start(
        Arc::new(verifier.clone()),
        Arc::new(Log::default()),
        Arc::new(RedactWord("hunter2")),
        home.clock.clone(),
        GateSettings::default(),
    );
    tokio::task::yield_now().await;
    assert!(tasks() >= before + 3, "{} tasks", tasks());
    let clone = gate.clone();
    drop((gate, verifier));
    tokio::task::yield_now().await;
    assert!(tasks() >= before + 3);
    drop(clone);
    let ended = async {
        while tasks() > before {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), ended).await.unwrap();
}
