//! Requests as providers are sent them.

use systemprompt_core::llm::{
    Block, BlockKind, CacheMark, CacheTtl, Effort, Media, MediaSource, Message, OpaqueState,
    Origin, Reasoning, ReasoningMode, Role, Tool, ToolChoice, ToolInput, ToolKind,
};

use super::*;

fn of_anthropic(messages: Vec<Message>) -> ModelRequest {
    ModelRequest { messages, ..ModelRequest::new(Dialect::Anthropic, "house-model") }
}

fn user(content: Vec<Block>) -> Message {
    Message { role: Role::User, content }
}

fn made(content: Vec<Block>) -> Message {
    Message { role: Role::Assistant, content }
}

fn call(id: &str, name: &str) -> Block {
    Block::new(BlockKind::ToolUse {
        id: id.to_owned(),
        name: name.to_owned(),
        input: ToolInput::Json("{\"a\": 1}".to_owned()),
        state: None,
    })
}

fn result(id: &str, content: Vec<Block>, is_error: bool) -> Block {
    Block::new(BlockKind::ToolResult { tool_use_id: id.to_owned(), content, is_error })
}

fn thought(dialect: Dialect, provider: Option<&str>, data: &str) -> Block {
    let origin = Origin { dialect, provider: provider.map(Into::into) };
    let state = OpaqueState { origin, id: Some("rs_7".to_owned()), data: data.to_owned() };
    Block::new(BlockKind::Thinking { text: "Hm.".to_owned(), state: Some(state) })
}

fn function(name: &str) -> Tool {
    let kind = ToolKind::Function { schema: json!({"type": "object"}), strict: None };
    Tool { kind, name: name.to_owned(), description: None, cache: None }
}

fn picture() -> Block {
    let source = MediaSource::Base64 { media_type: "image/png".into(), data: "iVBORw0=".into() };
    Block::new(BlockKind::Image(Media { source, title: None, detail: None }))
}

/// Scenario 18: reasoning goes back to its provider, unchanged and in its place, over two rounds of tools.
#[test]
fn reasoning_returns_to_its_origin_alone() {
    let request = of_anthropic(vec![
        user(vec![Block::text("go")]),
        made(vec![thought(Dialect::Responses, Some("openai"), "gAAA1=="), call("c1", "f")]),
        user(vec![result("c1", vec![Block::text("1")], false)]),
        made(vec![thought(Dialect::Responses, Some("openai"), "gAAA2=="), call("c2", "f")]),
        user(vec![result("c2", vec![Block::text("2")], false)]),
    ]);
    let (body, losses) = sent(&request);
    assert!(losses.is_empty(), "{losses:?}");
    assert_eq!(
        body["input"],
        json!([
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "go"}]},
            {"type": "reasoning", "id": "rs_7", "summary": [{"type": "summary_text", "text": "Hm."}], "encrypted_content": "gAAA1=="},
            {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{\"a\": 1}"},
            {"type": "function_call_output", "call_id": "c1", "output": "1"},
            {"type": "reasoning", "id": "rs_7", "summary": [{"type": "summary_text", "text": "Hm."}], "encrypted_content": "gAAA2=="},
            {"type": "function_call", "call_id": "c2", "name": "f", "arguments": "{\"a\": 1}"},
            {"type": "function_call_output", "call_id": "c2", "output": "2"},
        ])
    );
    assert_eq!(body["store"], false);
    assert_eq!(body["include"], json!(["reasoning.encrypted_content"]));
}

#[test]
fn foreign_reasoning_is_left_out_and_reported() {
    let request = of_anthropic(vec![
        user(vec![Block::text("go")]),
        made(vec![
            thought(Dialect::Anthropic, Some("anthropic"), "sig"),
            thought(Dialect::Responses, Some("azure"), "gAAA"),
            Block::new(BlockKind::Thinking { text: "Hm.".to_owned(), state: None }),
            call("c1", "f"),
        ]),
        user(vec![result("c1", vec![], false)]),
        // Nothing follows this one, and OpenAI refuses that.
        made(vec![thought(Dialect::Responses, Some("openai"), "gAAA")]),
    ]);
    let (body, losses) = sent(&request);
    assert!(!body.to_string().contains("reasoning\""), "{body}");
    let expected = [
        "messages.1.content.0",
        "messages.1.content.1",
        "messages.1.content.2",
        "messages.3.content.0",
    ];
    assert_eq!(losses, expected.map(|field| (field.to_owned(), LossKind::Dropped)));
}

/// Scenario 20.
#[test]
fn cache_marks_become_breakpoints_where_the_model_takes_them() {
    let mark = |ttl| Some(CacheMark { ttl });
    let mut request = of_anthropic(vec![
        user(vec![Block { cache: mark(None), ..Block::text("go") }]),
        made(vec![Block { cache: mark(None), ..call("c1", "f") }]),
        user(vec![Block { cache: mark(None), ..result("c1", vec![Block::text("1")], false) }]),
    ]);
    request.system = vec![
        Block::text("Be brief."),
        Block { cache: mark(Some(CacheTtl::OneHour)), ..Block::text("Long.") },
    ];
    request.tools = vec![Tool { cache: mark(None), ..function("f") }];

    let takes = Capabilities { cache_breakpoints: true, ..Capabilities::default() };
    let with = encode_for(&request, &takes);
    let body: Value = serde_json::from_slice(&with.body).unwrap();
    assert_eq!(
        body["input"][0],
        json!({"type": "message", "role": "system", "content": [
            {"type": "input_text", "text": "Be brief."},
            {"type": "input_text", "text": "Long.", "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "12h"}}
        ]})
    );
    assert!(body.get("instructions").is_none());
    assert_eq!(
        body["input"][1]["content"][0]["prompt_cache_breakpoint"],
        json!({"mode": "explicit"})
    );
    assert_eq!(
        body["input"][3]["output"][0]["prompt_cache_breakpoint"],
        json!({"mode": "explicit"})
    );
    let hint = |field: &str| (field.to_owned(), LossKind::Hint);
    assert_eq!(
        losses(&with.losses),
        [hint("messages.1.content.0.cache_control"), hint("tools.0.cache_control")]
    );

    let (body, losses) = sent(&request);
    assert_eq!(body["instructions"], "Be brief.\n\nLong.");
    assert!(!body.to_string().contains("prompt_cache_breakpoint"));
    assert_eq!(
        losses,
        [
            hint("system.1.cache_control"),
            hint("messages.0.content.0.cache_control"),
            hint("messages.1.content.0.cache_control"),
            hint("messages.2.content.0.cache_control"),
            hint("tools.0.cache_control"),
        ]
    );
}

/// litellm#28995: a call that nothing answers makes OpenAI refuse the conversation.
#[test]
fn calls_and_results_are_paired() {
    let request = of_anthropic(vec![
        made(vec![call("c1", "f"), call("c2", "f")]),
        user(vec![
            result("c2", vec![Block::text("2")], false),
            result("c9", vec![Block::text("9")], false),
        ]),
        // The same id again is another call.
        made(vec![call("c2", "f")]),
        user(vec![result("c2", vec![Block::text("3")], false)]),
        made(vec![call("c3", "f")]),
    ]);
    let (body, losses) = sent(&request);
    let input = body["input"].as_array().unwrap();
    let all: Vec<(&str, &str)> = input
        .iter()
        .map(|item| (item["type"].as_str().unwrap(), item["call_id"].as_str().unwrap_or("")))
        .collect();
    assert_eq!(
        all,
        [
            ("function_call", "c1"),
            ("function_call_output", "c1"),
            ("function_call", "c2"),
            ("function_call_output", "c2"),
            ("message", ""),
            ("function_call", "c2"),
            ("function_call_output", "c2"),
            ("function_call", "c3"),
            ("function_call_output", "c3"),
        ]
    );
    assert!(input[1]["output"].as_str().unwrap().contains("no result"));
    assert_eq!(input[4]["content"][1]["text"], "9");
    let degraded = |field: &str| (field.to_owned(), LossKind::Degraded);
    assert_eq!(
        losses,
        ["messages.0.content.0", "messages.1.content.1", "messages.4.content.0"].map(degraded)
    );
}

#[test]
fn results_keep_pictures_and_say_that_the_tool_failed() {
    let request = of_anthropic(vec![
        made(vec![call("c1", "f"), call("c2", "f"), call("c3", "f")]),
        user(vec![
            result("c1", vec![Block::text("see"), picture()], false),
            result("c2", vec![Block::text("no such file")], true),
            result("c3", vec![picture()], true),
        ]),
    ]);
    let (body, losses) = sent(&request);
    assert_eq!(
        body["input"][3]["output"],
        json!([
            {"type": "input_text", "text": "see"},
            {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0=", "detail": "auto"}
        ])
    );
    assert_eq!(body["input"][4]["output"], "Error: no such file");
    assert_eq!(body["input"][5]["output"][0]["text"], "Error: the tool failed.");
    assert_eq!(body["input"][5]["output"][1]["type"], "input_image");
    let degraded = |field: &str| (field.to_owned(), LossKind::Degraded);
    assert_eq!(
        losses,
        ["messages.1.content.1.is_error", "messages.1.content.2.is_error"].map(degraded)
    );
}

#[test]
fn what_cannot_be_shown_is_said() {
    let file = MediaSource::File { id: "file_1".into() };
    let document = MediaSource::Text { text: "All.".into() };
    let title = Some("notes".to_owned());
    let request = of_anthropic(vec![user(vec![
        picture(),
        Block::new(BlockKind::Document(Media { source: file, title: None, detail: None })),
        Block::new(BlockKind::Document(Media { source: document, title, detail: None })),
    ])]);
    let blind = Capabilities { images: false, ..Capabilities::default() };
    let sent = encode_for(&request, &blind);
    let body: Value = serde_json::from_slice(&sent.body).unwrap();
    let content = &body["input"][0]["content"];
    assert!(content[0]["text"].as_str().unwrap().contains("image left out"));
    assert!(content[1]["text"].as_str().unwrap().contains("document left out"));
    assert_eq!(content[2]["text"], "notes\n\nAll.");
    assert_eq!(sent.losses.losses().len(), 3);
    assert!(sent.losses.losses().iter().all(|loss| loss.what == LossKind::Degraded));
}

#[test]
fn names_and_ids_fit_the_wire() {
    let long = "toolu_".repeat(20);
    let mut request = of_anthropic(vec![
        made(vec![call(&long, "fs.read")]),
        user(vec![result(&long, vec![], false)]),
    ]);
    request.tools = vec![function("fs.read"), function("fs_read")];
    request.tool_choice = Some(ToolChoice::Named("fs.read".to_owned()));
    let sent = encode_for(&request, &Capabilities::default());
    let body: Value = serde_json::from_slice(&sent.body).unwrap();
    let name = body["tools"][0]["name"].as_str().unwrap();
    assert_ne!(name, "fs_read");
    assert_eq!(sent.tool_names.get(name).map(String::as_str), Some("fs.read"));
    assert_eq!(body["tool_choice"], json!({"type": "function", "name": name}));
    assert_eq!(body["input"][0]["name"], name);
    let id = body["input"][0]["call_id"].as_str().unwrap();
    assert!(id.len() <= 64);
    assert_eq!(body["input"][1]["call_id"], id);
    // Nothing said means strict on this wire.
    assert_eq!(body["tools"][0]["strict"], false);
    assert_eq!(body["tools"][0]["parameters"], json!({"type": "object", "properties": {}}));
}

#[test]
fn server_tools_of_others_are_refused() {
    let mut request = of_anthropic(vec![user(vec![Block::text("go")])]);
    let kind =
        ToolKind::Server { value: json!({"type": "web_search_20260209", "name": "web_search"}) };
    request.tools = vec![
        function("f"),
        Tool { kind, name: "web_search".into(), description: None, cache: None },
    ];
    let error = try_encode(&request, &Capabilities::default()).unwrap_err();
    assert_eq!(error.field.as_deref(), Some("tools.1"));
    request.dialect = Dialect::Responses;
    assert!(try_encode(&request, &Capabilities::default()).is_ok());

    let mut request = ModelRequest::new(Dialect::Chat, "m");
    request.rest.insert("n".to_owned(), json!(2));
    let error = try_encode(&request, &Capabilities::default()).unwrap_err();
    assert_eq!(error.field.as_deref(), Some("n"));
}

#[test]
fn limits_and_sampling_follow_the_model() {
    let mut request = of_anthropic(vec![user(vec![Block::text("go")])]);
    request.max_output_tokens = Some(1);
    request.sampling.temperature = Some(0.5);
    request.sampling.top_k = Some(40);
    request.stop_sequences = vec!["\n".to_owned()];
    request.tools = vec![function("f")];
    request.tool_choice = Some(ToolChoice::Required);
    request.service_tier = Some("standard_only".to_owned());
    request.rest.insert("container".to_owned(), json!("c"));
    let capabilities =
        Capabilities { sampling: false, forced_tool_choice: false, ..Capabilities::default() };
    let sent = encode_for(&request, &capabilities);
    let body: Value = serde_json::from_slice(&sent.body).unwrap();
    assert_eq!(body["max_output_tokens"], 16);
    assert_eq!(body["tool_choice"], "auto");
    assert_eq!(body["service_tier"], "default");
    assert!(body.get("temperature").is_none());
    use LossKind::{Clamped, Degraded, Dropped};
    assert_eq!(
        losses(&sent.losses),
        [
            ("tool_choice".to_owned(), Degraded),
            ("max_tokens".to_owned(), Clamped),
            ("stop_sequences".to_owned(), Dropped),
            ("temperature".to_owned(), Dropped),
            ("top_k".to_owned(), Dropped),
            ("container".to_owned(), Dropped),
        ]
    );
}

#[test]
fn thinking_is_asked_for_in_words() {
    let asked = |reasoning: Reasoning, capabilities: &Capabilities| {
        let mut request = of_anthropic(vec![user(vec![Block::text("go")])]);
        request.reasoning = Some(reasoning);
        let sent = encode_for(&request, capabilities);
        let body: Value = serde_json::from_slice(&sent.body).unwrap();
        (body["reasoning"].clone(), losses(&sent.losses))
    };
    let budget = Reasoning {
        mode: Some(ReasoningMode::Enabled),
        budget_tokens: Some(10_000),
        ..Reasoning::default()
    };
    let any = Capabilities::default();
    let (said, lost) = asked(budget.clone(), &any);
    assert_eq!(said, json!({"effort": "medium", "summary": "auto"}));
    assert_eq!(lost, [("thinking.budget_tokens".to_owned(), LossKind::Degraded)]);

    let effort = Reasoning {
        mode: Some(ReasoningMode::Adaptive),
        effort: Some(Effort::XHigh),
        summary: Some("summarized".into()),
        ..Reasoning::default()
    };
    assert_eq!(asked(effort, &any).0, json!({"effort": "xhigh", "summary": "auto"}));

    let off = Reasoning { mode: Some(ReasoningMode::Disabled), ..Reasoning::default() };
    assert_eq!(asked(off.clone(), &any).0, json!({"effort": "none"}));
    let always = Capabilities { always_thinks: true, ..Capabilities::default() };
    let (said, lost) = asked(off, &always);
    assert_eq!((said, lost), (Value::Null, vec![("thinking".to_owned(), LossKind::Dropped)]));

    let never = Capabilities { thinks: false, ..Capabilities::default() };
    let (said, lost) = asked(budget, &never);
    assert_eq!((said, lost), (Value::Null, vec![("thinking".to_owned(), LossKind::Dropped)]));
}

#[test]
fn a_model_that_does_not_think_is_not_asked_for_its_reasoning() {
    let request = of_anthropic(vec![user(vec![Block::text("go")])]);
    let never = Capabilities { thinks: false, ..Capabilities::default() };
    let body: Value = serde_json::from_slice(&encode_for(&request, &never).body).unwrap();
    assert!(body.get("include").is_none());
}

#[test]
fn what_the_caller_says_of_storage_is_kept() {
    let request = decode(&json!({
        "model": "m", "input": "x", "store": true, "include": ["reasoning.encrypted_content"]
    }));
    let (body, losses) = sent(&request);
    assert_eq!(body["store"], true);
    assert_eq!(body["include"], json!(["reasoning.encrypted_content"]));
    let request = decode(&json!({"model": "m", "input": "x", "store": true}));
    assert!(sent(&request).0.get("include").is_none());
    assert!(losses.is_empty());
    let request =
        decode(&json!({"model": "m", "input": "x", "include": ["web_search_call.results"]}));
    let (body, _) = sent(&request);
    assert_eq!(body["include"], json!(["web_search_call.results", "reasoning.encrypted_content"]));
}

#[test]
fn members_of_chat_that_openai_shares_are_kept() {
    let mut request = ModelRequest::new(Dialect::Chat, "m");
    request.messages = vec![user(vec![Block::text("go")])];
    let grammar = json!({"type": "grammar", "grammar": {"syntax": "lark", "definition": "x"}});
    let kind = ToolKind::Text { format: Some(grammar) };
    request.tools = vec![Tool { kind, name: "sql".into(), description: None, cache: None }];
    request.tool_choice = Some(ToolChoice::Named("sql".into()));
    request.rest.insert("metadata".to_owned(), json!({"a": "b"}));
    request.rest.insert("logit_bias".to_owned(), json!({}));
    let (body, losses) = sent(&request);
    assert_eq!(body["metadata"], json!({"a": "b"}));
    let format = json!({"type": "grammar", "syntax": "lark", "definition": "x"});
    assert_eq!(body["tools"], json!([{"type": "custom", "name": "sql", "format": format}]));
    assert_eq!(body["tool_choice"], json!({"type": "custom", "name": "sql"}));
    assert_eq!(losses, [("logit_bias".to_owned(), LossKind::Dropped)]);
}
