use serde::{Deserialize, Serialize};

/// Answers that are given again to the same request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AnswerCache {
    /// Whether answers are kept at all.
    pub enabled: bool,
    /// How long one is given again, in seconds (1 to 2,592,000).
    pub ttl_s: u64,
    /// Whether users of a tenant are given each other's; else each is given their own.
    pub shared: bool,
}

impl Default for AnswerCache {
    fn default() -> Self {
        Self { enabled: false, ttl_s: 3600, shared: false }
    }
}

/// What is kept of the bodies of requests and answers.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum BodyRecording {
    /// Nothing.
    #[default]
    None,
    /// All of it, encrypted.
    Encrypted,
}
