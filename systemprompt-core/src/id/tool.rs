use std::sync::Arc;

use super::{IdError, text};

/// The name of a tool: 1 to 255 bytes of `A-Za-z0-9_-./:`.
///
/// The form `mcp__<server>__<tool>` names a tool of a server; see [`crate::call::ToolRef`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ToolName(Arc<str>);

impl ToolName {
    /// Parses a tool name.
    ///
    /// # Errors
    /// [`IdError`] when the text is empty, too long or holds another character.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        text::check("tool name", text, |byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/' | b':')
        })?;
        Ok(Self(text.into()))
    }

    /// The name of the reserved tool that stands for a prompt.
    pub(crate) fn prompt() -> Self {
        Self("prompt:submit".into())
    }
}

text_id_traits!(ToolName);

/// The name of a tool server: 1 to 255 bytes of `A-Za-z0-9_-.`, without `__`, which separates the
/// parts of a qualified tool name, and without `_` at either end, which would move the separator.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerName(Arc<str>);

impl ServerName {
    /// Parses a server name.
    ///
    /// # Errors
    /// [`IdError`] when the text is empty, too long, holds another character, holds `__`, or
    /// begins or ends with `_`.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        text::check("server name", text, |byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
        })?;
        let edge = || text.starts_with('_').then_some(0);
        let end = || text.ends_with('_').then(|| text.len() - 1);
        if let Some(at) = text.find("__").or_else(edge).or_else(end) {
            return Err(IdError::Character { kind: "server name", at });
        }
        Ok(Self(text.into()))
    }
}

text_id_traits!(ServerName);
