//! Streams as providers send them.

use systemprompt_core::llm::{BlockStart, Delta, ErrorKind, StopReason, UsageUpdate};

use super::*;

fn message_added(place: usize) -> Value {
    json!({
        "type": "response.output_item.added", "output_index": place,
        "item": {"id": format!("msg_{place}"), "type": "message", "role": "assistant", "status": "in_progress", "content": []}
    })
}

fn call_added(place: usize, arguments: &str) -> Value {
    json!({
        "type": "response.output_item.added", "output_index": place,
        "item": {"id": format!("fc_{place}"), "type": "function_call", "call_id": format!("call_{place}"), "name": "f", "arguments": arguments}
    })
}

fn call_item(place: usize, arguments: &str) -> Value {
    json!({
        "id": format!("fc_{place}"), "type": "function_call", "status": "completed",
        "call_id": format!("call_{place}"), "name": "f", "arguments": arguments
    })
}

fn item_done(place: usize, item: &Value) -> Value {
    json!({"type": "response.output_item.done", "output_index": place, "item": item})
}

fn arguments(place: usize, delta: &str) -> Value {
    json!({
        "type": "response.function_call_arguments.delta", "output_index": place,
        "item_id": format!("fc_{place}"), "delta": delta
    })
}

fn arguments_done(place: usize, arguments: &str) -> Value {
    json!({
        "type": "response.function_call_arguments.done", "output_index": place,
        "item_id": format!("fc_{place}"), "arguments": arguments
    })
}

fn said(place: usize, delta: &str) -> Value {
    json!({
        "type": "response.output_text.delta", "output_index": place, "content_index": 0,
        "item_id": format!("msg_{place}"), "delta": delta
    })
}

fn start() -> StreamEvent {
    StreamEvent::Start { id: "resp_1".into(), model: "gpt-6".into() }
}

fn begun(index: usize, place: usize) -> StreamEvent {
    let (id, name) = (format!("call_{place}"), "f".to_owned());
    let block = BlockStart::ToolUse { id, name, text: false, state: None };
    StreamEvent::BlockStart { index, block }
}

fn input(index: usize, piece: &str) -> StreamEvent {
    StreamEvent::Delta { index, delta: Delta::Input(piece.to_owned()) }
}

fn text(index: usize, piece: &str) -> StreamEvent {
    StreamEvent::Delta { index, delta: Delta::Text(piece.to_owned()) }
}

fn used() -> StreamEvent {
    StreamEvent::Usage(UsageUpdate {
        input: Some(15),
        cache_read: Some(5),
        cache_write_5m: Some(0),
        cache_write_1h: None,
        output: Some(7),
        reasoning: Some(3),
    })
}

fn stop(reason: StopReason) -> StreamEvent {
    StreamEvent::Stop { reason, stop_sequence: None }
}

#[test]
fn a_text_comes_once() {
    let item = json!({
        "id": "msg_0", "type": "message", "role": "assistant", "status": "completed",
        "content": [{"type": "output_text", "text": "Hello", "annotations": []}]
    });
    let events = [
        created(),
        json!({"type": "response.in_progress", "response": {"id": "resp_1"}}),
        message_added(0),
        json!({"type": "response.content_part.added", "output_index": 0, "content_index": 0, "item_id": "msg_0", "part": {"type": "output_text", "text": ""}}),
        said(0, "Hel"),
        said(0, "lo"),
        json!({"type": "response.output_text.done", "output_index": 0, "content_index": 0, "item_id": "msg_0", "text": "Hello"}),
        json!({"type": "response.content_part.done", "output_index": 0, "content_index": 0, "item_id": "msg_0", "part": {"type": "output_text", "text": "Hello"}}),
        item_done(0, &item),
        completed(&json!([item])),
    ];
    let expected = [
        start(),
        StreamEvent::BlockStart { index: 0, block: BlockStart::Text },
        text(0, "Hel"),
        text(0, "lo"),
        StreamEvent::BlockStop { index: 0 },
        used(),
        stop(StopReason::EndTurn),
    ];
    assert_eq!(read(&events), expected);
    // No piece is needed, and none of the events before the last.
    assert_eq!(collect(read(&[created(), events[9].clone()])), collect(read(&events)));
    assert_eq!(
        collect(read(&[created(), message_added(0), events[6].clone(), events[9].clone()])),
        collect(read(&events))
    );
    assert_eq!(collect(read(&[events[9].clone()])), collect(read(&events)));
}

/// litellm#25321, scenario 17: LM Studio gives arguments only in `done`; others in the first event, in the
/// `done` of the item, or at the very end.
#[test]
fn arguments_come_once_wherever_they_stand() {
    let whole = "{\"a\": 1}";
    let end = completed(&json!([call_item(0, whole)]));
    let streams = [
        vec![call_added(0, ""), arguments_done(0, whole), item_done(0, &call_item(0, whole))],
        vec![call_added(0, ""), arguments(0, whole), arguments_done(0, whole)],
        vec![
            call_added(0, ""),
            arguments(0, "{\"a\""),
            arguments(0, ": 1}"),
            item_done(0, &call_item(0, whole)),
        ],
        vec![call_added(0, whole), item_done(0, &call_item(0, whole))],
        vec![call_added(0, whole), arguments(0, whole), arguments_done(0, whole)],
        vec![call_added(0, whole)],
        vec![call_added(0, ""), arguments(0, "{\"a\"")],
        vec![item_done(0, &call_item(0, whole))],
        vec![],
    ];
    for stream in streams {
        let mut events = vec![created()];
        events.extend(stream);
        events.push(end.clone());
        let answer = read(&events);
        let pieces: String = answer
            .iter()
            .filter_map(|event| match event {
                StreamEvent::Delta { delta: Delta::Input(piece), .. } => Some(piece.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(pieces, whole, "{events:?}");
        assert_eq!(answer[1], begun(0, 0));
        assert_eq!(answer.last(), Some(&stop(StopReason::ToolUse)));
    }
}

#[test]
fn no_arguments_are_an_empty_object() {
    let answer =
        read(&[created(), call_added(0, ""), arguments_done(0, ""), completed(&json!([]))]);
    assert_eq!(answer[2], input(0, "{}"));
}

#[test]
fn interleaved_items_come_one_after_the_other() {
    let events = [
        created(),
        call_added(0, ""),
        call_added(1, ""),
        arguments(1, "{\"b\":"),
        arguments(0, "{\"a\":"),
        message_added(2),
        said(2, "Hi"),
        arguments(1, "2}"),
        arguments_done(1, "{\"b\":2}"),
        arguments(0, "1}"),
        arguments_done(0, "{\"a\":1}"),
        completed(&json!([])),
    ];
    let expected = [
        start(),
        begun(0, 0),
        input(0, "{\"a\":"),
        input(0, "1}"),
        StreamEvent::BlockStop { index: 0 },
        begun(1, 1),
        input(1, "{\"b\":2}"),
        StreamEvent::BlockStop { index: 1 },
        StreamEvent::BlockStart { index: 2, block: BlockStart::Text },
        text(2, "Hi"),
        StreamEvent::BlockStop { index: 2 },
        used(),
        stop(StopReason::ToolUse),
    ];
    assert_eq!(read(&events), expected);
}

/// Scenario 19.
#[test]
fn an_answer_that_was_broken_off_says_so() {
    for (reason, expected) in [
        ("max_output_tokens", StopReason::MaxTokens),
        ("content_filter", StopReason::ContentFilter),
        ("steered", StopReason::Other("steered".into())),
    ] {
        let end = json!({
            "type": "response.incomplete",
            "response": {"id": "resp_1", "status": "incomplete", "incomplete_details": {"reason": reason}, "output": []}
        });
        let answer = read(&[created(), call_added(0, ""), arguments(0, "{\"a"), end]);
        assert_eq!(answer.last(), Some(&stop(expected)));
        // JSON that was never finished stays as it is.
        assert!(answer.contains(&input(0, "{\"a")));
    }
    let bare = json!({"type": "response.incomplete", "response": {"id": "resp_1"}});
    assert_eq!(read(&[created(), bare]).last(), Some(&stop(StopReason::MaxTokens)));
    // vllm-project/agentic-api#273: the item knows what the answer does not.
    let item = json!({"id": "m", "type": "message", "status": "incomplete", "content": [{"type": "output_text", "text": "x"}]});
    assert_eq!(
        read(&[created(), completed(&json!([item]))]).last(),
        Some(&stop(StopReason::MaxTokens))
    );
}

/// litellm#32086: a failure is no empty answer.
#[test]
fn a_failed_answer_is_an_error() {
    let failed = json!({
        "type": "response.failed",
        "response": {
            "id": "resp_1", "status": "failed", "output": [],
            "error": {"code": "rate_limit_exceeded", "message": "slow down"},
            "usage": {"input_tokens": 3}
        }
    });
    let again = json!({"type": "error", "code": "rate_limit_exceeded", "message": "slow down"});
    let answer = read(&[created(), message_added(0), said(0, "Hel"), failed, again]);
    let Some(StreamEvent::Error(error)) = answer.last() else { panic!("{answer:?}") };
    assert_eq!((error.kind, error.message.as_str()), (ErrorKind::RateLimit, "slow down"));
    assert!(
        answer.contains(&StreamEvent::Usage(UsageUpdate {
            input: Some(3),
            ..UsageUpdate::default()
        }))
    );
    assert!(collect(answer).is_err());
    // One that gives no reason fails as well, and so does one that calls itself completed.
    let bare = json!({"type": "response.failed", "response": {"id": "resp_1", "status": "failed"}});
    assert!(collect(read(&[created(), bare])).is_err());
    let odd = json!({"type": "response.completed", "response": {"status": "failed", "output": []}});
    assert!(collect(read(&[created(), odd])).is_err());
}

/// litellm#29223: an error in the middle is not passed over.
#[test]
fn an_error_in_the_middle_is_an_error() {
    let errors = [
        json!({"type": "error", "code": "server_error", "message": "broken", "param": null, "sequence_number": 4}),
        json!({"type": "error", "error": {"type": "server_error", "message": "broken"}}),
        json!({"error": {"code": 503, "message": "broken"}}),
    ];
    for error in errors {
        let answer = read(&[
            created(),
            message_added(0),
            said(0, "Hel"),
            error.clone(),
            completed(&json!([])),
        ]);
        let Some(StreamEvent::Error(said)) = answer.last() else { panic!("{answer:?}") };
        assert_eq!(said.message, "broken", "{error}");
    }
}

#[test]
fn a_stream_that_is_cut_off_never_ends_well() {
    let whole = [created(), message_added(0), said(0, "Hel"), call_added(1, ""), arguments(1, "{")];
    for length in 0..=whole.len() {
        let answer = read(&whole[..length]);
        let Some(StreamEvent::Error(error)) = answer.last() else { panic!("{answer:?}") };
        assert_eq!(error.code.as_deref(), Some("upstream_cut_off"));
    }
}

#[test]
fn a_thought_has_its_state_and_empty_lines_between_its_parts() {
    let item = json!({
        "id": "rs_0", "type": "reasoning", "encrypted_content": "gAAA==",
        "summary": [{"type": "summary_text", "text": "One."}, {"type": "summary_text", "text": "Two."}]
    });
    let part = |kind: &str, at: usize, member: &str, said: &str| {
        json!({
            "type": format!("response.reasoning_summary_{kind}"), "output_index": 0, "item_id": "rs_0",
            "summary_index": at, member: said
        })
    };
    let events = [
        created(),
        json!({"type": "response.output_item.added", "output_index": 0, "item": {"id": "rs_0", "type": "reasoning", "summary": []}}),
        part("part.added", 0, "x", ""),
        part("text.delta", 0, "delta", "On"),
        part("text.delta", 0, "delta", "e."),
        part("text.done", 0, "text", "One."),
        part("text.delta", 1, "delta", "Two."),
        part("text.done", 1, "text", "Two."),
        item_done(0, &item),
        completed(&json!([item])),
    ];
    let streamed = collect(read(&events)).unwrap();
    let end = completed(&json!([item]));
    let whole = ResponsesUpstream.decode_answer(end["response"].to_string().as_bytes(), &source());
    assert_eq!(
        streamed.content.iter().map(|b| b.kind.clone()).collect::<Vec<_>>(),
        whole.unwrap().content.into_iter().map(|b| b.kind).collect::<Vec<_>>()
    );
    let systemprompt_core::llm::BlockKind::Thinking { text, state: Some(state) } =
        &streamed.content[0].kind
    else {
        panic!("{streamed:?}");
    };
    assert_eq!(text, "One.\n\nTwo.");
    assert_eq!((state.id.as_deref(), state.data.as_str()), (Some("rs_0"), "gAAA=="));
    assert_eq!(state.origin.provider.as_deref(), Some("openai"));
}

#[test]
fn raw_thoughts_and_refusals_are_read() {
    let answer = collect(read(&[
        created(),
        json!({"type": "response.reasoning_text.delta", "output_index": 0, "content_index": 0, "item_id": "rs_0", "delta": "Raw."}),
        json!({"type": "response.reasoning_summary_text.delta", "output_index": 0, "summary_index": 0, "item_id": "rs_0", "delta": "Short."}),
        json!({"type": "response.refusal.delta", "output_index": 1, "content_index": 0, "item_id": "msg_1", "delta": "No"}),
        json!({"type": "response.refusal.done", "output_index": 1, "content_index": 0, "item_id": "msg_1", "refusal": "No."}),
        completed(&json!([])),
    ]))
    .unwrap();
    use systemprompt_core::llm::BlockKind::{Refusal, Thinking};
    assert_eq!(answer.content[0].kind, Thinking { text: "Raw.".into(), state: None });
    assert_eq!(answer.content[1].kind, Refusal { text: "No.".into() });
    assert_eq!(answer.stop_reason, StopReason::Refusal);
}

#[test]
fn items_without_a_word_are_passed_on_whole() {
    let search = json!({"id": "ws_0", "type": "web_search_call", "status": "completed"});
    let answer = collect(read(&[
        created(),
        json!({"type": "response.output_item.added", "output_index": 0, "item": {"id": "ws_0", "type": "web_search_call", "status": "in_progress"}}),
        json!({"type": "response.web_search_call.searching", "output_index": 0, "item_id": "ws_0"}),
        item_done(0, &search),
        completed(&json!([search])),
    ]))
    .unwrap();
    assert_eq!(answer.content.len(), 1);
    assert_eq!(
        answer.content[0].kind,
        systemprompt_core::llm::BlockKind::Unknown { value: search }
    );
    assert_eq!(answer.stop_reason, StopReason::EndTurn);
}

#[test]
fn servers_that_leave_out_places_and_names_are_understood() {
    // No `output_index`, no `event:`, comments, `[DONE]` at the end.
    let mut out = b": keepalive\n\n".to_vec();
    let item = json!({"id": "fc_b", "type": "custom_tool_call", "call_id": "c2", "name": "sql", "input": "select 1"});
    for event in [
        created(),
        json!({"type": "response.output_item.added", "item": {"id": "fc_a", "type": "function_call", "call_id": "c1", "name": "f"}}),
        json!({"type": "response.output_item.added", "item": {"id": "fc_b", "type": "custom_tool_call", "call_id": "c2", "name": "sql", "input": ""}}),
        json!({"type": "response.custom_tool_call_input.delta", "item_id": "fc_b", "delta": "select"}),
        json!({"type": "response.function_call_arguments.delta", "item_id": "fc_a", "delta": "{}"}),
        json!({"type": "response.output_item.done", "item": item}),
        completed(
            &json!([{"id": "fc_a", "type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}, item]),
        ),
    ] {
        crate::sse::write_frame(&mut out, None, event.to_string().as_bytes());
    }
    out.extend_from_slice(b"data: [DONE]\n\n");
    let events = read_pieces(&[&out]);
    assert_eq!(events[0], StreamEvent::Ping);
    let answer = collect(events).unwrap();
    use systemprompt_core::llm::ToolInput::{Json, Text};
    let inputs: Vec<_> = answer
        .content
        .iter()
        .map(|block| match &block.kind {
            systemprompt_core::llm::BlockKind::ToolUse { input, .. } => input.clone(),
            kind => panic!("{kind:?}"),
        })
        .collect();
    assert_eq!(inputs, [Json("{}".into()), Text("select 1".into())]);
}

/// Servers that say the same place of all items, or other ids in every event.
#[test]
fn items_are_told_apart_by_place_or_by_id() {
    let mut same = vec![created()];
    let mut other = vec![created()];
    for (place, whole) in [(0, "{\"a\":1}"), (1, "{\"b\":2}")] {
        for mut event in [
            call_added(place, ""),
            arguments(place, whole),
            arguments_done(place, whole),
            item_done(place, &call_item(place, whole)),
        ] {
            let mut strange = event.clone();
            if event.get("item").is_some() {
                strange["item"]["id"] = json!(format!("x{}", other.len()));
            } else {
                strange["item_id"] = json!(format!("x{}", other.len()));
            }
            other.push(strange);
            event["output_index"] = json!(0);
            same.push(event);
        }
    }
    for mut events in [same, other] {
        events.push(completed(&json!([call_item(0, "{\"a\":1}"), call_item(1, "{\"b\":2}")])));
        let answer = collect(read(&events)).unwrap();
        let inputs: Vec<String> = answer
            .content
            .iter()
            .map(|block| match &block.kind {
                systemprompt_core::llm::BlockKind::ToolUse { input, .. } => {
                    input.as_str().to_owned()
                }
                kind => panic!("{kind:?}"),
            })
            .collect();
        assert_eq!(inputs, ["{\"a\":1}", "{\"b\":2}"], "{events:?}");
    }
}

#[test]
fn a_call_of_nothing_is_an_error() {
    let nameless = json!({"type": "response.output_item.added", "output_index": 0, "item": {"id": "fc_0", "type": "function_call"}});
    let whole = item_done(0, &nameless["item"]);
    for events in [
        vec![created(), nameless.clone(), arguments(0, "{}"), completed(&json!([]))],
        vec![created(), nameless.clone(), arguments_done(0, "{}"), whole, completed(&json!([]))],
        vec![created(), completed(&json!([nameless["item"]]))],
    ] {
        let answer = read(&events);
        let Some(StreamEvent::Error(error)) = answer.last() else { panic!("{answer:?}") };
        assert_eq!(error.kind, ErrorKind::BadGateway);
    }
}

#[test]
fn names_of_tools_are_given_back() {
    let names = BTreeMap::from([("f".to_owned(), "fs.read".to_owned())]);
    let from = Source { tool_names: Arc::new(names), ..source() };
    let mut decoder = ResponsesUpstream.stream_decoder(&from);
    let mut events = Vec::new();
    let mut splitter = FrameSplitter::new(1 << 20);
    splitter.push(&wire(&[created(), call_added(0, ""), completed(&json!([]))]));
    while let Some(frame) = splitter.next_frame().unwrap() {
        decoder.push(&frame, &mut events);
    }
    let named = events.iter().any(|event| {
        matches!(event, StreamEvent::BlockStart { block: BlockStart::ToolUse { name, .. }, .. } if name == "fs.read")
    });
    assert!(named, "{events:?}");
}

#[test]
fn an_answer_without_end_is_given_up() {
    let mut decoder = ResponsesUpstream.stream_decoder(&source());
    let mut splitter = FrameSplitter::new(1 << 24);
    let mut events = Vec::new();
    splitter.push(&wire(&[created()]));
    for place in 0..20_000_usize {
        splitter.push(&wire(&[item_done(place, &json!({"type": "message", "content": []}))]));
    }
    while let Some(frame) = splitter.next_frame().unwrap() {
        decoder.push(&frame, &mut events);
    }
    let Some(StreamEvent::Error(error)) = events.last() else { panic!("{:?}", events.last()) };
    assert_eq!(error.code.as_deref(), Some("upstream_answer_too_long"));
}
