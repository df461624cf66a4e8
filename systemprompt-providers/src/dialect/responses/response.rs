//! The response object that callers are given.

use serde_json::{Map, Value, json};
use systemprompt_core::llm::{BlockKind, ModelRequest, ToolChoice, Usage};

use super::request::{encode_choice, encode_text, encode_tool};
use super::usage;
use crate::dialect::Reply;

/// The response object, as far as it is the same from the first event to the last.
#[derive(Debug)]
pub(super) struct Response {
    base: Map<String, Value>,
}

/// How an answer stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Status {
    InProgress,
    Completed,
    /// Broken off, and why: `max_output_tokens` or `content_filter`.
    Incomplete(&'static str),
    /// Failed, with a code and a sentence.
    Failed {
        code: String,
        message: String,
    },
}

impl Response {
    pub(super) fn new(reply: &Reply, id: &str) -> Self {
        let request = &*reply.request;
        let rest = |name: &str| request.rest.get(name).cloned();
        let base = json!({
            "id": id,
            "object": "response",
            "created_at": reply.created,
            "model": reply.model,
            "background": false,
            "instructions": instructions(request),
            "max_output_tokens": request.max_output_tokens,
            "max_tool_calls": rest("max_tool_calls"),
            "metadata": rest("metadata").unwrap_or_else(|| json!({})),
            "parallel_tool_calls": request.parallel_tool_calls.unwrap_or(true),
            "previous_response_id": null,
            "prompt_cache_key": rest("prompt_cache_key"),
            "reasoning": {
                "effort": request.reasoning.as_ref().and_then(|said| said.effort).map(|effort| effort.as_str()),
                "summary": request.reasoning.as_ref().and_then(|said| said.summary.as_deref()),
            },
            "service_tier": request.service_tier,
            "store": false,
            "temperature": request.sampling.temperature,
            "text": text(request),
            "tool_choice": encode_choice(
                request.tool_choice.as_ref().unwrap_or(&ToolChoice::Auto),
                &request.tools,
                |name| name,
            ),
            "tools": request
                .tools
                .iter()
                .map(|tool| encode_tool(tool, &tool.name, None))
                .collect::<Vec<_>>(),
            "top_p": request.sampling.top_p,
            "truncation": rest("truncation").unwrap_or_else(|| json!("disabled")),
            "user": request.user,
        });
        let Value::Object(base) = base else { return Self { base: Map::new() } };
        Self { base }
    }

    /// The whole object.
    pub(super) fn at(&self, status: &Status, output: &[Value], used: Option<&Usage>) -> Value {
        let (word, error, incomplete) = match status {
            Status::InProgress => ("in_progress", Value::Null, Value::Null),
            Status::Completed => ("completed", Value::Null, Value::Null),
            Status::Incomplete(reason) => ("incomplete", Value::Null, json!({ "reason": reason })),
            Status::Failed { code, message } => {
                ("failed", json!({ "code": code, "message": message }), Value::Null)
            }
        };
        let mut whole = self.base.clone();
        whole.insert("status".to_owned(), json!(word));
        whole.insert("error".to_owned(), error);
        whole.insert("incomplete_details".to_owned(), incomplete);
        whole.insert("output".to_owned(), Value::Array(output.to_vec()));
        whole.insert("usage".to_owned(), used.map_or(Value::Null, usage::encode));
        Value::Object(whole)
    }
}

/// What was asked of the form of the answer, or what nothing said means.
fn text(request: &ModelRequest) -> Value {
    let mut text = encode_text(request).unwrap_or_else(|| json!({}));
    if let Value::Object(text) = &mut text {
        text.entry("format").or_insert_with(|| json!({ "type": "text" }));
    }
    text
}

fn instructions(request: &ModelRequest) -> Option<String> {
    let texts: Vec<&str> = request
        .system
        .iter()
        .filter_map(|block| match &block.kind {
            BlockKind::Text { text } => Some(text.as_str()),
            _ => None,
        })
        .collect();
    (!texts.is_empty()).then(|| texts.join("\n\n"))
}
