use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::SecretRef;

/// How long a provider is waited for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ProviderTimeouts {
    /// Longest time until a connection stands, in milliseconds (1 to 600,000).
    pub connect_ms: u64,
    /// Longest time until an answer begins, in milliseconds (1 to 3,600,000). One that is not streamed
    /// comes when it is whole, so this is the time a model may think.
    pub first_byte_ms: u64,
    /// Longest silence within an answer, in milliseconds (1 to 3,600,000).
    pub idle_ms: u64,
    /// Longest time of a request with all its attempts and its answer, in milliseconds (1 to 86,400,000).
    pub total_ms: u64,
}

impl Default for ProviderTimeouts {
    fn default() -> Self {
        Self { connect_ms: 10_000, first_byte_ms: 300_000, idle_ms: 120_000, total_ms: 1_800_000 }
    }
}

/// When a request is sent again. It never is once a byte of an answer was handed out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ProviderRetries {
    /// Most attempts, the first one included (1 to 20).
    pub attempts: u32,
    /// The first pause is a random one up to this long, in milliseconds (1 to 60,000); each later one may
    /// be twice as long.
    pub base_ms: u64,
    /// No pause is drawn from more than this, in milliseconds; at least `base_ms`, at most 600,000.
    pub max_ms: u64,
}

impl Default for ProviderRetries {
    fn default() -> Self {
        Self { attempts: 3, base_ms: 500, max_ms: 8_000 }
    }
}

/// When a provider is left alone for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ProviderBreaker {
    /// So many failures in a row (0 to 10,000); 0 for never.
    pub failures: u32,
    /// How long until one request is let through to see, in milliseconds (1 to 3,600,000).
    pub open_ms: u64,
}

impl Default for ProviderBreaker {
    fn default() -> Self {
        Self { failures: 8, open_ms: 15_000 }
    }
}

/// That it is asked how it is, on behalf of nobody: for the list of its models, which costs nothing. One that is in
/// use and well is not asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ProviderHealth {
    /// The least time between two questions, and since its last request, in seconds (1 to 3,600).
    pub interval_s: u64,
    /// Whether it is asked too while nobody uses it, and not only after its breaker has opened.
    pub idle: bool,
}

impl Default for ProviderHealth {
    fn default() -> Self {
        Self { interval_s: 15, idle: false }
    }
}

/// Certificates beside those of the machine.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ProviderTls {
    /// A PEM file with authorities to trust beside those of the machine.
    pub ca_file: Option<PathBuf>,
    /// A PEM file with the certificate that is shown to the provider (mutual TLS).
    pub client_cert: Option<PathBuf>,
    /// The private key of that certificate in PEM, by reference.
    pub client_key: Option<SecretRef>,
}
