use std::sync::Arc;

use super::{IdError, text};

/// The name of a secret, as `secret://<name>` refers to it: 1 to 255 bytes of `A-Za-z0-9_-.`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretName(Arc<str>);

impl SecretName {
    /// Parses the name of a secret.
    ///
    /// # Errors
    /// [`IdError`] when the text is empty, too long or holds another character.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        text::check("secret name", text, |byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
        })?;
        Ok(Self(text.into()))
    }
}

text_id_traits!(SecretName);
