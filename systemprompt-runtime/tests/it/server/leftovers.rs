//! Bodies that nobody read must not cost the client its answer or its connection.

use std::time::Duration;

use super::*;
use crate::wire::Wire;

/// A body that arrives after its head, as most clients send it.
async fn in_two_parts(wire: &mut Wire, head: &str, body: &[u8]) {
    wire.send(format!("{head}\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", body.len())).await;
    tokio::time::sleep(Duration::from_millis(3)).await;
    wire.send(body).await;
}

#[tokio::test]
async fn a_connection_outlives_refusals_before_the_body_was_read() {
    let server = default_server().await;
    let mut wire = Wire::to(server.addr).await;
    let body = vec![b'x'; 300_000];
    for (head, status) in [
        ("POST /nothing HTTP/1.1", 404),
        ("POST / HTTP/1.1", 405),
        ("POST /unread HTTP/1.1", 401),
        ("POST /nothing HTTP/1.1\r\nOrigin: https://evil.example", 403),
        ("POST /echo HTTP/1.1", 200),
    ] {
        in_two_parts(&mut wire, head, &body).await;
        let reply = wire.reply().await.expect(head);
        assert_eq!((reply.status, reply.header("connection")), (status, None), "{head}");
    }
}

#[tokio::test]
async fn a_body_that_is_held_back_is_not_asked_for_to_be_dropped() {
    let server = default_server().await;
    let mut wire = Wire::to(server.addr).await;
    wire.send("POST /unread HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n")
        .await;
    let reply = wire.reply().await.expect("an answer");
    assert_eq!((reply.status, reply.header("connection")), (401, Some("close")));
    wire.closed().await;
}

#[tokio::test]
async fn a_refused_body_has_the_same_limits_as_any_other() {
    let section =
        ServerSection { body_limit_bytes: 1024, body_timeout_ms: 200, ..ServerSection::default() };
    let server = start(section, router()).await;
    for length in [2_000, 1_000] {
        let mut wire = Wire::to(server.addr).await;
        let head = "POST /unread HTTP/1.1\r\nHost: localhost\r\nContent-Length:";
        // Too long to be read, or never sent.
        wire.send(format!("{head} {length}\r\n\r\n")).await;
        let reply = wire.reply().await.expect("an answer");
        assert_eq!((reply.status, reply.header("connection")), (401, Some("close")), "{length}");
        wire.closed().await;
    }
}
