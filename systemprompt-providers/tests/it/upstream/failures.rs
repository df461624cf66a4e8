use std::time::{Duration, Instant};

use bytes::Bytes;
use systemprompt_providers::scripted::{Framing, Script, Step, sse};
use systemprompt_providers::upstream::{UpstreamErrorKind, Waited};

use super::{PATIENCE, failed, pair, send, settings, text, took};

const SHORT: Duration = Duration::from_millis(150);

#[tokio::test]
async fn a_refused_connection_is_unreachable() {
    let (upstream, client, _) = pair(|_| {}).await;
    upstream.refuse().await;
    let error = send(&client).await.unwrap_err();
    assert_eq!(error.kind, UpstreamErrorKind::Unreachable);
    assert_eq!(error.attempts[0].outcome, failed(UpstreamErrorKind::Unreachable));
    assert_eq!(error.model_error().kind.status(), 502);
    upstream.listen().await.unwrap();
    upstream.on("POST", "/", Script::json("{}"));
    assert_eq!(text(&client).await.unwrap(), "{}");
}

#[tokio::test]
async fn a_reset_instead_of_an_answer_is_one() {
    let (upstream, client, _) = pair(|_| {}).await;
    upstream.on("POST", "/", Script::reset());
    assert_eq!(send(&client).await.unwrap_err().kind, UpstreamErrorKind::Reset);
    upstream.on("POST", "/", Script::status(200).before(Step::Close));
    assert_eq!(send(&client).await.unwrap_err().kind, UpstreamErrorKind::Reset);
}

#[tokio::test]
async fn silence_before_the_head_ends_in_time() {
    let (upstream, client, _) = pair(|s| s.first_byte_timeout = SHORT).await;
    upstream.on("POST", "/", Script::hang());
    let started = Instant::now();
    let error = send(&client).await.unwrap_err();
    assert_eq!(error.kind, UpstreamErrorKind::Timeout(Waited::FirstByte));
    assert_eq!(error.model_error().kind.status(), 504);
    took(started, SHORT);
    assert!(upstream.wait_until(PATIENCE, |u| u.open() == 0).await, "the connection stays open");
}

#[tokio::test]
async fn a_head_that_drips_is_no_first_byte() {
    let (upstream, client, _) = pair(|s| s.first_byte_timeout = SHORT).await;
    let head = &b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"[..];
    let drip = Script::status(200).framed(Framing::Raw).slices(head, 1, Duration::from_millis(40));
    upstream.on("POST", "/", drip);
    let error = send(&client).await.unwrap_err();
    assert_eq!(error.kind, UpstreamErrorKind::Timeout(Waited::FirstByte));
}

#[tokio::test]
async fn silence_within_the_answer_ends_in_time() {
    let (upstream, client, _) = pair(|s| s.idle_timeout = SHORT).await;
    upstream.on("POST", "/", sse(["data: 1\n\n"]).step(Step::Hang));
    let mut answer = send(&client).await.unwrap();
    assert_eq!(answer.body.next_piece().await.unwrap().unwrap(), "data: 1\n\n");
    let started = Instant::now();
    let error = answer.body.next_piece().await.unwrap().unwrap_err();
    assert_eq!(error, UpstreamErrorKind::Timeout(Waited::Idle));
    took(started, SHORT);
    assert!(answer.body.next_piece().await.is_none(), "an error is the last item");
    assert!(upstream.wait_until(PATIENCE, |u| u.open() == 0).await, "the connection stays open");
    assert_eq!(client.health().last_error.as_deref(), Some("upstream_idle_timeout"));
}

#[tokio::test]
async fn a_slow_reader_is_not_taken_for_a_slow_provider() {
    let (upstream, client, _) = pair(|s| s.idle_timeout = SHORT).await;
    upstream.on("POST", "/", sse(["data: 1\n\n", "data: 2\n\n"]));
    let mut answer = send(&client).await.unwrap();
    let mut read = Vec::new();
    while let Some(piece) = answer.body.next_piece().await {
        read.extend_from_slice(&piece.unwrap());
        tokio::time::sleep(SHORT * 2).await;
    }
    assert_eq!(read, b"data: 1\n\ndata: 2\n\n");
}

#[tokio::test]
async fn a_drip_is_life_until_the_whole_time_is_over() {
    let (upstream, client, _) = pair(|s| {
        s.idle_timeout = Duration::from_millis(1_500);
        s.total_timeout = Duration::from_millis(2_500);
    })
    .await;
    upstream.on("POST", "/", Script::drip("abcdefgh"));
    let started = Instant::now();
    let mut answer = send(&client).await.unwrap();
    let mut read = 0;
    let error = loop {
        match answer.body.next_piece().await.unwrap() {
            Ok(piece) => read += piece.len(),
            Err(error) => break error,
        }
    };
    assert_eq!(error, UpstreamErrorKind::Timeout(Waited::Total));
    assert_eq!(read, 3, "a byte at 0, 1 and 2 seconds");
    took(started, Duration::from_millis(2_500));
}

#[tokio::test]
async fn a_cut_is_not_an_end() {
    let (upstream, client, _) = pair(|_| {}).await;
    let cuts = [
        Script::cut_chunk(b"data: 1\n\n"),
        sse(["data: 1\n\n"]).step(Step::Close),
        sse(["data: 1\n\n"]).step(Step::Reset),
        Script::status(200).framed(Framing::Said(100)).bytes("data: 1\n\n").step(Step::Close),
    ];
    for (number, cut) in cuts.into_iter().enumerate() {
        upstream.on("POST", "/", cut);
        assert_eq!(text(&client).await, Err(UpstreamErrorKind::CutOff), "{number}");
    }
    assert_eq!(client.health().consecutive_failures, 4, "answers that break off are failures");
    let ends = [
        sse(["data: 1\n\n"]),
        Script::status(200).bytes("data: 1\n\n"),
        Script::status(200).framed(Framing::Close).bytes("data: 1\n\n"),
    ];
    for end in ends {
        upstream.on("POST", "/", end);
        assert_eq!(text(&client).await.as_deref(), Ok("data: 1\n\n"));
    }
    assert_eq!(client.health().consecutive_failures, 0);
}

#[tokio::test]
async fn what_is_no_http_is_said_to_be_none() {
    let (upstream, client, _) = pair(|_| {}).await;
    for raw in
        ["SSH-2.0-OpenSSH_9.6\r\n", "HTTP/1.1 abc OK\r\n\r\n", "HTTP/1.1 200 OK\r\na b: c\r\n\r\n"]
    {
        upstream.on("POST", "/", Script::raw(raw));
        assert_eq!(send(&client).await.unwrap_err().kind, UpstreamErrorKind::Protocol, "{raw}");
    }
    let chunks = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nx\r\n";
    upstream.on("POST", "/", Script::raw(chunks));
    assert_eq!(text(&client).await, Err(UpstreamErrorKind::Protocol));
    let mut head = b"HTTP/1.1 200 OK\r\nx: ".to_vec();
    head.resize(4 << 20, b'a');
    upstream.on("POST", "/", Script::raw(head));
    assert_eq!(send(&client).await.unwrap_err().kind, UpstreamErrorKind::Protocol, "endless head");
}

#[tokio::test]
async fn a_gigabyte_is_read_in_bounded_memory() {
    const GIGABYTE: u64 = 1 << 30;
    let (upstream, client, _) = pair(|s| {
        s.max_answer_bytes = 2 * GIGABYTE;
        s.total_timeout = Duration::from_secs(120);
    })
    .await;
    upstream.on("POST", "/", Script::flood(GIGABYTE));
    let before = resident();
    let mut answer = send(&client).await.unwrap();
    let (mut read, mut most) = (0, 0);
    while let Some(piece) = answer.body.next_piece().await {
        let piece = piece.unwrap();
        read += piece.len() as u64;
        most = most.max(piece.len());
    }
    assert_eq!(read, GIGABYTE);
    assert_eq!(answer.body.bytes_read(), GIGABYTE);
    assert!(most <= 1 << 20, "a piece of {most} bytes");
    let grown = resident().saturating_sub(before);
    // Other tests run meanwhile.
    assert!(grown < 256 << 20, "grown by {grown} bytes");
}

#[tokio::test]
async fn more_than_may_be_is_too_large() {
    let (upstream, client, _) = pair(|s| s.max_answer_bytes = 1 << 20).await;
    upstream.always("POST", "/", Script::flood(1 << 30));
    let answer = send(&client).await.unwrap();
    let error = answer.collect(100_000).await.unwrap_err();
    assert_eq!(error.kind, UpstreamErrorKind::TooLarge { limit: 100_000 });
    assert_eq!(error.attempts.len(), 1, "what was tried is said for bodies, too");
    let mut answer = send(&client).await.unwrap();
    let mut read = 0;
    let error = loop {
        match answer.body.next_piece().await.unwrap() {
            Ok(piece) => read += piece.len(),
            Err(error) => break error,
        }
    };
    assert_eq!(error, UpstreamErrorKind::TooLarge { limit: 1 << 20 });
    assert!(read <= 1 << 20);
    assert!(upstream.wait_until(PATIENCE, |u| u.open() == 0).await, "the rest is not read");
    assert_eq!(client.health().consecutive_failures, 0, "large answers are no failures");
    assert_eq!(client.health().last_error.as_deref(), Some("upstream_too_large"));
}

#[tokio::test]
async fn a_body_of_just_the_limit_is_not_too_large() {
    let (upstream, client, _) = pair(|s| s.max_answer_bytes = 1_000).await;
    upstream.always(
        "POST",
        "/",
        Script::status(200).slices(vec![b'a'; 1_000], 300, Duration::ZERO),
    );
    let body = send(&client).await.unwrap().collect(1_000).await.unwrap();
    assert_eq!(body, Bytes::from(vec![b'a'; 1_000]));
    let error = send(&client).await.unwrap().collect(999).await.unwrap_err();
    assert_eq!(error.kind, UpstreamErrorKind::TooLarge { limit: 999 });
}

#[tokio::test]
async fn a_connection_that_does_not_come_about_ends_in_time() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let upstream = systemprompt_providers::scripted::ScriptedUpstream::start().await.unwrap();
    let mut settings = settings(&upstream);
    settings.base_url = format!("https://{}", listener.local_addr().unwrap());
    settings.connect_timeout = SHORT;
    // TCP stands, TLS is never answered.
    let client = systemprompt_providers::upstream::UpstreamClient::new("acme", settings).unwrap();
    let started = Instant::now();
    let error = send(&client).await.unwrap_err();
    assert_eq!(error.kind, UpstreamErrorKind::Timeout(Waited::Connect));
    took(started, SHORT);
}

/// The memory of this process, in bytes; zero where it cannot be told.
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    pages.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4096
}
