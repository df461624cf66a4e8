use serde::{Deserialize, Serialize};

/// What a model can do, as far as a request must know. The default takes everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// Takes `temperature`, `top_p`, `top_k`.
    pub sampling: bool,
    /// Can be made to use a tool.
    pub forced_tool_choice: bool,
    /// Takes the beginning of its own answer as the last message.
    pub prefill: bool,
    /// Takes a number of tokens to think (`budget_tokens`, `thinkingBudget`).
    pub thinking_budget: bool,
    /// Takes the word `adaptive` and an effort.
    pub adaptive_thinking: bool,
    /// Thinks whether asked or not; must not be told not to.
    pub always_thinks: bool,
    /// Can think at all.
    pub thinks: bool,
    /// Takes pictures.
    pub images: bool,
    /// Takes marks where its prompt is cached (`prompt_cache_breakpoint` of OpenAI).
    pub cache_breakpoints: bool,
    /// The most tokens of an answer, where it is known.
    pub max_output: Option<u64>,
    /// The most tokens of prompt and answer, where it is known.
    pub context: Option<u64>,
}

impl Default for Capabilities {
    fn default() -> Self {
        Self {
            sampling: true,
            forced_tool_choice: true,
            prefill: true,
            thinking_budget: true,
            adaptive_thinking: true,
            always_thinks: false,
            thinks: true,
            images: true,
            cache_breakpoints: false,
            max_output: None,
            context: None,
        }
    }
}

/// How a provider differs from the dialect it speaks. The default is the dialect's own maker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderFlags {
    /// Anthropic wire: takes `cache_control.ttl`.
    pub cache_ttl: bool,
    /// Anthropic wire: the `anthropic-beta` values it takes; `None` for all.
    pub betas: Option<Vec<String>>,
    /// Anthropic wire: the `anthropic-version` it is sent in translation.
    pub version: Option<String>,
    /// Chat wire: takes `stream_options.include_usage`.
    pub stream_usage: bool,
    /// Chat wire: takes `max_completion_tokens`; else it is sent `max_tokens`.
    pub max_completion_tokens: bool,
    /// Chat wire: reasoning is sent back as `reasoning_content`.
    pub replay_reasoning: bool,
    /// Chat wire: while it thinks, a message with calls must have `reasoning_content`, be it empty (Moonshot,
    /// DeepSeek).
    pub reasoning_required: bool,
    /// Gemini wire: takes `parametersJsonSchema`; else schemas are cut down to what `parameters` takes.
    pub json_schema: bool,
    /// Goes by `top_k`, and does not only take it.
    pub heeds_top_k: bool,
    /// Goes by the strings that end an answer, and does not only take them.
    pub heeds_stop: bool,
    /// Counts the tokens of requests, where its dialect has that.
    pub counts_tokens: bool,
    /// How its usage is to be read.
    pub usage_mode: UsageMode,
}

impl Default for ProviderFlags {
    fn default() -> Self {
        Self {
            cache_ttl: true,
            betas: None,
            version: None,
            stream_usage: true,
            max_completion_tokens: true,
            replay_reasoning: true,
            reasoning_required: false,
            json_schema: true,
            heeds_top_k: true,
            heeds_stop: true,
            counts_tokens: true,
            usage_mode: UsageMode::Native,
        }
    }
}

/// How the input tokens of an upstream are to be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UsageMode {
    /// As the dialect defines: Anthropic's `input_tokens` leave out what was cached, all others have it.
    #[default]
    Native,
    /// They leave out what was cached.
    Exclusive,
    /// They have what was cached.
    Inclusive,
    /// The first frame has the whole prompt, the last one the true split, which replaces it.
    LastEvent,
}
