use async_trait::async_trait;

use crate::secret::Secret;

/// Where secret values are kept. Object-safe.
#[async_trait]
pub trait SecretStore: Send + Sync + 'static {
    /// The value of the secret with this name.
    ///
    /// # Errors
    /// [`SecretStoreError`] when there is no such secret or the store cannot be asked.
    async fn fetch(&self, name: &str) -> Result<Secret<String>, SecretStoreError>;
}

/// A secret could not be fetched.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum SecretStoreError {
    /// No secret of that name.
    #[error("there is no secret `{0}`")]
    Unknown(String),
    /// The store could not be asked.
    #[error("the secret store is unavailable: {0}")]
    Unavailable(String),
}
