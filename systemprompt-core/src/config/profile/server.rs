use std::net::{Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};

use crate::config::Cidr;

/// The HTTP server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ServerSection {
    /// The address to listen on, as `ip:port`. Port 0 lets the system choose.
    pub addr: SocketAddr,
    /// Host names a request may be addressed to, beyond the loopback names. Any other `Host` is
    /// refused, which stops DNS rebinding.
    pub hosts: Vec<String>,
    /// Origins (`https://console.example.com`) browsers may call from, beyond the loopback names.
    pub origins: Vec<String>,
    /// Networks (`10.0.0.0/8`) whose `X-Forwarded-For` is believed. It is ignored from anyone else.
    pub trusted_proxies: Vec<Cidr>,
    /// Longest request body, in bytes (1,024 to 67,108,864).
    pub body_limit_bytes: usize,
    /// Longest request head, in bytes (4,096 to 1,048,576).
    pub header_limit_bytes: usize,
    /// How long a client may take to send its request head, in milliseconds (1 to 600,000).
    pub header_timeout_ms: u64,
    /// How long a client may take to send its request body, in milliseconds (1 to 600,000).
    pub body_timeout_ms: u64,
    /// How long running requests may take to finish at shutdown, in milliseconds (0 to 600,000).
    pub shutdown_timeout_ms: u64,
    /// Most connections at once (1 to 1,000,000); more wait to be accepted.
    pub max_connections: usize,
}

impl Default for ServerSection {
    fn default() -> Self {
        Self {
            addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            hosts: Vec::new(),
            origins: Vec::new(),
            trusted_proxies: Vec::new(),
            body_limit_bytes: 1024 * 1024,
            header_limit_bytes: 16 * 1024,
            header_timeout_ms: 10_000,
            body_timeout_ms: 30_000,
            shutdown_timeout_ms: 10_000,
            max_connections: 4096,
        }
    }
}
