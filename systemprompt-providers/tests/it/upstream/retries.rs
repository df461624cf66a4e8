use std::time::{Duration, Instant};

use systemprompt_core::clock::Clock as _;
use systemprompt_providers::scripted::{Framing, Script, Step, sse};
use systemprompt_providers::upstream::{RetrySettings, UpstreamErrorKind, Waited};

use super::{PATIENCE, call, outcomes, pair, quick, send, text, took};

#[tokio::test]
async fn a_storm_of_429_is_waited_out() {
    let (upstream, client, _) = pair(|s| s.retries = quick()).await;
    upstream.on("POST", "/", Script::status(429).header("retry-after-ms", "120"));
    upstream.on("POST", "/", Script::status(429).header("retry-after", "0.1"));
    upstream.on("POST", "/", Script::json("{}"));
    let started = Instant::now();
    let answer = send(&client).await.unwrap();
    took(started, Duration::from_millis(220));
    assert_eq!(outcomes(&answer.attempts), ["status_429", "status_429", "status_200"]);
    let waited: Vec<_> = answer.attempts.iter().map(|a| a.waited.as_millis()).collect();
    assert_eq!(waited, [0, 120, 100]);
    assert_eq!(answer.collect(10).await.unwrap(), "{}");
    let bodies: Vec<_> = upstream.journal().into_iter().map(|seen| seen.body).collect();
    assert_eq!(bodies, vec![call().body; 3]);
    assert_eq!(upstream.accepted(), 1, "the connection is used again");
}

#[tokio::test]
async fn the_last_answer_is_handed_back() {
    let (upstream, client, _) = pair(|s| s.retries = quick()).await;
    let script = Script::status(429).bytes("slow down").header("retry-after", "0");
    upstream.always("POST", "/", script);
    let answer = send(&client).await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.retry_after), (429, Some(Duration::ZERO)));
    assert_eq!(answer.attempts.len(), 3);
    assert_eq!(answer.collect(100).await.unwrap(), "slow down");
    assert_eq!(upstream.requests(), 3);
    let health = client.health();
    assert_eq!(
        (health.consecutive_failures, health.last_error.as_deref()),
        (0, Some("status_429"))
    );
}

#[tokio::test]
async fn dates_go_by_the_clock() {
    let (upstream, client, clock) = pair(|s| s.retries = quick()).await;
    assert_eq!(clock.now().to_string(), "2026-11-28T00:00:00.000000Z");
    let date = "Sat, 28 Nov 2026 00:00:01 GMT";
    upstream.on("POST", "/", Script::status(503).header("retry-after", date));
    upstream.on("POST", "/", Script::json("{}"));
    let started = Instant::now();
    assert_eq!(text(&client).await.as_deref(), Ok("{}"));
    took(started, Duration::from_secs(1));
}

#[tokio::test]
async fn each_status_is_tried_as_often_as_it_may() {
    for (status, attempts) in
        [(408, 3), (409, 3), (429, 3), (500, 3), (502, 3), (503, 3), (504, 3), (529, 3)]
            .into_iter()
            .chain([(400, 1), (401, 1), (403, 1), (404, 1), (413, 1), (501, 1), (302, 1)])
    {
        let (upstream, client, _) = pair(|s| s.retries = quick()).await;
        upstream.always("POST", "/", Script::status(status));
        let answer = send(&client).await.unwrap();
        assert_eq!((answer.status.as_u16(), answer.attempts.len()), (status, attempts));
        assert_eq!(upstream.requests(), attempts, "{status}");
    }
}

#[tokio::test]
async fn the_provider_may_forbid_and_ask_for_it() {
    let (upstream, client, _) = pair(|s| s.retries = quick()).await;
    upstream.on("POST", "/", Script::status(529).header("x-should-retry", "false"));
    assert_eq!(send(&client).await.unwrap().attempts.len(), 1);
    upstream.on("POST", "/", Script::status(400).header("x-should-retry", "true"));
    upstream.on("POST", "/", Script::json("{}"));
    assert_eq!(outcomes(&send(&client).await.unwrap().attempts), ["status_400", "status_200"]);
}

#[tokio::test]
async fn broken_connections_are_tried_again() {
    let (upstream, client, _) = pair(|s| s.retries = quick()).await;
    upstream.on("POST", "/", Script::reset());
    upstream.on("POST", "/", Script::status(200).before(Step::Close));
    upstream.on("POST", "/", Script::json("{}"));
    let answer = send(&client).await.unwrap();
    let told = outcomes(&answer.attempts);
    assert_eq!(told, ["upstream_reset", "upstream_reset", "status_200"]);

    let careful = RetrySettings { after_reset: false, ..quick() };
    let (upstream, client, _) = pair(|s| s.retries = careful).await;
    upstream.always("POST", "/", Script::reset());
    assert_eq!(send(&client).await.unwrap_err().attempts.len(), 1);
}

#[tokio::test]
async fn a_provider_that_comes_back_is_reached() {
    let retries = RetrySettings { attempts: 20, base: Duration::from_millis(60), ..quick() };
    let retries = RetrySettings { max: Duration::from_millis(60), ..retries };
    let (upstream, client, _) = pair(|s| {
        s.retries = retries;
        s.breaker.failures_in_a_row = 0;
    })
    .await;
    upstream.always("POST", "/", Script::json("{}"));
    upstream.refuse().await;
    let (answer, ()) = tokio::join!(send(&client), async {
        tokio::time::sleep(Duration::from_millis(60)).await;
        upstream.listen().await.unwrap();
    });
    let told = outcomes(&answer.unwrap().attempts);
    assert_eq!(told.last().map(String::as_str), Some("status_200"));
    assert!(told.iter().rev().skip(1).all(|told| told == "upstream_unreachable"), "{told:?}");
}

#[tokio::test]
async fn nothing_is_sent_again_once_an_answer_began() {
    let (upstream, client, _) = pair(|s| s.retries = quick()).await;
    upstream.always("POST", "/", sse(["data: 1\n\n"]).step(Step::Close));
    assert_eq!(text(&client).await, Err(UpstreamErrorKind::CutOff));
    assert_eq!(upstream.requests(), 1);
}

#[tokio::test]
async fn silence_is_not_asked_again() {
    let (upstream, client, _) = pair(|s| {
        s.retries = quick();
        s.first_byte_timeout = Duration::from_millis(400);
    })
    .await;
    upstream.always("POST", "/", Script::hang());
    let error = send(&client).await.unwrap_err();
    assert_eq!(error.kind, UpstreamErrorKind::Timeout(Waited::FirstByte));
    assert_eq!((error.attempts.len(), upstream.requests()), (1, 1));
}

#[tokio::test]
async fn a_pause_longer_than_the_time_left_is_not_begun() {
    let (upstream, client, _) = pair(|s| s.retries = quick()).await;
    let script = Script::status(429).header("retry-after", "5").bytes("limited");
    upstream.always("POST", "/", script);
    let started = Instant::now();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(2);
    let answer = client.send(call().with_deadline(deadline)).await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    assert_eq!((answer.attempts.len(), upstream.requests()), (1, 1));
    assert_eq!(answer.retry_after, Some(Duration::from_secs(5)));
    assert_eq!(answer.collect(10).await.unwrap(), "limited");
}

#[tokio::test]
async fn a_pause_longer_than_may_be_is_not_begun() {
    let (upstream, client, _) = pair(|s| {
        s.retries = RetrySettings { max_retry_after: Duration::from_secs(1), ..quick() };
    })
    .await;
    upstream.always("POST", "/", Script::status(529).header("retry-after", "2"));
    let started = Instant::now();
    assert_eq!(send(&client).await.unwrap().attempts.len(), 1);
    assert!(started.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn the_deadline_holds_for_attempts_and_bodies() {
    let (upstream, client, _) = pair(|s| s.retries = quick()).await;
    let deadline = || tokio::time::Instant::now() + Duration::from_millis(400);
    upstream.on("POST", "/", Script::hang());
    let started = Instant::now();
    let error = client.send(call().with_deadline(deadline())).await.unwrap_err();
    assert_eq!(error.kind, UpstreamErrorKind::Timeout(Waited::Total));
    took(started, Duration::from_millis(400));
    upstream.on("POST", "/", sse(["data: 1\n\n"]).step(Step::Hang));
    let answer = client.send(call().with_deadline(deadline())).await.unwrap();
    let error = answer.collect(100).await.unwrap_err();
    assert_eq!(error.kind, UpstreamErrorKind::Timeout(Waited::Total));
    assert_eq!(client.health().consecutive_failures, 0, "the time was the caller's");
    assert!(upstream.wait_until(PATIENCE, |u| u.departures().len() == 2).await);
}

#[tokio::test]
async fn a_long_body_of_an_error_does_not_hold_up_the_next_attempt() {
    let (upstream, client, _) = pair(|s| s.retries = quick()).await;
    let flood = Script { status: 503, ..Script::flood(1 << 30) };
    let hang = Script::status(503).framed(Framing::Said(2)).bytes("x").step(Step::Hang);
    upstream.on("POST", "/", flood);
    upstream.on("POST", "/", hang);
    upstream.on("POST", "/", Script::json("{}"));
    let started = Instant::now();
    assert_eq!(text(&client).await.as_deref(), Ok("{}"));
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
}
