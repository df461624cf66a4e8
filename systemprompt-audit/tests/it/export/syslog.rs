//! Syslog receivers.

use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use systemprompt_audit::export::{Destination, Exporter, Format, SinkSettings, SyslogAddress};
use systemprompt_core::contract::AuditSink as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, UdpSocket};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

use super::delivery::{append, folder, quick, stats, until};
use super::samples::hostile;
use crate::fixture::Fixture;

const PATIENCE: Duration = Duration::from_secs(30);

fn settings(fixture: &Fixture, address: SyslogAddress) -> SinkSettings {
    let to = Destination::Syslog(address);
    quick(SinkSettings::new("siem", Format::Cef, to, folder(fixture, "siem")))
}

#[tokio::test]
async fn tcp_counts_octets_and_reconnects() {
    let fixture = Fixture::sqlite().await;
    let log = fixture.log().await;
    log.append(hostile(1, super::samples::HOSTILE)).await.unwrap();
    append(&fixture, &log, 20).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = SyslogAddress::Tcp(listener.local_addr().unwrap().to_string());
    let exporter = Exporter::start(&fixture.pool, vec![settings(&fixture, address)]).unwrap();
    let messages = |count: usize| {
        let listener = &listener;
        async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (mut bytes, mut messages) = (Vec::new(), Vec::new());
            while messages.len() < count {
                assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0);
                messages = frames(&bytes);
            }
            messages
        }
    };
    let first = messages(21).await;
    assert!(
        first[0].starts_with(
            "<108>1 2026-11-22T20:15:01.123456Z localhost systemprompt - decision - CEF:0|"
        ),
        "{}",
        first[0]
    );
    assert!(first[1].starts_with("<110>1 "), "{}", first[1]);
    // The first connection is gone with its stream.
    until("noticing", || stats(&exporter).events >= 21).await;
    let more = async {
        loop {
            append(&fixture, &log, 1).await;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        second = messages(1) => assert!(second[0].contains("CEF:0|")),
        () = more => {}
    }
    exporter.stop(Duration::ZERO).await;
    log.close().await;
}

/// An authority's certificate in PEM, and a server on this machine whose certificate it has issued.
fn tls_server() -> (String, TlsAcceptor) {
    let authority = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = params.self_signed(&authority).unwrap();
    let pem = certificate.pem();
    let issuer = Issuer::new(params, authority);
    let key = KeyPair::generate().unwrap();
    let names = vec!["localhost".to_owned()];
    let issued = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![issued.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
        .unwrap();
    (pem, TlsAcceptor::from(Arc::new(config)))
}

#[tokio::test]
async fn tls_counts_octets_reconnects_and_trusts_the_named_authority_alone() {
    let fixture = Fixture::sqlite().await;
    let log = fixture.log().await;
    append(&fixture, &log, 20).await;
    let (pem, acceptor) = tls_server();
    let (stranger, _) = tls_server();
    let ca = fixture.folder.path().join("ca.pem");
    std::fs::write(&ca, stranger).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("localhost:{}", listener.local_addr().unwrap().port());
    let settings = settings(&fixture, SyslogAddress::Tls { address, ca: Some(ca.clone()) });
    let exporter = Exporter::start(&fixture.pool, vec![settings]).unwrap();

    // Somebody else's certificate is told nothing.
    let (stream, _) = listener.accept().await.unwrap();
    assert!(acceptor.accept(stream).await.is_err());
    until("a failure", || stats(&exporter).failures > 0).await;
    assert_eq!(stats(&exporter).events, 0);

    // The file is looked at again.
    std::fs::write(&ca, pem).unwrap();
    let received = |count: usize| {
        let (listener, acceptor) = (&listener, &acceptor);
        async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                // An attempt with the old file may be among them.
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let (mut bytes, mut messages) = (Vec::new(), Vec::new());
                while messages.len() < count {
                    assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0);
                    messages = frames(&bytes);
                }
                return (stream, messages);
            }
        }
    };
    let (mut stream, first) = timeout(PATIENCE, received(20)).await.unwrap();
    assert!(first[0].starts_with("<110>1 "), "{}", first[0]);
    until("noticing", || stats(&exporter).events >= 20).await;
    // A receiver that says farewell gets no more over this connection.
    stream.shutdown().await.unwrap();
    let more = async {
        loop {
            append(&fixture, &log, 1).await;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        second = timeout(PATIENCE, received(1)) => assert!(second.unwrap().1[0].contains("CEF:0|")),
        () = more => {}
    }
    exporter.stop(Duration::ZERO).await;
    log.close().await;
}

/// The whole messages in a stream of `LENGTH SP MESSAGE`.
fn frames(mut bytes: &[u8]) -> Vec<String> {
    let mut messages = Vec::new();
    while let Some(at) = bytes.iter().position(|byte| *byte == b' ') {
        let length: usize = std::str::from_utf8(&bytes[..at]).unwrap().parse().unwrap();
        let Some(message) = bytes.get(at + 1..at + 1 + length) else { break };
        messages.push(String::from_utf8(message.to_vec()).unwrap());
        bytes = &bytes[at + 1 + length..];
    }
    messages
}

#[tokio::test]
async fn udp_takes_a_datagram_for_each_event_and_sets_longer_ones_aside() {
    let fixture = Fixture::sqlite().await;
    let log = fixture.log().await;
    append(&fixture, &log, 2).await;
    log.append(hostile(1, &"x".repeat(70_000))).await.unwrap();
    append(&fixture, &log, 1).await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = SyslogAddress::Udp(socket.local_addr().unwrap().to_string());
    let exporter = Exporter::start(&fixture.pool, vec![settings(&fixture, address)]).unwrap();
    let mut buffer = vec![0; 65_536];
    // Some come twice: a datagram that is too long takes its whole batch back.
    let mut seen = std::collections::BTreeSet::new();
    while seen.len() < 3 {
        let length = socket.recv(&mut buffer).await.unwrap();
        let message = std::str::from_utf8(&buffer[..length]).unwrap();
        assert!(message.starts_with("<110>1 "), "{message}");
        seen.insert(message.to_owned());
    }
    exporter.stop(PATIENCE).await;
    assert_eq!(stats(&exporter).rejected, 1);
    log.close().await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_local_socket_takes_them_too() {
    let fixture = Fixture::sqlite().await;
    let log = fixture.log().await;
    append(&fixture, &log, 3).await;
    let path = fixture.folder.path().join("log.sock");
    let address = SyslogAddress::Unix(path.clone());
    let exporter = Exporter::start(&fixture.pool, vec![settings(&fixture, address)]).unwrap();
    until("a failure", || stats(&exporter).failures > 0).await;
    let socket = tokio::net::UnixDatagram::bind(&path).unwrap();
    let mut buffer = vec![0; 65_536];
    for _ in 0..3 {
        let length = socket.recv(&mut buffer).await.unwrap();
        assert!(buffer[..length].starts_with(b"<110>1 "));
    }
    exporter.stop(PATIENCE).await;
    log.close().await;
}
