//! Syslog receivers.

use std::time::Duration;

use systemprompt_audit::export::{Destination, Exporter, Format, SinkSettings, SyslogAddress};
use systemprompt_core::contract::AuditSink as _;
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, UdpSocket};

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
