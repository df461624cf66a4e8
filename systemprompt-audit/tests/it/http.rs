use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use http::{Request, StatusCode, header};
use serde_json::Value;
use systemprompt_audit::ReadLimits;
use systemprompt_audit::http::router;
use systemprompt_core::api::{AuthRefusal, Authenticate, RequestHead};
use systemprompt_core::contract::{AuditSink as _, PermitLedger as _};
use systemprompt_core::event::Verdict;
use systemprompt_core::id::{Audience, TraceId};
use systemprompt_core::principal::Principal;
use systemprompt_core::secret::Redact;
use tower::ServiceExt as _;

use crate::fixture::{Fixture, decision, on_both, principal, success};

/// Knows `auditor` and `plain` of the tenant `acme`, by those words as tokens.
struct Tokens;

#[async_trait]
impl Authenticate for Tokens {
    async fn authenticate(
        &self,
        request: RequestHead<'_>,
        audience: &Audience,
    ) -> Result<Principal, AuthRefusal> {
        assert_eq!(audience.as_str(), "api");
        let header = request.headers.get(header::AUTHORIZATION).ok_or(AuthRefusal::Missing)?;
        let mut claims = principal("acme", "ada").claims().clone();
        if header == "Bearer auditor" {
            claims.scopes.insert("audit:read".parse().unwrap());
        }
        Ok(Principal::assert_authenticated(claims).unwrap())
    }

    fn client_addr(&self, request: RequestHead<'_>) -> Option<IpAddr> {
        request.peer
    }
}

pub(crate) struct HideHunter2;

impl Redact for HideHunter2 {
    fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        text.replace("hunter2", "[redacted:test]").into()
    }
}

on_both! {
    #[tokio::test]
    a_trace_is_shown_to_its_tenant_alone;
    #[tokio::test]
    reading_takes_a_credential_with_the_scope;
    #[tokio::test]
    decisions_come_filtered_and_in_pages;
    #[tokio::test]
    what_cannot_be_meant_is_refused_by_name;
    #[tokio::test]
    events_of_every_kind_come_filtered_and_bounded;
    #[tokio::test]
    analytics_are_of_the_tenant_alone;
    #[tokio::test]
    questions_take_a_bounded_share;
}

struct Api {
    fixture: Fixture,
    router: Router,
}

impl Api {
    fn on(fixture: Fixture) -> Self {
        let router = router(fixture.reader(), Arc::new(Tokens), Arc::new(HideHunter2));
        Self { fixture, router }
    }

    async fn get_as(&self, token: Option<&str>, path: &str) -> (StatusCode, Value) {
        let mut request = Request::get(path);
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Body::empty()).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        assert!(response.headers().contains_key("x-trace-id"));
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.get_as(Some("auditor"), path).await
    }
}

async fn a_trace_is_shown_to_its_tenant_alone(fixture: Fixture) {
    let api = Api::on(fixture);
    let log = api.fixture.log().await;
    let event = api.fixture.allow("ada");
    let (permit, trace) = (event.id.into(), event.trace_id);
    let foreign = decision(&principal("other", "eve"), api.fixture.now(), Verdict::Allow);
    let foreign_trace = foreign.trace_id;
    log.append_all(vec![event, foreign]).await.unwrap();
    log.settle(permit, &principal("acme", "ada"), success()).await.unwrap();

    let (status, body) = api.get(&format!("/api/v1/audit/traces/{trace}")).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(body["trace_id"], trace.to_string());
    for point in ["identity", "agent_context", "permissions", "tool_execution", "result"] {
        assert!(body["points"][point].is_object(), "{point}");
    }
    assert_eq!(body["missing"], serde_json::json!([]));
    assert_eq!(body["events"].as_array().unwrap().len(), 2);

    for unknown in [foreign_trace, TraceId::generate()] {
        let (status, body) = api.get(&format!("/api/v1/audit/traces/{unknown}")).await;
        assert_eq!((status, &body["code"]), (StatusCode::NOT_FOUND, &"not_found".into()));
    }
    let (status, body) = api.get("/api/v1/audit/traces/ABC").await;
    assert_eq!((status, &body["parameter"]), (StatusCode::BAD_REQUEST, &"trace_id".into()));
    let (status, _) = api.get(&format!("/api/v1/audit/traces/{trace}?x=1")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

async fn reading_takes_a_credential_with_the_scope(fixture: Fixture) {
    let api = Api::on(fixture);
    let trace = TraceId::generate();
    let trace = format!("/api/v1/audit/traces/{trace}");
    let events = "/api/v1/audit/events";
    for path in [
        "/api/v1/audit/decisions",
        &trace,
        events,
        "/api/v1/analytics/costs",
        "/api/v1/stream/audit",
    ] {
        let (status, body) = api.get_as(None, path).await;
        assert_eq!((status, &body["code"]), (StatusCode::UNAUTHORIZED, &"unauthenticated".into()));
        let (status, body) = api.get_as(Some("plain"), path).await;
        assert_eq!((status, &body["code"]), (StatusCode::FORBIDDEN, &"insufficient_scope".into()));
        assert_eq!(body["required"], serde_json::json!(["audit:read"]));
    }
}

async fn decisions_come_filtered_and_in_pages(fixture: Fixture) {
    let api = Api::on(fixture);
    let log = api.fixture.log().await;
    log.append_all((0..5).map(|_| api.fixture.allow("ada")).collect()).await.unwrap();
    let denied = decision(&principal("acme", "bob"), api.fixture.now(), Verdict::Deny);
    log.append(denied).await.unwrap();
    let (status, body) = api.get("/api/v1/audit/decisions?decision=deny&user_id=bob").await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert_eq!(body["decisions"].as_array().unwrap().len(), 1);
    assert_eq!(body["decisions"][0]["reason_code"], "blocked");
    assert_eq!(body["next_cursor"], Value::Null);

    let mut seen = 0;
    let mut path = "/api/v1/audit/decisions?limit=4".to_owned();
    loop {
        let (_, body) = api.get(&path).await;
        seen += body["decisions"].as_array().unwrap().len();
        let Some(cursor) = body["next_cursor"].as_str() else { break };
        path = format!("/api/v1/audit/decisions?limit=4&cursor={cursor}");
    }
    assert_eq!(seen, 6);
    let (_, body) = api.get("/api/v1/audit/decisions?tool=mcp__files__Read").await;
    assert_eq!(body["decisions"].as_array().unwrap().len(), 6);
    let (_, body) = api.get("/api/v1/audit/decisions?to=2026-11-22T20:15:00Z").await;
    assert_eq!(body["decisions"].as_array().unwrap().len(), 0);
}

async fn what_cannot_be_meant_is_refused_by_name(fixture: Fixture) {
    let api = Api::on(fixture);
    for (query, parameter) in [
        ("colour=red", "colour"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=ten", "limit"),
        ("cursor=abc", "cursor"),
        ("from=yesterday", "from"),
        ("decision=maybe", "decision"),
        ("trace_id=1", "trace_id"),
        ("token-hunter2=1", "token-[redacted:test]"),
    ] {
        let (status, body) = api.get(&format!("/api/v1/audit/decisions?{query}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(body["parameter"], parameter, "{query}");
        assert!(body["detail"].as_str().unwrap().contains(parameter), "{query}");
    }
    for query in ["user=%zz", "user=%", "user=%4", "user=%ff", "%zz=1"] {
        let (status, body) = api.get(&format!("/api/v1/audit/decisions?{query}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{query}");
        assert!(body["detail"].as_str().unwrap().contains("percent-encoded"), "{query}");
    }
    let (status, _) = api.get("/api/v1/audit/decisions?user=%C3%A9+%25").await;
    assert_eq!(status, StatusCode::OK);
    let (status, body) = api.get("/api/v1/audit/decisions?limit=1&limit=2").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(body["detail"].as_str().unwrap().contains("twice"));
}

async fn events_of_every_kind_come_filtered_and_bounded(fixture: Fixture) {
    let mut api = Api::on(fixture);
    let log = api.fixture.log().await;
    let event = api.fixture.allow("ada");
    let permit = event.id.into();
    log.append(event).await.unwrap();
    log.settle(permit, &principal("acme", "ada"), success()).await.unwrap();
    let foreign = decision(&principal("other", "eve"), api.fixture.now(), Verdict::Allow);
    log.append(foreign).await.unwrap();
    for _ in 0..2 {
        for (query, count) in [
            ("", 2),
            ("kind=outcome", 1),
            ("user=ada&kind=decision", 1),
            ("duration_ms_min=12&duration_ms_max=12", 1),
            ("duration_ms_min=13", 0),
            ("user=eve", 0),
            ("from=1w&q=nothing+of+the+kind", 0),
        ] {
            let (status, body) = api.get(&format!("/api/v1/audit/events?{query}")).await;
            assert_eq!(status, StatusCode::OK, "{query} {body}");
            assert_eq!(body["events"].as_array().unwrap().len(), count, "{query}");
            assert_eq!((&body["next_cursor"], &body["scanned_to"]), (&Value::Null, &Value::Null));
        }
        log.index().await.unwrap();
    }
    for query in ["tenant_id=other", "kind=wish", "q=x", "duration_ms=1"] {
        let (status, _) = api.get(&format!("/api/v1/audit/events?{query}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{query}");
    }
    let (status, _) = api.get("/api/v1/audit/decisions?kind=outcome").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let limits = ReadLimits { rows: 1, ..ReadLimits::default() };
    let reader = api.fixture.reader().limited(limits);
    api.router = router(reader, Arc::new(Tokens), Arc::new(HideHunter2));
    let (_, body) = api.get("/api/v1/audit/events?server=nowhere").await;
    assert_eq!(body["scanned_to"], "2026-11-22T20:15:00.000000Z");
    assert!(body["next_cursor"].is_string());
}

async fn analytics_are_of_the_tenant_alone(fixture: Fixture) {
    let api = Api::on(fixture);
    let log = api.fixture.log().await;
    log.append(api.fixture.allow("ada")).await.unwrap();
    let foreign = decision(&principal("other", "eve"), api.fixture.now(), Verdict::Allow);
    log.append(foreign).await.unwrap();
    let path = "/api/v1/analytics/tools?from=2026-01-01T00:00:00Z";
    let (status, body) = api.get(path).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert_eq!(body["total"]["calls"]["allowed"], 1);
    assert_eq!(body["rows"][0]["key"], serde_json::json!(["mcp__files__Read"]));
    let (_, body) = api.get(&format!("{path}&by=user,month")).await;
    assert_eq!(body["rows"][0]["key"], serde_json::json!(["ada", "2026-11"]));
    let (status, body) = api.get("/api/v1/analytics/gossip").await;
    assert_eq!((status, &body["code"]), (StatusCode::NOT_FOUND, &"not_found".into()));
    for (query, parameter) in
        [("by=colour", "by"), ("format=xml", "format"), ("limit=0", "limit"), ("q=ada", "q")]
    {
        let (status, body) = api.get(&format!("/api/v1/analytics/costs?{query}")).await;
        assert_eq!((status, &body["parameter"]), (StatusCode::BAD_REQUEST, &parameter.into()));
    }
    let request = Request::get(format!("{path}&format=csv&by=user"))
        .header(header::AUTHORIZATION, "Bearer auditor")
        .body(Body::empty())
        .unwrap();
    let response = api.router.clone().oneshot(request).await.unwrap();
    let kind = response.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
    assert!(kind.starts_with("text/csv"), "{kind}");
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    let text = String::from_utf8(body.to_vec()).unwrap();
    assert!(text.starts_with("user,calls,allowed"), "{text}");
    assert!(text.contains("\r\nada,1,1,0"), "{text}");
}

async fn questions_take_a_bounded_share(fixture: Fixture) {
    let mut api = Api::on(fixture);
    let none =
        ReadLimits { concurrent: 0, wait: Duration::from_millis(1), ..ReadLimits::default() };
    let slow = ReadLimits { time: Duration::ZERO, ..ReadLimits::default() };
    let log = api.fixture.log().await;
    for _ in 0..20 {
        log.append_all((0..100).map(|_| api.fixture.allow("ada")).collect()).await.unwrap();
    }
    for (limits, detail) in [(none, "too many"), (slow, "too long")] {
        let reader = api.fixture.reader().limited(limits);
        api.router = router(reader, Arc::new(Tokens), Arc::new(HideHunter2));
        // Now and then a server answers before the shortest of timers has run down.
        let mut answer = api.get("/api/v1/audit/decisions?user_id=nobody").await;
        for _ in 0..50 {
            if answer.0 == StatusCode::OK {
                answer = api.get("/api/v1/audit/decisions?user_id=nobody").await;
            }
        }
        let (status, body) = answer;
        assert_eq!((status, &body["code"]), (StatusCode::SERVICE_UNAVAILABLE, &"busy".into()));
        assert!(body["detail"].as_str().unwrap().contains(detail), "{body}");
    }
    // What was interrupted left its connection in order.
    for _ in 0..8 {
        let all =
            api.fixture.number("SELECT count(*) FROM audit_events WHERE user_id IS NOT NULL").await;
        assert_eq!(all, 2_000);
    }
}
