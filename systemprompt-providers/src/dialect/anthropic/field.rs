//! The members of a request by the names that each dialect has for them, for reports of losses.

use systemprompt_core::llm::Dialect;

/// A member of a request.
#[derive(Debug, Clone, Copy)]
pub(super) enum Field {
    MaxTokens,
    System,
    Stop,
    Temperature,
    TopP,
    TopK,
    Seed,
    PresencePenalty,
    FrequencyPenalty,
    ToolChoice,
    Thinking,
    Budget,
    Effort,
    Format,
    Verbosity,
    ServiceTier,
    Messages,
}

impl Field {
    /// Its name in `dialect`.
    pub(super) const fn of(self, dialect: Dialect) -> &'static str {
        match dialect {
            Dialect::Anthropic => self.of_anthropic(),
            Dialect::Chat => self.of_chat(),
            Dialect::Responses => self.of_responses(),
            Dialect::Gemini => self.of_gemini(),
        }
    }

    const fn of_anthropic(self) -> &'static str {
        match self {
            Self::MaxTokens => "max_tokens",
            Self::System => "system",
            Self::Stop => "stop_sequences",
            Self::Temperature => "temperature",
            Self::TopP => "top_p",
            Self::TopK => "top_k",
            Self::Seed => "seed",
            Self::PresencePenalty => "presence_penalty",
            Self::FrequencyPenalty => "frequency_penalty",
            Self::ToolChoice => "tool_choice",
            Self::Thinking => "thinking",
            Self::Budget => "thinking.budget_tokens",
            Self::Effort => "output_config.effort",
            Self::Format => "output_config.format",
            Self::Verbosity => "verbosity",
            Self::ServiceTier => "service_tier",
            Self::Messages => "messages",
        }
    }

    const fn of_chat(self) -> &'static str {
        match self {
            Self::MaxTokens => "max_completion_tokens",
            Self::System => "messages",
            Self::Stop => "stop",
            Self::Thinking | Self::Budget | Self::Effort => "reasoning_effort",
            Self::Format => "response_format",
            other => other.of_anthropic(),
        }
    }

    const fn of_responses(self) -> &'static str {
        match self {
            Self::MaxTokens => "max_output_tokens",
            Self::System => "instructions",
            Self::Stop => "stop",
            Self::Thinking | Self::Budget => "reasoning",
            Self::Effort => "reasoning.effort",
            Self::Format => "text.format",
            Self::Verbosity => "text.verbosity",
            Self::Messages => "input",
            other => other.of_anthropic(),
        }
    }

    const fn of_gemini(self) -> &'static str {
        match self {
            Self::MaxTokens => "generationConfig.maxOutputTokens",
            Self::System => "systemInstruction",
            Self::Stop => "generationConfig.stopSequences",
            Self::Temperature => "generationConfig.temperature",
            Self::TopP => "generationConfig.topP",
            Self::TopK => "generationConfig.topK",
            Self::Seed => "generationConfig.seed",
            Self::PresencePenalty => "generationConfig.presencePenalty",
            Self::FrequencyPenalty => "generationConfig.frequencyPenalty",
            Self::ToolChoice => "toolConfig",
            Self::Thinking => "generationConfig.thinkingConfig",
            Self::Budget => "generationConfig.thinkingConfig.thinkingBudget",
            Self::Effort => "generationConfig.thinkingConfig.thinkingLevel",
            Self::Format => "generationConfig.responseJsonSchema",
            Self::Messages => "contents",
            other => other.of_anthropic(),
        }
    }
}

/// The path of a block. The places are those of the canonical form: they are the caller's own on this
/// wire, and near to them on wires that keep instructions or results among the messages.
pub(super) fn block(dialect: Dialect, message: usize, block: usize) -> String {
    let parts = if matches!(dialect, Dialect::Gemini) { "parts" } else { "content" };
    format!("{}.{message}.{parts}.{block}", Field::Messages.of(dialect))
}

/// The path of a tool.
pub(super) fn tool(dialect: Dialect, at: usize) -> String {
    match dialect {
        Dialect::Gemini => format!("tools.0.functionDeclarations.{at}"),
        _ => format!("tools.{at}"),
    }
}
