use async_trait::async_trait;
use bytes::Bytes;

use crate::id::AiRequestId;
use crate::principal::Principal;

/// An upstream for model requests. Object-safe.
#[async_trait]
pub trait LlmProvider: Send + Sync + 'static {
    /// The provider's name in routes.
    fn name(&self) -> &str;

    /// Sends one buffered request.
    ///
    /// # Errors
    /// [`LlmError`] when the upstream cannot be reached or refuses.
    async fn complete(&self, request: LlmRequest) -> Result<LlmResponse, LlmError>;
}

/// One request to a model.
#[derive(Debug, Clone)]
pub struct LlmRequest {
    /// The request's id.
    pub id: AiRequestId,
    /// On whose behalf.
    pub principal: Principal,
    /// The model asked for.
    pub model: String,
    /// The request's body in the provider's own dialect, JSON.
    pub body: Bytes,
}

/// A model's answer.
#[derive(Debug, Clone)]
pub struct LlmResponse {
    /// HTTP status of the upstream.
    pub status: u16,
    /// The body in the provider's own dialect, JSON.
    pub body: Bytes,
}

/// A model request failed.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum LlmError {
    /// The upstream could not be reached.
    #[error("the upstream is unavailable: {0}")]
    Unavailable(String),
    /// The upstream did not answer in time.
    #[error("the upstream did not answer in time")]
    Timeout,
}
