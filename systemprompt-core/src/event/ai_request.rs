use serde::{Deserialize, Serialize};

use super::{AuditBody, EventKind};
use crate::id::AiRequestId;
use crate::money::Microdollars;

/// One request to a model: what was asked of whom, what it used and what it cost.
///
/// It is the `detail` of an event of the kind [`EventKind::AiRequest`]; who asked, for which agent and in
/// which session stands in the event's subject and context, as for every other kind. Neither the prompt
/// nor the answer is part of it. The view `ai_requests` shows its members as columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AiRequest {
    /// The request's id.
    pub request_id: AiRequestId,
    /// The provider that was asked, by its name in the configuration.
    pub provider: String,
    /// The model that answered, as the provider names it.
    pub model: String,
    /// The model that the caller named, when a route made it another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_model: Option<String>,
    /// The tool on whose behalf the model was asked (a sampling request of a server), if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// How it ended.
    pub status: AiRequestStatus,
    /// Why it failed, by a stable code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// Whether the answer was streamed.
    #[serde(default)]
    pub streamed: bool,
    /// What it used.
    pub tokens: TokenUsage,
    /// What it cost, in microdollars. Zero also when the model has no price; `priced` tells which.
    pub cost_microdollars: Microdollars,
    /// Whether the model had a price.
    pub priced: bool,
    /// Milliseconds from the request to the end of the answer.
    pub latency_ms: u64,
    /// Milliseconds to the first part of a streamed answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_token_ms: Option<u64>,
    /// How the answer came about.
    #[serde(flatten)]
    pub detail: AiRequestDetail,
}

/// How an answer of a model came about. Members that say nothing are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AiRequestDetail {
    /// The route that was taken, by its place in the configuration, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<usize>,
    /// The attempts that were made, in order: `<provider>:<how it ended>`, such as `main:status_503`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<String>,
    /// Why the answer ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_reason: Option<String>,
    /// The model as the answer names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub served_model: Option<String>,
    /// What could not be carried between dialects: `<field>=<what>`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub losses: Vec<String>,
    /// Whether the tokens are an estimate, because the provider told none.
    #[serde(skip_serializing_if = "is_false")]
    pub usage_estimated: bool,
    /// Tokens of the reasoning, where the provider tells them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_tokens: Option<u64>,
    /// Those of the tokens written to the provider's cache that are kept for an hour.
    #[serde(skip_serializing_if = "is_zero")]
    pub cache_write_1h: u64,
    /// Calls of tools in the answer that were allowed.
    #[serde(skip_serializing_if = "is_zero_u32")]
    pub tool_calls_allowed: u32,
    /// Calls of tools in the answer that were denied.
    #[serde(skip_serializing_if = "is_zero_u32")]
    pub tool_calls_denied: u32,
    /// Tools that the provider says it has run itself: the name, behind `<server>/` for one of an MCP server.
    /// Nobody decides them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub provider_tools: Vec<String>,
    /// Results of tools in the request whose calls were not permitted here.
    #[serde(skip_serializing_if = "is_zero_u32")]
    pub unpermitted_results: u32,
    /// SHA-256 of the request's body as it came, in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_sha256: Option<String>,
    /// SHA-256 of the answer's body as the caller got it, of a stream all that was sent, in hexadecimal. None
    /// where nothing was answered but an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer_sha256: Option<String>,
    /// Whether caller and provider spoke the same dialect, and bytes were passed on.
    #[serde(skip_serializing_if = "is_false")]
    pub byte_lane: bool,
    /// Whether the answer was kept from an earlier request, and no provider was asked. Nothing was used
    /// then, and nothing spent.
    #[serde(skip_serializing_if = "is_false")]
    pub cached: bool,
}

fn is_false(value: &bool) -> bool {
    !*value
}

fn is_zero(value: &u64) -> bool {
    *value == 0
}

fn is_zero_u32(value: &u32) -> bool {
    *value == 0
}

/// The tokens that a request used, as the provider counted them. The kinds do not overlap: the sum of
/// the first three is what went in, the others came out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenUsage {
    /// Tokens read anew.
    pub input: u64,
    /// Tokens read from the provider's cache.
    #[serde(default)]
    pub cached_input: u64,
    /// Tokens written to the provider's cache.
    #[serde(default)]
    pub cache_write: u64,
    /// Tokens of the answer, those of the reasoning included.
    pub output: u64,
}

/// How a request to a model ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AiRequestStatus {
    /// The model answered.
    Success,
    /// The provider refused, or could not be reached.
    Failed,
    /// It took too long.
    Timeout,
    /// The caller went away.
    Cancelled,
}

impl From<AiRequest> for AuditBody {
    fn from(request: AiRequest) -> Self {
        // A structure of ours without maps: there is nothing that could fail.
        let detail = serde_json::to_value(request).unwrap_or_default();
        Self::Other { kind: EventKind::AiRequest, detail }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_survives_its_detail() {
        let request = AiRequest {
            request_id: AiRequestId::generate(),
            provider: "anthropic".to_owned(),
            model: "claude-sonnet-4-5".to_owned(),
            requested_model: Some("fast".to_owned()),
            tool: None,
            status: AiRequestStatus::Success,
            error_code: None,
            streamed: true,
            tokens: TokenUsage { input: 12, cached_input: 900, cache_write: 0, output: 345 },
            cost_microdollars: Microdollars::new(5_481),
            priced: true,
            latency_ms: 1_204,
            first_token_ms: Some(310),
            detail: AiRequestDetail {
                attempts: vec!["a:status_200".to_owned()],
                ..Default::default()
            },
        };
        let AuditBody::Other { kind, detail } = AuditBody::from(request.clone()) else {
            panic!("a request is a kind of its own");
        };
        assert_eq!(kind, EventKind::AiRequest);
        assert_eq!(detail["cost_microdollars"], 5_481);
        assert_eq!(serde_json::from_value::<AiRequest>(detail.clone()).unwrap(), request);
        let mut more = detail;
        more["colour"] = "blue".into();
        let error = serde_json::from_value::<AiRequest>(more).unwrap_err();
        assert!(error.to_string().contains("unknown field `colour`"), "{error}");
    }
}
