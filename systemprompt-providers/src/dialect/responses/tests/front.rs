//! Requests as callers send them.

use systemprompt_core::llm::{
    Block, BlockKind, CacheMark, CacheTtl, Effort, Media, MediaSource, Message, OutputFormat,
    ReasoningMode, Role, ToolChoice, ToolInput, ToolKind,
};

use super::*;

#[test]
fn everything_has_its_place() {
    let request = decode(&json!({
        "model": "house-model",
        "instructions": "Be brief.",
        "input": [
            {"role": "developer", "content": "Speak French."},
            {"role": "user", "content": [
                {"type": "input_text", "text": "What is this?", "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "12h"}},
                {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0=", "detail": "high"},
                {"type": "input_file", "filename": "a.pdf", "file_data": "JVBERi0="}
            ]},
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm."}], "encrypted_content": "gAAA="},
            {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "look", "arguments": "{\"at\": \"it\"}", "status": "completed"},
            {"type": "function_call_output", "call_id": "call_1", "output": [{"type": "input_text", "text": "a cat"}]},
            {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [
                {"type": "output_text", "text": "A cat.", "annotations": [], "logprobs": []},
                {"type": "refusal", "refusal": "No more."}
            ]},
            {"role": "system", "content": "Go on."},
            {"type": "custom_tool_call", "call_id": "call_2", "name": "sql", "input": "select 1"},
            {"type": "custom_tool_call_output", "call_id": "call_2", "output": "1"}
        ],
        "tools": [
            {"type": "function", "name": "look", "description": "Looks.", "parameters": {"type": "object", "properties": {}}, "strict": false},
            {"type": "custom", "name": "sql", "format": {"type": "text"}},
            {"type": "web_search"}
        ],
        "tool_choice": {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "look"}, {"type": "web_search"}]},
        "parallel_tool_calls": false,
        "max_output_tokens": 500, "temperature": 0.5, "top_p": 1,
        "reasoning": {"effort": "high", "summary": "auto"},
        "text": {"format": {"type": "json_schema", "name": "x", "schema": {"type": "object"}, "strict": true}, "verbosity": "low"},
        "stream": true, "service_tier": "flex", "user": "old", "safety_identifier": "u1",
        "store": false, "include": ["reasoning.encrypted_content"], "metadata": {"a": "b"}, "top_logprobs": null
    }));
    assert_eq!(request.system, [Block::text("Be brief."), Block::text("Speak French.")]);
    let roles: Vec<Role> = request.messages.iter().map(|message| message.role).collect();
    use Role::{Assistant, System, User};
    assert_eq!(roles, [User, Assistant, Assistant, User, Assistant, System, Assistant, User]);
    let first = &request.messages[0].content;
    assert_eq!(first[0].cache, Some(CacheMark { ttl: Some(CacheTtl::OneHour) }));
    let picture = MediaSource::Base64 { media_type: "image/png".into(), data: "iVBORw0=".into() };
    let media = Media { source: picture, title: None, detail: Some("high".into()) };
    assert_eq!(first[1].kind, BlockKind::Image(media));
    let pdf = MediaSource::Base64 { media_type: "application/pdf".into(), data: "JVBERi0=".into() };
    let media = Media { source: pdf, title: Some("a.pdf".into()), detail: None };
    assert_eq!(first[2].kind, BlockKind::Document(media));
    let BlockKind::Thinking { text, state: Some(state) } = &request.messages[1].content[0].kind
    else {
        panic!("{request:?}");
    };
    assert_eq!((text.as_str(), state.data.as_str()), ("Hm.", "gAAA="));
    assert_eq!(state.id.as_deref(), Some("rs_1"));
    let BlockKind::ToolUse { id, input, .. } = &request.messages[2].content[0].kind else {
        panic!("{request:?}");
    };
    assert_eq!(id, "call_1");
    assert_eq!(*input, ToolInput::Json("{\"at\": \"it\"}".to_owned()));
    let BlockKind::ToolUse { input, .. } = &request.messages[6].content[0].kind else { panic!() };
    assert_eq!(*input, ToolInput::Text("select 1".to_owned()));
    assert!(matches!(&request.tools[1].kind, ToolKind::Text { format: Some(_) }));
    assert!(matches!(&request.tools[2].kind, ToolKind::Server { .. }));
    let names = vec!["look".to_owned(), "web_search".to_owned()];
    assert_eq!(request.tool_choice, Some(ToolChoice::Among { names, required: true }));
    assert_eq!(request.parallel_tool_calls, Some(false));
    assert_eq!(request.max_output_tokens, Some(500));
    assert_eq!((request.sampling.temperature, request.sampling.top_p), (Some(0.5), Some(1.0)));
    assert_eq!(request.reasoning.unwrap().effort, Some(Effort::High));
    assert!(matches!(request.output, OutputFormat::JsonSchema { strict: Some(true), .. }));
    assert_eq!(request.verbosity.as_deref(), Some("low"));
    assert!(request.stream);
    assert_eq!(request.user.as_deref(), Some("u1"));
    let rest: Vec<&str> = request.rest.keys().map(String::as_str).collect();
    assert_eq!(rest, ["metadata"]);
}

#[test]
fn a_text_is_what_the_user_says() {
    let request = decode(&json!({"model": "m", "input": "Hello"}));
    assert_eq!(
        request.messages,
        [Message { role: Role::User, content: vec![Block::text("Hello")] }]
    );
    let empty = decode(&json!({"model": "m", "input": [{"role": "assistant", "content": []}]}));
    assert!(empty.messages.is_empty());
    let request = decode(&json!({"model": "m", "input": "x", "reasoning": {"effort": "none"}}));
    assert_eq!(request.reasoning.unwrap().mode, Some(ReasoningMode::Disabled));
}

#[test]
fn what_has_no_word_is_kept_under_its_path() {
    let request = decode(&json!({
        "model": "m", "truncation": "auto",
        "reasoning": {"effort": "low", "context": "all_turns"},
        "text": {"future": 1},
        "tools": [{"type": "function", "name": "f", "parameters": null, "defer_loading": true}],
        "input": [
            {"role": "assistant", "phase": "commentary", "content": [
                {"type": "output_text", "text": "x", "annotations": [{"type": "file_path"}]}
            ]},
            {"type": "web_search_call", "id": "ws_1", "status": "completed"},
            {"role": "user", "content": [{"type": "input_hologram", "data": 1}]}
        ]
    }));
    let rest: Vec<&str> = request.rest.keys().map(String::as_str).collect();
    assert_eq!(
        rest,
        [
            "input.0.content.0.annotations",
            "input.0.phase",
            "reasoning.context",
            "text.future",
            "tools.0.defer_loading",
            "truncation",
        ]
    );
    assert!(matches!(request.messages[1].content[0].kind, BlockKind::Unknown { .. }));
    assert!(matches!(request.messages[2].content[0].kind, BlockKind::Unknown { .. }));
    // They go back to their places upstream, but for those of items.
    let (body, losses) = sent(&request);
    assert_eq!(body["reasoning"], json!({"effort": "low", "context": "all_turns"}));
    assert_eq!(body["text"], json!({"future": 1}));
    assert_eq!(body["tools"][0]["defer_loading"], true);
    assert_eq!(body["truncation"], "auto");
    assert_eq!(body["input"][1]["type"], "web_search_call");
    assert_eq!(body["input"][2]["content"][0]["type"], "input_hologram");
    let fields: Vec<&str> = losses.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, ["input.0.content.0.annotations", "input.0.phase"]);
}

/// Scenario 38.
#[test]
fn what_is_stored_nowhere_is_refused() {
    let cases = [
        (json!({"previous_response_id": "resp_1"}), "previous_response_id"),
        (json!({"conversation": {"id": "conv_1"}}), "conversation"),
        (json!({"prompt": {"id": "pmpt_1"}}), "prompt"),
        (json!({"background": true}), "background"),
        (json!({"input": [{"type": "item_reference", "id": "msg_1"}]}), "input.0"),
    ];
    for (more, field) in cases {
        let mut body = json!({"model": "m", "input": "x"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let error = refused(&body);
        assert_eq!(error.field.as_deref(), Some(field));
        assert!(error.message.contains(field), "{error}");
        let (status, body) = ResponsesFront.encode_error(&error, "req_1");
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((status, &body["error"]["param"]), (400, &json!(field)));
    }
}

#[test]
fn errors_name_the_field() {
    let cases = [
        (json!([]), None),
        (json!({"input": "x"}), Some("model")),
        (json!({"model": 1, "input": "x"}), Some("model")),
        (json!({"model": "m"}), Some("input")),
        (json!({"model": "m", "input": 1}), Some("input")),
        (json!({"model": "m", "input": [1]}), Some("input.0")),
        (json!({"model": "m", "input": [{"role": "robot", "content": "x"}]}), Some("input.0.role")),
        (json!({"model": "m", "input": [{"role": "user"}]}), Some("input.0.content")),
        (
            json!({"model": "m", "input": [{"role": "user", "content": [{"type": "input_text"}]}]}),
            Some("input.0.content.0.text"),
        ),
        (
            json!({"model": "m", "input": [{"role": "user", "content": [{"type": "input_image", "image_url": "data:x"}]}]}),
            Some("input.0.content.0.image_url"),
        ),
        (
            json!({"model": "m", "input": [{"type": "function_call", "name": "f", "arguments": "{}"}]}),
            Some("input.0.call_id"),
        ),
        (
            json!({"model": "m", "input": [{"type": "function_call_output", "call_id": "c", "output": {}}]}),
            Some("input.0.output"),
        ),
        (
            json!({"model": "m", "input": [{"type": "reasoning", "encrypted_content": "systemprompt-state.v1.!"}]}),
            Some("input.0.encrypted_content"),
        ),
        (json!({"model": "m", "input": "x", "max_output_tokens": -1}), Some("max_output_tokens")),
        (json!({"model": "m", "input": "x", "tools": [{}]}), Some("tools.0.type")),
        (
            json!({"model": "m", "input": "x", "tools": [{"type": "function"}]}),
            Some("tools.0.name"),
        ),
        (json!({"model": "m", "input": "x", "tool_choice": "maybe"}), Some("tool_choice")),
        (
            json!({"model": "m", "input": "x", "tool_choice": {"type": "file_search"}}),
            Some("tool_choice"),
        ),
        (
            json!({"model": "m", "input": "x", "reasoning": {"effort": "extreme"}}),
            Some("reasoning.effort"),
        ),
        (
            json!({"model": "m", "input": "x", "text": {"format": {"type": "xml"}}}),
            Some("text.format.type"),
        ),
    ];
    for (body, field) in cases {
        let error = refused(&body);
        assert_eq!(error.field.as_deref(), field, "{body}");
        assert_eq!(error.kind.status(), 400);
    }
    assert!(ResponsesFront.decode_request(b"{").is_err());
}
