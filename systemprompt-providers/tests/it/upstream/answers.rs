use std::io::Write as _;
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::StreamExt as _;
use systemprompt_providers::scripted::{Framing, Script, Step, sse};
use systemprompt_providers::upstream::{
    UpstreamCall, UpstreamClient, UpstreamErrorKind, UpstreamSettings,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::{PATIENCE, call, pair, send, text};

#[tokio::test]
async fn what_is_sent_arrives_to_the_byte() {
    let (upstream, client, _) = pair(|s| s.base_url.push_str("/apps/anthropic/")).await;
    upstream.on("POST", "/apps/anthropic/v1/messages", Script::json("{}"));
    let body = "{ \"model\" : \"m\",\n\"b\":1, \"a\":\"\u{e9}\" }";
    let mut call = UpstreamCall::post("/v1/messages?beta=true", body);
    call.headers.insert("anthropic-version", "2026-10-21".parse().unwrap());
    call.headers.insert("content-type", "application/json".parse().unwrap());
    let answer = client.send(call).await.unwrap();
    assert_eq!(answer.status, 200);
    let seen = upstream.journal().pop().unwrap();
    assert_eq!(seen.target, "/apps/anthropic/v1/messages?beta=true");
    assert_eq!(seen.body, body);
    assert_eq!(seen.header("accept-encoding"), Some("identity"));
    assert_eq!(seen.header("anthropic-version"), Some("2026-10-21"));
    let version = concat!("systemprompt/", env!("CARGO_PKG_VERSION"));
    assert_eq!(seen.header("user-agent"), Some(version));
    let length = seen.header("content-length").map(str::to_owned);
    assert_eq!(length, Some(body.len().to_string()));
    assert_eq!(seen.header("transfer-encoding"), None);
}

#[tokio::test]
async fn a_get_has_no_body() {
    let (upstream, client, _) = pair(|_| {}).await;
    upstream.on("GET", "/v1/models", Script::json(r#"{"data":[]}"#));
    let answer = client.send(UpstreamCall::get("/v1/models?limit=1")).await.unwrap();
    assert_eq!(answer.collect(100).await.unwrap(), r#"{"data":[]}"#);
    let seen = upstream.journal().pop().unwrap();
    assert_eq!((seen.method.as_str(), seen.body.len()), ("GET", 0));
    assert_eq!(seen.header("content-length"), None);
}

#[tokio::test]
async fn a_stream_comes_out_as_it_comes_in() {
    let (upstream, client, _) = pair(|_| {}).await;
    let plain = "event: ping\r\ndata: {\"a\":\"\u{1f600}\"}\r\n\r\n".repeat(20);
    let script = Script::status(200)
        .framed(Framing::Chunked)
        .slices(plain.clone(), 37, Duration::ZERO)
        .header("connection", "x-hop")
        .header("x-hop", "1");
    upstream.on("POST", "/", script.header("request-id", "req_1"));
    let answer = send(&client).await.unwrap();
    let names: Vec<_> = answer.headers.keys().map(http::HeaderName::as_str).collect();
    assert_eq!(names, ["request-id"], "headers of the connection stay with it");
    assert_eq!(answer.headers["request-id"], "req_1");
    let pieces: Vec<_> = answer.body.map(Result::unwrap).collect().await;
    assert!(pieces.len() > 1);
    assert_eq!(pieces.concat(), plain.as_bytes());
}

#[tokio::test]
async fn pieces_are_handed_out_before_the_next_ones_come() {
    let (upstream, client, _) = pair(|_| {}).await;
    upstream.on("POST", "/", sse(["data: 1\n\n"]).step(Step::Hang));
    let mut answer = send(&client).await.unwrap();
    let piece = tokio::time::timeout(Duration::from_secs(2), answer.body.next_piece()).await;
    assert_eq!(piece.unwrap().unwrap().unwrap(), "data: 1\n\n");
}

#[tokio::test]
async fn gzip_is_decoded_although_it_was_not_asked_for() {
    let (upstream, client, _) = pair(|_| {}).await;
    upstream.on("POST", "/", Script::gzip(b"{\"hello\":\"world\"}"));
    let answer = send(&client).await.unwrap();
    assert!(!answer.headers.contains_key("content-encoding"));
    assert!(!answer.headers.contains_key("content-length"));
    assert_eq!(answer.collect(100).await.unwrap(), "{\"hello\":\"world\"}");
}

#[tokio::test]
async fn a_stream_of_gzip_is_decoded_event_by_event() {
    let (upstream, client, _) = pair(|_| {}).await;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let mut script = sse::<&str>([]).header("content-encoding", "gzip");
    for event in ["data: 1\n\n", "data: 2\n\n"] {
        encoder.write_all(event.as_bytes()).unwrap();
        encoder.flush().unwrap();
        script = script.bytes(std::mem::take(encoder.get_mut()));
    }
    // The end of it never comes.
    upstream.on("POST", "/", script.clone().step(Step::Hang));
    let mut answer = send(&client).await.unwrap();
    let mut read = Vec::new();
    while read.len() < 18 {
        let piece = tokio::time::timeout(Duration::from_secs(2), answer.body.next_piece()).await;
        read.extend_from_slice(&piece.expect("held back").unwrap().unwrap());
    }
    assert_eq!(read, b"data: 1\n\ndata: 2\n\n");
    // It is missing: the connection ends well, and the answer does not.
    upstream.on("POST", "/", script.clone());
    assert_eq!(text(&client).await, Err(UpstreamErrorKind::CutOff));
    upstream.on("POST", "/", script.bytes(encoder.finish().unwrap()));
    assert_eq!(text(&client).await.as_deref(), Ok("data: 1\n\ndata: 2\n\n"));
}

#[tokio::test]
async fn broken_and_unknown_encodings_are_told() {
    let (upstream, client, _) = pair(|_| {}).await;
    let plain: Vec<u8> =
        (0..5_000_u32).flat_map(|n| (n.wrapping_mul(2_654_435_761)).to_le_bytes()).collect();
    upstream.on("POST", "/", Script::bad_gzip(&plain));
    assert_eq!(text(&client).await, Err(UpstreamErrorKind::BadEncoding));
    for encoding in ["br", "gzip, gzip", "gzip, br", "zstd"] {
        let script = Script::gzip(b"x");
        let headers = vec![("content-encoding".to_owned(), encoding.to_owned())];
        upstream.on("POST", "/", Script { headers, ..script });
        assert_eq!(text(&client).await, Err(UpstreamErrorKind::BadEncoding), "{encoding}");
    }
    upstream.on("POST", "/", Script::json("{}").header("content-encoding", "identity"));
    assert_eq!(text(&client).await.as_deref(), Ok("{}"));
}

#[tokio::test]
async fn what_expands_without_end_is_too_large() {
    let (upstream, client, _) = pair(|s| s.max_answer_bytes = 1 << 20).await;
    let bomb = Script::gzip(&vec![0; 20 << 20]);
    upstream.on("POST", "/", bomb);
    let answer = send(&client).await.unwrap();
    let error = answer.collect(usize::MAX).await.unwrap_err();
    assert_eq!(error.kind, UpstreamErrorKind::TooLarge { limit: 1 << 20 });
}

#[tokio::test]
async fn statuses_are_answers_and_redirects_are_not_followed() {
    let (upstream, client, _) = pair(|_| {}).await;
    let elsewhere = systemprompt_providers::scripted::ScriptedUpstream::start().await.unwrap();
    for status in [301, 302, 303, 307, 308] {
        let script = Script::status(status).header("location", elsewhere.url());
        upstream.on("POST", "/", script);
        assert_eq!(send(&client).await.unwrap().status, status);
    }
    assert_eq!(elsewhere.accepted(), 0);
    let body = r#"{"type":"error","error":{"type":"invalid_request_error","message":"no"}}"#;
    let script = Script::status(400).bytes(body).header("request-id", "req_7");
    upstream.on("POST", "/", script);
    let answer = send(&client).await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.attempts.len()), (400, 1));
    assert_eq!(answer.headers["request-id"], "req_7");
    assert_eq!(answer.collect(1_000).await.unwrap(), Bytes::from(body));
    upstream.on("POST", "/", Script::status(204));
    let empty = send(&client).await.unwrap();
    assert_eq!(empty.collect(0).await.unwrap(), Bytes::new());
}

/// A provider may refuse a body before it has read it.
#[tokio::test]
async fn an_answer_before_the_end_of_the_request_is_one() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = UpstreamSettings {
        base_url: format!("http://{}", listener.local_addr().unwrap()),
        private_addresses: true,
        ..UpstreamSettings::default()
    };
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = [0; 64];
        stream.read_exact(&mut head).await.unwrap();
        let answer = b"HTTP/1.1 413 Too Large\r\ncontent-length: 5\r\n\r\nlarge";
        stream.write_all(answer).await.unwrap();
        stream
    });
    let client = UpstreamClient::new("acme", settings).unwrap();
    let large = UpstreamCall::post("/v1/messages", vec![b' '; 64 << 20]);
    let answer = tokio::time::timeout(PATIENCE, client.send(large)).await.unwrap().unwrap();
    assert_eq!(answer.status, 413);
    assert_eq!(answer.collect(10).await.unwrap(), "large");
    drop(server.await);
}

#[tokio::test]
async fn what_cannot_be_sent_is_not() {
    let (upstream, client, _) = pair(|_| {}).await;
    let error = client.send(UpstreamCall { path: "/../x".to_owned(), ..call() }).await.unwrap_err();
    assert!(matches!(error.kind, UpstreamErrorKind::Unsendable { .. }), "{error}");
    assert_eq!(error.model_error().kind.status(), 400);
    assert_eq!((upstream.accepted(), error.attempts.len()), (0, 0));
}
