use std::time::{Duration, Instant};

use systemprompt_providers::scripted::{Script, Step, sse};
use systemprompt_providers::upstream::{UpstreamErrorKind, Waited};

use super::{PATIENCE, call, pair, send, text, took};

#[tokio::test]
async fn so_many_calls_are_under_way_and_others_wait() {
    let (upstream, client, _) = pair(|s| {
        s.max_concurrent = 2;
        s.queue_wait = Duration::from_millis(150);
    })
    .await;
    upstream.on("POST", "/", sse(["data: 1\n\n"]).step(Step::Hang));
    upstream.on("POST", "/", sse(["data: 2\n\n"]).step(Step::Hang));
    upstream.always("POST", "/", Script::json("{}"));
    let first = send(&client).await.unwrap();
    let _second = send(&client).await.unwrap();
    assert_eq!(client.health().in_flight, 2, "answers that are read are under way");
    let started = Instant::now();
    let error = send(&client).await.unwrap_err();
    assert_eq!((error.kind.clone(), error.attempts.len()), (UpstreamErrorKind::Saturated, 0));
    assert_eq!(error.model_error().kind.status(), 503);
    took(started, Duration::from_millis(150));
    assert_eq!(upstream.requests(), 2, "nothing was sent");
    drop(first);
    assert_eq!(text(&client).await.as_deref(), Ok("{}"));
    assert_eq!(client.health().in_flight, 1);
}

#[tokio::test]
async fn a_waiting_call_is_sent_when_another_ends() {
    let (upstream, client, _) = pair(|s| s.max_concurrent = 1).await;
    let slow = Script::json("{}").before(Step::Pause(Duration::from_millis(80)));
    upstream.always("POST", "/", slow);
    let all = futures_util::future::join_all((0..5).map(|_| text(&client))).await;
    assert!(all.iter().all(|text| text.as_deref() == Ok("{}")), "{all:?}");
    assert_eq!(upstream.accepted(), 1, "never two at a time");
    assert_eq!((client.health().in_flight, client.health().queued), (0, 0));
}

#[tokio::test]
async fn the_queue_is_bounded_too() {
    let (upstream, client, _) = pair(|s| {
        s.max_concurrent = 1;
        s.max_queued = 0;
    })
    .await;
    upstream.on("POST", "/", sse(["data: 1\n\n"]).step(Step::Hang));
    let _held = send(&client).await.unwrap();
    let started = Instant::now();
    assert_eq!(send(&client).await.unwrap_err().kind, UpstreamErrorKind::Saturated);
    assert!(started.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn who_has_no_time_left_does_not_wait_on() {
    let (upstream, client, _) = pair(|s| s.max_concurrent = 1).await;
    upstream.on("POST", "/", sse(["data: 1\n\n"]).step(Step::Hang));
    let _held = send(&client).await.unwrap();
    let deadline = tokio::time::Instant::now() + Duration::from_millis(80);
    let error = client.send(call().with_deadline(deadline)).await.unwrap_err();
    assert_eq!(error.kind, UpstreamErrorKind::Timeout(Waited::Total));
}

#[tokio::test]
async fn a_dropped_call_frees_its_place_and_its_connection() {
    let (upstream, client, _) = pair(|s| s.max_concurrent = 1).await;
    upstream.on("POST", "/", Script::hang());
    upstream.always("POST", "/", Script::json("{}"));
    let given_up = tokio::time::timeout(Duration::from_millis(80), client.send(call())).await;
    assert!(given_up.is_err());
    assert!(upstream.wait_until(PATIENCE, |u| u.departures().len() == 1).await);
    assert_eq!(text(&client).await.as_deref(), Ok("{}"));
    assert_eq!(client.health().consecutive_failures, 0);
}
