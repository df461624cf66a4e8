use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The name of a log: who writes it, at which installation, such as `server@k3v9q0aa7xmd`.
///
/// 1 to 100 bytes of `a-z A-Z 0-9 . _ - @`, since it also names the lease file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin(Arc<str>);

impl Origin {
    /// Parses an origin.
    ///
    /// # Errors
    /// [`OriginError`] when the text is empty, too long or holds another character.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-@".contains(&byte);
        let plain = (1..=100).contains(&text.len()) && text.bytes().all(allowed);
        if plain && !text.starts_with('.') { Ok(Self(text.into())) } else { Err(OriginError) }
    }

    /// The log of the server of an installation, or of one of several.
    pub(crate) fn server(installation: &str, number: u32) -> Self {
        match number {
            1 => Self(format!("server@{installation}").into()),
            _ => Self(format!("server-{number}@{installation}").into()),
        }
    }

    /// The log of the command line of an installation.
    pub(crate) fn cli(installation: &str) -> Self {
        Self(format!("cli@{installation}").into())
    }

    /// The origin as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text that is no origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an origin has 1 to 100 letters, digits, `.`, `_`, `-` or `@` and does not start with `.`")]
pub struct OriginError;

impl FromStr for Origin {
    type Err = OriginError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Origin({:?})", &*self.0)
    }
}
