use super::*;
use crate::wire::ask;

async fn status(addr: SocketAddr, target: &str, headers: &str) -> (u16, String) {
    let reply = ask(addr, format!("GET {target} HTTP/1.1\r\n{headers}\r\n")).await;
    let code = if reply.status == 200 { String::new() } else { reply.json()["code"].to_string() };
    (reply.status, code.trim_matches('"').to_owned())
}

#[tokio::test]
async fn loopback_names_and_the_bound_address_are_answered() {
    let server = default_server().await;
    for host in ["localhost", "127.0.0.1", "[::1]:80", &server.addr.to_string()] {
        assert_eq!(status(server.addr, "/", &format!("Host: {host}\r\n")).await.0, 200, "{host}");
    }
}

#[tokio::test]
async fn a_rebound_name_is_forbidden() {
    let server = default_server().await;
    let (code, name) = status(server.addr, "/", "Host: evil.com\r\n").await;
    assert_eq!((code, name.as_str()), (403, "host_forbidden"));
}

#[tokio::test]
async fn configured_names_and_origins_are_answered() {
    let section = ServerSection {
        hosts: vec!["gate.example.com".into()],
        origins: vec!["https://console.example.com".into()],
        ..ServerSection::default()
    };
    let server = start(section, router()).await;
    let headers = "Host: gate.example.com\r\nOrigin: https://console.example.com\r\n";
    assert_eq!(status(server.addr, "/", headers).await.0, 200);
}

#[tokio::test]
async fn foreign_origins_are_forbidden() {
    let server = default_server().await;
    for origin in ["https://evil.com", "null", "http://localhost.evil.com"] {
        let headers = format!("Host: localhost\r\nOrigin: {origin}\r\n");
        let (code, name) = status(server.addr, "/", &headers).await;
        assert_eq!((code, name.as_str()), (403, "origin_forbidden"), "{origin}");
    }
    let headers = "Host: localhost\r\nOrigin: http://localhost:3000\r\n";
    assert_eq!(status(server.addr, "/", headers).await.0, 200);
}

#[tokio::test]
async fn contradictions_about_the_host_are_malformed() {
    let server = default_server().await;
    for (target, headers) in [
        ("/", ""),
        ("/", "Host: localhost\r\nHost: localhost\r\n"),
        ("/", "Host: localhost\r\nHost: evil.com\r\n"),
        ("http://evil.com/", "Host: localhost\r\n"),
        ("/", "Host: localhost\r\nX-Forwarded-Host: evil.com\r\n"),
        ("/", "Host: user@localhost\r\n"),
    ] {
        assert_eq!(status(server.addr, target, headers).await.0, 400, "{target} {headers:?}");
    }
    assert_eq!(status(server.addr, "http://localhost/", "Host: localhost\r\n").await.0, 200);
}

#[tokio::test]
async fn http_1_0_without_a_host_is_malformed() {
    let server = default_server().await;
    assert_eq!(ask(server.addr, "GET / HTTP/1.0\r\n\r\n").await.status, 400);
}
