//! Requests and answers as the wire has them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use systemprompt_core::llm::{
    Block, BlockKind, LossKind, Message, OpaqueState, Role, Tool, ToolInput, ToolKind,
};

use super::*;
use crate::dialect::{Capabilities, ProviderFlags, UsageMode};

mod answer;
mod config;
mod contents;
mod laws;
mod media;
mod schema;
mod signatures;
mod stream;
mod tools;

/// A request of Anthropic with one word of the user.
fn asked(text: &str) -> ModelRequest {
    let mut request = ModelRequest::new(Dialect::Anthropic, "claude");
    request.messages.push(said(Role::User, vec![Block::text(text)]));
    request
}

fn said(role: Role, content: Vec<Block>) -> Message {
    Message { role, content }
}

fn function(name: &str, schema: Value) -> Tool {
    let kind = ToolKind::Function { schema, strict: None };
    Tool { kind, name: name.into(), description: None, cache: None }
}

fn call(id: &str, name: &str, args: &str) -> Block {
    let input = ToolInput::from_json_text(args);
    Block::new(BlockKind::ToolUse { id: id.into(), name: name.into(), input, state: None })
}

fn result(id: &str, content: Vec<Block>) -> Block {
    Block::new(BlockKind::ToolResult { tool_use_id: id.into(), content, is_error: false })
}

fn state(dialect: Dialect, provider: &str, data: &str) -> OpaqueState {
    let origin = systemprompt_core::llm::Origin { dialect, provider: Some(Arc::from(provider)) };
    OpaqueState { origin, id: None, data: data.into() }
}

fn ours(data: &str) -> OpaqueState {
    state(Dialect::Gemini, "google", data)
}

/// What a request becomes for the provider `google`.
struct Sent {
    path: String,
    body: Value,
    text: String,
    losses: Vec<(String, LossKind)>,
    names: BTreeMap<String, String>,
}

impl Sent {
    fn lost(&self, field: &str, what: LossKind) -> bool {
        self.losses.iter().any(|(lost, how)| lost == field && *how == what)
    }
}

fn try_send(
    request: &ModelRequest,
    model: &str,
    capabilities: &Capabilities,
    flags: &ProviderFlags,
) -> Result<Sent, ModelError> {
    let provider: Arc<str> = Arc::from("google");
    let target = Target { provider: &provider, model, capabilities, flags };
    let sent = GeminiUpstream.encode_request(request, &target)?;
    Ok(Sent {
        path: sent.path,
        body: serde_json::from_slice(&sent.body).unwrap(),
        text: String::from_utf8(sent.body.to_vec()).unwrap(),
        losses: sent.losses.losses().iter().map(|loss| (loss.field.clone(), loss.what)).collect(),
        names: sent.tool_names,
    })
}

fn send(request: &ModelRequest) -> Sent {
    try_send(request, "gemini-3-pro", &Capabilities::default(), &ProviderFlags::default()).unwrap()
}

fn refuse(request: &ModelRequest) -> ModelError {
    let sent =
        try_send(request, "gemini-3-pro", &Capabilities::default(), &ProviderFlags::default());
    match sent {
        Err(error) => error,
        Ok(sent) => panic!("not refused: {}", sent.text),
    }
}

fn source() -> Source {
    Source {
        provider: Arc::from("google"),
        usage_mode: UsageMode::Native,
        tool_names: Arc::new(BTreeMap::new()),
    }
}

#[test]
fn the_path_names_model_and_method() {
    let mut request = asked("hello");
    assert_eq!(send(&request).path, "/v1beta/models/gemini-3-pro:generateContent");
    request.stream = true;
    let (can, flags) = (Capabilities::default(), ProviderFlags::default());
    let path = |model: &str| try_send(&request, model, &can, &flags).unwrap().path;
    assert_eq!(path("a/../b?c"), "/v1beta/models/a%2F..%2Fb%3Fc:streamGenerateContent?alt=sse");
    assert_eq!(path("tunedModels/é"), "/v1beta/tunedModels/%C3%A9:streamGenerateContent?alt=sse");
}

#[test]
fn a_count_has_the_whole_request() {
    let mut request = asked("hello");
    request.system = vec![Block::text("be brief")];
    request.tools = vec![function("f", serde_json::json!({"type": "object", "properties": {}}))];
    let provider: Arc<str> = Arc::from("google");
    let (capabilities, flags) = (Capabilities::default(), ProviderFlags::default());
    let target =
        Target { provider: &provider, model: "m", capabilities: &capabilities, flags: &flags };
    let sent = count_request(&request, &target).unwrap();
    assert_eq!(sent.path, "/v1beta/models/m:countTokens");
    let body: Value = serde_json::from_slice(&sent.body).unwrap();
    let counted = &body["generateContentRequest"];
    assert_eq!(counted["model"], "models/m");
    assert_eq!(counted["systemInstruction"]["parts"][0]["text"], "be brief");
    assert_eq!(counted["tools"][0]["functionDeclarations"][0]["name"], "f");
    assert_eq!(counted["contents"][0]["parts"][0]["text"], "hello");
}

#[test]
fn a_count_is_a_number() {
    assert_eq!(count_answer(br#"{"totalTokens": 31, "promptTokensDetails": []}"#).unwrap(), 31);
    for bad in ["{}", "", "[1", r#"{"totalTokens": -1}"#, r#"{"totalTokens": "31"}"#] {
        let error = count_answer(bad.as_bytes()).unwrap_err();
        assert_eq!(error.kind, systemprompt_core::llm::ErrorKind::BadGateway, "{bad}");
    }
    let error = count_answer(br#"{"error": {"code": 404, "status": "NOT_FOUND"}}"#).unwrap_err();
    assert_eq!(error.kind, systemprompt_core::llm::ErrorKind::NotFound);
}
