use std::sync::Arc;

use super::IdError;

/// An absolute `http` or `https` URL without user info, at most 2048 bytes, in its WHATWG normal form.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValidatedUrl(Arc<str>);

impl ValidatedUrl {
    /// Parses a URL.
    ///
    /// # Errors
    /// [`IdError`] when the text is no absolute `http(s)` URL, carries credentials or is too long.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        const KIND: &str = "URL";
        const FORM: IdError =
            IdError::Form { kind: KIND, expected: "an absolute http or https URL" };
        if text.is_empty() {
            return Err(IdError::Empty { kind: KIND });
        }
        if text.len() > 2048 {
            return Err(IdError::TooLong { kind: KIND, length: text.len(), limit: 2048 });
        }
        let parsed = url::Url::parse(text).map_err(|_| FORM)?;
        if !matches!(parsed.scheme(), "http" | "https") || !parsed.has_host() {
            return Err(FORM);
        }
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(IdError::Form { kind: KIND, expected: "free of credentials" });
        }
        Ok(Self(parsed.as_str().into()))
    }
}

text_id_traits!(ValidatedUrl);
