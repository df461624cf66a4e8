use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// How requests are sent: a section of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct HttpSettings {
    /// Hosts that may have an address of a private network or of this machine, by name or address and
    /// without the port. `http` without TLS is for those of them that are this machine.
    pub private_hosts: BTreeSet<String>,
    /// Headers of a caller that are passed on. Credentials cannot be.
    pub forward_headers: BTreeSet<String>,
    /// Headers of an answer that are given back.
    pub return_headers: BTreeSet<String>,
    /// What becomes of a redirect to a host that the secret is not bound to.
    pub cross_host: CrossHost,
    /// Most bytes of an answer (1 to 1,073,741,824).
    pub max_body_bytes: usize,
    /// Longest time until a connection stands, in milliseconds (1 to 600,000).
    pub connect_timeout_ms: u64,
    /// Longest time until an answer is there in full, redirects included, in milliseconds
    /// (1 to 3,600,000).
    pub timeout_ms: u64,
}

/// What becomes of a redirect to a host that the secret is not bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CrossHost {
    /// The request fails.
    #[default]
    Fail,
    /// It goes on without the secret, unless its body holds one.
    WithoutSecret,
}

impl Default for HttpSettings {
    fn default() -> Self {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            private_hosts: BTreeSet::new(),
            forward_headers: names(&["accept", "content-type", "traceparent", "tracestate"]),
            return_headers: names(&[
                "content-language",
                "content-type",
                "etag",
                "last-modified",
                "link",
                "retry-after",
                "x-request-id",
            ]),
            cross_host: CrossHost::Fail,
            max_body_bytes: 4 * 1024 * 1024,
            connect_timeout_ms: 10_000,
            timeout_ms: 60_000,
        }
    }
}
