use serde_json::Value;

use super::{OpaqueState, Origin, ToolInput};

/// One turn, or a part of one: neighbours may have the same role.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said, in order.
    pub content: Vec<Block>,
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Instructions in the middle of a conversation; those before it are [`ModelRequest::system`](super::ModelRequest::system).
    System,
    /// The person, and the results of tools.
    User,
    /// The model.
    Assistant,
}

/// A part of a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// What it is.
    pub kind: BlockKind,
    /// Whether the prompt is cached up to here.
    pub cache: Option<CacheMark>,
    /// Where it was made, for what a model made.
    pub origin: Option<Origin>,
}

impl Block {
    /// A block without a cache mark, of no known origin.
    #[must_use]
    pub const fn new(kind: BlockKind) -> Self {
        Self { kind, cache: None, origin: None }
    }

    /// A text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(BlockKind::Text { text: text.into() })
    }
}

/// What a block is.
#[derive(Debug, Clone, PartialEq)]
pub enum BlockKind {
    /// Text.
    Text {
        /// The text.
        text: String,
    },
    /// A picture.
    Image(Media),
    /// A document: a PDF or a text.
    Document(Media),
    /// Sound.
    Audio(Media),
    /// The model asks for a tool to be run.
    ToolUse {
        /// The id that the result answers to (`call_id` of Responses).
        id: String,
        /// The tool, as the caller named it.
        name: String,
        /// Its arguments.
        input: ToolInput,
        /// State that goes back with the call (`thoughtSignature` of Gemini).
        state: Option<OpaqueState>,
    },
    /// What a tool answered.
    ToolResult {
        /// The id of the call.
        tool_use_id: String,
        /// The content: texts, pictures, documents.
        content: Vec<Block>,
        /// Whether the tool failed.
        is_error: bool,
    },
    /// The reasoning of a model, as far as it is shown.
    Thinking {
        /// The text; empty where the provider keeps it to itself.
        text: String,
        /// What proves or continues it.
        state: Option<OpaqueState>,
    },
    /// Reasoning that is not shown at all (`redacted_thinking` of Anthropic).
    RedactedThinking(OpaqueState),
    /// The model declines, in words of its own (`refusal` of OpenAI).
    Refusal {
        /// What it says.
        text: String,
    },
    /// A part that only its dialect knows; it goes to no other.
    Unknown {
        /// The part as it stood.
        value: Value,
    },
}

/// A picture, document or sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// Where its bytes are.
    pub source: MediaSource,
    /// The name of a document or file.
    pub title: Option<String>,
    /// How closely a picture is looked at (`low`, `high`, `auto` of OpenAI).
    pub detail: Option<String>,
}

/// Where the bytes of a medium are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaSource {
    /// In the request.
    Base64 {
        /// The media type, such as `image/png`.
        media_type: String,
        /// The bytes in base64, as they stood.
        data: String,
    },
    /// At an address.
    Url {
        /// The address.
        url: String,
        /// The media type, where it is said.
        media_type: Option<String>,
    },
    /// A plain text in the request (a document of Anthropic).
    Text {
        /// The text.
        text: String,
    },
    /// At the provider, by the id of a file.
    File {
        /// The id.
        id: String,
    },
}

/// The prompt is cached up to the block that carries this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheMark {
    /// For how long; the provider's default where nothing is said.
    pub ttl: Option<CacheTtl>,
}

/// How long a cached prompt is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheTtl {
    /// Five minutes.
    FiveMinutes,
    /// One hour.
    OneHour,
}
