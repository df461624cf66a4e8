use serde_json::json;
use systemprompt_core::llm::{
    BlockKind, CacheTtl, Effort, ErrorKind, MediaSource, OutputFormat, ReasoningMode, Role,
    ToolChoice, ToolInput, ToolKind,
};

use super::*;

/// A request with the members of `more`.
fn with(more: &Value) -> Value {
    let mut body =
        json!({"model": "m", "max_tokens": 10, "messages": [{"role": "user", "content": "hi"}]});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

fn content(role: &str, blocks: &Value) -> Value {
    with(&json!({"messages": [{"role": role, "content": blocks}]}))
}

fn kind(role: &str, block: &Value) -> BlockKind {
    decode(&content(role, &json!([block]))).unwrap().messages.remove(0).content.remove(0).kind
}

fn field(body: &Value) -> String {
    let error = decode(body).unwrap_err();
    assert_eq!(error.kind, ErrorKind::InvalidRequest);
    let field = error.field.unwrap();
    assert!(error.message.contains(&field), "{}", error.message);
    field
}

#[test]
fn the_least_that_is_a_request() {
    let request = decode(&with(&json!({}))).unwrap();
    assert_eq!(request.model, "m");
    assert_eq!(request.max_output_tokens, Some(10));
    assert_eq!(request.messages[0].role, Role::User);
    assert!(request.rest.is_empty() && !request.stream && request.reasoning.is_none());
}

#[test]
fn instructions_are_a_text_or_texts_and_may_stand_between_turns() {
    let request = decode(&with(&json!({"system": "be brief", "messages": [
        {"role": "user", "content": "a"}, {"role": "system", "content": [{"type": "text", "text": "b"}]}]})))
    .unwrap();
    assert_eq!(request.system, [systemprompt_core::llm::Block::text("be brief")]);
    assert_eq!(request.messages[1].role, Role::System);
    let request = decode(&with(&json!({"system": [
        {"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]})))
    .unwrap();
    assert_eq!(request.system[0].cache.unwrap().ttl, Some(CacheTtl::OneHour));
}

#[test]
fn every_setting_is_read() {
    let request = decode(&with(&json!({
        "stop_sequences": ["\n\n", "END"], "stream": true, "temperature": 0.5, "top_p": 0.9, "top_k": 40,
        "metadata": {"user_id": "u1"}, "service_tier": "auto",
        "thinking": {"type": "enabled", "budget_tokens": 2048, "display": "summarized"},
        "output_config": {"effort": "xhigh", "format": {"type": "json_schema", "schema": {"type": "object"}}},
        "tools": [{"name": "f", "description": "d", "input_schema": {"type": "object"}, "strict": true,
            "cache_control": {"type": "ephemeral"}}],
        "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": true},
    })))
    .unwrap();
    assert_eq!(request.stop_sequences, ["\n\n", "END"]);
    assert!(request.stream);
    assert_eq!(request.sampling.temperature, Some(0.5));
    assert_eq!(request.sampling.top_p, Some(0.9));
    assert_eq!(request.sampling.top_k, Some(40));
    assert_eq!(request.user.as_deref(), Some("u1"));
    assert_eq!(request.service_tier.as_deref(), Some("auto"));
    let reasoning = request.reasoning.unwrap();
    assert_eq!(reasoning.mode, Some(ReasoningMode::Enabled));
    assert_eq!(reasoning.budget_tokens, Some(2048));
    assert_eq!(reasoning.summary.as_deref(), Some("summarized"));
    assert_eq!(reasoning.effort, Some(Effort::XHigh));
    assert!(matches!(request.output, OutputFormat::JsonSchema { .. }));
    assert_eq!(request.tool_choice, Some(ToolChoice::Named("f".to_owned())));
    assert_eq!(request.parallel_tool_calls, Some(false));
    let tool = &request.tools[0];
    assert_eq!(tool.description.as_deref(), Some("d"));
    assert!(tool.cache.is_some());
    assert!(matches!(tool.kind, ToolKind::Function { strict: Some(true), .. }));
    assert!(request.rest.is_empty(), "{:?}", request.rest);
}

#[test]
fn thinking_has_four_forms() {
    let mode = |thinking: Value| {
        let request = decode(&with(&json!({"thinking": thinking}))).unwrap();
        (
            request.reasoning.and_then(|reasoning| reasoning.mode),
            request.rest.get("thinking").cloned(),
        )
    };
    assert_eq!(mode(json!({"type": "adaptive"})), (Some(ReasoningMode::Adaptive), None));
    assert_eq!(mode(json!({"type": "disabled"})), (Some(ReasoningMode::Disabled), None));
    let between = json!({"type": "between_tools"});
    assert_eq!(mode(between.clone()), (None, Some(between)));
}

#[test]
fn what_has_no_word_is_kept_by_its_path() {
    let request = decode(&with(&json!({
        "container": "c1", "speed": "fast", "cache_control": {"type": "ephemeral"}, "inference_geo": null,
        "metadata": {"user_id": "u", "team": "t"}, "output_config": {"task_budget": {"total": 1}},
        "tools": [{"name": "f", "input_schema": {"type": "object"}, "defer_loading": true}],
        "messages": [{"role": "user", "content": [
            {"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "scope": "global"}},
            {"type": "document", "source": {"type": "url", "url": "https://a/b.pdf"}, "context": "c"}]}],
    })))
    .unwrap();
    let names: Vec<&str> = request.rest.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "cache_control",
            "container",
            "messages.0.content.0.cache_control.scope",
            "messages.0.content.1.context",
            "metadata.team",
            "output_config.task_budget",
            "speed",
            "tools.0.defer_loading",
        ]
    );
}

#[test]
fn tools_that_anthropic_defines_stay_as_they_are() {
    let request = decode(&with(&json!({"tools": [
        {"type": "web_search_20260318", "name": "web_search", "max_uses": 3},
        {"type": "mcp_toolset", "mcp_server_name": "s"},
        {"type": "custom", "name": "f", "input_schema": {"type": "object"}}]})))
    .unwrap();
    let ToolKind::Server { value } = &request.tools[0].kind else { panic!() };
    assert_eq!(value["max_uses"], 3);
    assert_eq!(request.tools[1].name, "mcp_toolset");
    assert!(matches!(request.tools[2].kind, ToolKind::Function { .. }));
}

#[test]
fn every_block_is_read() {
    let image = json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}});
    let BlockKind::Image(media) = kind("user", &image) else { panic!() };
    assert!(matches!(media.source, MediaSource::Base64 { .. }));
    let pdf =
        json!({"type": "document", "title": "T", "source": {"type": "file", "file_id": "file_1"}});
    let BlockKind::Document(media) = kind("user", &pdf) else { panic!() };
    assert_eq!(media.title.as_deref(), Some("T"));
    let call =
        json!({"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"b": 1, "a": [2.50]}});
    let body = content("assistant", &json!([call]))
        .to_string()
        .replace(r#"{"a":[2.5],"b":1}"#, r#"{"b": 1, "a": [2.50]}"#);
    let request = AnthropicFront.decode_request(body.as_bytes()).unwrap();
    let BlockKind::ToolUse { input, .. } = &request.messages[0].content[0].kind else { panic!() };
    assert_eq!(*input, ToolInput::Json(r#"{"b": 1, "a": [2.50]}"#.to_owned()), "byte for byte");
    let result = json!({"type": "tool_result", "tool_use_id": "toolu_1", "is_error": true, "content": [
        {"type": "text", "text": "t"}, image]});
    let BlockKind::ToolResult { content, is_error, .. } = kind("user", &result) else { panic!() };
    assert!(is_error && content.len() == 2);
    let thought = json!({"type": "thinking", "thinking": "t", "signature": "s"});
    let BlockKind::Thinking { state, .. } = kind("assistant", &thought) else { panic!() };
    assert_eq!(state.unwrap().origin.dialect, Dialect::Anthropic);
    let redacted = json!({"type": "redacted_thinking", "data": "d"});
    assert!(matches!(kind("assistant", &redacted), BlockKind::RedactedThinking(_)));
    for other in [
        json!({"type": "search_result", "source": "s", "title": "t", "content": []}),
        json!({"type": "document", "source": {"type": "content", "content": "c"}}),
        json!({"type": "container_upload", "file_id": "f"}),
    ] {
        assert_eq!(kind("user", &other), BlockKind::Unknown { value: other });
    }
}

#[test]
fn the_field_that_is_wrong_is_named() {
    for (body, expected) in [
        (json!({"max_tokens": 1, "messages": []}), "model"),
        (json!({"model": "m", "messages": []}), "max_tokens"),
        (json!({"model": "m", "max_tokens": 1}), "messages"),
        (with(&json!({"max_tokens": -1})), "max_tokens"),
        (with(&json!({"max_tokens": "1"})), "max_tokens"),
        (with(&json!({"temperature": "hot"})), "temperature"),
        (with(&json!({"stream": 1})), "stream"),
        (with(&json!({"messages": {}})), "messages"),
        (with(&json!({"messages": [1]})), "messages.0"),
        (with(&json!({"messages": [{"role": "tool", "content": ""}]})), "messages.0.role"),
        (with(&json!({"messages": [{"role": "user"}]})), "messages.0.content"),
        (content("user", &json!(5)), "messages.0.content"),
        (content("user", &json!(["a"])), "messages.0.content.0"),
        (content("user", &json!([{"text": "a"}])), "messages.0.content.0.type"),
        (content("user", &json!([{"type": "text"}])), "messages.0.content.0.text"),
        (
            content("user", &json!([{"type": "tool_result", "content": "a"}])),
            "messages.0.content.0.tool_use_id",
        ),
        (
            content(
                "assistant",
                &json!([{"type": "tool_use", "id": "a", "name": "b", "input": "{}"}]),
            ),
            "messages.0.content.0.input",
        ),
        (
            content("user", &json!([{"type": "tool_use", "id": "a", "name": "b", "input": {}}])),
            "messages.0.content.0.type",
        ),
        (
            content("assistant", &json!([{"type": "tool_result", "tool_use_id": "a"}])),
            "messages.0.content.0.type",
        ),
        (
            content(
                "user",
                &json!([{"type": "tool_result", "tool_use_id": "a", "content": [{"type": "text"}]}]),
            ),
            "messages.0.content.0.content.0.text",
        ),
        (content("user", &json!([{"type": "image"}])), "messages.0.content.0.source"),
        (
            content("user", &json!([{"type": "image", "source": {"type": "base64", "data": ""}}])),
            "messages.0.content.0.source.media_type",
        ),
        (
            content(
                "user",
                &json!([{"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "ttl": "2h"}}]),
            ),
            "messages.0.content.0.cache_control.ttl",
        ),
        (with(&json!({"system": [{"type": "image"}]})), "system.0.type"),
        (with(&json!({"tools": [{"name": "f"}]})), "tools.0.input_schema"),
        (with(&json!({"tools": [{"name": "", "input_schema": {}}]})), "tools.0.name"),
        (with(&json!({"tool_choice": {"type": "tool"}})), "tool_choice.name"),
        (with(&json!({"tool_choice": {"type": "some"}})), "tool_choice.type"),
        (with(&json!({"thinking": {"type": "enabled"}})), "thinking.budget_tokens"),
        (with(&json!({"output_config": {"effort": "minimal"}})), "output_config.effort"),
        (
            with(&json!({"output_config": {"format": {"type": "json_schema"}}})),
            "output_config.format.schema",
        ),
        (with(&json!({"stop_sequences": ["a", 1]})), "stop_sequences.1"),
        (with(&json!({"metadata": {"user_id": 1}})), "metadata.user_id"),
    ] {
        assert_eq!(field(&body), expected, "{body}");
    }
}

#[test]
fn a_member_that_is_given_twice_is_refused() {
    let body = br#"{"model":"a","model":"b","max_tokens":1,"messages":[]}"#;
    assert_eq!(AnthropicFront.decode_request(body).unwrap_err().field.as_deref(), Some("model"));
    let body = br#"{"model":"a","max_tokens":1,"messages":[{"role":"user","role":"system","content":""}]}"#;
    let error = AnthropicFront.decode_request(body).unwrap_err();
    assert_eq!(error.field.as_deref(), Some("messages.0.role"));
}

#[test]
fn a_body_that_is_no_object_says_so() {
    for body in [&b""[..], b"[]", b"\xff", b"{\"model\":", b"null"] {
        let error = AnthropicFront.decode_request(body).unwrap_err();
        assert_eq!((error.kind, error.field), (ErrorKind::InvalidRequest, None));
        assert!(error.message.starts_with("the body is no JSON object"), "{}", error.message);
    }
}

#[test]
fn a_count_has_no_max_tokens() {
    let body = br#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#;
    assert!(AnthropicFront.decode_request(body).is_err());
    assert_eq!(AnthropicFront.decode_count_request(body).unwrap().max_output_tokens, None);
}

#[test]
fn state_of_other_wires_goes_back_where_it_was() {
    let request = decode(&content("assistant", &json!([
        {"type": "thinking", "thinking": "", "signature": "sp1:responses:openai:rs_1::gAAA"},
        {"type": "redacted_thinking", "data": "sp1:gemini:google::call_1:SIG"},
        {"type": "tool_use", "id": "call_0", "name": "f", "input": {}},
        {"type": "tool_use", "id": "call_1", "name": "f", "input": {}, "caller": {"type": "direct"}}])))
    .unwrap();
    let content = &request.messages[0].content;
    assert_eq!(content.len(), 3);
    let BlockKind::Thinking { state: Some(state), .. } = &content[0].kind else { panic!() };
    assert_eq!((state.origin.dialect, state.id.as_deref()), (Dialect::Responses, Some("rs_1")));
    assert_eq!(state.data, "gAAA");
    let BlockKind::ToolUse { state: None, .. } = &content[1].kind else { panic!() };
    let BlockKind::ToolUse { state: Some(state), .. } = &content[2].kind else { panic!() };
    assert_eq!((state.origin.dialect, state.data.as_str()), (Dialect::Gemini, "SIG"));
    assert!(request.rest.contains_key("messages.0.content.2.caller"));
}
