use std::time::Duration;

use systemprompt_providers::scripted::{Framing, Script, ScriptedUpstream, Step, sse};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::PATIENCE;

/// Sends `request` and reads to the end of the connection.
async fn exchange(upstream: &ScriptedUpstream, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(upstream.address()).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    answer
}

const GET: &[u8] = b"GET /a HTTP/1.1\r\nhost: x\r\n\r\n";

#[tokio::test]
async fn answers_are_exact_to_the_byte() {
    let upstream = ScriptedUpstream::start().await.unwrap();
    let script = sse(["data: 1\n\n"]).header("X-Odd", " a").step(Step::Close);
    upstream.on("GET", "/a", script);
    let expected = b"HTTP/1.1 200 Scripted\r\ncontent-type: text/event-stream; charset=utf-8\r\n\
        X-Odd:  a\r\ntransfer-encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n";
    assert_eq!(exchange(&upstream, GET).await, expected);
    upstream.on("GET", "/a", Script::raw("not http"));
    assert_eq!(exchange(&upstream, GET).await, b"not http");
    let slices = Script::status(200).framed(Framing::Close).slices("abcdef", 4, Duration::ZERO);
    upstream.on("GET", "/a", slices);
    assert!(exchange(&upstream, GET).await.ends_with(b"connection: close\r\n\r\nabcdef"));
}

#[tokio::test]
async fn requests_are_kept_to_the_byte() {
    let upstream = ScriptedUpstream::start().await.unwrap();
    upstream.on("POST", "/v1", Script::status(204));
    upstream.on("POST", "/v1", Script::status(204).step(Step::Close));
    let both = b"POST /v1/x?a=%20b HTTP/1.1\r\nX-B: 1\r\nx-a: 2\r\ncontent-length: 5\r\n\r\n\x00\xffabc\
        POST /v1/y HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n";
    let answers = exchange(&upstream, both).await;
    assert_eq!(answers.windows(4).filter(|window| window == b"HTTP").count(), 2);
    let journal = upstream.journal();
    assert_eq!(journal[0].target, "/v1/x?a=%20b");
    assert_eq!(&journal[0].body[..], b"\x00\xffabc");
    let names: Vec<_> = journal[0].headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["X-B", "x-a", "content-length"]);
    assert_eq!(&journal[1].body[..], b"abcde");
    assert_eq!(journal[1].connection, 0);
}

#[tokio::test]
async fn the_longest_prefix_and_the_queue_decide() {
    let upstream = ScriptedUpstream::start().await.unwrap();
    let say = |text: &'static str| Script::status(200).bytes(text).step(Step::Close);
    upstream.always("*", "/", say("any"));
    upstream.always("GET", "/a", say("always"));
    upstream.on("GET", "/a", say("once"));
    upstream.answer_with("GET", "/b", move |seen| say(if seen.target == "/b" { "b" } else { "?" }));
    let asked = async |line: &str| {
        let answer = exchange(&upstream, format!("{line} HTTP/1.1\r\n\r\n").as_bytes()).await;
        let text = String::from_utf8(answer).unwrap();
        text.rsplit("\r\n").next().unwrap().to_owned()
    };
    assert_eq!(asked("GET /a").await, "once");
    assert_eq!(asked("GET /a").await, "always");
    assert_eq!(asked("GET /b").await, "b");
    assert_eq!(asked("GET /bc").await, "?");
    assert_eq!(asked("PUT /a").await, "any");
}

#[tokio::test]
async fn who_goes_away_is_noticed_and_when() {
    let upstream = ScriptedUpstream::start().await.unwrap();
    upstream.on("GET", "/a", sse(["data: 1\n\n"]).step(Step::Hang));
    let mut stream = TcpStream::connect(upstream.address()).await.unwrap();
    stream.write_all(GET).await.unwrap();
    let mut first = [0; 10];
    stream.read_exact(&mut first).await.unwrap();
    assert_eq!((upstream.open(), upstream.departures().len()), (1, 0));
    drop(stream);
    assert!(upstream.wait_until(PATIENCE, |u| u.departures().len() == 1).await);
    assert!(upstream.wait_until(PATIENCE, |u| u.open() == 0).await);
    let departure = upstream.departures()[0];
    assert_eq!((departure.request, departure.connection), (0, 0));
    assert!(departure.at >= upstream.journal()[0].at && departure.written > 100);
}

#[tokio::test]
async fn a_reset_is_one_and_a_refusal_too() {
    let upstream = ScriptedUpstream::start().await.unwrap();
    upstream.on("GET", "/a", Script::reset());
    let mut stream = TcpStream::connect(upstream.address()).await.unwrap();
    stream.write_all(GET).await.unwrap();
    let error = stream.read_to_end(&mut Vec::new()).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    upstream.refuse().await;
    let error = TcpStream::connect(upstream.address()).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
    upstream.listen().await.unwrap();
    assert!(TcpStream::connect(upstream.address()).await.is_ok());
}
