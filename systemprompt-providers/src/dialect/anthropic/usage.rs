//! Usage on this wire: `input_tokens` leaves out what the cache was asked for, and streams repeat totals.

use std::fmt;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer};
use systemprompt_core::llm::{Usage, UsageUpdate};

use super::json::ObjectOut;
use crate::dialect::UsageMode;

/// `usage` as it is read. Numbers that are none are passed over: they never cost a caller its answer.
#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(default)]
pub(super) struct WireUsage {
    #[serde(deserialize_with = "count")]
    input_tokens: Option<u64>,
    #[serde(deserialize_with = "count")]
    cache_creation_input_tokens: Option<u64>,
    #[serde(deserialize_with = "count")]
    cache_read_input_tokens: Option<u64>,
    #[serde(deserialize_with = "count")]
    output_tokens: Option<u64>,
    cache_creation: Option<CacheCreation>,
    output_tokens_details: Option<OutputDetails>,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(default)]
struct CacheCreation {
    #[serde(deserialize_with = "count")]
    ephemeral_5m_input_tokens: Option<u64>,
    #[serde(deserialize_with = "count")]
    ephemeral_1h_input_tokens: Option<u64>,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(default)]
struct OutputDetails {
    #[serde(deserialize_with = "count")]
    thinking_tokens: Option<u64>,
}

/// Reads the usage of one answer, frame by frame.
#[derive(Debug)]
pub(super) struct UsageReader {
    mode: UsageMode,
    /// `input_tokens` as it was said last.
    input: Option<u64>,
    /// Whether the last `input_tokens` came without a word of the cache.
    whole_prompt: bool,
    read: u64,
    written_5m: u64,
    written_1h: u64,
}

impl UsageReader {
    /// A reader for a provider.
    pub(super) const fn new(mode: UsageMode) -> Self {
        Self { mode, input: None, whole_prompt: false, read: 0, written_5m: 0, written_1h: 0 }
    }

    /// What `said` changes. A number that is said takes the place of the one before.
    pub(super) fn update(&mut self, said: WireUsage) -> UsageUpdate {
        let of_cache = said.cache_read_input_tokens.is_some()
            || said.cache_creation_input_tokens.is_some()
            || said.cache_creation.is_some();
        if let Some(input) = said.input_tokens {
            self.input = Some(input);
            self.whole_prompt = said.cache_read_input_tokens.unwrap_or_default() == 0
                && said.cache_creation_input_tokens.unwrap_or_default() == 0;
        }
        if let Some(read) = said.cache_read_input_tokens {
            self.read = read;
        }
        self.written(said);
        UsageUpdate {
            input: (said.input_tokens.is_some() || of_cache).then(|| self.input_alone()).flatten(),
            cache_read: said.cache_read_input_tokens,
            cache_write_5m: of_cache.then_some(self.written_5m),
            cache_write_1h: of_cache.then_some(self.written_1h),
            output: said.output_tokens,
            reasoning: said.output_tokens_details.and_then(|details| details.thinking_tokens),
        }
    }

    /// The last frame of a stream says only the sum of both kinds of writes.
    fn written(&mut self, said: WireUsage) {
        if let Some(split) = said.cache_creation {
            if let Some(hour) = split.ephemeral_1h_input_tokens {
                self.written_1h = hour;
            }
            if let Some(minutes) = split.ephemeral_5m_input_tokens {
                self.written_5m = minutes;
            }
        }
        if let Some(total) = said.cache_creation_input_tokens {
            self.written_1h = self.written_1h.min(total);
            self.written_5m = total - self.written_1h;
        }
    }

    /// `input_tokens` without what the cache was asked for.
    fn input_alone(&self) -> Option<u64> {
        let cached = self.read.saturating_add(self.written_5m).saturating_add(self.written_1h);
        let input = self.input?;
        Some(match self.mode {
            UsageMode::Native | UsageMode::Exclusive => input,
            UsageMode::Inclusive => input.saturating_sub(cached),
            UsageMode::LastEvent if self.whole_prompt => input.saturating_sub(cached),
            UsageMode::LastEvent => input,
        })
    }
}

/// Writes `usage`.
pub(super) fn write(usage: &Usage) -> ObjectOut {
    let mut object = ObjectOut::default();
    let written = usage.cache_write_5m.saturating_add(usage.cache_write_1h);
    object.put("input_tokens", usage.input);
    object.put("cache_creation_input_tokens", written);
    object.put("cache_read_input_tokens", usage.cache_read);
    if written > 0 {
        let mut split = ObjectOut::default();
        split.put("ephemeral_5m_input_tokens", usage.cache_write_5m);
        split.put("ephemeral_1h_input_tokens", usage.cache_write_1h);
        object.put("cache_creation", split);
    }
    object.put("output_tokens", usage.output);
    if let Some(reasoning) = usage.reasoning {
        let mut details = ObjectOut::default();
        details.put("thinking_tokens", reasoning);
        object.put("output_tokens_details", details);
    }
    object
}

fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    struct Count;
    impl<'de> Visitor<'de> for Count {
        type Value = Option<u64>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a number of tokens")
        }

        fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
            Ok(Some(value))
        }

        fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
            Ok(u64::try_from(value).ok())
        }

        fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
            // Some servers count in floats; what is none of their tokens is none of ours.
            Ok((0.0..9e15).contains(&value).then_some(value as u64))
        }

        fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
            Ok(value.parse().ok())
        }

        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
    }
    deserializer.deserialize_any(Count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(mode: UsageMode, frames: &[&str]) -> Usage {
        let mut reader = UsageReader::new(mode);
        let mut usage = Usage::default();
        for frame in frames {
            usage.apply(&reader.update(serde_json::from_str(frame).unwrap()));
        }
        usage
    }

    #[test]
    fn totals_are_set_and_never_added() {
        let usage = read(
            UsageMode::Native,
            &[
                r#"{"input_tokens":200,"cache_read_input_tokens":700,"cache_creation_input_tokens":100,
                    "cache_creation":{"ephemeral_5m_input_tokens":40,"ephemeral_1h_input_tokens":60},
                    "output_tokens":1}"#,
                r#"{"input_tokens":200,"cache_read_input_tokens":700,"cache_creation_input_tokens":100,
                    "output_tokens":30,"output_tokens_details":{"thinking_tokens":7}}"#,
            ],
        );
        let expected = Usage {
            input: 200,
            cache_read: 700,
            cache_write_5m: 40,
            cache_write_1h: 60,
            output: 30,
            reasoning: Some(7),
        };
        assert_eq!(usage, expected);
        assert_eq!(usage.prompt(), 1000);
    }

    #[test]
    fn the_split_of_the_last_frame_replaces_the_whole_prompt() {
        let frames = [
            r#"{"input_tokens":1000,"output_tokens":0}"#,
            r#"{"input_tokens":300,"cache_read_input_tokens":700,"output_tokens":5}"#,
        ];
        let usage = read(UsageMode::LastEvent, &frames);
        assert_eq!((usage.input, usage.cache_read, usage.prompt()), (300, 700, 1000));
        // Some say the cache alone.
        let frames = [frames[0], r#"{"cache_read_input_tokens":700,"output_tokens":5}"#];
        assert_eq!(read(UsageMode::LastEvent, &frames).prompt(), 1000);
    }

    #[test]
    fn an_inclusive_count_is_split() {
        let frames = [
            r#"{"input_tokens":1000,"output_tokens":0}"#,
            r#"{"input_tokens":1000,"cache_read_input_tokens":700,"output_tokens":5}"#,
        ];
        let usage = read(UsageMode::Inclusive, &frames);
        assert_eq!((usage.input, usage.cache_read), (300, 700));
    }

    #[test]
    fn what_is_no_number_is_passed_over() {
        let usage = read(
            UsageMode::Native,
            &[
                r#"{"input_tokens":12.0,"output_tokens":null,"cache_read_input_tokens":-1,"cache_creation":null}"#,
            ],
        );
        assert_eq!((usage.input, usage.output, usage.cache_read), (12, 0, 0));
    }

    #[test]
    fn written_usage_is_read_back() {
        let usage = Usage {
            input: 1,
            cache_read: 2,
            cache_write_5m: 3,
            cache_write_1h: 4,
            output: 5,
            reasoning: Some(2),
        };
        let text = serde_json::to_string(&write(&usage)).unwrap();
        assert_eq!(read(UsageMode::Native, &[&text]), usage);
    }
}
