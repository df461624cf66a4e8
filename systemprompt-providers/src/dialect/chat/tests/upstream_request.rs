use super::*;

fn anthropic(messages: Vec<Message>) -> ModelRequest {
    let mut request = ModelRequest::new(Dialect::Anthropic, "alias");
    request.messages = messages;
    request
}

fn user(text: &str) -> Message {
    message(Role::User, vec![Block::text(text)])
}

fn limited(change: impl FnOnce(&mut Capabilities)) -> Capabilities {
    let mut capabilities = Capabilities::default();
    change(&mut capabilities);
    capabilities
}

#[test]
fn a_request_is_written_whole() {
    let mut request = anthropic(vec![user("Hi")]);
    request.system = vec![Block::text("Be brief."), Block::text("Be kind.")];
    request.max_output_tokens = Some(100);
    request.stop_sequences = vec!["END".into()];
    request.sampling.temperature = Some(0.5);
    request.stream = true;
    request.user = Some("someone".into());
    let (body, losses) = sent(&request);
    assert_eq!(
        body,
        json!({
            "model": "up",
            "messages": [
                {"role": "system", "content": "Be brief.\n\nBe kind."},
                {"role": "user", "content": "Hi"},
            ],
            "max_completion_tokens": 100,
            "stop": ["END"],
            "temperature": 0.5,
            "stream": true,
            "stream_options": {"include_usage": true},
        })
    );
    assert_eq!(losses, [""; 0]);
}

#[test]
fn providers_differ_by_flags() {
    let mut request = anthropic(vec![user("Hi")]);
    request.max_output_tokens = Some(100);
    request.stream = true;
    request.stream_usage = true;
    let flags = ProviderFlags {
        stream_usage: false,
        max_completion_tokens: false,
        ..ProviderFlags::default()
    };
    let (body, losses) = sent_with(&request, &Capabilities::default(), &flags).unwrap();
    assert_eq!(body["max_tokens"], json!(100));
    assert_eq!(body.get("stream_options"), None);
    assert_eq!(losses, ["stream_options.include_usage=hint"]);
}

// litellm#28995, bifrost#1164
#[test]
fn results_follow_their_calls_in_order_and_the_text_comes_after() {
    let request = anthropic(vec![
        user("go"),
        message(
            Role::Assistant,
            vec![Block::text("ok"), tool_use("c1", "a", "{\"x\":1}"), tool_use("c2", "b", "")],
        ),
        message(
            Role::User,
            vec![
                Block::text("and now?"),
                result("c2", vec![Block::text("two")], false),
                result("c1", vec![Block::text("one")], false),
            ],
        ),
    ]);
    let (body, losses) = sent(&request);
    let call = |id: &str, name: &str, arguments: &str| json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}});
    assert_eq!(
        body["messages"],
        json!([
            {"role": "user", "content": "go"},
            {"role": "assistant", "content": "ok",
                "tool_calls": [call("c1", "a", "{\"x\":1}"), call("c2", "b", "{}")]},
            {"role": "tool", "tool_call_id": "c1", "content": "one"},
            {"role": "tool", "tool_call_id": "c2", "content": "two"},
            {"role": "user", "content": "and now?"},
        ])
    );
    assert_eq!(losses, [""; 0]);
}

#[test]
fn a_caller_of_this_wire_keeps_its_parts_and_messages_apart_and_its_calls_together() {
    let mut request = anthropic(vec![
        message(Role::User, vec![Block::text("one"), Block::text("two")]),
        message(Role::Assistant, vec![Block::text("a")]),
        message(Role::Assistant, vec![tool_use("c1", "a", "")]),
        message(Role::Assistant, vec![Block::text("b")]),
        message(Role::User, vec![result("c1", vec![Block::text("ok")], false)]),
    ]);
    request.dialect = Dialect::Chat;
    let (body, losses) = sent(&request);
    let call =
        json!({"id": "c1", "type": "function", "function": {"name": "a", "arguments": "{}"}});
    assert_eq!(
        body["messages"],
        json!([
            {"role": "user", "content": [
                {"type": "text", "text": "one"}, {"type": "text", "text": "two"}]},
            {"role": "assistant", "content": "a"},
            {"role": "assistant", "content": "b", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": "ok"},
        ])
    );
    assert_eq!(losses, [""; 0]);
}

#[test]
fn calls_in_messages_of_their_own_are_one_turn() {
    let mut request = anthropic(vec![
        user("go"),
        message(Role::Assistant, vec![tool_use("c1", "a", "")]),
        message(Role::Assistant, vec![tool_use("c2", "b", "")]),
        message(Role::User, vec![result("c1", vec![Block::text("one")], false)]),
        message(Role::System, vec![Block::text("careful")]),
        message(Role::User, vec![result("c2", vec![], false)]),
    ]);
    request.dialect = Dialect::Responses;
    let (body, _) = sent(&request);
    let roles: Vec<&str> =
        body["messages"].as_array().unwrap().iter().map(|m| m["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["user", "assistant", "tool", "tool", "system"]);
    assert_eq!(body["messages"][1]["content"], json!(null));
    assert_eq!(body["messages"][3]["content"], json!(""));
}

// litellm#28995
#[test]
fn a_call_without_result_gets_one_and_a_result_without_call_becomes_text() {
    let request = anthropic(vec![
        user("go"),
        message(Role::Assistant, vec![tool_use("c1", "a", "")]),
        message(
            Role::User,
            vec![Block::text("never mind"), result("c9", vec![Block::text("late")], false)],
        ),
        message(Role::Assistant, vec![tool_use("c2", "a", "")]),
    ]);
    let (body, losses) = sent(&request);
    let messages = body["messages"].as_array().unwrap();
    assert_eq!(messages[2]["role"], json!("tool"));
    assert_eq!(messages[2]["tool_call_id"], json!("c1"));
    assert!(messages[2]["content"].as_str().unwrap().starts_with("Error:"));
    assert_eq!(messages[3]["content"], json!("never mind\n\n[result of the tool call `c9`] late"));
    assert_eq!(messages[5]["tool_call_id"], json!("c2"));
    assert_eq!(
        losses,
        [
            "messages.1.content.0=degraded",
            "messages.2.content.1=degraded",
            "messages.3.content.0=degraded"
        ]
    );
}

// kekzl/imp#1006
#[test]
fn pictures_in_results_and_failures_stay_visible() {
    let request = anthropic(vec![
        user("go"),
        message(Role::Assistant, vec![tool_use("c1", "shot", ""), tool_use("c2", "sh", "")]),
        message(
            Role::User,
            vec![
                result("c1", vec![Block::text("done"), image("aGk=")], false),
                result("c2", vec![Block::text("no such file")], true),
                Block::text("and?"),
            ],
        ),
    ]);
    let (body, losses) = sent(&request);
    assert_eq!(
        body["messages"].as_array().unwrap()[2..],
        [
            json!({"role": "tool", "tool_call_id": "c1", "content": "done\n\n[an image: in the next message]"}),
            json!({"role": "tool", "tool_call_id": "c2", "content": "Error: no such file"}),
            json!({"role": "user", "content": [
                {"type": "text", "text": "From the result of the tool call `c1`:"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}},
            ]}),
            json!({"role": "user", "content": "and?"}),
        ]
    );
    assert_eq!(losses, [""; 0]);
}

// claude-code-router#1378
#[test]
fn own_reasoning_goes_back_the_way_it_came() {
    let turn = |state: Option<OpaqueState>| {
        anthropic(vec![
            user("go"),
            message(Role::Assistant, vec![thinking("Hm", state), Block::text("Hi")]),
            user("on"),
        ])
    };
    let assistant = |state| {
        let (body, losses) = sent(&turn(state));
        assert_eq!(losses, [""; 0]);
        body["messages"][1].clone()
    };
    for state in [
        None,
        Some(opaque(Dialect::Chat, "kimi", "reasoning_content")),
        Some(opaque(Dialect::Chat, "", "reasoning_content")),
    ] {
        assert_eq!(
            assistant(state),
            json!({"role": "assistant", "content": "Hi", "reasoning_content": "Hm"})
        );
    }
    assert_eq!(
        assistant(Some(opaque(Dialect::Chat, "kimi", "reasoning"))),
        json!({"role": "assistant", "content": "Hi", "reasoning": "Hm"})
    );
    assert_eq!(
        assistant(Some(opaque(Dialect::Chat, "kimi", "<think>"))),
        json!({"role": "assistant", "content": "<think>\nHm\n</think>\n\nHi"})
    );
    assert_eq!(
        assistant(Some(opaque(
            Dialect::Chat,
            "kimi",
            "[{\"type\":\"reasoning.text\",\"text\":\"Hm\"}]"
        ))),
        json!({"role": "assistant", "content": "Hi",
            "reasoning_details": [{"type": "reasoning.text", "text": "Hm"}]})
    );
}

// agentgateway#3363
#[test]
fn foreign_reasoning_is_not_sent_and_not_forgotten() {
    let foreign = opaque(Dialect::Anthropic, "anthropic", "sig");
    let request = anthropic(vec![
        user("go"),
        message(
            Role::Assistant,
            vec![
                thinking("secret", Some(foreign.clone())),
                Block::new(BlockKind::RedactedThinking(foreign)),
                thinking("other", Some(opaque(Dialect::Chat, "qwen", "reasoning_content"))),
                Block::text("Hi"),
            ],
        ),
        user("on"),
    ]);
    let (body, losses) = sent(&request);
    assert_eq!(body["messages"][1], json!({"role": "assistant", "content": "Hi"}));
    assert_eq!(losses, [0, 1, 2].map(|at| format!("messages.1.content.{at}=dropped")));
    assert!(!body.to_string().contains("sig"));
}

#[test]
fn reasoning_is_kept_from_providers_that_refuse_it() {
    let request = anthropic(vec![
        user("go"),
        message(Role::Assistant, vec![thinking("Hm", None), Block::text("Hi")]),
        user("on"),
    ]);
    let flags = ProviderFlags { replay_reasoning: false, ..ProviderFlags::default() };
    let (body, losses) = sent_with(&request, &Capabilities::default(), &flags).unwrap();
    assert_eq!(body["messages"][1], json!({"role": "assistant", "content": "Hi"}));
    assert_eq!(losses, ["messages.1.content.0=hint"]);
}

#[test]
fn calls_of_another_model_do_not_fail_where_reasoning_is_required() {
    let mut request = anthropic(vec![
        user("go"),
        message(
            Role::Assistant,
            vec![
                thinking("secret", Some(opaque(Dialect::Anthropic, "anthropic", "sig"))),
                tool_use("c1", "a", ""),
            ],
        ),
        message(Role::User, vec![result("c1", vec![Block::text("ok")], false)]),
        message(Role::Assistant, vec![Block::text("done")]),
    ]);
    let reasoning = |request: &ModelRequest, reasoning_required| {
        let flags = ProviderFlags { reasoning_required, ..ProviderFlags::default() };
        let (body, _) = sent_with(request, &Capabilities::default(), &flags).unwrap();
        assert_eq!(body["messages"][3].get("reasoning_content"), None);
        body["messages"][1].get("reasoning_content").cloned()
    };
    assert_eq!(reasoning(&request, true), Some(json!("")));
    assert_eq!(reasoning(&request, false), None);
    let off = Reasoning { mode: Some(ReasoningMode::Disabled), ..Reasoning::default() };
    request.reasoning = Some(off);
    assert_eq!(reasoning(&request, true), None);
}

// claude-code-router#1378
#[test]
fn effort_and_off_never_contradict_each_other() {
    let mut request = anthropic(vec![user("Hi")]);
    let effort = |request: &ModelRequest, capabilities: &Capabilities| {
        let (body, losses) = sent_with(request, capabilities, &ProviderFlags::default()).unwrap();
        (body.get("reasoning_effort").cloned(), losses.join(","))
    };
    let any = Capabilities::default();
    request.reasoning = Some(Reasoning {
        mode: Some(ReasoningMode::Disabled),
        effort: Some(Effort::High),
        ..Reasoning::default()
    });
    assert_eq!(effort(&request, &any), (Some(json!("none")), String::new()));
    let always = limited(|can| can.always_thinks = true);
    assert_eq!(effort(&request, &always), (None, "thinking=dropped".into()));
    let never = limited(|can| can.thinks = false);
    assert_eq!(effort(&request, &never), (None, String::new()));
    request.reasoning = Some(Reasoning {
        mode: Some(ReasoningMode::Enabled),
        budget_tokens: Some(8_000),
        ..Reasoning::default()
    });
    assert_eq!(
        effort(&request, &any),
        (Some(json!("medium")), "thinking.budget_tokens=degraded".into())
    );
    assert_eq!(effort(&request, &never), (None, "thinking=dropped".into()));
}

// litellm#15880
#[test]
fn cache_marks_are_sent_where_they_are_taken() {
    let mark = |ttl| Some(CacheMark { ttl });
    let mut system = Block::text("long");
    system.cache = mark(Some(CacheTtl::OneHour));
    let mut tool = function("a");
    tool.cache = mark(None);
    let mut request = anthropic(vec![user("Hi")]);
    request.system = vec![system];
    request.tools = vec![tool];
    let (body, losses) = sent(&request);
    assert_eq!(body["messages"][0]["content"], json!("long"));
    assert_eq!(losses, ["system.0.cache_control=hint", "tools.0.cache_control=hint"]);
    let can = limited(|can| can.cache_breakpoints = true);
    let (body, losses) = sent_with(&request, &can, &ProviderFlags::default()).unwrap();
    assert_eq!(
        body["messages"][0]["content"],
        json!([{"type": "text", "text": "long",
            "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "12h"}}])
    );
    assert_eq!(losses, ["tools.0.cache_control=hint"]);
}

#[test]
fn names_and_ids_fit_and_stay_together() {
    let id = format!("toolu_{}", "x".repeat(50));
    let mut request = anthropic(vec![
        user("go"),
        message(Role::Assistant, vec![tool_use(&id, "mcp:files.read", "")]),
        message(Role::User, vec![result(&id, vec![Block::text("ok")], false)]),
    ]);
    request.tools = vec![function("mcp:files.read")];
    request.tool_choice = Some(ToolChoice::Named("mcp:files.read".into()));
    let provider = Arc::from("kimi");
    let written = ChatUpstream.encode_request(&request, &target(&provider)).unwrap();
    let body: Value = serde_json::from_slice(&written.body).unwrap();
    let name = body["tools"][0]["function"]["name"].as_str().unwrap();
    assert_eq!(written.tool_names[name], "mcp:files.read");
    assert_eq!(body["tool_choice"]["function"]["name"], json!(name));
    let call = &body["messages"][1]["tool_calls"][0];
    assert_eq!(call["function"]["name"], json!(name));
    assert!(call["id"].as_str().unwrap().len() <= 40);
    assert_eq!(call["id"], body["messages"][2]["tool_call_id"]);
}

// bifrost#3511
#[test]
fn a_tool_without_parameters_has_an_object_of_none() {
    let mut tool = function("now");
    tool.kind = ToolKind::Function { schema: json!({}), strict: Some(true) };
    let mut request = anthropic(vec![user("Hi")]);
    request.tools = vec![tool];
    request.parallel_tool_calls = Some(false);
    let (body, _) = sent(&request);
    assert_eq!(
        body["tools"][0],
        json!({"type": "function", "function": {"name": "now", "strict": true,
            "parameters": {"type": "object", "properties": {}}}})
    );
    assert_eq!(body["parallel_tool_calls"], json!(false));
}

#[test]
fn choices_are_written_in_all_forms() {
    let mut request = anthropic(vec![user("Hi")]);
    request.tools = vec![function("a"), function("b")];
    request.tools[1].kind = ToolKind::Text { format: None };
    let both = || vec!["a".to_owned(), "b".to_owned()];
    let cases = [
        (ToolChoice::Auto, json!("auto")),
        (ToolChoice::None, json!("none")),
        (ToolChoice::Required, json!("required")),
        (ToolChoice::Named("a".into()), json!({"type": "function", "function": {"name": "a"}})),
        (ToolChoice::Named("b".into()), json!({"type": "custom", "custom": {"name": "b"}})),
        (
            ToolChoice::Among { names: both(), required: true },
            json!({"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [
                {"type": "function", "function": {"name": "a"}},
                {"type": "custom", "custom": {"name": "b"}}]}}),
        ),
    ];
    let unforced = limited(|can| can.forced_tool_choice = false);
    for (choice, written) in cases {
        request.tool_choice = Some(choice.clone());
        assert_eq!(sent(&request).0["tool_choice"], written);
        let (body, losses) = sent_with(&request, &unforced, &ProviderFlags::default()).unwrap();
        if forces_a_tool(&choice) {
            assert_eq!(losses, ["tool_choice=degraded"]);
            assert!(!body["tool_choice"].to_string().contains("required"));
        } else {
            assert_eq!((&body["tool_choice"], losses.len()), (&written, 0));
        }
    }
    request.tools.clear();
    request.tool_choice = Some(ToolChoice::Required);
    let error = sent_with(&request, &unforced, &ProviderFlags::default()).unwrap_err();
    assert_eq!(error.field.as_deref(), Some("tool_choice"));
}

// agentgateway#2804
#[test]
fn a_tool_that_another_provider_runs_is_refused_by_name() {
    let mut request = anthropic(vec![user("Hi")]);
    let value = json!({"type": "web_search_20250305", "name": "web_search"});
    request.tools = vec![Tool { kind: ToolKind::Server { value }, ..function("web_search") }];
    let refuse = |request: &ModelRequest| {
        sent_with(request, &Capabilities::default(), &ProviderFlags::default()).unwrap_err()
    };
    let error = refuse(&request);
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidRequest, Some("tools.0")));
    request.tools.clear();
    request.rest.insert("mcp_servers".into(), json!([{"url": "https://a.example"}]));
    assert_eq!(refuse(&request).field.as_deref(), Some("mcp_servers"));
}

#[test]
fn a_response_that_another_keeps_cannot_be_gone_on_from() {
    let mut request = anthropic(vec![user("Hi")]);
    request.dialect = Dialect::Responses;
    request.rest.insert("previous_response_id".into(), json!("resp_1"));
    let error =
        sent_with(&request, &Capabilities::default(), &ProviderFlags::default()).unwrap_err();
    assert_eq!(error.field.as_deref(), Some("previous_response_id"));
    request.rest.clear();
    request.rest.insert("prompt_cache_key".into(), json!("k"));
    request.rest.insert("truncation".into(), json!("auto"));
    request.rest.insert("metadata".into(), json!({"a": "b"}));
    let (body, losses) = sent(&request);
    assert_eq!(body["prompt_cache_key"], json!("k"));
    assert_eq!(losses, ["metadata=hint", "truncation=dropped"]);
}

#[test]
fn media_become_parts_or_say_what_is_missing() {
    let media = |source| Media { source, title: Some("a.pdf".into()), detail: None };
    let pdf = MediaSource::Base64 { media_type: "application/pdf".into(), data: "JVBE".into() };
    let text = MediaSource::Text { text: "plain".into() };
    let url = MediaSource::Url { url: "https://a.example/i.png".into(), media_type: None };
    let sound = MediaSource::Base64 { media_type: "audio/mpeg".into(), data: "SUQz".into() };
    let blocks = [
        BlockKind::Document(media(pdf)),
        BlockKind::Document(media(text)),
        BlockKind::Image(Media { detail: Some("low".into()), ..media(url.clone()) }),
        BlockKind::Document(media(url)),
        BlockKind::Audio(media(sound)),
        BlockKind::Unknown { value: json!({"type": "search_result"}) },
    ];
    let mut request = anthropic(vec![message(Role::User, blocks.map(Block::new).into())]);
    let (body, losses) = sent(&request);
    assert_eq!(
        body["messages"][0]["content"],
        json!([
            {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBE"}},
            {"type": "text", "text": "a.pdf\n\nplain"},
            {"type": "image_url", "image_url": {"url": "https://a.example/i.png", "detail": "low"}},
            {"type": "text", "text": "[a document at https://a.example/i.png]"},
            {"type": "input_audio", "input_audio": {"data": "SUQz", "format": "mp3"}},
        ])
    );
    assert_eq!(
        losses,
        [
            "messages.0.content.1=degraded",
            "messages.0.content.3=degraded",
            "messages.0.content.5=dropped"
        ]
    );
    let file = MediaSource::File { id: "file_1".into() };
    request.messages[0].content = vec![Block::new(BlockKind::Image(media(file)))];
    let error =
        sent_with(&request, &Capabilities::default(), &ProviderFlags::default()).unwrap_err();
    assert_eq!(error.field.as_deref(), Some("messages.0.content.0"));
    let blind = limited(|can| can.images = false);
    request.messages[0].content = vec![image("aGk=")];
    let (body, losses) = sent_with(&request, &blind, &ProviderFlags::default()).unwrap();
    assert!(body["messages"][0]["content"].is_string());
    assert_eq!(losses, ["messages.0.content.0=degraded"]);
}

#[test]
fn what_a_model_does_not_take_is_left_out_and_said() {
    let mut request = anthropic(vec![user("Hi"), message(Role::Assistant, vec![Block::text("{")])]);
    request.sampling = Sampling {
        temperature: Some(0.3),
        top_k: Some(5),
        top_p: Some(0.9),
        ..Sampling::default()
    };
    request.max_output_tokens = Some(1_000);
    request.service_tier = Some("standard_only".into());
    request.stop_sequences = ["a", "b", "c", "d", "e"].map(str::to_owned).into();
    let can = limited(|can| {
        can.sampling = false;
        can.prefill = false;
        can.max_output = Some(500);
    });
    let (body, losses) = sent_with(&request, &can, &ProviderFlags::default()).unwrap();
    assert_eq!(
        body,
        json!({"model": "up", "messages": [{"role": "user", "content": "Hi"}],
            "max_completion_tokens": 500, "stop": ["a", "b", "c", "d"]})
    );
    assert_eq!(
        losses,
        [
            "messages.1=dropped",
            "max_tokens=clamped",
            "stop_sequences.4=dropped",
            "temperature=dropped",
            "top_p=dropped",
            "top_k=dropped",
            "service_tier=hint"
        ]
    );
}

#[test]
fn a_request_only_to_warm_the_cache_is_refused() {
    let mut request = anthropic(vec![user("Hi")]);
    request.max_output_tokens = Some(0);
    let error =
        sent_with(&request, &Capabilities::default(), &ProviderFlags::default()).unwrap_err();
    assert_eq!(error.field.as_deref(), Some("max_tokens"));
}

#[test]
fn schemas_are_strict_only_where_they_can_be() {
    let mut request = anthropic(vec![user("Hi")]);
    let closed = json!({"type": "object", "properties": {"a": {"type": "string"}},
        "required": ["a"], "additionalProperties": false});
    let output = |schema: &Value| OutputFormat::JsonSchema {
        name: None,
        description: None,
        schema: schema.clone(),
        strict: None,
    };
    request.output = output(&closed);
    let (body, losses) = sent(&request);
    assert_eq!(
        body["response_format"],
        json!({"type": "json_schema",
            "json_schema": {"name": "answer", "schema": closed, "strict": true}})
    );
    assert_eq!(losses, [""; 0]);
    let open = json!({"type": "object", "properties": {"a": {"type": "array",
        "items": {"type": "object", "properties": {"b": {}}}}},
        "required": ["a"], "additionalProperties": false});
    request.output = output(&open);
    let (body, losses) = sent(&request);
    assert_eq!(body["response_format"]["json_schema"].get("strict"), None);
    assert_eq!(losses, ["output_config.format=degraded"]);
}

#[test]
fn blocks_where_no_wire_has_them_do_no_harm() {
    let request = anthropic(vec![
        message(Role::Assistant, vec![image("aGk="), result("c1", vec![], true)]),
        message(Role::User, vec![tool_use("c1", "a", "{}"), thinking("x", None)]),
        message(Role::System, vec![]),
        message(Role::Assistant, vec![]),
        message(Role::User, vec![]),
    ]);
    let (body, losses) = sent(&request);
    let roles: Vec<&str> =
        body["messages"].as_array().unwrap().iter().map(|m| m["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["assistant", "user", "system", "user"]);
    assert_eq!(losses.len(), 4);
    let error = sent_with(&anthropic(vec![]), &Capabilities::default(), &ProviderFlags::default());
    assert_eq!(error.unwrap_err().field.as_deref(), Some("messages"));
}
