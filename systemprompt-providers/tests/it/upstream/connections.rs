use std::sync::Arc;
use std::time::Duration;

use systemprompt_core::secret::Secret;
use systemprompt_providers::scripted::{Script, ScriptedUpstream, Step, sse};
use systemprompt_providers::upstream::{UpstreamClient, UpstreamErrorKind};

use super::{PATIENCE, pair, send, settings, text};

#[tokio::test]
async fn twenty_requests_need_one_connection() {
    let (upstream, client, _) = pair(|_| {}).await;
    upstream.always("POST", "/", Script::json("{}"));
    for _ in 0..20 {
        assert_eq!(text(&client.clone()).await.as_deref(), Ok("{}"));
    }
    assert_eq!((upstream.requests(), upstream.accepted()), (20, 1));
}

#[tokio::test]
async fn a_dropped_answer_closes_its_connection() {
    let (upstream, client, _) = pair(|_| {}).await;
    let events = sse(["data: 1\n\n"]).step(Step::Pause(Duration::from_millis(20))).step(Step::Hang);
    upstream.always("POST", "/", events);
    let mut answers = Vec::new();
    for _ in 0..5 {
        let mut answer = send(&client).await.unwrap();
        assert_eq!(answer.body.next_piece().await.unwrap().unwrap(), "data: 1\n\n");
        answers.push(answer);
    }
    assert_eq!((upstream.open(), upstream.accepted()), (5, 5));
    drop(answers);
    assert!(upstream.wait_until(PATIENCE, |u| u.open() == 0).await, "{} open", upstream.open());
    let departures = upstream.departures();
    assert_eq!(departures.len(), 5);
    assert!(departures.iter().all(|departure| departure.written > 0));
    let health = client.health();
    assert_eq!((health.in_flight, health.consecutive_failures), (0, 0), "callers may go away");
}

#[tokio::test]
async fn calls_and_answers_go_to_other_tasks() {
    let (upstream, client, _) = pair(|_| {}).await;
    upstream.always("POST", "/", Script::json("{}"));
    let answer = tokio::spawn(async move { client.send(super::call()).await }).await.unwrap();
    let body = tokio::spawn(async move { answer.unwrap().body.collect(10).await }).await.unwrap();
    assert_eq!(body.unwrap(), "{}");
}

#[tokio::test]
async fn a_dropped_flood_stops_being_read() {
    let (upstream, client, _) = pair(|_| {}).await;
    upstream.on("POST", "/", Script::flood(1 << 40));
    let mut answer = send(&client).await.unwrap();
    answer.body.next_piece().await.unwrap().unwrap();
    // Nobody reads: what is written stays bounded by the buffers of both sides.
    tokio::time::sleep(Duration::from_millis(200)).await;
    drop(answer);
    assert!(upstream.wait_until(PATIENCE, |u| u.departures().len() == 1).await);
    let written = upstream.departures()[0].written;
    assert!(written < 32 << 20, "{written} bytes were taken without a reader");
}

#[tokio::test]
async fn connections_that_were_closed_meanwhile_do_no_harm() {
    let (upstream, client, _) = pair(|_| {}).await;
    upstream.always("POST", "/", Script::json("{}"));
    for _ in 0..3 {
        assert_eq!(text(&client).await.as_deref(), Ok("{}"));
        upstream.refuse().await;
        upstream.listen().await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(upstream.accepted(), 3);
}

#[tokio::test]
async fn a_proxy_is_gone_through_and_its_credential_stays_with_it() {
    let proxy = ScriptedUpstream::start().await.unwrap();
    proxy.always("CONNECT", "", Script::status(403));
    let mut settings = settings(&proxy);
    settings.base_url = "https://api.provider.invalid".to_owned();
    settings.private_addresses = false;
    let url = proxy.url().replace("http://", "http://user:hunter2@");
    settings.proxy = Some(Arc::new(Secret::new(url)));
    let client = UpstreamClient::new("acme", settings).unwrap();
    let error = send(&client).await.unwrap_err();
    assert_eq!(error.kind, UpstreamErrorKind::Unreachable);
    let seen = proxy.journal().pop().unwrap();
    assert_eq!(
        (seen.method.as_str(), seen.target.as_str()),
        ("CONNECT", "api.provider.invalid:443")
    );
    assert!(seen.header("proxy-authorization").is_some_and(|value| value.starts_with("Basic ")));
    assert!(!format!("{client:?} {error:?} {error}").contains("hunter2"));
}
