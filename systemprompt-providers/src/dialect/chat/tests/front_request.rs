use super::*;

fn body(messages: Value) -> Value {
    json!({"model": "alias", "messages": messages})
}

#[test]
fn instructions_before_the_conversation_are_apart_from_those_in_it() {
    let request = decode(body(json!([
        {"role": "system", "content": "one"},
        {"role": "developer", "content": [{"type": "text", "text": "two"}]},
        {"role": "user", "content": "Hi"},
        {"role": "system", "content": "three"},
        {"role": "user", "content": "on"},
    ])));
    assert_eq!(request.system, [Block::text("one"), Block::text("two")]);
    assert_eq!(
        request.messages,
        [
            message(Role::User, vec![Block::text("Hi")]),
            message(Role::System, vec![Block::text("three")]),
            message(Role::User, vec![Block::text("on")]),
        ]
    );
}

#[test]
fn results_of_tools_are_blocks_of_a_user() {
    let call = |id: &str, arguments: &str| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": arguments}});
    let request = decode(body(json!([
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": null, "tool_calls": [call("c1", "{\"a\": 1}"), call("c2", ""),
            {"id": "c3", "type": "custom", "custom": {"name": "sh", "input": "ls"}}]},
        {"role": "tool", "tool_call_id": "c1", "content": "one"},
        {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "two"}]},
        {"role": "tool", "tool_call_id": "c3", "content": ""},
    ])));
    let text = Block::new(BlockKind::ToolUse {
        id: "c3".into(),
        name: "sh".into(),
        input: ToolInput::Text("ls".into()),
        state: None,
    });
    assert_eq!(
        request.messages[1..],
        [
            message(
                Role::Assistant,
                vec![tool_use("c1", "f", "{\"a\": 1}"), tool_use("c2", "f", "{}"), text]
            ),
            message(Role::User, vec![result("c1", vec![Block::text("one")], false)]),
            message(Role::User, vec![result("c2", vec![Block::text("two")], false)]),
            message(Role::User, vec![result("c3", vec![], false)]),
        ]
    );
}

#[test]
fn broken_arguments_are_refused_by_their_path() {
    for arguments in ["{\"a\":", "[1]", "3", "no"] {
        let error = refused(body(json!([
            {"role": "user", "content": "go"},
            {"role": "assistant", "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                {"id": "c2", "type": "function", "function": {"name": "f", "arguments": arguments}}]},
        ])));
        assert_eq!(error.field.as_deref(), Some("messages.1.tool_calls.1.function.arguments"));
    }
}

#[test]
fn the_older_form_of_tools_is_understood() {
    let request = decode(json!({
        "model": "alias",
        "functions": [{"name": "f", "description": "d"}],
        "function_call": {"name": "f"},
        "messages": [
            {"role": "user", "content": "go"},
            {"role": "assistant", "content": null, "function_call": {"name": "f", "arguments": "{}"}},
            {"role": "function", "name": "f", "content": "done"},
        ],
    }));
    let tool = Tool { description: Some("d".into()), ..function("f") };
    assert_eq!(request.tools, [tool]);
    assert_eq!(request.tool_choice, Some(ToolChoice::Named("f".into())));
    let BlockKind::ToolUse { id, .. } = &request.messages[1].content[0].kind else { panic!() };
    assert_eq!(request.messages[2].content, [result(id, vec![Block::text("done")], false)]);
    assert!(request.rest.is_empty(), "{:?}", request.rest);
}

#[test]
fn parts_are_media_with_their_bytes_unread() {
    let request = decode(body(json!([{"role": "user", "content": [
        {"type": "text", "text": "see", "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "12h"}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk=", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "https://a.example/i.png"}},
        {"type": "input_audio", "input_audio": {"data": "SUQz", "format": "mp3"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "JVBE"}},
        {"type": "file", "file": {"file_id": "file-1"}},
        {"type": "video_url", "video_url": {"url": "https://a.example/v"}},
    ]}])));
    let media = |source, title: Option<&str>, detail: Option<&str>| Media {
        source,
        title: title.map(str::to_owned),
        detail: detail.map(str::to_owned),
    };
    let base64 = |media_type: &str, data: &str| MediaSource::Base64 {
        media_type: media_type.into(),
        data: data.into(),
    };
    let mut text = Block::text("see");
    text.cache = Some(CacheMark { ttl: Some(CacheTtl::OneHour) });
    let url = MediaSource::Url { url: "https://a.example/i.png".into(), media_type: None };
    let kinds = [
        BlockKind::Image(media(base64("image/png", "aGk="), None, Some("low"))),
        BlockKind::Image(media(url, None, None)),
        BlockKind::Audio(media(base64("audio/mpeg", "SUQz"), None, None)),
        BlockKind::Document(media(base64("application/pdf", "JVBE"), Some("a.pdf"), None)),
        BlockKind::Document(media(MediaSource::File { id: "file-1".into() }, None, None)),
        BlockKind::Unknown {
            value: json!({"type": "video_url", "video_url": {"url": "https://a.example/v"}}),
        },
    ];
    let mut blocks = vec![text];
    blocks.extend(kinds.map(Block::new));
    assert_eq!(request.messages[0].content, blocks);
}

#[test]
fn options_have_their_words_and_the_rest_is_kept() {
    let request = decode(json!({
        "model": "alias", "messages": [{"role": "user", "content": "Hi", "name": "bob"}],
        "max_tokens": 5, "max_completion_tokens": 7, "stop": "END", "n": 1,
        "temperature": 1.5, "top_p": 0.5, "seed": -3, "presence_penalty": 1, "frequency_penalty": -1,
        "reasoning_effort": "xhigh", "verbosity": "low", "service_tier": "flex",
        "stream": true, "stream_options": {"include_usage": true, "include_obfuscation": false},
        "user": "old", "safety_identifier": "new", "parallel_tool_calls": false,
        "logit_bias": {"50256": -100}, "logprobs": true, "store": null,
        "response_format": {"type": "json_schema",
            "json_schema": {"name": "n", "schema": {"type": "object"}, "strict": true}},
    }));
    assert_eq!(request.max_output_tokens, Some(7));
    assert_eq!(request.stop_sequences, ["END"]);
    assert_eq!(
        request.sampling,
        Sampling {
            temperature: Some(1.5),
            top_p: Some(0.5),
            top_k: None,
            seed: Some(-3),
            presence_penalty: Some(1.0),
            frequency_penalty: Some(-1.0),
        }
    );
    let effort = request.reasoning.as_ref().and_then(|reasoning| reasoning.effort);
    assert_eq!(effort, Some(Effort::XHigh));
    assert_eq!(request.verbosity.as_deref(), Some("low"));
    assert_eq!(request.service_tier.as_deref(), Some("flex"));
    assert!(request.stream && request.stream_usage);
    assert_eq!(request.user.as_deref(), Some("new"));
    assert_eq!(request.parallel_tool_calls, Some(false));
    assert_eq!(
        request.output,
        OutputFormat::JsonSchema {
            name: Some("n".into()),
            description: None,
            schema: json!({"type": "object"}),
            strict: Some(true)
        }
    );
    let rest: Vec<&str> = request.rest.keys().map(String::as_str).collect();
    assert_eq!(rest, ["logit_bias", "logprobs", "messages.0.name", "stream_options"]);
}

#[test]
fn tools_and_choices_are_read_in_all_forms() {
    let tools = json!([
        {"type": "function", "function": {"name": "a"}},
        {"type": "custom", "custom": {"name": "b", "description": "d", "format": {"type": "text"}}},
        {"type": "web_search", "web_search": {}},
    ]);
    let choose = |choice: Value| {
        let mut body = body(json!([{"role": "user", "content": "Hi"}]));
        body["tools"] = tools.clone();
        body["tool_choice"] = choice;
        body
    };
    let cases = [
        (json!("auto"), ToolChoice::Auto),
        (json!("none"), ToolChoice::None),
        (json!("required"), ToolChoice::Required),
        (json!({"type": "function", "function": {"name": "a"}}), ToolChoice::Named("a".into())),
        (json!({"type": "custom", "custom": {"name": "b"}}), ToolChoice::Named("b".into())),
        (
            json!({"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [
                {"type": "function", "function": {"name": "a"}}, {"type": "custom", "custom": {"name": "b"}}]}}),
            ToolChoice::Among { names: vec!["a".into(), "b".into()], required: false },
        ),
    ];
    for (written, choice) in cases {
        assert_eq!(decode(choose(written)).tool_choice, Some(choice));
    }
    let read = decode(choose(json!("auto"))).tools;
    assert_eq!(read[0], function("a"));
    assert_eq!(read[1].kind, ToolKind::Text { format: Some(json!({"type": "text"})) });
    assert!(matches!(read[2].kind, ToolKind::Server { .. }));
    for choice in [json!("sometimes"), json!({"type": "tool"}), json!(3)] {
        assert!(refused(choose(choice)).field.unwrap().starts_with("tool_choice"));
    }
}

#[test]
fn what_cannot_be_used_is_refused_by_its_path() {
    let user = |content: Value| body(json!([{"role": "user", "content": content}]));
    let with = |name: &str, value: Value| {
        let mut body = user(json!("Hi"));
        body[name] = value;
        body
    };
    let cases = [
        (json!({"messages": []}), "model"),
        (json!({"model": "m"}), "messages"),
        (json!({"model": "m", "messages": []}), "messages"),
        (body(json!([3])), "messages.0"),
        (body(json!([{"content": "x"}])), "messages.0.role"),
        (body(json!([{"role": "robot", "content": "x"}])), "messages.0.role"),
        (body(json!([{"role": "tool", "content": "x"}])), "messages.0.tool_call_id"),
        (body(json!([{"role": "function", "content": "x"}])), "messages.0.role"),
        (body(json!([{"role": "user"}])), "messages.0.content"),
        (user(json!(3)), "messages.0.content"),
        (user(json!([3])), "messages.0.content.0"),
        (user(json!([{"text": "x"}])), "messages.0.content.0.type"),
        (user(json!([{"type": "text"}])), "messages.0.content.0.text"),
        (user(json!([{"type": "image_url"}])), "messages.0.content.0.image_url"),
        (
            user(json!([{"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}])),
            "messages.0.content.0.image_url.url",
        ),
        (user(json!([{"type": "file", "file": {}}])), "messages.0.content.0.file.file_data"),
        (with("n", json!(2)), "n"),
        (with("n", json!(0)), "n"),
        (with("max_tokens", json!(0)), "max_tokens"),
        (with("max_completion_tokens", json!(-1)), "max_completion_tokens"),
        (with("temperature", json!("hot")), "temperature"),
        (with("seed", json!(1.5)), "seed"),
        (with("stop", json!([1])), "stop.0"),
        (with("stream", json!("yes")), "stream"),
        (with("stream_options", json!(true)), "stream_options"),
        (with("reasoning_effort", json!("hard")), "reasoning_effort"),
        (with("response_format", json!({"type": "xml"})), "response_format.type"),
        (with("tools", json!([{"type": "function", "function": {}}])), "tools.0.function.name"),
        (with("functions", json!([{}])), "functions.0.name"),
    ];
    for (body, field) in cases {
        let error = refused(body.clone());
        assert_eq!(error.field.as_deref(), Some(field), "{body}");
        assert!(error.message.contains(field), "{}", error.message);
    }
    for body in ["", "[]", "{", "\u{0}"] {
        let error = ChatFront.decode_request(body.as_bytes()).unwrap_err();
        assert_eq!((error.kind, error.field), (ErrorKind::InvalidRequest, None));
    }
}

#[test]
fn reasoning_of_a_history_is_a_thought() {
    let think = |message: Value| {
        let mut message = message;
        message["role"] = json!("assistant");
        message["content"] = json!("Hi");
        let request = decode(body(json!([{"role": "user", "content": "a"}, message])));
        assert!(request.rest.is_empty(), "{:?}", request.rest);
        let mut blocks = request.messages[1].content.clone();
        assert_eq!(blocks.pop(), Some(Block::text("Hi")));
        blocks.into_iter().map(|block| block.kind).collect::<Vec<_>>()
    };
    assert_eq!(think(json!({"reasoning_content": "Hm"})), [thinking("Hm", None).kind]);
    let chat = |data: &str| Some(opaque(Dialect::Chat, "", data));
    assert_eq!(think(json!({"reasoning": "Hm"})), [thinking("Hm", chat("reasoning")).kind]);
    let details = json!([{"type": "reasoning.text", "text": "Hm", "signature": "s", "format": "anthropic-claude-v1"}]);
    assert_eq!(
        think(json!({"reasoning": "Hm", "reasoning_details": details})),
        [thinking("Hm", chat(&details.to_string())).kind]
    );
    assert_eq!(think(json!({"reasoning_content": ""})), []);
}

#[test]
fn what_the_gateway_wrote_of_reasoning_comes_back_as_it_was() {
    let signed = |text: &str, data: &str| {
        thinking(text, Some(opaque(Dialect::Anthropic, "claude/eu", data)))
    };
    let mut gemini = opaque(Dialect::Gemini, "", "thought");
    gemini.id = Some("part_1".into());
    let call = Block::new(BlockKind::ToolUse {
        id: "c1".into(),
        name: "f".into(),
        input: ToolInput::Json("{}".into()),
        state: Some(gemini),
    });
    let mut redacted = opaque(Dialect::Responses, "openai", "enc");
    redacted.id = Some("rs_1".into());
    let content = vec![
        signed("One.", "sig1"),
        thinking("Unsigned.", None),
        Block::new(BlockKind::RedactedThinking(redacted)),
        signed("", "sig2"),
        Block::text("Hi"),
        call,
    ];
    let answer = Answer {
        id: "a".into(),
        model: "m".into(),
        content: content.clone(),
        stop_reason: StopReason::ToolUse,
        stop_sequence: None,
        usage: Usage::default(),
    };
    let mut losses = LossReport::default();
    let whole = ChatFront.encode_answer(&answer, &reply(false), &mut losses);
    let whole: Value = serde_json::from_slice(&whole).unwrap();
    let (chunks, _) = written(&answer.into_events(), false);
    let streamed = merge(&deltas(&chunks));
    for message in [whole["choices"][0]["message"].clone(), streamed] {
        let request = decode(body(json!([{"role": "user", "content": "a"}, message])));
        let read: Vec<BlockKind> =
            request.messages[1].content.iter().map(|block| block.kind.clone()).collect();
        let kinds: Vec<BlockKind> = content.iter().map(|block| block.kind.clone()).collect();
        assert_eq!(read.len(), kinds.len());
        // Where a thought without state stood between the others is told by its text alone.
        assert!(kinds.iter().all(|kind| read.contains(kind)), "{read:?}");
        assert!(request.rest.is_empty(), "{:?}", request.rest);
    }
}

/// The message that a client puts together from deltas.
fn merge(deltas: &[Value]) -> Value {
    let mut message = json!({});
    for delta in deltas {
        for (name, value) in delta.as_object().unwrap() {
            let slot = &mut message[name];
            match (slot.is_null(), value) {
                (false, Value::String(more)) => {
                    *slot = json!(slot.as_str().unwrap().to_owned() + more)
                }
                (false, Value::Array(more)) if name == "tool_calls" => {
                    for piece in more {
                        let at = piece["index"].as_u64().unwrap() as usize;
                        match slot.get_mut(at) {
                            Some(call) => {
                                let all =
                                    call["function"]["arguments"].as_str().unwrap().to_owned();
                                let more = piece["function"]["arguments"].as_str().unwrap();
                                call["function"]["arguments"] = json!(all + more);
                            }
                            None => slot.as_array_mut().unwrap().push(piece.clone()),
                        }
                    }
                }
                (false, Value::Array(more)) => slot.as_array_mut().unwrap().extend(more.clone()),
                _ => *slot = value.clone(),
            }
        }
    }
    message
}
