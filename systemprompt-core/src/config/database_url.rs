use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Where the database is: `sqlite://` followed by a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DatabaseUrl(PathBuf);

const SCHEME: &str = "sqlite://";

impl DatabaseUrl {
    /// The SQLite database at `path`.
    #[must_use]
    pub fn sqlite(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Parses a URL.
    ///
    /// # Errors
    /// [`DatabaseUrlError`] when it does not begin with `sqlite://` or no plain path follows.
    pub fn parse(text: &str) -> Result<Self, DatabaseUrlError> {
        let path = text.strip_prefix(SCHEME).ok_or(DatabaseUrlError::Scheme)?;
        if path.is_empty() || path.starts_with(':') || path.contains(['?', '#', '\0']) {
            return Err(DatabaseUrlError::Path);
        }
        Ok(Self(path.into()))
    }

    /// The path of the database file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The same database with a relative path taken relative to `folder`.
    #[must_use]
    pub fn within(&self, folder: &Path) -> Self {
        Self(folder.join(&self.0))
    }
}

impl Default for DatabaseUrl {
    /// `systemprompt.db` in the profile's folder.
    fn default() -> Self {
        Self::sqlite("systemprompt.db")
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}", self.0.display())
    }
}

impl TryFrom<String> for DatabaseUrl {
    type Error = DatabaseUrlError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<DatabaseUrl> for String {
    fn from(url: DatabaseUrl) -> Self {
        url.to_string()
    }
}

impl schemars::JsonSchema for DatabaseUrl {
    fn schema_name() -> Cow<'static, str> {
        "DatabaseUrl".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^sqlite://[^:?#][^?#]*$" })
    }
}

/// Why a text is no database URL. The text is not repeated: it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseUrlError {
    /// Another scheme than `sqlite`.
    #[error("a database is given as `sqlite://` and a path")]
    Scheme,
    /// Not a plain path.
    #[error("`sqlite://` is followed by the path of a file, without `?`, `#` or `:memory:`")]
    Path,
}
