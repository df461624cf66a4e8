use super::*;
use crate::wire::{Wire, ask};

#[tokio::test]
async fn a_request_is_answered_with_its_trace() {
    let server = default_server().await;
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let reply = ask(
        server.addr,
        format!("GET / HTTP/1.1\r\nHost: localhost\r\ntraceparent: 00-{trace}-b7ad6b7169203331-01\r\n\r\n"),
    )
    .await;
    assert_eq!((reply.status, reply.body.as_str()), (200, "hello"));
    assert_eq!(reply.header("x-trace-id"), Some(trace));
    let other = ask(server.addr, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert_eq!(other.header("x-trace-id").unwrap().len(), 32);
}

#[tokio::test]
async fn connections_are_kept_and_pipelined_requests_answered_in_order() {
    let server = default_server().await;
    let mut wire = Wire::to(server.addr).await;
    for body in ["one", "two", "three"] {
        let reply = wire
            .ask(format!(
                "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            ))
            .await;
        assert_eq!(reply.body, body);
    }
    wire.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\nGET /missing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
    wire.closed().await;
}

#[tokio::test]
async fn a_head_over_the_limit_is_431() {
    let server = default_server().await;
    let request = |bytes: usize| {
        format!("GET / HTTP/1.1\r\nHost: localhost\r\nx-fill: {}\r\n\r\n", "a".repeat(bytes))
    };
    assert_eq!(ask(server.addr, request(16_000)).await.status, 200);
    let reply = ask(server.addr, request(16_500)).await;
    assert_eq!((reply.status, reply.json()["code"].as_str()), (431, Some("headers_too_large")));
    assert_eq!(ask(server.addr, request(10_000_000)).await.status, 431, "far above: the parser's");
}

#[tokio::test]
async fn a_million_headers_are_431() {
    let server = default_server().await;
    let mut wire = Wire::to(server.addr).await;
    wire.send("GET / HTTP/1.1\r\nHost: localhost\r\n").await;
    wire.send("a: b\r\n".repeat(1_000_000)).await;
    assert_eq!(wire.reply().await.map(|reply| reply.status), Some(431));
    wire.closed().await;
}

#[tokio::test]
async fn a_long_target_is_refused() {
    let server = default_server().await;
    let target = "x".repeat(20_000);
    let reply =
        ask(server.addr, format!("GET /{target} HTTP/1.1\r\nHost: localhost\r\n\r\n")).await;
    assert_eq!(reply.status, 431);
}

#[tokio::test]
async fn shapes_of_request_smuggling_are_refused() {
    let server = default_server().await;
    let smuggled = "GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for framing in [
        "Content-Length: 4\r\nContent-Length: 5\r\n",
        "Content-Length: 4, 5\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: +4\r\n",
        "Content-Length: 0x4\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Content-Length : 4\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
    ] {
        let mut wire = Wire::to(server.addr).await;
        wire.send(format!("POST /echo HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n{smuggled}"))
            .await;
        let status = wire.reply().await.map(|reply| reply.status);
        assert!(matches!(status, None | Some(400)), "{framing:?} was answered {status:?}");
        assert!(wire.reply().await.is_none(), "{framing:?} let a second request through");
    }
}

#[tokio::test]
async fn a_length_beside_chunks_is_never_two_requests() {
    let server = default_server().await;
    for framing in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    ] {
        let mut wire = Wire::to(server.addr).await;
        wire.send(format!(
            "POST /echo HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n0\r\n\r\n\
             GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
        ))
        .await;
        let first = wire.reply().await.expect("an answer");
        assert_eq!((first.body.as_str(), first.header("connection")), ("", Some("close")));
        assert!(wire.reply().await.is_none(), "{framing:?} let a second request through");
    }
}

#[tokio::test]
async fn a_panicking_handler_costs_its_own_request() {
    let server = default_server().await;
    let mut wire = Wire::to(server.addr).await;
    let reply = wire.ask("GET /panic HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert_eq!((reply.status, reply.json()["code"].as_str()), (500, Some("internal_error")));
    assert!(!reply.body.contains("purpose"));
    assert_eq!(wire.ask("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.status, 200);
}
