//! The log as a stream over HTTP.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, BodyDataStream};
use futures_util::StreamExt as _;
use http::{Request, StatusCode, header};
use serde_json::Value;
use systemprompt_audit::http::{AuditStreams, StreamLimits, router_with_streams};
use systemprompt_audit::{AuditLog, AuditOptions, AuditReader, Origin};
use systemprompt_core::api::{AuthRefusal, Authenticate, RequestHead};
use systemprompt_core::contract::{AuditSink as _, TokenError};
use systemprompt_core::database::{DatabaseOptions, DbPool};
use systemprompt_core::event::Verdict;
use systemprompt_core::id::Audience;
use systemprompt_core::principal::Principal;
use tower::ServiceExt as _;

use crate::fixture::{Fixture, decision, on_both, principal};
use crate::http::HideHunter2;

/// Every token is a user of the tenant `acme` who may read the log, until it is revoked.
#[derive(Default)]
struct Tokens {
    revoked: AtomicBool,
    /// Whether the scope was taken away.
    demoted: AtomicBool,
}

#[async_trait]
impl Authenticate for Tokens {
    async fn authenticate(
        &self,
        request: RequestHead<'_>,
        _: &Audience,
    ) -> Result<Principal, AuthRefusal> {
        if self.revoked.load(Ordering::SeqCst) {
            return Err(TokenError::Revoked.into());
        }
        let header = request.headers.get(header::AUTHORIZATION).ok_or(AuthRefusal::Missing)?;
        let user = header.to_str().unwrap().strip_prefix("Bearer ").unwrap();
        let mut claims = principal("acme", user).claims().clone();
        if !self.demoted.load(Ordering::SeqCst) {
            claims.scopes.insert("audit:read".parse().unwrap());
        }
        Ok(Principal::assert_authenticated(claims).unwrap())
    }

    fn client_addr(&self, request: RequestHead<'_>) -> Option<IpAddr> {
        request.peer
    }
}

struct Api {
    router: Router,
    tokens: Arc<Tokens>,
    streams: AuditStreams,
}

impl Api {
    fn on(reader: AuditReader) -> Self {
        let limits = StreamLimits {
            per_user: 2,
            poll: Duration::from_millis(10),
            verify: Duration::from_millis(20),
            heartbeat: Duration::from_millis(100),
            ..StreamLimits::default()
        };
        let (tokens, streams) = (Arc::<Tokens>::default(), AuditStreams::new(limits));
        let router =
            router_with_streams(reader, tokens.clone(), Arc::new(HideHunter2), streams.clone());
        Self { router, tokens, streams }
    }

    async fn ask(&self, user: &str, query: &str, last: Option<&str>) -> axum::response::Response {
        let mut request = Request::get(format!("/api/v1/stream/audit{query}"))
            .header(header::AUTHORIZATION, format!("Bearer {user}"));
        if let Some(last) = last {
            request = request.header("Last-Event-ID", last);
        }
        self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    async fn open(&self, query: &str, last: Option<&str>) -> Stream {
        let response = self.ask("ada", query, last).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        assert!(response.headers().contains_key("x-trace-id"));
        Stream { body: response.into_body().into_data_stream(), text: String::new(), id: None }
    }

    async fn refused(&self, user: &str, query: &str, last: Option<&str>) -> (u16, Value) {
        let response = self.ask(user, query, last).await;
        let status = response.status().as_u16();
        let kind = response.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
        assert_eq!(kind, "application/problem+json", "{query}");
        let body = axum::body::to_bytes(response.into_body(), 1 << 16).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }
}

/// A client that reads as the specification of server-sent events says.
struct Stream {
    body: BodyDataStream,
    text: String,
    /// The last id, which a client sends when it comes again.
    id: Option<String>,
}

#[derive(Debug)]
struct Message {
    event: String,
    data: Value,
}

impl Message {
    fn place(&self) -> (String, i64) {
        (self.data["origin"].as_str().unwrap().to_owned(), self.data["seq"].as_i64().unwrap())
    }
}

impl Stream {
    /// The next block, comments and all; `None` at the end.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                if let Some(id) = block.lines().find_map(|line| line.strip_prefix("id: ")) {
                    self.id = Some(id.to_owned());
                }
                return Some(block);
            }
            let piece = tokio::time::timeout(Duration::from_secs(10), self.body.next()).await;
            let piece = piece.expect("a stream says something")?.unwrap();
            assert!(piece.len() < 1 << 20, "a piece is bounded: {}", piece.len());
            self.text.push_str(std::str::from_utf8(&piece).unwrap());
        }
    }

    /// The next message; `None` at the end.
    async fn message(&mut self) -> Option<Message> {
        loop {
            let block = self.block().await?;
            let field = |name| block.lines().find_map(|line| line.strip_prefix(name));
            if let Some(data) = field("data: ") {
                let event = field("event: ").unwrap_or("message").to_owned();
                return Some(Message { event, data: serde_json::from_str(data).unwrap() });
            }
        }
    }

    async fn messages(&mut self, count: usize) -> Vec<Message> {
        let mut messages = Vec::new();
        while messages.len() < count {
            messages.push(self.message().await.expect("the stream goes on"));
        }
        messages
    }
}

on_both! {
    #[tokio::test]
    what_is_written_from_now_on_arrives_for_its_tenant_alone;
    #[tokio::test]
    filters_are_those_of_the_search;
    #[tokio::test]
    a_reader_who_stalls_misses_nothing_and_holds_nothing;
    #[tokio::test]
    a_filter_that_finds_nothing_still_moves_on;
    #[tokio::test]
    a_stream_is_resumed_after_a_restart_in_every_log;
    #[tokio::test]
    a_position_of_another_database_is_refused;
    #[tokio::test]
    a_user_has_a_few_streams_and_others_have_theirs;
    #[tokio::test]
    a_stream_ends_with_its_credential;
    #[tokio::test]
    streams_end_when_the_server_does;
    #[tokio::test]
    rows_that_are_no_events_are_named_and_unknown_kinds_are_shown;
}

async fn what_is_written_from_now_on_arrives_for_its_tenant_alone(fixture: Fixture) {
    let (log, api) = (fixture.log().await, Api::on(fixture.reader()));
    log.append(fixture.allow("before")).await.unwrap();
    let mut stream = api.open("", None).await;
    let opening = stream.block().await.unwrap();
    assert_eq!(opening, "retry: 2000\n: following\nid: 1:1");
    let foreign = decision(&principal("other", "eve"), fixture.now(), Verdict::Allow);
    let mine = fixture.allow("ada");
    let id = mine.id;
    log.append_all(vec![foreign, mine]).await.unwrap();
    let message = stream.message().await.unwrap();
    assert_eq!((&*message.event, &message.data["user_id"]), ("message", &"ada".into()));
    assert_eq!(message.data["id"], id.to_string());
    assert_eq!(stream.id.as_deref(), Some("1:3"));
}

async fn filters_are_those_of_the_search(fixture: Fixture) {
    let (log, api) = (fixture.log().await, Api::on(fixture.reader()));
    let mut denials =
        api.open("?decision=deny&tool=mcp__files__Read&reason_code=blocked", None).await;
    let mut history = api.open("?from=2026-11-22T20:15:00Z&user=bob", None).await;
    log.append(fixture.allow("ada")).await.unwrap();
    log.append(decision(&principal("acme", "bob"), fixture.now(), Verdict::Deny)).await.unwrap();
    for stream in [&mut denials, &mut history] {
        assert_eq!(stream.message().await.unwrap().data["user_id"], "bob");
    }
    drop((denials, history));
    let mut history = api.open("?from=2026-11-22T20:15:00Z", None).await;
    assert_eq!(history.messages(2).await[0].data["user_id"], "ada");
    for (query, parameter) in [
        ("?after=abc", "after"),
        ("?after=1:1,1:2", "after"),
        ("?limit=5", "limit"),
        ("?cursor=00", "cursor"),
        ("?tenant_id=other", "tenant_id"),
        ("?kind=wish", "kind"),
        ("?colour=red", "colour"),
    ] {
        let (status, body) = api.refused("ada", query, None).await;
        assert_eq!((status, &body["parameter"]), (400, &parameter.into()), "{query}");
    }
    let (status, body) = api.refused("ada", "", Some("yesterday")).await;
    assert_eq!((status, &body["parameter"]), (400, &"Last-Event-ID".into()));
}

async fn a_reader_who_stalls_misses_nothing_and_holds_nothing(fixture: Fixture) {
    let (log, api) = (fixture.log().await, Api::on(fixture.reader()));
    let mut stream = api.open("", None).await;
    stream.block().await.unwrap();
    for _ in 0..50 {
        log.append_all((0..200).map(|_| fixture.allow("ada")).collect()).await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    for seq in 1..=10_000 {
        assert_eq!(stream.message().await.unwrap().data["seq"], seq);
    }
    let quiet = stream.block().await.unwrap();
    assert_eq!(quiet, ": heartbeat\nid: 1:10000");
}

async fn a_filter_that_finds_nothing_still_moves_on(fixture: Fixture) {
    let (log, api) = (fixture.log().await, Api::on(fixture.reader()));
    let mut stream = api.open("?user=nobody&after=0", None).await;
    for _ in 0..30 {
        log.append_all((0..200).map(|_| fixture.allow("ada")).collect()).await.unwrap();
    }
    let start = Instant::now();
    while stream.id.as_deref() != Some("1:6000") {
        assert!(start.elapsed() < Duration::from_secs(10), "{:?}", stream.id);
        stream.block().await.unwrap();
    }
}

async fn a_stream_is_resumed_after_a_restart_in_every_log(fixture: Fixture) {
    let second =
        || AuditOptions { origin: Some(Origin::parse("replica-2").unwrap()), ..fixture.options() };
    let mut seen = Vec::new();
    let mut last = Some("0".to_owned());
    for round in 0..4 {
        let pool = DbPool::open(&DatabaseOptions::new(fixture.url())).await.unwrap();
        let one = AuditLog::open(&pool, fixture.options()).await.unwrap();
        // The second log appears while others are being read.
        let two = match round {
            0 => None,
            _ => Some(AuditLog::open(&pool, second()).await.unwrap()),
        };
        let api = Api::on(AuditReader::new(pool.clone()));
        for _ in 0..3 {
            one.append_all((0..20).map(|_| fixture.allow("ada")).collect()).await.unwrap();
            if let Some(two) = &two {
                two.append_all((0..10).map(|_| fixture.allow("bob")).collect()).await.unwrap();
            }
        }
        // Not everything is read before the connection is lost, in the middle of a piece.
        let mut stream = api.open("?after=0&from=2026-01-01T00:00:00Z", last.as_deref()).await;
        seen.extend(stream.messages(25).await.iter().map(Message::place));
        last = stream.id.clone();
        drop(stream);
        one.close().await;
        if let Some(two) = two {
            two.close().await;
        }
        pool.close().await;
    }
    let total = fixture.number("SELECT count(*) FROM audit_events").await;
    let api = Api::on(fixture.reader());
    let mut stream = api.open("", last.as_deref()).await;
    let rest = usize::try_from(total).unwrap() - seen.len();
    seen.extend(stream.messages(rest).await.iter().map(Message::place));
    assert!(stream.block().await.unwrap().starts_with(": heartbeat"), "there is no more");
    let mut distinct = seen.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!((distinct.len(), seen.len()), (330, 330));
    for origin in [&seen[0].0, "replica-2"] {
        let places: Vec<_> = seen.iter().filter(|(log, _)| log == origin).map(|it| it.1).collect();
        assert!(places.is_sorted(), "{origin}");
    }
}

async fn a_position_of_another_database_is_refused(fixture: Fixture) {
    let (log, api) = (fixture.log().await, Api::on(fixture.reader()));
    log.append(fixture.allow("ada")).await.unwrap();
    for position in ["1:2", "2:1", "1:1,9:9"] {
        let (status, body) = api.refused("ada", "", Some(position)).await;
        assert_eq!((status, &body["code"]), (409, &"unknown_position".into()), "{position}");
        let (status, _) = api.refused("ada", &format!("?after={position}"), None).await;
        assert_eq!(status, 409);
    }
    assert_eq!(api.streams.open(), 0);
    drop(api.open("?after=1:1,2:0", None).await);
}

async fn a_user_has_a_few_streams_and_others_have_theirs(fixture: Fixture) {
    let _log = fixture.log().await;
    let api = Api::on(fixture.reader());
    let (one, _two) = (api.open("", None).await, api.open("", None).await);
    let (status, body) = api.refused("ada", "", None).await;
    assert_eq!(
        (status, &body["code"], &body["limit"]),
        (429, &"too_many_streams".into(), &2.into())
    );
    assert!(api.ask("ada", "", None).await.headers().contains_key(header::RETRY_AFTER));
    let other = api.ask("bob", "", None).await;
    assert_eq!(other.status(), StatusCode::OK);
    assert_eq!(api.streams.open(), 3);
    drop((one, other));
    assert_eq!(api.streams.open(), 1);
    api.open("", None).await;
}

async fn a_stream_ends_with_its_credential(fixture: Fixture) {
    let log = fixture.log().await;
    for revoked in [true, false] {
        let api = Api::on(fixture.reader());
        let mut stream = api.open("", None).await;
        stream.block().await.unwrap();
        let flag = if revoked { &api.tokens.revoked } else { &api.tokens.demoted };
        flag.store(true, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(50)).await;
        // What is written after that is not for this client any more.
        log.append(fixture.allow("ada")).await.unwrap();
        let start = Instant::now();
        let end = stream.message().await.unwrap();
        assert!(start.elapsed() < Duration::from_secs(1));
        let code = if revoked { "unauthenticated" } else { "insufficient_scope" };
        assert_eq!((&*end.event, &end.data["code"]), ("end", &code.into()));
        assert!(stream.message().await.is_none());
        drop(stream);
        assert_eq!(api.streams.open(), 0);
    }
}

async fn streams_end_when_the_server_does(fixture: Fixture) {
    let _log = fixture.log().await;
    let api = Api::on(fixture.reader());
    let mut stream = api.open("", None).await;
    stream.block().await.unwrap();
    let closing = api.streams.clone();
    let close = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        closing.close();
    });
    let end = stream.message().await.unwrap();
    assert_eq!((&*end.event, &end.data["code"]), ("end", &"shutting_down".into()));
    assert!(stream.message().await.is_none());
    close.await.unwrap();
    let (status, body) = api.refused("ada", "", None).await;
    assert_eq!((status, &body["code"]), (503, &"shutting_down".into()));
}

async fn rows_that_are_no_events_are_named_and_unknown_kinds_are_shown(fixture: Fixture) {
    let (log, api) = (fixture.log().await, Api::on(fixture.reader()));
    log.append_all((0..4).map(|_| fixture.allow("ada")).collect()).await.unwrap();
    for statement in [
        "UPDATE audit_events SET kind = 'wish' WHERE seq = 1",
        "UPDATE audit_events SET evaluation = 'nonsense' WHERE seq = 2",
        fixture.either(
            "UPDATE audit_events SET trace_id = x'00' WHERE seq = 3",
            "UPDATE audit_events SET trace_id = '\\x00' WHERE seq = 3",
        ),
    ] {
        assert_eq!(fixture.execute(statement).await.unwrap(), 1, "{statement}");
    }
    let mut stream = api.open("?after=0", None).await;
    let messages = stream.messages(4).await;
    let events: Vec<_> = messages.iter().map(|message| &*message.event).collect();
    assert_eq!(events, ["message", "unreadable", "unreadable", "message"]);
    assert_eq!(messages[0].data["kind"], "wish");
    assert_eq!(messages[1].data["seq"], 2);
    assert_eq!(stream.id.as_deref(), Some("1:4"));
}

#[tokio::test]
async fn a_made_up_position_is_not_repeated_with_every_event() {
    let fixture = Fixture::sqlite().await;
    let log = fixture.log().await;
    for _ in 0..50 {
        log.append(fixture.allow("ada")).await.unwrap();
    }
    let api = Api::on(fixture.reader());
    let made_up: Vec<_> = (100_000..101_500).map(|id| format!("{id}:0")).collect();
    let made_up = made_up.join(",");
    let mut stream = api.open("", Some(&made_up)).await;
    let first = stream.block().await.unwrap();
    assert!(first.len() < 200, "{} bytes are repeated with every event", first.len());
}

#[tokio::test]
async fn a_revoked_stream_gets_nothing_after_the_database_was_busy() {
    let fixture = Fixture::sqlite().await;
    let log = fixture.log().await;
    let api = Api::on(fixture.reader());
    let mut tasks = Vec::new();
    for user in 0..20 {
        let response = api.ask(&format!("u{user}"), "", None).await;
        let mut stream =
            Stream { body: response.into_body().into_data_stream(), text: String::new(), id: None };
        stream.block().await.unwrap();
        tasks.push(tokio::spawn(async move { stream.message().await.unwrap() }));
    }
    let mut held = Vec::new();
    let pool = fixture.pool.sqlite().unwrap();
    while let Ok(Ok(one)) = tokio::time::timeout(Duration::from_millis(300), pool.acquire()).await {
        held.push(one);
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    api.tokens.revoked.store(true, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_secs(1)).await;
    // A second after the revocation.
    log.append(fixture.allow("ada")).await.unwrap();
    drop(held);
    let mut told = 0;
    for task in tasks {
        told += usize::from(task.await.unwrap().event != "end");
    }
    assert_eq!(told, 0, "streams that were revoked a second before were told of the event");
}
