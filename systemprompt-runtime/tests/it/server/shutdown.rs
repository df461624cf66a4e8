use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::*;
use crate::wire::Wire;

struct Gate {
    entered: Notify,
    open: Notify,
}

async fn gated(section: ServerSection) -> (Running, Arc<Gate>) {
    let gate = Arc::new(Gate { entered: Notify::new(), open: Notify::new() });
    let inner = gate.clone();
    let router = router().route(
        "/slow",
        get(move || async move {
            inner.entered.notify_one();
            inner.open.notified().await;
            "done"
        }),
    );
    (start(section, router).await, gate)
}

#[tokio::test]
async fn running_requests_finish_and_idle_connections_close() {
    let (server, gate) = gated(ServerSection::default()).await;
    let mut idle = Wire::to(server.addr).await;
    idle.ask("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let mut busy = Wire::to(server.addr).await;
    busy.send("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    gate.entered.notified().await;

    server.stop.send(()).unwrap();
    idle.closed().await;
    assert!(TcpStream::connect(server.addr).await.is_err(), "no new connections");
    assert!(!server.done.is_finished(), "waits for the running request");
    gate.open.notify_one();
    let reply = busy.reply().await.expect("an answer");
    assert_eq!((reply.status, reply.body.as_str()), (200, "done"));
    server.done.await.unwrap().unwrap();
}

#[tokio::test]
async fn what_does_not_finish_is_cut_off_at_the_deadline() {
    let section = ServerSection { shutdown_timeout_ms: 50, ..ServerSection::default() };
    let (server, gate) = gated(section).await;
    let mut busy = Wire::to(server.addr).await;
    busy.send("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    gate.entered.notified().await;
    server.stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(10), server.done).await.unwrap().unwrap().unwrap();
    assert!(busy.reply().await.is_none());
}
