use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    ProviderBreaker, ProviderHealth, ProviderKey, ProviderRetries, ProviderTimeouts, ProviderTls,
    SecretRef,
};
use crate::id::ValidatedUrl;
use crate::llm::Dialect;

/// A provider of models.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProviderConfig {
    /// Whose models they are, or what the server is compatible with.
    pub kind: ProviderKind,
    /// Where it is, without the version and what follows: `https://api.anthropic.com`. Known for all kinds
    /// but `openai_chat` and `custom`. Without TLS only together with `private_addresses`.
    #[serde(default)]
    pub base_url: Option<ValidatedUrl>,
    /// What it is spoken to in. Required for `custom`; the others know, and choose the caller's own where
    /// they can.
    #[serde(default)]
    pub wire: Option<Dialect>,
    /// Its credential, by reference: `secret://name` in custody, `{env: VARIABLE}` or `{file: path}`.
    #[serde(default)]
    pub key: Option<ProviderKey>,
    /// The header that carries the key, such as `api-key` for Azure; the kind's own when absent.
    #[serde(default)]
    pub key_header: Option<String>,
    /// Further headers of every request. They are no place for secrets.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The `anthropic-version` of requests that are translated.
    #[serde(default)]
    pub version: Option<String>,
    /// The `anthropic-beta` values it takes; others are left out. All of them when absent.
    #[serde(default)]
    pub betas: Option<Vec<String>>,
    /// Whether it takes `cache_control.ttl` (Anthropic's wire); as the kind has it when absent.
    #[serde(default)]
    pub cache_ttl: Option<bool>,
    /// Whether it takes `stream_options.include_usage` (chat wire); as the kind has it when absent.
    #[serde(default)]
    pub stream_usage: Option<bool>,
    /// How its count of input tokens is read; as the kind has it when absent.
    #[serde(default)]
    pub usage_mode: Option<ProviderUsage>,
    /// Whose prices apply to its models, such as `deepseek`, beside those given for its own name. As the
    /// kind has it when absent.
    #[serde(default)]
    pub priced_as: Option<String>,
    /// Whether it may have an address that is not of the public internet: of this machine, or of a private
    /// network.
    #[serde(default)]
    pub private_addresses: bool,
    /// How long it is waited for.
    #[serde(default)]
    pub timeouts: ProviderTimeouts,
    /// When a request is sent again.
    #[serde(default)]
    pub retries: ProviderRetries,
    /// When it is left alone for a while.
    #[serde(default)]
    pub breaker: ProviderBreaker,
    /// Whether it is asked how it is before callers are let through again; not when absent: then the first request
    /// after `breaker.open_ms` finds out.
    #[serde(default)]
    pub health: Option<ProviderHealth>,
    /// Most requests at a time (1 to 1,000,000).
    #[serde(default = "max_concurrent")]
    pub max_concurrent: usize,
    /// Certificates beside those of the machine.
    #[serde(default)]
    pub tls: ProviderTls,
    /// The proxy it is reached through, as a URL without a credential.
    #[serde(default)]
    pub proxy: Option<ValidatedUrl>,
    /// The same as a secret: a URL with a credential.
    #[serde(default)]
    pub secret_proxy: Option<SecretRef>,
    /// What becomes of the parts of a request that it cannot be told.
    #[serde(default)]
    pub loss: LossPolicy,
}

fn max_concurrent() -> usize {
    256
}

impl ProviderConfig {
    /// A provider of this kind with every default.
    #[must_use]
    pub fn new(kind: ProviderKind) -> Self {
        Self {
            kind,
            base_url: None,
            wire: None,
            key: None,
            key_header: None,
            headers: BTreeMap::new(),
            version: None,
            betas: None,
            cache_ttl: None,
            stream_usage: None,
            usage_mode: None,
            priced_as: None,
            private_addresses: false,
            timeouts: ProviderTimeouts::default(),
            retries: ProviderRetries::default(),
            breaker: ProviderBreaker::default(),
            health: None,
            max_concurrent: max_concurrent(),
            tls: ProviderTls::default(),
            proxy: None,
            secret_proxy: None,
            loss: LossPolicy::default(),
        }
    }

    /// What it can be spoken to in: the wire that is set, else those of its kind.
    #[must_use]
    pub fn wires(&self) -> &[Dialect] {
        self.wire.as_ref().map_or_else(|| self.kind.wires(), std::slice::from_ref)
    }
}

/// Whose models a provider has, or what it is compatible with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProviderKind {
    /// Anthropic.
    Anthropic,
    /// OpenAI, by Responses and Chat Completions.
    Openai,
    /// A server that is compatible with OpenAI Chat Completions; `base_url` says where.
    OpenaiChat,
    /// Gemini.
    Gemini,
    /// Moonshot (Kimi).
    Moonshot,
    /// Qwen, by Alibaba Cloud Model Studio.
    Qwen,
    /// MiniMax.
    Minimax,
    /// No provider at all: requests are answered with their last message, without a key or a connection.
    Echo,
    /// Any compatible server; `base_url` says where, `wire` what it speaks.
    Custom,
    /// Models in the process itself, which an extension brings under the name of this provider.
    // Called otherwise in Rust, so that messages of the compiler can speak of the trait `Extension` without its path.
    #[serde(rename = "extension")]
    ByExtension,
}

impl ProviderKind {
    /// Its name in a profile.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::Openai => "openai",
            Self::OpenaiChat => "openai_chat",
            Self::Gemini => "gemini",
            Self::Moonshot => "moonshot",
            Self::Qwen => "qwen",
            Self::Minimax => "minimax",
            Self::Echo => "echo",
            Self::Custom => "custom",
            Self::ByExtension => "extension",
        }
    }

    /// Whether it is known where its models are.
    #[must_use]
    pub const fn has_place(self) -> bool {
        !matches!(self, Self::OpenaiChat | Self::Custom | Self::Echo | Self::ByExtension)
    }

    /// What it can be spoken to in, the best first. `custom` says so itself; what is in the process is asked in
    /// none of them.
    #[must_use]
    pub const fn wires(self) -> &'static [Dialect] {
        match self {
            Self::Anthropic => &[Dialect::Anthropic],
            Self::Openai => &[Dialect::Responses, Dialect::Chat],
            Self::OpenaiChat => &[Dialect::Chat],
            Self::Gemini => &[Dialect::Gemini],
            Self::Moonshot => &[Dialect::Anthropic, Dialect::Chat, Dialect::Responses],
            Self::Qwen | Self::Minimax => &[Dialect::Anthropic, Dialect::Chat],
            Self::Echo | Self::Custom | Self::ByExtension => &[],
        }
    }
}

impl fmt::Display for ProviderKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a provider's count of input tokens is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProviderUsage {
    /// As the wire defines: Anthropic's leaves out what was cached, all others have it.
    Native,
    /// It leaves out what was cached.
    Exclusive,
    /// It has what was cached.
    Inclusive,
    /// The first frame of a stream has the whole prompt, the last one the true split.
    LastEvent,
}

/// What becomes of the parts of a request that a provider cannot be told. What is left out is reported in
/// the answer's `x-systemprompt-loss` and in the audit log.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum LossPolicy {
    /// They are left out.
    Drop,
    /// They are carried in a poorer form where there is one, else left out.
    #[default]
    Degrade,
    /// The request is refused, unless only hints would be lost.
    Reject,
}
