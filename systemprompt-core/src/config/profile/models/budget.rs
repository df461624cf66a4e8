use serde::{Deserialize, Serialize};

/// What may be spent in a window by all requests that share a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelBudget {
    /// What requests must have in common to share it; nothing for all requests together.
    pub key: Vec<BudgetKey>,
    /// Most money, in microdollars (1 to 1,000,000,000,000,000).
    #[serde(default)]
    pub limit_microdollars: Option<u64>,
    /// Most tokens of prompts and answers (1 to 1,000,000,000,000,000).
    #[serde(default)]
    pub limit_tokens: Option<u64>,
    /// The window in seconds (1 to 31,622,400).
    pub window_s: u64,
}

/// A part of a budget's key.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum BudgetKey {
    /// The tenant.
    Tenant,
    /// The user.
    User,
    /// The credential of the caller.
    Key,
    /// The model that was asked for, its aliases resolved.
    Model,
}

impl BudgetKey {
    /// Its name in a profile.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::User => "user",
            Self::Key => "key",
            Self::Model => "model",
        }
    }
}
