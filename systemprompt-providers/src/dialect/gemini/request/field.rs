use systemprompt_core::llm::{Dialect, ModelRequest};

/// The members of a request by the names that its caller's dialect gives them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields {
    dialect: Dialect,
    /// How many messages stand before those of the conversation: Chat has its instructions among them.
    shift: usize,
}

impl Fields {
    pub(super) fn of(request: &ModelRequest) -> Self {
        let shift = if request.dialect == Dialect::Chat { request.system.len() } else { 0 };
        Self { dialect: request.dialect, shift }
    }

    fn by_dialect(
        self,
        anthropic: &'static str,
        chat: &'static str,
        responses: &'static str,
    ) -> &'static str {
        match self.dialect {
            Dialect::Anthropic => anthropic,
            Dialect::Chat => chat,
            Dialect::Responses => responses,
            Dialect::Gemini => anthropic,
        }
    }

    /// The conversation.
    pub(super) fn messages(self) -> &'static str {
        match self.dialect {
            Dialect::Anthropic | Dialect::Chat => "messages",
            Dialect::Responses => "input",
            Dialect::Gemini => "contents",
        }
    }

    pub(super) fn message(self, message: usize) -> String {
        format!("{}.{}", self.messages(), message.saturating_add(self.shift))
    }

    pub(super) fn block(self, message: usize, block: usize) -> String {
        let list = if self.dialect == Dialect::Gemini { "parts" } else { "content" };
        format!("{}.{list}.{block}", self.message(message))
    }

    pub(super) fn system(self, at: usize) -> String {
        match self.dialect {
            Dialect::Anthropic => format!("system.{at}"),
            Dialect::Chat => format!("messages.{at}"),
            Dialect::Responses => "instructions".to_owned(),
            Dialect::Gemini => format!("systemInstruction.parts.{at}"),
        }
    }

    /// The mark of a cache within `field`.
    pub(super) fn cache(self, field: &str) -> String {
        let name =
            self.by_dialect("cache_control", "prompt_cache_breakpoint", "prompt_cache_breakpoint");
        format!("{field}.{name}")
    }

    /// The address of the medium at `field`.
    pub(super) fn url(self, field: &str) -> String {
        format!("{field}.{}", self.by_dialect("source.url", "image_url.url", "image_url"))
    }

    /// The file of the medium at `field`.
    pub(super) fn file(self, field: &str) -> String {
        format!("{field}.{}", self.by_dialect("source.file_id", "file.file_id", "file_id"))
    }

    pub(super) fn tool(tool: usize) -> String {
        format!("tools.{tool}")
    }

    /// The name of a tool.
    pub(super) fn tool_name(self, tool: usize) -> String {
        format!("tools.{tool}.{}", self.by_dialect("name", "function.name", "name"))
    }

    /// The schema of a tool's arguments.
    pub(super) fn tool_schema(self, tool: usize) -> String {
        let name = self.by_dialect("input_schema", "function.parameters", "parameters");
        format!("tools.{tool}.{name}")
    }

    /// Whether the model is held to a tool's schema.
    pub(super) fn tool_strict(self, tool: usize) -> String {
        format!("tools.{tool}.{}", self.by_dialect("strict", "function.strict", "strict"))
    }

    pub(super) fn tool_format(self, tool: usize) -> String {
        format!("tools.{tool}.{}", self.by_dialect("format", "custom.format", "format"))
    }

    pub(super) fn parallel(self) -> &'static str {
        self.by_dialect(
            "tool_choice.disable_parallel_tool_use",
            "parallel_tool_calls",
            "parallel_tool_calls",
        )
    }

    pub(super) fn max_output(self) -> &'static str {
        self.by_dialect("max_tokens", "max_completion_tokens", "max_output_tokens")
    }

    pub(super) fn stop(self) -> &'static str {
        self.by_dialect("stop_sequences", "stop", "stop")
    }

    /// How much the model is to think.
    pub(super) fn reasoning(self) -> &'static str {
        self.by_dialect("thinking", "reasoning_effort", "reasoning")
    }

    pub(super) fn effort(self) -> &'static str {
        self.by_dialect("output_config.effort", "reasoning_effort", "reasoning.effort")
    }

    pub(super) fn budget(self) -> &'static str {
        self.by_dialect("thinking.budget_tokens", "thinking_budget", "reasoning.max_tokens")
    }

    pub(super) fn summary(self) -> &'static str {
        self.by_dialect("thinking.display", "reasoning.summary", "reasoning.summary")
    }

    /// A member of the schema that the answer has.
    pub(super) fn output_member(self, member: &str) -> String {
        let path =
            self.by_dialect("output_config.format", "response_format.json_schema", "text.format");
        format!("{path}.{member}")
    }

    pub(super) fn verbosity(self) -> &'static str {
        self.by_dialect("verbosity", "verbosity", "text.verbosity")
    }
}
