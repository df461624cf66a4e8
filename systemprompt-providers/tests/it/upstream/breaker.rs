use std::time::Duration;

use systemprompt_providers::scripted::{Script, Step, sse};
use systemprompt_providers::upstream::{
    BreakerSettings, BreakerState, FailureShare, UpstreamErrorKind, UpstreamSettings,
};

use super::{PATIENCE, outcomes, pair, quick, send, text};

fn breaks(row: u32) -> impl FnOnce(&mut UpstreamSettings) {
    move |settings| {
        settings.breaker = BreakerSettings {
            failures_in_a_row: row,
            share: None,
            open_for: Duration::from_secs(30),
            probed: None,
        };
    }
}

#[tokio::test]
async fn it_opens_and_lets_one_call_see() {
    let (upstream, client, clock) = pair(breaks(3)).await;
    for _ in 0..3 {
        upstream.on("POST", "/", Script::status(503));
        assert_eq!(send(&client).await.unwrap().status, 503);
    }
    let error = send(&client).await.unwrap_err();
    let open = UpstreamErrorKind::BreakerOpen { retry_after: Duration::from_secs(30) };
    assert_eq!((error.kind.clone(), error.attempts.len()), (open, 0));
    let told = error.model_error();
    assert_eq!((told.kind.status(), told.retry_after), (503, Some(Duration::from_secs(30))));
    assert_eq!(upstream.requests(), 3, "nothing is sent");

    clock.advance(Duration::from_secs(30));
    assert_eq!(client.health().state, BreakerState::HalfOpen);
    upstream.on("POST", "/", Script::reset());
    assert_eq!(send(&client).await.unwrap_err().kind, UpstreamErrorKind::Reset);
    assert!(matches!(send(&client).await.unwrap_err().kind, UpstreamErrorKind::BreakerOpen { .. }));

    clock.advance(Duration::from_secs(30));
    upstream.on("POST", "/", sse(["data: 1\n\n"]).step(Step::Pause(Duration::from_millis(300))));
    upstream.always("POST", "/", Script::json("{}"));
    let probe = send(&client).await.unwrap();
    assert_eq!(client.health().state, BreakerState::Closed, "it answers again");
    assert_eq!(text(&client).await.as_deref(), Ok("{}"));
    assert_eq!(probe.collect(100).await.unwrap(), "data: 1\n\n");
    assert_eq!(upstream.requests(), 6);
}

#[tokio::test]
async fn one_probe_is_under_way_at_a_time() {
    let (upstream, client, clock) = pair(breaks(1)).await;
    upstream.on("POST", "/", Script::status(500));
    send(&client).await.unwrap();
    clock.advance(Duration::from_secs(30));
    upstream.on("POST", "/", Script::json("{}").before(Step::Pause(Duration::from_millis(200))));
    let (probe, second) = tokio::join!(send(&client), async {
        assert!(upstream.wait_until(PATIENCE, |u| u.requests() == 2).await);
        send(&client).await
    });
    assert_eq!(probe.unwrap().status, 200);
    assert!(matches!(second.unwrap_err().kind, UpstreamErrorKind::BreakerOpen { .. }));
}

#[tokio::test]
async fn a_probe_that_is_dropped_does_not_lock_it_up() {
    let (upstream, client, clock) = pair(breaks(1)).await;
    upstream.on("POST", "/", Script::status(500));
    send(&client).await.unwrap();
    clock.advance(Duration::from_secs(30));
    upstream.on("POST", "/", Script::hang());
    let dropped =
        tokio::time::timeout(Duration::from_millis(100), client.send(super::call())).await;
    assert!(dropped.is_err());
    upstream.on("POST", "/", Script::json("{}"));
    assert_eq!(text(&client).await.as_deref(), Ok("{}"));
    assert_eq!(client.health().state, BreakerState::Closed);
}

#[tokio::test]
async fn it_ends_the_attempts_of_a_call() {
    let (upstream, client, _) = pair(|settings| {
        breaks(2)(settings);
        settings.retries = quick();
    })
    .await;
    upstream.always("POST", "/", Script::status(503).bytes("down"));
    let answer = send(&client).await.unwrap();
    assert_eq!(outcomes(&answer.attempts), ["status_503", "status_503"]);
    assert_eq!(answer.collect(10).await.unwrap(), "down", "what the provider said last");
}

#[tokio::test]
async fn refusals_do_not_open_it() {
    let (upstream, client, _) = pair(breaks(1)).await;
    for status in [400, 401, 403, 404, 408, 413, 429] {
        upstream.on("POST", "/", Script::status(status));
        assert_eq!(send(&client).await.unwrap().status, status);
    }
    assert_eq!(client.health().state, BreakerState::Closed);
}

#[tokio::test]
async fn a_share_of_failures_opens_it() {
    let (upstream, client, _) = pair(|settings| {
        settings.breaker = BreakerSettings {
            failures_in_a_row: 0,
            share: Some(FailureShare { among: 4, percent: 50 }),
            open_for: Duration::from_secs(30),
            probed: None,
        };
    })
    .await;
    for status in [200, 500, 200, 500] {
        upstream.on("POST", "/", Script::status(status));
        let _read = text(&client).await;
    }
    assert!(matches!(client.health().state, BreakerState::Open { .. }));
}

#[tokio::test]
async fn health_says_how_it_is() {
    let (upstream, client, clock) = pair(breaks(2)).await;
    let fresh = serde_json::to_value(client.health()).unwrap();
    assert_eq!(
        fresh,
        serde_json::json!({
            "state": "closed", "consecutive_failures": 0, "in_flight": 0, "queued": 0,
            "last_error": null, "last_success": null, "last_failure": null,
        })
    );
    upstream.on("POST", "/", Script::json("{}"));
    text(&client).await.unwrap();
    clock.advance(Duration::from_secs(1));
    upstream.on("POST", "/", Script::reset());
    upstream.on("POST", "/", Script::status(529));
    send(&client).await.unwrap_err();
    send(&client).await.unwrap();
    clock.advance(Duration::from_secs(10));
    let health = serde_json::to_value(client.health()).unwrap();
    assert_eq!(
        health,
        serde_json::json!({
            "state": "open", "retry_after_ms": 20_000, "consecutive_failures": 2, "in_flight": 0,
            "queued": 0, "last_error": "status_529",
            "last_success": "2026-11-28T00:00:00.000000Z",
            "last_failure": "2026-11-28T00:00:01.000000Z",
        })
    );
}
