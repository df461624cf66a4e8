//! A client that sends exactly the bytes it is given.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Longest wait for anything; only reached when something is broken.
const PATIENCE: Duration = Duration::from_secs(20);

/// One connection.
pub(crate) struct Wire(TcpStream);

/// One answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }
}

impl Wire {
    pub(crate) async fn to(addr: SocketAddr) -> Self {
        Self(TcpStream::connect(addr).await.unwrap())
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        // The server may have answered and gone before everything was sent.
        let _ = self.0.write_all(bytes.as_ref()).await;
    }

    /// Reads one answer; `None` when the server closes without one.
    pub(crate) async fn reply(&mut self) -> Option<Reply> {
        tokio::time::timeout(PATIENCE, self.read_reply()).await.expect("an answer in time")
    }

    async fn read_reply(&mut self) -> Option<Reply> {
        let mut seen = Vec::new();
        let head_end = loop {
            if let Some(at) = seen.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            if self.0.read_buf(&mut seen).await.unwrap_or(0) == 0 {
                return None;
            }
        };
        let head = String::from_utf8(seen[..head_end].to_vec()).unwrap();
        let mut reply = Reply { status: head[9..12].parse().unwrap(), head, body: String::new() };
        let length = reply.header("content-length").map_or(0, |digits| digits.parse().unwrap());
        while seen.len() < head_end + length {
            if self.0.read_buf(&mut seen).await.unwrap_or(0) == 0 {
                break;
            }
        }
        reply.body = String::from_utf8(seen[head_end..].to_vec()).unwrap();
        Some(reply)
    }

    /// Sends a request and reads its answer.
    pub(crate) async fn ask(&mut self, request: impl AsRef<[u8]>) -> Reply {
        self.send(request).await;
        self.reply().await.expect("an answer")
    }

    /// Waits until the server closes the connection.
    pub(crate) async fn closed(&mut self) {
        let mut rest = Vec::new();
        let closing = async { while self.0.read_buf(&mut rest).await.unwrap_or(0) > 0 {} };
        tokio::time::timeout(PATIENCE, closing).await.expect("the server to close");
    }
}

/// Sends one request over a connection of its own.
pub(crate) async fn ask(addr: SocketAddr, request: impl AsRef<[u8]>) -> Reply {
    Wire::to(addr).await.ask(request).await
}
