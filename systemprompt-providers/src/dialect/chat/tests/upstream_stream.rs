use super::*;

fn kinds(answer: &Answer) -> Vec<&BlockKind> {
    answer.content.iter().map(|block| &block.kind).collect()
}

fn call(answer: &Answer, at: usize) -> (&str, &str, &str) {
    match &answer.content[at].kind {
        BlockKind::ToolUse { id, name, input, .. } => (id, name, input.as_str()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_text_is_one_block() {
    let text = stream(
        &[
            json!({"role": "assistant", "content": ""}),
            json!({"content": "Hel"}),
            json!({"content": "lo"}),
        ],
        "stop",
    );
    assert_eq!(
        events(&text),
        [
            StreamEvent::Start { id: "chatcmpl-1".into(), model: "up".into() },
            StreamEvent::BlockStart { index: 0, block: BlockStart::Text },
            StreamEvent::Delta { index: 0, delta: Delta::Text("Hel".into()) },
            StreamEvent::Delta { index: 0, delta: Delta::Text("lo".into()) },
            StreamEvent::BlockStop { index: 0 },
            StreamEvent::Stop { reason: StopReason::EndTurn, stop_sequence: None },
        ]
    );
}

// litellm#25321
#[test]
fn arguments_in_the_first_piece_are_not_lost() {
    let text = stream(
        &[json!({"tool_calls": [{"index": 0, "id": "c1", "type": "function",
            "function": {"name": "read", "arguments": "{\"path\":\"a\"}"}}]})],
        "tool_calls",
    );
    assert_eq!(call(&collect(&text).unwrap(), 0), ("c1", "read", "{\"path\":\"a\"}"));
}

#[test]
fn two_calls_in_one_chunk_are_two_blocks() {
    let text = stream(
        &[json!({"tool_calls": [
            {"index": 0, "id": "c1", "function": {"name": "a", "arguments": "{\"x\":1}"}},
            {"index": 1, "id": "c2", "function": {"name": "b", "arguments": "{\"y\":2}"}},
        ]})],
        "tool_calls",
    );
    let answer = collect(&text).unwrap();
    assert_eq!(call(&answer, 0), ("c1", "a", "{\"x\":1}"));
    assert_eq!(call(&answer, 1), ("c2", "b", "{\"y\":2}"));
    assert_eq!(answer.stop_reason, StopReason::ToolUse);
}

#[test]
fn interleaved_calls_come_one_after_the_other() {
    let piece = |index: u64, arguments: &str| json!({"tool_calls": [{"index": index, "function": {"arguments": arguments}}]});
    let begin = |index: u64, id: &str, name: &str| json!({"tool_calls": [{"index": index, "id": id, "function": {"name": name, "arguments": ""}}]});
    let text = stream(
        &[
            begin(0, "c1", "a"),
            begin(1, "c2", "b"),
            piece(0, "{\"x\""),
            piece(1, "{\"y\""),
            json!({"content": "meanwhile"}),
            piece(0, ":1}"),
            piece(1, ":2}"),
        ],
        "tool_calls",
    );
    let events = events(&text);
    // The first call is passed on as it comes, and closed when it is whole.
    assert_eq!(events[2], StreamEvent::Delta { index: 0, delta: Delta::Input("{\"x\"".into()) });
    let answer = collect(&text).unwrap();
    assert_eq!(call(&answer, 0), ("c1", "a", "{\"x\":1}"));
    assert_eq!(call(&answer, 1), ("c2", "b", "{\"y\":2}"));
    assert_eq!(*kinds(&answer)[2], BlockKind::Text { text: "meanwhile".into() });
}

#[test]
fn a_call_that_is_whole_does_not_wait_for_the_end() {
    let mut decoder = ChatUpstream.stream_decoder(&source());
    let mut events = Vec::new();
    for delta in [
        json!({"tool_calls": [{"index": 0, "id": "c1", "function": {"name": "a", "arguments": "{\"x\":\"}\"}"}}]}),
        json!({"tool_calls": [{"index": 1, "id": "c2", "function": {"name": "b", "arguments": "{"}}]}),
    ] {
        for frame in frames(&data(&chunk(delta, Value::Null))) {
            decoder.push(&frame, &mut events);
        }
    }
    let last = StreamEvent::Delta { index: 1, delta: Delta::Input("{".into()) };
    assert_eq!(events.last(), Some(&last));
}

// agentgateway#3002
#[test]
fn empty_arguments_are_an_empty_object() {
    for arguments in [json!(""), json!(null), json!("  "), json!("{}")] {
        let text = stream(
            &[json!({"tool_calls": [{"index": 0, "id": "c1",
                "function": {"name": "now", "arguments": arguments}}]})],
            "tool_calls",
        );
        let answer = collect(&text).unwrap();
        let BlockKind::ToolUse { input, .. } = &answer.content[0].kind else { panic!() };
        assert_eq!(input.object(), Some(serde_json::Map::new()), "{arguments}");
        // Said aloud, for wires whose clients put the arguments together themselves.
        let said = StreamEvent::Delta { index: 0, delta: Delta::Input("{}".into()) };
        assert_eq!(events(&text).iter().filter(|event| **event == said).count(), 1);
    }
}

#[test]
fn servers_without_numbers_or_ids_are_understood() {
    // Every call with the number 0 and its own id.
    let text = stream(
        &[
            json!({"tool_calls": [{"index": 0, "id": "c1", "function": {"name": "a", "arguments": "{}"}}]}),
            json!({"tool_calls": [{"index": 0, "id": "c2", "function": {"name": "b", "arguments": "{\"y\":2}"}}]}),
        ],
        "tool_calls",
    );
    let answer = collect(&text).unwrap();
    assert_eq!([call(&answer, 0), call(&answer, 1)], [("c1", "a", "{}"), ("c2", "b", "{\"y\":2}")]);
    // No numbers, no ids; the name, then pieces.
    let text = stream(
        &[
            json!({"tool_calls": [{"function": {"name": "a"}}]}),
            json!({"tool_calls": [{"function": {"arguments": "{\"x\":"}}]}),
            json!({"tool_calls": [{"function": {"arguments": "1}"}}]}),
            json!({"tool_calls": [{"function": {"name": "a", "arguments": {"x": 2}}}]}),
        ],
        "tool_calls",
    );
    let answer = collect(&text).unwrap();
    let ((first, ..), (second, ..)) = (call(&answer, 0), call(&answer, 1));
    assert!(!first.is_empty() && !second.is_empty() && first != second);
    assert_eq!(call(&answer, 0).2, "{\"x\":1}");
    assert_eq!(call(&answer, 1).2, "{\"x\":2}");
}

#[test]
fn a_call_without_a_name_is_an_error_and_no_call() {
    let text = stream(&[json!({"tool_calls": [{"index": 0, "id": "c1"}]})], "tool_calls");
    let error = collect(&text).unwrap_err();
    assert_eq!(error.code.as_deref(), Some("upstream_malformed"));
}

#[test]
fn more_arguments_for_a_whole_call_are_an_error_unless_they_repeat_it() {
    let begin = |index: u64, id: &str| json!({"tool_calls": [{"index": index, "id": id, "function": {"name": "a", "arguments": "{\"x\":1}"}}]});
    let more = |arguments: &str| json!({"tool_calls": [{"index": 0, "function": {"arguments": arguments}}]});
    let text = stream(&[begin(0, "c1"), begin(1, "c2"), more("{\"x\":1}")], "tool_calls");
    assert_eq!(call(&collect(&text).unwrap(), 0).2, "{\"x\":1}");
    let text = stream(&[begin(0, "c1"), begin(1, "c2"), more(",\"y\":2}")], "tool_calls");
    assert_eq!(collect(&text).unwrap_err().kind, ErrorKind::BadGateway);
}

#[test]
fn arguments_cut_at_the_limit_are_kept_and_not_run() {
    let text = stream(
        &[
            json!({"tool_calls": [{"index": 0, "id": "c1", "function": {"name": "a", "arguments": "{\"x\": \"ab"}}]}),
        ],
        "length",
    );
    let answer = collect(&text).unwrap();
    assert_eq!(answer.stop_reason, StopReason::MaxTokens);
    let BlockKind::ToolUse { input, .. } = &answer.content[0].kind else { panic!() };
    assert_eq!(*input, ToolInput::Broken("{\"x\": \"ab".into()));
}

#[test]
fn a_text_tool_keeps_its_text_whatever_it_looks_like() {
    let piece = |input: &str| json!({"tool_calls": [{"index": 0, "custom": {"input": input}}]});
    let text = stream(
        &[
            json!({"tool_calls": [{"index": 0, "id": "c1", "type": "custom", "custom": {"name": "sh", "input": ""}}]}),
            piece("{}"),
            piece("{}"),
        ],
        "tool_calls",
    );
    let answer = collect(&text).unwrap();
    let BlockKind::ToolUse { input, .. } = &answer.content[0].kind else { panic!() };
    assert_eq!(*input, ToolInput::Text("{}{}".into()));
}

#[test]
fn reasoning_stands_before_the_text() {
    for member in ["reasoning_content", "reasoning"] {
        let text = stream(
            &[
                json!({"role": "assistant", "content": null, member: "Let "}),
                json!({member: "me"}),
                json!({"content": "Hi"}),
            ],
            "stop",
        );
        let answer = collect(&text).unwrap();
        let state = opaque(Dialect::Chat, "kimi", member);
        assert_eq!(
            kinds(&answer),
            [
                &BlockKind::Thinking { text: "Let me".into(), state: Some(state) },
                &BlockKind::Text { text: "Hi".into() }
            ]
        );
    }
}

#[test]
fn reasoning_in_details_is_kept_whole_for_the_next_turn() {
    let detail = |text: &str| json!([{"type": "reasoning.text", "text": text, "index": 0}]);
    let text = stream(
        &[
            json!({"reasoning": "Le", "reasoning_details": detail("Le")}),
            json!({"reasoning": "t", "reasoning_details": detail("t")}),
            json!({"reasoning_details": [{"type": "reasoning.text", "signature": "sig", "index": 0}]}),
            json!({"content": "Hi"}),
        ],
        "stop",
    );
    let answer = collect(&text).unwrap();
    let BlockKind::Thinking { text, state: Some(state) } = &answer.content[0].kind else {
        panic!()
    };
    assert_eq!(text, "Let");
    let details: Value = serde_json::from_str(&state.data).unwrap();
    assert_eq!(
        details,
        json!([{"type": "reasoning.text", "text": "Let", "index": 0, "signature": "sig"}])
    );
}

#[test]
fn think_tags_are_reasoning() {
    let text = stream(
        &[
            json!({"content": "<thi"}),
            json!({"content": "nk>\nHm"}),
            json!({"content": ".\n</think>\n\nHi"}),
        ],
        "stop",
    );
    let answer = collect(&text).unwrap();
    let state = opaque(Dialect::Chat, "kimi", "<think>");
    assert_eq!(
        kinds(&answer),
        [
            &BlockKind::Thinking { text: "Hm.".into(), state: Some(state) },
            &BlockKind::Text { text: "Hi".into() }
        ]
    );
}

#[test]
fn parts_of_mistral_are_thoughts_and_text() {
    let text = stream(
        &[
            json!({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}]}),
            json!({"content": [{"type": "text", "text": "Hi"}]}),
        ],
        "stop",
    );
    let answer = collect(&text).unwrap();
    assert!(matches!(kinds(&answer)[0], BlockKind::Thinking { text, .. } if text == "Hm"));
    assert_eq!(*kinds(&answer)[1], BlockKind::Text { text: "Hi".into() });
}

// litellm#32357
#[test]
fn a_thought_after_a_text_is_a_block_of_its_own() {
    let text = stream(
        &[json!({"content": "a"}), json!({"reasoning_content": "b"}), json!({"content": "c"})],
        "stop",
    );
    let starts: Vec<StreamEvent> = events(&text)
        .into_iter()
        .filter(|event| matches!(event, StreamEvent::BlockStart { .. } | StreamEvent::Start { .. }))
        .collect();
    assert_eq!(starts.len(), 4);
    assert_eq!(starts[2], StreamEvent::BlockStart { index: 1, block: BlockStart::Thinking });
}

// litellm#30761
#[test]
fn chunks_without_choices_comments_and_no_done_end_normally() {
    let text = format!(
        "data: {}\n\n: keepalive\n\n{}{}{}",
        json!({"id": "", "model": "", "choices": [], "prompt_filter_results": []}),
        data(&chunk(json!({"content": "Hi"}), Value::Null)),
        data(&json!({"id": "x", "choices": [], "usage": null})),
        data(&chunk(json!({}), json!("stop"))),
    );
    let answer = collect(&text).unwrap();
    assert_eq!((answer.id.as_str(), answer.model.as_str()), ("chatcmpl-1", "up"));
    assert_eq!(answer.stop_reason, StopReason::EndTurn);
    assert_eq!(answer.content, [Block::text("Hi")]);
}

// litellm#31069
#[test]
fn usage_after_the_finish_has_the_cached_tokens() {
    let usage = json!({"prompt_tokens": 1000, "completion_tokens": 9, "total_tokens": 1009,
        "prompt_tokens_details": {"cached_tokens": 700, "cache_write_tokens": 100}});
    let text = data(&chunk(json!({"content": "Hi"}), json!("stop")))
        + &data(&json!({"id": "chatcmpl-1", "choices": [], "usage": usage}))
        + "data: [DONE]\n\n";
    let usage = collect(&text).unwrap().usage;
    let parts = (usage.input, usage.cache_read, usage.cache_write_5m, usage.output);
    assert_eq!(parts, (200, 700, 100, 9));
}

#[test]
fn usage_inside_the_choice_is_read() {
    let mut last = chunk(json!({}), json!("stop"));
    last["choices"][0]["usage"] =
        json!({"prompt_tokens": 10, "completion_tokens": 2, "cached_tokens": 4});
    let usage = collect(&data(&last)).unwrap().usage;
    assert_eq!((usage.input, usage.cache_read, usage.output), (6, 4, 2));
}

#[test]
fn reasons_for_the_end_are_told_apart() {
    let cases = [
        ("stop", StopReason::EndTurn),
        ("length", StopReason::MaxTokens),
        ("content_filter", StopReason::ContentFilter),
        ("tool_calls", StopReason::EndTurn),
        ("something_new", StopReason::Other("something_new".into())),
    ];
    for (word, reason) in cases {
        let text = stream(&[json!({"content": "a"})], word);
        assert_eq!(collect(&text).unwrap().stop_reason, reason, "{word}");
    }
    let refusal = collect(&stream(&[json!({"refusal": "No."})], "stop")).unwrap();
    assert_eq!(refusal.stop_reason, StopReason::Refusal);
    assert_eq!(refusal.content[0].kind, BlockKind::Refusal { text: "No.".into() });
}

#[test]
fn calls_with_the_reason_stop_are_run() {
    let text = stream(
        &[
            json!({"tool_calls": [{"index": 0, "id": "c1", "function": {"name": "a", "arguments": "{}"}}]}),
        ],
        "stop",
    );
    assert_eq!(collect(&text).unwrap().stop_reason, StopReason::ToolUse);
}

// litellm PR#32159
#[test]
fn a_cut_stream_is_an_error_with_the_usage_so_far() {
    let mut first = chunk(json!({"content": "Hi"}), Value::Null);
    first["usage"] = json!({"prompt_tokens": 10, "completion_tokens": 1});
    let call = json!({"tool_calls": [{"index": 0, "id": "c1", "function": {"name": "a", "arguments": "{\"x"}}]});
    for end in ["", "data: [DONE]\n\n", "data: {\"choices\":[{\"ind"] {
        let text = data(&first) + &data(&chunk(call.clone(), Value::Null)) + end;
        let events = events(&text);
        let Some(StreamEvent::Error(error)) = events.last() else { panic!("{events:?}") };
        assert_eq!(error.kind, ErrorKind::BadGateway);
        if !end.contains("ind") {
            assert_eq!(error.code.as_deref(), Some("upstream_cut_off"));
        }
        assert!(events.iter().any(|event| matches!(event, StreamEvent::Usage(_))));
    }
    assert_eq!(collect("").unwrap_err().code.as_deref(), Some("upstream_cut_off"));
}

#[test]
fn a_cut_after_the_reason_for_the_end_loses_no_answer() {
    let text = data(&chunk(json!({"content": "Hi"}), json!("stop"))) + "data: {\"id\":\"chatc";
    assert_eq!(collect(&text).unwrap().stop_reason, StopReason::EndTurn);
}

// litellm#32086, litellm#29223
#[test]
fn an_error_in_the_stream_is_an_error() {
    let error =
        json!({"error": {"message": "Overloaded", "type": "overloaded_error", "code": null}});
    let text =
        data(&chunk(json!({"content": "Hi"}), Value::Null)) + &data(&error) + "data: [DONE]\n\n";
    let error = collect(&text).unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Overloaded, "Overloaded"));
    for reason in ["error", "insufficient_system_resource"] {
        let text = stream(&[json!({"content": "Hi"})], reason);
        assert_eq!(collect(&text).unwrap_err().code.as_deref(), Some(reason));
    }
}

#[test]
fn what_no_other_wire_has_is_kept_apart() {
    let annotation = json!({"type": "url_citation", "url_citation": {"url": "https://a.example"}});
    let text = stream(
        &[json!({"content": "a"}), json!({"annotations": [annotation]}), json!({"content": "b"})],
        "stop",
    );
    let answer = collect(&text).unwrap();
    assert_eq!(answer.content[0], Block::text("ab"));
    assert_eq!(
        answer.content[1].kind,
        BlockKind::Unknown { value: json!({"annotations": [annotation]}) }
    );
}

#[test]
fn tools_get_their_own_names_back() {
    let names = BTreeMap::from([("mcp_read_12".to_owned(), "mcp:read".to_owned())]);
    let from = Source { tool_names: Arc::new(names), ..source() };
    let mut decoder = ChatUpstream.stream_decoder(&from);
    let mut events = Vec::new();
    let call = json!({"tool_calls": [{"index": 0, "id": "c1", "function": {"name": "mcp_read_12", "arguments": "{}"}}]});
    for frame in frames(&stream(&[call], "tool_calls")) {
        decoder.push(&frame, &mut events);
    }
    let block = &events[1];
    assert!(
        matches!(block, StreamEvent::BlockStart { block: BlockStart::ToolUse { name, .. }, .. } if name == "mcp:read"),
        "{block:?}"
    );
}

#[test]
fn an_answer_without_end_is_not_kept_without_end() {
    let mut decoder = ChatUpstream.stream_decoder(&source());
    let mut events = Vec::new();
    let piece = "x".repeat(1 << 20);
    let open = json!({"tool_calls": [{"index": 0, "id": "c", "function": {"name": "a", "arguments": "{"}}]});
    for frame in frames(&data(&chunk(open, Value::Null))) {
        decoder.push(&frame, &mut events);
    }
    for frame in
        frames(&data(&chunk(json!({"content": piece}), Value::Null))).iter().cycle().take(40)
    {
        decoder.push(frame, &mut events);
    }
    let Some(StreamEvent::Error(error)) = events.last() else { panic!() };
    assert_eq!(error.code.as_deref(), Some("upstream_too_large"));
}

#[test]
fn a_long_stream_in_small_slices_with_other_line_ends_is_the_same() {
    let deltas: Vec<Value> =
        (0..10_000).map(|at| json!({"content": format!("wört {at} ")})).collect();
    let text = stream(&deltas, "stop");
    let other = text.replace('\n', "\r\n");
    let mut splitter = FrameSplitter::new(1 << 20);
    let mut decoder = ChatUpstream.stream_decoder(&source());
    let mut events = Vec::new();
    for slice in other.as_bytes().chunks(37) {
        splitter.push(slice);
        while let Some(frame) = splitter.next_frame().unwrap() {
            decoder.push(&frame, &mut events);
        }
    }
    decoder.finish(&mut events);
    assert_eq!(events, super::events(&text));
    assert_eq!(events.len(), 10_004);
}
