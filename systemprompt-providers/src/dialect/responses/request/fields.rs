use systemprompt_core::llm::Dialect;

/// What callers call what can be lost.
pub(super) struct Fields {
    pub(super) max_output: &'static str,
    pub(super) stop: &'static str,
}

impl Fields {
    pub(super) const fn of(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Anthropic => Self { max_output: "max_tokens", stop: "stop_sequences" },
            Dialect::Chat => Self { max_output: "max_completion_tokens", stop: "stop" },
            Dialect::Responses => Self { max_output: "max_output_tokens", stop: "stop" },
            Dialect::Gemini => Self {
                max_output: "generationConfig.maxOutputTokens",
                stop: "generationConfig.stopSequences",
            },
        }
    }
}
