use async_trait::async_trait;
use zeroize::Zeroizing;

/// Encrypts data keys by a key that is kept outside of the database: a file, a variable, Vault, or what a
/// host has, such as the KMS of its cloud.
///
/// The audit log asks it when a person has its first event and when a key is needed that is not in memory,
/// never for each event; secret custody asks it whenever a secret is handed out. Used as `dyn`, hence
/// `async_trait`.
#[async_trait]
pub trait KeyEncryption: Send + Sync + 'static {
    /// Encrypts a data key. The text is stored as it is.
    ///
    /// # Errors
    /// [`KeyEncryptionError`] when that is not possible now.
    async fn wrap(&self, key: &[u8]) -> Result<String, KeyEncryptionError>;

    /// Decrypts what [`wrap`](Self::wrap) has returned, also by a key before the current one.
    ///
    /// # Errors
    /// [`KeyEncryptionError`] when that is not possible now, or never.
    async fn unwrap(&self, wrapped: &str) -> Result<Zeroizing<Vec<u8>>, KeyEncryptionError>;

    /// Whether `wrapped` is known to be encrypted by the current key, so that nothing is won by encrypting
    /// it anew. Whoever cannot tell says `false`.
    fn is_current(&self, wrapped: &str) -> bool {
        let _ = wrapped;
        false
    }
}

/// Why a data key was not encrypted or decrypted. Its text holds no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyEncryptionError {
    /// Whoever has the key cannot be asked now.
    #[error("the key encryption key cannot be used: {0}")]
    Unavailable(String),
    /// The key given is not one.
    #[error("not a key encryption key: {0}")]
    Malformed(String),
    /// It was encrypted by another key, or changed.
    #[error("the data key was encrypted by another key, or changed")]
    Foreign,
}
