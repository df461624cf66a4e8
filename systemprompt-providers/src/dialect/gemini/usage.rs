use serde::Deserialize;
use systemprompt_core::llm::UsageUpdate;

use crate::dialect::UsageMode;

/// `usageMetadata`: a snapshot of all tokens so far.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct UsageMetadata {
    /// What went in, with what came from the cache.
    prompt_token_count: Option<u64>,
    cached_content_token_count: Option<u64>,
    /// Results of tools that the provider ran, which went in as well.
    tool_use_prompt_token_count: Option<u64>,
    /// The answer without the thoughts.
    candidates_token_count: Option<u64>,
    /// The thoughts, billed as output.
    thoughts_token_count: Option<u64>,
}

impl UsageMetadata {
    /// The same in canonical terms: input without what was cached, output with the thoughts. A number that a
    /// snapshot leaves out beside one that it has is zero, as is the way of Protocol Buffers.
    pub(super) fn update(&self, mode: UsageMode) -> UsageUpdate {
        let cached = self.cached_content_token_count.unwrap_or(0);
        let uncached = |prompt: u64| match mode {
            UsageMode::Exclusive => prompt,
            UsageMode::Native | UsageMode::Inclusive | UsageMode::LastEvent => {
                prompt.saturating_sub(cached)
            }
        };
        let tools = self.tool_use_prompt_token_count.unwrap_or(0);
        let says_output =
            self.candidates_token_count.is_some() || self.thoughts_token_count.is_some();
        let output = self
            .candidates_token_count
            .unwrap_or(0)
            .saturating_add(self.thoughts_token_count.unwrap_or(0));
        UsageUpdate {
            input: self.prompt_token_count.map(|prompt| uncached(prompt).saturating_add(tools)),
            cache_read: self.prompt_token_count.map(|_| cached),
            output: says_output.then_some(output),
            reasoning: self.thoughts_token_count,
            ..UsageUpdate::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(json: &str, mode: UsageMode) -> UsageUpdate {
        serde_json::from_str::<UsageMetadata>(json).unwrap().update(mode)
    }

    #[test]
    fn thoughts_are_output_and_cached_tokens_are_not_input() {
        let json = r#"{"promptTokenCount": 1000, "cachedContentTokenCount": 700,
            "candidatesTokenCount": 1, "thoughtsTokenCount": 7, "totalTokenCount": 1008}"#;
        let update = update(json, UsageMode::Native);
        assert_eq!((update.input, update.cache_read), (Some(300), Some(700)));
        assert_eq!((update.output, update.reasoning), (Some(8), Some(7)));
    }

    #[test]
    fn results_of_the_providers_tools_went_in() {
        let json = r#"{"promptTokenCount": 10, "toolUsePromptTokenCount": 90}"#;
        assert_eq!(update(json, UsageMode::Native).input, Some(100));
    }

    #[test]
    fn what_is_not_said_stays_as_it_was() {
        let update = update(r#"{"totalTokenCount": 5}"#, UsageMode::Native);
        assert_eq!(update, UsageUpdate::default());
    }

    #[test]
    fn more_cached_than_sent_is_no_underflow() {
        let json = r#"{"promptTokenCount": 1, "cachedContentTokenCount": 18446744073709551615}"#;
        assert_eq!(update(json, UsageMode::Native).input, Some(0));
        assert_eq!(update(json, UsageMode::Exclusive).input, Some(1));
    }
}
