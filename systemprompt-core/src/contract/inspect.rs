use async_trait::async_trait;

use crate::content::{Content, Inspection};

/// Does what the policy says about the secrets in what goes past the tool calls themselves. Object-safe.
#[async_trait]
pub trait Inspect: Send + Sync + 'static {
    /// Looks through a text. Never fails: what cannot be looked through, or whose findings cannot be
    /// recorded, is withheld.
    async fn inspect(&self, content: Content<'_>) -> Inspection;
}
