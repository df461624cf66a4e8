use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// What models are spoken to in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// Anthropic Messages, `POST /v1/messages`.
    Anthropic,
    /// OpenAI Chat Completions, `POST /v1/chat/completions`.
    Chat,
    /// OpenAI Responses, `POST /v1/responses`.
    Responses,
    /// Gemini `generateContent`.
    Gemini,
}

impl Dialect {
    /// Its name in configuration, audit rows and headers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::Chat => "chat",
            Self::Responses => "responses",
            Self::Gemini => "gemini",
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a part of a conversation was made. What only its maker can read goes back to it alone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    /// The wire it came over.
    pub dialect: Dialect,
    /// The provider by its name in the configuration; `None` when the caller's history does not tell.
    pub provider: Option<Arc<str>>,
}

/// State of a model that is carried back unread: a signature of Anthropic, `encrypted_content` of
/// Responses, a `thoughtSignature` of Gemini.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpaqueState {
    /// Who can read it.
    pub origin: Origin,
    /// The id beside it on the wire (`rs_...` of a reasoning item of Responses), if there is one.
    pub id: Option<String>,
    /// The state, byte for byte.
    pub data: String,
}
