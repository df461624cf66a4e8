//! The names that the callers' dialects have for what is lost, for the loss report.

use systemprompt_core::llm::{Dialect, ModelRequest};

/// Paths in the dialect that a request came in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paths {
    dialect: Dialect,
    /// The messages of the wire before the first of the canonical form.
    leading: usize,
}

/// Where a block stands.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    /// A part of the instructions.
    System(usize),
    /// A message, and a part of it.
    Message(usize, usize),
    /// A message, the result in it, and a part of that.
    Result(usize, usize, usize),
}

/// Members of a request whose names differ.
#[derive(Debug, Clone, Copy)]
pub(super) enum Member {
    Limit,
    Stop,
    Temperature,
    TopP,
    TopK,
    Thinking,
    Budget,
    Summary,
    Choice,
    Output,
    Cache,
}

impl Paths {
    pub(super) fn of(request: &ModelRequest) -> Self {
        let leading = if request.dialect == Dialect::Chat { request.system.len() } else { 0 };
        Self { dialect: request.dialect, leading }
    }

    /// A message.
    pub(super) fn message(self, message: usize) -> String {
        match self.dialect {
            Dialect::Anthropic => format!("messages.{message}"),
            Dialect::Chat => format!("messages.{}", message + self.leading),
            Dialect::Responses => format!("input.{message}"),
            Dialect::Gemini => format!("contents.{message}"),
        }
    }

    /// A part of the instructions, of a message or of a result.
    pub(super) fn part(self, place: Place) -> String {
        let content = if self.dialect == Dialect::Gemini { "parts" } else { "content" };
        match place {
            Place::Message(message, part) => format!("{}.{content}.{part}", self.message(message)),
            Place::Result(message, part, inner) => {
                format!("{}.{content}.{part}.{content}.{inner}", self.message(message))
            }
            Place::System(part) => match self.dialect {
                Dialect::Anthropic => format!("system.{part}"),
                Dialect::Chat => format!("messages.{part}"),
                Dialect::Responses => "instructions".to_owned(),
                Dialect::Gemini => format!("systemInstruction.parts.{part}"),
            },
        }
    }

    /// A member of the request, or of a part (`Cache`).
    pub(super) const fn member(self, member: Member) -> &'static str {
        let [anthropic, chat, responses, gemini] = match member {
            Member::Limit => [
                "max_tokens",
                "max_completion_tokens",
                "max_output_tokens",
                "generationConfig.maxOutputTokens",
            ],
            Member::Stop => ["stop_sequences", "stop", "stop", "generationConfig.stopSequences"],
            Member::Temperature => {
                ["temperature", "temperature", "temperature", "generationConfig.temperature"]
            }
            Member::TopP => ["top_p", "top_p", "top_p", "generationConfig.topP"],
            Member::TopK => ["top_k", "top_k", "top_k", "generationConfig.topK"],
            Member::Thinking => {
                ["thinking", "reasoning_effort", "reasoning", "generationConfig.thinkingConfig"]
            }
            Member::Budget => [
                "thinking.budget_tokens",
                "reasoning_effort",
                "reasoning",
                "generationConfig.thinkingConfig.thinkingBudget",
            ],
            Member::Summary => [
                "thinking.display",
                "reasoning_effort",
                "reasoning.summary",
                "generationConfig.thinkingConfig.includeThoughts",
            ],
            Member::Choice => ["tool_choice", "tool_choice", "tool_choice", "toolConfig"],
            Member::Output => [
                "output_config.format",
                "response_format",
                "text.format",
                "generationConfig.responseJsonSchema",
            ],
            Member::Cache => [
                "cache_control",
                "prompt_cache_breakpoint",
                "prompt_cache_breakpoint",
                "cachedContent",
            ],
        };
        match self.dialect {
            Dialect::Anthropic => anthropic,
            Dialect::Chat => chat,
            Dialect::Responses => responses,
            Dialect::Gemini => gemini,
        }
    }
}
