use serde_json::{Map, Value};

use super::{Block, Dialect, Message, Tool, ToolChoice};

/// A request to a model.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelRequest {
    /// The dialect it came in.
    pub dialect: Dialect,
    /// The model, as the caller named it.
    pub model: String,
    /// The instructions before the conversation, in order: texts.
    pub system: Vec<Block>,
    /// The conversation.
    pub messages: Vec<Message>,
    /// The tools on offer.
    pub tools: Vec<Tool>,
    /// Which of them to use.
    pub tool_choice: Option<ToolChoice>,
    /// Whether several may be asked for at once; the provider's default where nothing is said.
    pub parallel_tool_calls: Option<bool>,
    /// The most tokens the answer may have.
    pub max_output_tokens: Option<u64>,
    /// The strings that end the answer.
    pub stop_sequences: Vec<String>,
    /// How the next token is chosen.
    pub sampling: Sampling,
    /// How much the model is to think.
    pub reasoning: Option<Reasoning>,
    /// The form of the answer.
    pub output: OutputFormat,
    /// How wordy the answer is to be (`verbosity` of OpenAI).
    pub verbosity: Option<String>,
    /// Whether the answer is to come as a stream.
    pub stream: bool,
    /// Whether the caller asked for usage in the stream (`stream_options.include_usage` of Chat).
    pub stream_usage: bool,
    /// The tier of service asked for, as it stood.
    pub service_tier: Option<String>,
    /// The caller's name for its user: recorded, never sent on.
    pub user: Option<String>,
    /// The members of the request that have no word here, by their names in [`dialect`](Self::dialect).
    /// An encoder of another dialect reports each as a loss.
    pub rest: Map<String, Value>,
}

impl ModelRequest {
    /// A request of `dialect` for `model` that says nothing yet.
    #[must_use]
    pub fn new(dialect: Dialect, model: impl Into<String>) -> Self {
        Self {
            dialect,
            model: model.into(),
            system: Vec::new(),
            messages: Vec::new(),
            tools: Vec::new(),
            tool_choice: None,
            parallel_tool_calls: None,
            max_output_tokens: None,
            stop_sequences: Vec::new(),
            sampling: Sampling::default(),
            reasoning: None,
            output: OutputFormat::Text,
            verbosity: None,
            stream: false,
            stream_usage: false,
            service_tier: None,
            user: None,
            rest: Map::new(),
        }
    }
}

/// How the next token is chosen. `None` leaves it to the provider.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sampling {
    /// 0 to 2 at OpenAI and Gemini, 0 to 1 at Anthropic.
    pub temperature: Option<f64>,
    /// The share of probability looked at.
    pub top_p: Option<f64>,
    /// The number of tokens looked at.
    pub top_k: Option<u64>,
    /// For answers that repeat.
    pub seed: Option<i64>,
    /// Less of what occurred already, -2 to 2.
    pub presence_penalty: Option<f64>,
    /// Less of what occurred often, -2 to 2.
    pub frequency_penalty: Option<f64>,
}

/// How much the model is to think.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reasoning {
    /// Whether.
    pub mode: Option<ReasoningMode>,
    /// How hard.
    pub effort: Option<Effort>,
    /// How many tokens it may think.
    pub budget_tokens: Option<u64>,
    /// How its thoughts are shown, as it stood (`auto`, `concise`, `detailed` of Responses, `summarized`,
    /// `omitted` of Anthropic).
    pub summary: Option<String>,
}

/// Whether the model thinks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReasoningMode {
    /// It does.
    Enabled,
    /// As much as it finds right.
    Adaptive,
    /// It does not.
    Disabled,
}

/// How hard the model is to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effort {
    /// Not at all.
    None,
    /// As little as there is.
    Minimal,
    /// A little.
    Low,
    /// The middle.
    Medium,
    /// Hard.
    High,
    /// Harder.
    XHigh,
    /// As hard as there is.
    Max,
}

impl Effort {
    /// The word of the wires that spell it out (`none` to `max`).
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::XHigh => "xhigh",
            Self::Max => "max",
        }
    }

    /// Reads the word, in any case.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        const ALL: [Effort; 7] = [
            Effort::None,
            Effort::Minimal,
            Effort::Low,
            Effort::Medium,
            Effort::High,
            Effort::XHigh,
            Effort::Max,
        ];
        ALL.into_iter().find(|effort| effort.as_str().eq_ignore_ascii_case(word))
    }
}

/// The form of the answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum OutputFormat {
    /// Text.
    #[default]
    Text,
    /// Any JSON object.
    JsonObject,
    /// JSON of a schema.
    JsonSchema {
        /// The name of the schema (OpenAI asks for one).
        name: Option<String>,
        /// What it is for.
        description: Option<String>,
        /// The JSON Schema.
        schema: Value,
        /// Whether the provider holds the model to it.
        strict: Option<bool>,
    },
}
