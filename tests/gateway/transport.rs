//! What a hostile client does to the connection itself. The bytes are written by hand.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::{Gateway, answer, verdict};

/// Sends `bytes` as they are; the status of the answer, or 0 when the connection was just closed.
async fn raw(gateway: &Gateway, bytes: &[u8]) -> (u16, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", gateway.port())).await.expect("connect");
    // The server may hang up before it has read everything.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    let _ = tokio::time::timeout(Duration::from_secs(60), read).await.expect("an answer in time");
    let text = String::from_utf8_lossy(&answer).into_owned();
    let status = text.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    (status, text)
}

fn get(host: &str, extra: &str) -> Vec<u8> {
    format!("GET /health HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{extra}\r\n").into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn t28_t29_foreign_hosts_and_origins_are_refused() {
    let gateway = Gateway::fresh();
    let port = gateway.port();
    for host in [format!("127.0.0.1:{port}"), format!("localhost:{port}"), format!("[::1]:{port}")]
    {
        assert_eq!(raw(&gateway, &get(&host, "")).await.0, 200, "{host}");
    }
    for host in ["evil.com", "127.0.0.1.evil.com", "localhost.evil.com:80", "evil.com:8080"] {
        assert_eq!(raw(&gateway, &get(host, "")).await.0, 403, "{host}");
    }
    let own = format!("127.0.0.1:{port}");
    for origin in ["http://evil.com", "null", "http://127.0.0.1.evil.com"] {
        let header = format!("Origin: {origin}\r\n");
        assert_eq!(raw(&gateway, &get(&own, &header)).await.0, 403, "{origin}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t30_ambiguous_targets_are_refused_and_never_pass_authentication() {
    let gateway = Gateway::fresh();
    let own = format!("127.0.0.1:{}", gateway.port());
    let twice = get(&own, "Host: evil.com\r\n");
    assert_eq!(raw(&gateway, &twice).await.0, 400);
    let absolute =
        format!("GET http://evil.com/health HTTP/1.1\r\nHost: {own}\r\nConnection: close\r\n\r\n");
    assert!(matches!(raw(&gateway, absolute.as_bytes()).await.0, 400 | 403));
    let missing = b"GET /health HTTP/1.1\r\nConnection: close\r\n\r\n";
    assert_eq!(raw(&gateway, missing).await.0, 400);
    let forwarded = format!(
        "POST /api/v1/govern HTTP/1.1\r\nHost: {own}\r\nX-Forwarded-Host: evil.com\r\n\
         X-Original-URL: /health\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}"
    );
    assert_eq!(raw(&gateway, forwarded.as_bytes()).await.0, 400);
    let smuggled = format!(
        "POST /api/v1/govern HTTP/1.1\r\nHost: {own}\r\nContent-Length: 5\r\n\
         Content-Length: 6\r\nConnection: close\r\n\r\n{{}}"
    );
    assert_eq!(raw(&gateway, smuggled.as_bytes()).await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn t33_headers_and_bodies_are_bounded() {
    let gateway = Gateway::fresh();
    let own = format!("127.0.0.1:{}", gateway.port());
    let large = get(&own, &format!("X-Filler: {}\r\n", "a".repeat(17 * 1024)));
    assert_eq!(raw(&gateway, &large).await.0, 431);
    let fits = get(&own, &format!("X-Filler: {}\r\n", "a".repeat(8 * 1024)));
    assert_eq!(raw(&gateway, &fits).await.0, 200);
    let many: String = (0..100_000).map(|n| format!("X-{n}: 1\r\n")).collect();
    assert!(matches!(raw(&gateway, &get(&own, &many)).await.0, 431 | 400 | 0));

    let huge = json!({ "tool": "Read", "arguments": { "text": "a".repeat(3 * 1024 * 1024) } });
    assert_eq!(answer(gateway.post("/api/v1/govern", "user").json(&huge)).await.0, 413);
    let promised = format!(
        "POST /api/v1/govern HTTP/1.1\r\nHost: {own}\r\nAuthorization: Bearer {}\r\n\
         Content-Length: 104857600\r\nConnection: close\r\n\r\n{{",
        gateway.key("user")
    );
    assert_eq!(raw(&gateway, promised.as_bytes()).await.0, 413);

    let deep =
        format!("{{\"tool\":\"Read\",\"arguments\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let request = gateway
        .post("/api/v1/govern", "user")
        .header("content-type", "application/json")
        .body(deep);
    let (status, body) = answer(request).await;
    assert!(status == 400 || verdict(&body) == "malformed_call", "{status} {body}");
    let request = gateway
        .post("/api/v1/govern", "user")
        .header("content-encoding", "gzip")
        .body(vec![0x1f, 0x8b, 8, 0]);
    assert_eq!(answer(request).await.0, 415);
}

#[tokio::test(flavor = "multi_thread")]
async fn t33_slow_clients_are_cut_off() {
    let gateway = Gateway::edited(|text| {
        let sections = "server:\n  header_timeout_ms: 400\n  body_timeout_ms: 600\n";
        assert!(!text.contains("header_timeout_ms:") || text.contains("# "), "{text}");
        match text.find("\nserver:\n") {
            Some(at) => {
                let (before, after) = text.split_at(at + 1);
                format!("{before}{sections}{}", &after["server:\n".len()..])
            }
            None => format!("{sections}{text}"),
        }
    });
    let own = format!("127.0.0.1:{}", gateway.port());
    let start = Instant::now();
    let (status, _) =
        raw(&gateway, format!("GET /health HTTP/1.1\r\nHost: {own}\r\nX-Slow: ").as_bytes()).await;
    assert!(matches!(status, 0 | 408), "{status}");
    let half = format!(
        "POST /api/v1/govern HTTP/1.1\r\nHost: {own}\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{{\"tool\"",
        gateway.key("user")
    );
    let (status, _) = raw(&gateway, half.as_bytes()).await;
    assert!(matches!(status, 0 | 408), "{status}");
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    assert_eq!(verdict(&gateway.ask("user", "Read", json!({})).await), "allow");
}

#[tokio::test(flavor = "multi_thread")]
async fn t13_odd_credentials_are_refused_without_a_word_about_the_store() {
    let gateway = Gateway::fresh();
    let own = format!("127.0.0.1:{}", gateway.port());
    let head = |auth: &[u8]| {
        let mut bytes = format!("POST /api/v1/govern HTTP/1.1\r\nHost: {own}\r\n").into_bytes();
        bytes.extend_from_slice(auth);
        bytes.extend_from_slice(b"Content-Length: 2\r\nConnection: close\r\n\r\n{}");
        bytes
    };
    let good = gateway.key("user");
    for auth in [
        b"Authorization: Bearer ' OR 1=1--\r\n".to_vec(),
        b"Authorization: Bearer \xff\xfe\r\n".to_vec(),
        format!("Authorization: Bearer {good}\r\nAuthorization: Bearer sp_live_x_y\r\n")
            .into_bytes(),
        format!("Authorization: Bearer {good}\r\nx-api-key: other\r\n").into_bytes(),
        b"".to_vec(),
    ] {
        let (status, text) = raw(&gateway, &head(&auth)).await;
        assert!(matches!(status, 400 | 401), "{status}: {text}");
        let lower = text.to_lowercase();
        assert!(!lower.contains("sql") && !lower.contains("syntax"), "{text}");
    }
    let megabyte = format!("Authorization: Bearer {}\r\n", "a".repeat(1024 * 1024));
    assert!(matches!(raw(&gateway, &head(megabyte.as_bytes())).await.0, 431 | 0));
    let query = format!("{}/api/v1/govern?access_token={good}", gateway.base());
    assert_eq!(answer(gateway.client().post(query).json(&json!({}))).await.0, 401);
}
