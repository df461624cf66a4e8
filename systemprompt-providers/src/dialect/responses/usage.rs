//! Usage: `input_tokens` counts what was cached, read or written (`input_tokens_details`), at OpenAI.

use serde_json::{Value, json};
use systemprompt_core::llm::{Usage, UsageUpdate};

use crate::dialect::UsageMode;

/// Reads `usage`; what it does not say stays open.
pub(super) fn decode(usage: &Value, mode: UsageMode) -> UsageUpdate {
    let number = |path: &str| usage.pointer(path).and_then(Value::as_u64);
    // Moonshot has `cached_tokens` beside the totals.
    let cached = number("/input_tokens_details/cached_tokens").or_else(|| number("/cached_tokens"));
    let written = number("/input_tokens_details/cache_write_tokens");
    let long = number("/input_tokens_details/cache_write_tokens_details/ttl_12h_tokens");
    let input = number("/input_tokens").map(|input| match mode {
        UsageMode::Exclusive => input,
        UsageMode::Native | UsageMode::Inclusive | UsageMode::LastEvent => {
            input.saturating_sub(cached.unwrap_or(0)).saturating_sub(written.unwrap_or(0))
        }
    });
    UsageUpdate {
        input,
        cache_read: cached,
        cache_write_5m: written.map(|all| all.saturating_sub(long.unwrap_or(0))),
        // The longer of the two lives that a provider sells.
        cache_write_1h: long.map(|long| long.min(written.unwrap_or(long))),
        output: number("/output_tokens"),
        reasoning: number("/output_tokens_details/reasoning_tokens"),
    }
}

/// Writes `usage`.
pub(super) fn encode(usage: &Usage) -> Value {
    let prompt = usage.prompt();
    json!({
        "input_tokens": prompt,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read,
            "cache_write_tokens": usage.cache_write_5m.saturating_add(usage.cache_write_1h),
        },
        "output_tokens": usage.output,
        "output_tokens_details": { "reasoning_tokens": usage.reasoning.unwrap_or(0) },
        "total_tokens": prompt.saturating_add(usage.output),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &Value, mode: UsageMode) -> Usage {
        let mut usage = Usage::default();
        usage.apply(&decode(value, mode));
        usage
    }

    #[test]
    fn what_was_cached_is_part_of_the_input() {
        let wire = json!({
            "input_tokens": 1000, "output_tokens": 50, "total_tokens": 1050,
            "input_tokens_details": {
                "cached_tokens": 700, "cache_write_tokens": 100,
                "cache_write_tokens_details": {"ttl_12h_tokens": 30, "ttl_30m_tokens": 70}
            },
            "output_tokens_details": {"reasoning_tokens": 20}
        });
        let usage = read(&wire, UsageMode::Native);
        let expected = Usage {
            input: 200,
            cache_read: 700,
            cache_write_5m: 70,
            cache_write_1h: 30,
            output: 50,
            reasoning: Some(20),
        };
        assert_eq!(usage, expected);
        assert_eq!(read(&wire, UsageMode::Exclusive).input, 1000);
        let again = encode(&usage);
        assert_eq!(again["input_tokens"], 1000);
        assert_eq!(again["input_tokens_details"]["cache_write_tokens"], 100);
        assert_eq!(again["total_tokens"], 1050);
    }

    #[test]
    fn odd_numbers_are_no_panic() {
        let wire = json!({
            "input_tokens": 5, "output_tokens": -1,
            "input_tokens_details": {"cached_tokens": u64::MAX, "cache_write_tokens": 1.5}
        });
        let usage = read(&wire, UsageMode::Native);
        assert_eq!((usage.input, usage.output), (0, 0));
        let _ = encode(&usage);
        assert_eq!(read(&json!({"cached_tokens": 3}), UsageMode::Native).cache_read, 3);
    }
}
