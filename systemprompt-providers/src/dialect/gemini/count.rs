use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use systemprompt_core::llm::{ErrorKind, ModelError, ModelRequest};

use super::request::{encode, json};
use super::{error, path};
use crate::dialect::{Target, UpstreamRequest};

/// The request that counts the tokens of `request`, with its instructions and tools (`:countTokens`).
///
/// # Errors
/// As [`encode_request`](crate::dialect::Upstream::encode_request).
pub fn count_request(
    request: &ModelRequest,
    to: &Target<'_>,
) -> Result<UpstreamRequest, ModelError> {
    let mut encoded = encode(request, to)?;
    let named = to.model.starts_with("models/") || to.model.starts_with("tunedModels/");
    let model = if named { to.model.to_owned() } else { format!("models/{}", to.model) };
    encoded.body.model = Some(model);
    let body = json(&Counted { generate_content_request: &encoded.body })?;
    Ok(UpstreamRequest {
        path: path(to.model, "countTokens"),
        headers: Vec::new(),
        body: Bytes::from(body),
        losses: encoded.losses,
        tool_names: encoded.tool_names,
    })
}

/// The number of tokens in the answer to a [`count_request`].
///
/// # Errors
/// [`ModelError`] when the answer has no number, or is an error.
pub fn count_answer(body: &[u8]) -> Result<u64, ModelError> {
    if let Some(error) = error::read(body) {
        return Err(error.into_error(None));
    }
    let answer: Count = serde_json::from_slice(body).unwrap_or_default();
    answer.total_tokens.as_ref().and_then(Value::as_u64).ok_or_else(|| {
        ModelError::new(ErrorKind::BadGateway, "the upstream's count has no `totalTokens`")
            .with_code("upstream_unreadable")
    })
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Counted<'a> {
    generate_content_request: &'a super::request::Body,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Count {
    total_tokens: Option<Value>,
}
