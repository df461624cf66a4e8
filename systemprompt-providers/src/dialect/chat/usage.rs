//! `usage`, read and written. `prompt_tokens` has all that went in, with what was cached and written to the
//! cache; the canonical form tells them apart.

use serde_json::{Value, json};
use systemprompt_core::llm::{Usage, UsageUpdate};

use crate::dialect::UsageMode;

/// What the frames of an answer said of its usage so far. A number that is said replaces the one before.
#[derive(Debug, Default)]
pub(super) struct UsageReader {
    prompt: Option<u64>,
    cached: Option<u64>,
    written: Option<u64>,
    completion: Option<u64>,
    reasoning: Option<u64>,
}

impl UsageReader {
    /// Reads an object `usage`; `None` when it says nothing.
    pub(super) fn read(&mut self, usage: &Value, mode: UsageMode) -> Option<UsageUpdate> {
        let usage = usage.as_object()?;
        let number = |value: Option<&Value>| value.and_then(count);
        let details =
            |name: &str, member: &str| number(usage.get(name).and_then(|d| d.get(member)));
        let set = |to: &mut Option<u64>, values: &[Option<u64>]| {
            if let Some(value) = values.iter().find_map(|value| *value) {
                *to = Some(value);
            }
        };
        set(&mut self.prompt, &[number(usage.get("prompt_tokens"))]);
        set(&mut self.completion, &[number(usage.get("completion_tokens"))]);
        set(
            &mut self.cached,
            &[
                details("prompt_tokens_details", "cached_tokens"),
                // Moonshot has it beside the totals, DeepSeek under a name of its own.
                number(usage.get("cached_tokens")),
                number(usage.get("prompt_cache_hit_tokens")),
            ],
        );
        set(
            &mut self.written,
            &[
                details("prompt_tokens_details", "cache_write_tokens"),
                // Qwen.
                details("prompt_tokens_details", "cache_creation_input_tokens"),
            ],
        );
        set(&mut self.reasoning, &[details("completion_tokens_details", "reasoning_tokens")]);
        self.prompt.or(self.completion)?;
        Some(self.update(mode))
    }

    fn update(&self, mode: UsageMode) -> UsageUpdate {
        let cached = self.cached.unwrap_or_default();
        let written = self.written.unwrap_or_default();
        let input = self.prompt.map(|prompt| match mode {
            UsageMode::Exclusive => prompt,
            UsageMode::Native | UsageMode::Inclusive | UsageMode::LastEvent => {
                prompt.saturating_sub(cached).saturating_sub(written)
            }
        });
        UsageUpdate {
            input,
            cache_read: self.cached,
            cache_write_5m: self.written,
            cache_write_1h: None,
            output: self.completion,
            reasoning: self.reasoning,
        }
    }
}

/// A count; some servers write `12.0`.
fn count(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| {
        let number = value.as_f64().filter(|number| number.fract() == 0.0 && *number >= 0.0)?;
        // Exact: whole numbers below 2^53.
        (number <= 9_007_199_254_740_992.0).then_some(number as u64)
    })
}

/// The usage as this wire has it.
pub(super) fn write(usage: &Usage) -> Value {
    let written = usage.cache_write_5m.saturating_add(usage.cache_write_1h);
    let mut value = json!({
        "prompt_tokens": usage.prompt(),
        "completion_tokens": usage.output,
        "total_tokens": usage.prompt().saturating_add(usage.output),
        "prompt_tokens_details": {"cached_tokens": usage.cache_read, "cache_write_tokens": written},
    });
    if let (Some(reasoning), Value::Object(value)) = (usage.reasoning, &mut value) {
        let details = json!({"reasoning_tokens": reasoning});
        value.insert("completion_tokens_details".to_owned(), details);
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(usage: Value, mode: UsageMode) -> Usage {
        let mut all = Usage::default();
        all.apply(&UsageReader::default().read(&usage, mode).unwrap());
        all
    }

    #[test]
    fn what_was_cached_is_told_apart_from_the_prompt() {
        let usage = json!({
            "prompt_tokens": 1000, "completion_tokens": 50,
            "prompt_tokens_details": {"cached_tokens": 700, "cache_write_tokens": 100},
            "completion_tokens_details": {"reasoning_tokens": 20},
        });
        let read = read(usage.clone(), UsageMode::Native);
        assert_eq!((read.input, read.cache_read, read.cache_write_5m), (200, 700, 100));
        assert_eq!((read.output, read.reasoning), (50, Some(20)));
        let mut written = usage;
        written["total_tokens"] = json!(1050);
        assert_eq!(write(&read), written);
    }

    // promptfoo#10132
    #[test]
    fn moonshot_has_cached_tokens_on_top() {
        let usage = json!({"prompt_tokens": 100, "completion_tokens": 1, "cached_tokens": 60});
        let read = read(usage, UsageMode::Native);
        assert_eq!((read.input, read.cache_read), (40, 60));
    }

    #[test]
    fn deepseek_and_qwen_have_names_of_their_own() {
        let usage =
            json!({"prompt_tokens": 100, "completion_tokens": 1, "prompt_cache_hit_tokens": 30});
        assert_eq!(read(usage, UsageMode::Native).input, 70);
        let usage = json!({"prompt_tokens": 100, "completion_tokens": 1,
            "prompt_tokens_details": {"cache_creation_input_tokens": 30}});
        let read = read(usage, UsageMode::Native);
        assert_eq!((read.input, read.cache_write_5m), (70, 30));
    }

    #[test]
    fn an_exclusive_provider_leaves_the_cached_out() {
        let usage = json!({"prompt_tokens": 100, "completion_tokens": 1, "cached_tokens": 60});
        let read = read(usage, UsageMode::Exclusive);
        assert_eq!((read.input, read.cache_read), (100, 60));
    }

    #[test]
    fn totals_that_come_again_replace_and_do_not_add() {
        let (mut reader, mut all) = (UsageReader::default(), Usage::default());
        let first = json!({"prompt_tokens": 100, "completion_tokens": 1, "cached_tokens": 60});
        all.apply(&reader.read(&first, UsageMode::Native).unwrap());
        let second = json!({"prompt_tokens": 100, "completion_tokens": 9});
        all.apply(&reader.read(&second, UsageMode::Native).unwrap());
        assert_eq!((all.input, all.cache_read, all.output), (40, 60, 9));
    }

    #[test]
    fn nonsense_says_nothing() {
        for usage in [json!(null), json!([]), json!({}), json!({"prompt_tokens": "many"})] {
            assert_eq!(UsageReader::default().read(&usage, UsageMode::Native), None, "{usage}");
        }
        let usage = json!({"prompt_tokens": 5, "cached_tokens": 10, "completion_tokens": -1});
        assert_eq!(read(usage, UsageMode::Native).input, 0);
    }
}
