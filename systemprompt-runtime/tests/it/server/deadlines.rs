use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;
use crate::wire::Wire;

fn impatient() -> ServerSection {
    ServerSection { header_timeout_ms: 200, body_timeout_ms: 200, ..ServerSection::default() }
}

#[tokio::test]
async fn a_head_that_trickles_in_is_cut_off() {
    let server = start(impatient(), router()).await;
    let mut wire = Wire::to(server.addr).await;
    wire.send("GET / HTTP/1.1\r\n").await;
    let trickle = async {
        loop {
            wire.send("x: y\r\n").await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let _ = tokio::time::timeout(Duration::from_millis(600), trickle).await;
    assert!(wire.reply().await.is_none());
}

#[tokio::test]
async fn a_connection_that_sends_nothing_is_cut_off() {
    let server = start(impatient(), router()).await;
    Wire::to(server.addr).await.closed().await;
}

#[tokio::test]
async fn a_kept_connection_outlives_the_head_deadline() {
    let server = start(impatient(), router()).await;
    let mut wire = Wire::to(server.addr).await;
    for _ in 0..2 {
        assert_eq!(wire.ask("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.status, 200);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

#[tokio::test]
async fn a_body_that_trickles_in_is_408() {
    let server = start(impatient(), router()).await;
    let mut wire = Wire::to(server.addr).await;
    wire.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n").await;
    let trickle = async {
        loop {
            wire.send("x").await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let _ = tokio::time::timeout(Duration::from_millis(500), trickle).await;
    let reply = wire.reply().await.expect("an answer");
    assert_eq!((reply.status, reply.json()["code"].as_str()), (408, Some("body_timeout")));
    wire.closed().await;
}

#[tokio::test]
async fn a_body_over_the_limit_is_413() {
    let section = ServerSection { body_limit_bytes: 1024, ..ServerSection::default() };
    let server = start(section, router()).await;
    let announced = "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 104857600\r\n\r\n";
    let mut wire = Wire::to(server.addr).await;
    let reply = wire.ask(announced).await;
    assert_eq!((reply.status, reply.json()["code"].as_str()), (413, Some("body_too_large")));

    let chunk = format!("400\r\n{}\r\n", "x".repeat(1024));
    let mut wire = Wire::to(server.addr).await;
    wire.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n").await;
    wire.send(chunk.repeat(2)).await;
    assert_eq!(wire.reply().await.expect("an answer").status, 413);
}

/// Closing at once would reset the connection, and the answer with it.
#[tokio::test]
async fn a_client_that_sends_everything_first_still_reads_its_refusal() {
    let section = ServerSection { body_limit_bytes: 1024, ..ServerSection::default() };
    let server = start(section, router()).await;
    let body = "x".repeat(12 * 1024 * 1024);
    let head =
        format!("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n", body.len());
    for _ in 0..10 {
        let mut stream = TcpStream::connect(server.addr).await.expect("connect");
        stream.write_all(format!("{head}\r\n{body}").as_bytes()).await.expect("all of it is taken");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer, and no reset");
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    }
}

#[tokio::test]
async fn idlers_make_room_when_all_slots_are_taken() {
    let section = ServerSection { max_connections: 2, ..impatient() };
    let server = start(section, router()).await;
    let mut idlers = Vec::new();
    for _ in 0..2 {
        let mut idler = Wire::to(server.addr).await;
        assert_eq!(idler.ask("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.status, 200);
        idlers.push(idler);
    }
    let mut wire = Wire::to(server.addr).await;
    assert_eq!(wire.ask("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.status, 200);
}
