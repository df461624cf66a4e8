//! The number of tokens of a request, as providers are asked for it and callers are told.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use systemprompt_core::llm::{Dialect, ErrorKind, ModelError, ModelRequest, Sampling};

use super::{Target, UpstreamRequest, anthropic, gemini, responses};

/// Members without a word in the canonical form that count; with one, they stand below these.
const COUNTED: [&str; 17] = [
    "cache_control",
    "compaction",
    "context_management",
    "conversation",
    "input",
    "instructions",
    "mcp_servers",
    "messages",
    "output_config",
    "previous_response_id",
    "prompt",
    "reasoning",
    "system",
    "text",
    "thinking",
    "tool_choice",
    "tools",
];

/// Where providers of a dialect are asked in the caller's own words; `None` where there is no such question, and
/// where the path names the model.
pub(crate) const fn path(dialect: Dialect) -> Option<&'static str> {
    match dialect {
        Dialect::Anthropic => Some("/v1/messages/count_tokens"),
        Dialect::Responses => Some("/v1/responses/input_tokens"),
        Dialect::Chat | Dialect::Gemini => None,
    }
}

/// Reads the question of a caller: a request that may leave out what only an answer needs.
///
/// # Errors
/// [`ModelError`] that names the field that cannot be used.
pub(crate) fn read(dialect: Dialect, body: &[u8]) -> Result<ModelRequest, ModelError> {
    match super::front(dialect) {
        Some(_) if dialect == Dialect::Anthropic => {
            anthropic::AnthropicFront.decode_count_request(body)
        }
        Some(front) => front.decode_request(body),
        None => Err(ModelError::new(ErrorKind::Api, "callers are not spoken to in this dialect")),
    }
}

/// Writes the question for a provider; `None` in a dialect that has none.
///
/// # Errors
/// As [`encode_request`](super::Upstream::encode_request).
pub(crate) fn encode(
    dialect: Dialect,
    request: &ModelRequest,
    to: &Target<'_>,
) -> Option<Result<UpstreamRequest, ModelError>> {
    match dialect {
        Dialect::Anthropic => {
            // How much it is to think goes by the length of its answer.
            let length = request.max_output_tokens;
            let request = ModelRequest { max_output_tokens: length, ..counted(request) };
            Some(anthropic::AnthropicUpstream.encode_count_request(&request, to))
        }
        Dialect::Responses => {
            Some(responses::ResponsesUpstream.encode_count_request(&counted(request), to))
        }
        Dialect::Gemini => Some(gemini::count_request(&counted(request), to)),
        Dialect::Chat => None,
    }
}

/// The number that a provider answers.
///
/// # Errors
/// [`ModelError`] when there is none.
pub(crate) fn decode(dialect: Dialect, body: &[u8]) -> Result<u64, ModelError> {
    if dialect == Dialect::Gemini {
        return gemini::count_answer(body);
    }
    let answer: Count = serde_json::from_slice(body).unwrap_or_default();
    answer.input_tokens.as_ref().and_then(Value::as_u64).ok_or_else(|| {
        ModelError::new(ErrorKind::BadGateway, "the upstream's count has no `input_tokens`")
            .with_code("upstream_unreadable")
    })
}

/// The number as a caller of a dialect reads it.
pub(crate) fn answer(dialect: Dialect, tokens: u64) -> Bytes {
    let answer = match dialect {
        Dialect::Responses => json!({ "object": "response.input_tokens", "input_tokens": tokens }),
        _ => json!({ "input_tokens": tokens }),
    };
    answer.to_string().into()
}

/// A request without what only an answer needs.
fn counted(request: &ModelRequest) -> ModelRequest {
    let mut counted = request.clone();
    counted.max_output_tokens = None;
    counted.stop_sequences.clear();
    counted.sampling = Sampling::default();
    counted.stream = false;
    counted.service_tier = None;
    counted.user = None;
    counted
        .rest
        .retain(|path, _| path.split('.').next().is_some_and(|first| COUNTED.contains(&first)));
    counted
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Count {
    input_tokens: Option<Value>,
}

#[cfg(test)]
mod tests;
