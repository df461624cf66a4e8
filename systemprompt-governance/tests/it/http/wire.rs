//! Over a real connection: what a client gets to see when it is refused in the middle of sending.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{HOOK, World};

async fn exchange(head: &str, body: &[u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = World::new().router;
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    server.abort();
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn a_stranger_with_a_large_event_still_reads_the_deny() {
    let body = vec![b' '; 4 * 1024 * 1024];
    for authorization in ["", "Authorization: Bearer ada\r\n"] {
        let head = format!(
            "POST {HOOK} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{authorization}\
             Content-Length: {}\r\n\r\n",
            body.len()
        );
        let answer = exchange(&head, &body).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.contains(r#""permissionDecision":"deny""#), "{answer}");
        assert!(answer.contains("x-trace-id: "), "{answer}");
    }
}
