use std::path::Path;
use std::sync::Arc;

use super::IdError;

/// A file path that stays where it points: UTF-8, 1 to 4096 bytes, no NUL and no `..` component.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValidatedFilePath(Arc<str>);

impl ValidatedFilePath {
    /// Parses a path.
    ///
    /// # Errors
    /// [`IdError`] when the path is empty, too long, holds a control character or a `..` component.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        const KIND: &str = "file path";
        if text.is_empty() {
            return Err(IdError::Empty { kind: KIND });
        }
        if text.len() > 4096 {
            return Err(IdError::TooLong { kind: KIND, length: text.len(), limit: 4096 });
        }
        if let Some(at) = text.bytes().position(|byte| byte.is_ascii_control()) {
            return Err(IdError::Character { kind: KIND, at });
        }
        if text.split(['/', '\\']).any(|part| part == "..") {
            return Err(IdError::Form { kind: KIND, expected: "free of `..` components" });
        }
        Ok(Self(text.into()))
    }

    /// The path.
    #[must_use]
    pub fn as_path(&self) -> &Path {
        Path::new(&*self.0)
    }
}

text_id_traits!(ValidatedFilePath);
