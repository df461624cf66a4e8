use serde::{Deserialize, Serialize};

use super::ModelPattern;

/// Whether answers are kept, so that the same request is answered again without asking the provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ModelCache {
    /// How long an answer is kept, in seconds (1 to 604,800).
    pub ttl_s: u64,
    /// Most memory of all that is kept, in bytes (65,536 to 68,719,476,736). When it is full, what was
    /// asked for least goes.
    pub max_bytes: u64,
    /// Longest answer that is kept, in bytes as its provider sent it; at least 1,024, at most half of
    /// `max_bytes`.
    pub max_answer_bytes: u64,
    /// Who gets what was kept.
    pub share: CacheShare,
    /// The models whose answers are kept: names or patterns, after aliases.
    pub models: Vec<ModelPattern>,
}

impl Default for ModelCache {
    fn default() -> Self {
        Self {
            ttl_s: 300,
            max_bytes: 64 * 1024 * 1024,
            max_answer_bytes: 1024 * 1024,
            share: CacheShare::default(),
            models: "*".parse::<ModelPattern>().into_iter().collect(),
        }
    }
}

/// Who gets an answer that was kept. Nobody ever gets one of another tenant.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum CacheShare {
    /// Whoever asked for it: the same user, with the same credential.
    #[default]
    Principal,
    /// Everyone of the tenant who may ask the model.
    Tenant,
}
