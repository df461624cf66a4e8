use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::CacheMark;

/// A tool that the model may ask for.
#[derive(Debug, Clone, PartialEq)]
pub struct Tool {
    /// What kind.
    pub kind: ToolKind,
    /// Its name.
    pub name: String,
    /// What it does.
    pub description: Option<String>,
    /// Whether the prompt is cached up to here.
    pub cache: Option<CacheMark>,
}

/// What kind of tool it is.
#[derive(Debug, Clone, PartialEq)]
pub enum ToolKind {
    /// A function with arguments in JSON.
    Function {
        /// The JSON Schema of its arguments, an object; `{"type": "object", "properties": {}}` for none.
        schema: Value,
        /// Whether the provider holds the model to the schema; its default where nothing is said.
        strict: Option<bool>,
    },
    /// A tool that takes a text (`custom` of OpenAI).
    Text {
        /// The grammar or format, as it stood.
        format: Option<Value>,
    },
    /// A tool that the provider runs itself (web search, code execution, `mcp_toolset`): no other
    /// dialect can be told of it.
    Server {
        /// The tool as it stood.
        value: Value,
    },
}

/// Which tool the model is to use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolChoice {
    /// Any or none, as it likes.
    Auto,
    /// None.
    None,
    /// At least one.
    Required,
    /// This one.
    Named(String),
    /// At least one of these, when `required`; else these or none.
    Among {
        /// Their names.
        names: Vec<String>,
        /// Whether one must be used.
        required: bool,
    },
}

/// The arguments of a call as the model wrote them.
#[derive(Debug, Clone, PartialEq)]
pub enum ToolInput {
    /// A JSON object, its bytes as they stood.
    Json(String),
    /// The text of a text tool.
    Text(String),
    /// JSON that was never finished or is none: kept as it stood, not to be run.
    Broken(String),
}

impl ToolInput {
    /// Reads arguments that came as a string. Nothing at all is `{}`.
    #[must_use]
    pub fn from_json_text(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.trim().is_empty() {
            return Self::Json("{}".to_owned());
        }
        match serde_json::from_str::<Map<String, Value>>(&text) {
            Ok(_) => Self::Json(text),
            Err(_) => Self::Broken(text),
        }
    }

    /// The arguments of a JSON object that was read already.
    #[must_use]
    pub fn from_raw(raw: &RawValue) -> Self {
        Self::from_json_text(raw.get())
    }

    /// The text, whatever it is.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Json(text) | Self::Text(text) | Self::Broken(text) => text,
        }
    }

    /// The object, or `None` for a text and for what is broken.
    #[must_use]
    pub fn object(&self) -> Option<Map<String, Value>> {
        match self {
            Self::Json(text) => serde_json::from_str(text).ok(),
            Self::Text(_) | Self::Broken(_) => None,
        }
    }
}
