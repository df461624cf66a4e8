use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::{object, strip, with_text};

/// An answer, or a piece of one, of which everything is read or says nothing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Plain {
    #[serde(rename = "id")]
    _id: Option<IgnoredAny>,
    #[serde(rename = "object")]
    _object: Option<IgnoredAny>,
    #[serde(rename = "created")]
    _created: Option<IgnoredAny>,
    #[serde(rename = "model")]
    _model: Option<IgnoredAny>,
    #[serde(rename = "system_fingerprint")]
    _fingerprint: Option<IgnoredAny>,
    #[serde(rename = "service_tier")]
    _tier: Option<IgnoredAny>,
    #[serde(rename = "obfuscation")]
    _obfuscation: Option<IgnoredAny>,
    #[serde(rename = "usage")]
    _usage: Option<IgnoredAny>,
    #[serde(rename = "choices")]
    _choices: Option<Vec<PlainChoice>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlainChoice {
    #[serde(rename = "index")]
    _index: Option<IgnoredAny>,
    #[serde(rename = "finish_reason")]
    _finish_reason: Option<IgnoredAny>,
    #[serde(rename = "logprobs")]
    _logprobs: Option<IgnoredAny>,
    #[serde(rename = "delta")]
    _delta: Option<PlainMessage>,
    #[serde(rename = "message")]
    _message: Option<PlainMessage>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlainMessage {
    #[serde(rename = "role")]
    _role: Option<IgnoredAny>,
    #[serde(rename = "content")]
    _content: Option<IgnoredAny>,
    #[serde(rename = "refusal")]
    _refusal: Option<IgnoredAny>,
    #[serde(rename = "reasoning")]
    _reasoning: Option<IgnoredAny>,
    #[serde(rename = "reasoning_content")]
    _reasoning_content: Option<IgnoredAny>,
    #[serde(rename = "reasoning_details")]
    _reasoning_details: Option<IgnoredAny>,
    #[serde(rename = "tool_calls")]
    _tool_calls: Option<IgnoredAny>,
    #[serde(rename = "function_call")]
    _function_call: Option<IgnoredAny>,
}

/// What is not read of a whole answer or of a piece of one, if there is a text in it.
pub(in crate::gateway) fn of_answer(body: &[u8]) -> Option<String> {
    const ANSWER: [&str; 8] = [
        "id",
        "object",
        "created",
        "model",
        "system_fingerprint",
        "service_tier",
        "obfuscation",
        "usage",
    ];
    const MESSAGE: [&str; 8] = [
        "role",
        "content",
        "refusal",
        "reasoning",
        "reasoning_content",
        "reasoning_details",
        "tool_calls",
        "function_call",
    ];
    if serde_json::from_slice::<Plain>(body).is_ok() {
        return None;
    }
    let mut answer: Map<String, Value> = serde_json::from_slice(body).ok()?;
    // The error that the caller is told.
    answer.remove("error");
    strip(&mut answer, &ANSWER);
    if let Some(Value::Array(choices)) = answer.get_mut("choices") {
        for choice in choices.iter_mut().filter_map(Value::as_object_mut) {
            strip(choice, &["finish_reason", "logprobs"]);
            for name in ["delta", "message"] {
                if let Some(message) = object(choice, name) {
                    strip(message, &MESSAGE);
                    if let Some(audio) = object(message, "audio") {
                        strip(audio, &["id", "data"]);
                    }
                }
            }
        }
    }
    with_text(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_left_out() {
        for answer in [
            r#"{"id":"chatcmpl-0123456789","choices":[{"index":0,"delta":{"content":"a long text"}}],"usage":{}}"#,
            r#"{"choices":[{"message":{"content":"a long text","x":1,"audio":{"data":"a long text"}}}],"y":"short"}"#,
        ] {
            assert_eq!(of_answer(answer.as_bytes()), None, "{answer}");
        }
    }

    #[test]
    fn what_is_not_read_is_left() {
        let answer = r#"{"id":"chatcmpl-0123456789","citations":["a long text"],
            "choices":[{"delta":{"content":"more text","aside":"another text"}}]}"#;
        let found: Value = serde_json::from_str(&of_answer(answer.as_bytes()).unwrap()).unwrap();
        let expected = serde_json::json!({
            "citations": ["a long text"], "choices": [{"delta": {"aside": "another text"}}],
        });
        assert_eq!(found, expected);
    }
}
