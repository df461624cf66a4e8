use systemprompt_core::llm::{ModelError, ModelRequest};

use super::encode::body;
use crate::dialect::{Target, UpstreamRequest};

/// The members of a request for a count.
const COUNTED: [&str; 11] = [
    "conversation",
    "input",
    "instructions",
    "model",
    "parallel_tool_calls",
    "previous_response_id",
    "reasoning",
    "text",
    "tool_choice",
    "tools",
    "truncation",
];

/// Writes a request for the number of its tokens.
pub(in super::super) fn encode_count(
    request: &ModelRequest,
    to: &Target<'_>,
) -> Result<UpstreamRequest, ModelError> {
    let mut written = body(request, to)?;
    written.members.retain(|name, _| COUNTED.contains(&name.as_str()));
    Ok(written.sent_to("/v1/responses/input_tokens"))
}
