use proptest::prelude::*;
use serde_json::json;
use systemprompt_core::llm::{BlockKind, ErrorKind, StopReason, ToolInput, Usage};

use super::*;

fn start() -> Value {
    json!({"type": "message_start", "message": {"id": "msg_1", "type": "message", "role": "assistant",
        "model": "claude-opus-5-5", "content": [], "stop_reason": null, "stop_sequence": null,
        "usage": {"input_tokens": 25, "output_tokens": 1}}})
}

fn begin(index: u64, block: Value) -> Value {
    json!({"type": "content_block_start", "index": index, "content_block": block})
}

fn delta(index: u64, delta: Value) -> Value {
    json!({"type": "content_block_delta", "index": index, "delta": delta})
}

fn text_delta(index: u64, text: &str) -> Value {
    delta(index, json!({"type": "text_delta", "text": text}))
}

fn stop(index: u64) -> Value {
    json!({"type": "content_block_stop", "index": index})
}

fn end(reason: &str) -> [Value; 2] {
    [
        json!({"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": null},
            "usage": {"output_tokens": 15}}),
        json!({"type": "message_stop"}),
    ]
}

fn answer_of(parts: &[&[Value]]) -> Answer {
    collected(&read(&frames(&parts.concat()))).unwrap()
}

fn error_of(stream: &str) -> ModelError {
    let events = read(stream);
    assert!(!events.iter().any(|event| matches!(event, StreamEvent::Stop { .. })), "{events:?}");
    collected(&events).unwrap_err()
}

const TEXT: &str = r#"{"type":"text","text":""}"#;

fn text_block() -> Value {
    serde_json::from_str(TEXT).unwrap()
}

#[test]
fn text_thoughts_and_calls_are_read() {
    let answer = answer_of(&[
        &[start(), json!({"type": "ping"})],
        &[
            begin(0, json!({"type": "thinking", "thinking": "", "signature": ""})),
            delta(0, json!({"type": "thinking_delta", "thinking": "hm"})),
            delta(0, json!({"type": "signature_delta", "signature": "EqQB"})),
            stop(0),
        ],
        &[begin(1, text_block()), text_delta(1, "Hel"), text_delta(1, "lo"), stop(1)],
        &[
            begin(2, json!({"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}})),
            delta(2, json!({"type": "input_json_delta", "partial_json": ""})),
            delta(2, json!({"type": "input_json_delta", "partial_json": "{\"a\": "})),
            delta(2, json!({"type": "input_json_delta", "partial_json": "1}"})),
            stop(2),
        ],
        &end("tool_use"),
    ]);
    assert_eq!((answer.id.as_str(), answer.model.as_str()), ("msg_1", "claude-opus-5-5"));
    let BlockKind::Thinking { text, state: Some(state) } = &answer.content[0].kind else {
        panic!()
    };
    assert_eq!((text.as_str(), state.data.as_str()), ("hm", "EqQB"));
    assert_eq!(state.origin.provider.as_deref(), Some("anthropic"));
    assert_eq!(answer.content[1].kind, BlockKind::Text { text: "Hello".to_owned() });
    let BlockKind::ToolUse { input, .. } = &answer.content[2].kind else { panic!() };
    assert_eq!(*input, ToolInput::Json("{\"a\": 1}".to_owned()));
    assert_eq!(answer.stop_reason, StopReason::ToolUse);
    assert_eq!(answer.usage, Usage { input: 25, output: 15, ..Usage::default() });
}

#[test]
fn what_is_new_is_passed_over() {
    let citation =
        delta(0, json!({"type": "citations_delta", "citation": {"type": "page_location"}}));
    let answer = answer_of(&[
        &[start(), json!({"type": "weather", "delta": "odd", "index": "x", "usage": 5})],
        &[begin(0, text_block()), citation, delta(0, json!({"type": "new_delta", "text": "no"}))],
        &[text_delta(0, "yes"), stop(0)],
        &[begin(1, json!({"type": "compaction", "content": null})), stop(1)],
        &end("end_turn"),
    ]);
    assert_eq!(answer.content[0].kind, BlockKind::Text { text: "yes".to_owned() });
    assert!(matches!(answer.content[1].kind, BlockKind::Unknown { .. }));
}

#[test]
fn a_tool_of_the_provider_is_no_call_of_the_caller() {
    let answer = answer_of(&[
        &[
            start(),
            begin(
                0,
                json!({"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}),
            ),
        ],
        &[
            delta(0, json!({"type": "input_json_delta", "partial_json": "{\"query\":\"q\"}"})),
            stop(0),
        ],
        &end("pause_turn"),
    ]);
    let BlockKind::Unknown { value } = &answer.content[0].kind else { panic!() };
    assert_eq!(value["input"]["query"], "q");
    assert_eq!(answer.stop_reason, StopReason::Pause);
}

#[test]
fn input_that_comes_with_the_start_is_taken_once() {
    let whole = json!({"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}});
    let input = |deltas: &[Value]| {
        let answer =
            answer_of(&[&[start(), begin(0, whole.clone())], deltas, &[stop(0)], &end("tool_use")]);
        let BlockKind::ToolUse { input, .. } = &answer.content[0].kind else { panic!() };
        input.as_str().to_owned()
    };
    assert_eq!(input(&[]), "{\"x\":1}");
    let piece = delta(0, json!({"type": "input_json_delta", "partial_json": "{\"x\":2}"}));
    assert_eq!(input(&[piece]), "{\"x\":2}");
}

#[test]
fn a_stream_that_is_cut_off_is_an_error_wherever_it_was_cut() {
    let whole =
        [&[start(), begin(0, text_block()), text_delta(0, "x"), stop(0)][..], &end("end_turn")]
            .concat();
    for kept in 0..whole.len() - 2 {
        let error = error_of(&frames(&whole[..kept]));
        assert_eq!(error.code.as_deref(), Some("upstream_cut_off"), "{kept}");
        assert_eq!(error.kind, ErrorKind::BadGateway);
    }
    // The reason was said, and nothing is open: the answer is whole.
    assert!(collected(&read(&frames(&whole[..whole.len() - 1]))).is_ok());
    // A frame that was cut in the middle is none.
    let text = frames(&whole[..3]);
    assert!(collected(&read(&text[..text.len() - 9])).is_err());
}

#[test]
fn a_block_that_is_open_at_the_end_is_not_whole() {
    let [reason, stop] = end("end_turn");
    let open = [start(), begin(0, text_block()), text_delta(0, "x"), reason];
    assert_eq!(error_of(&frames(&open)).code.as_deref(), Some("upstream_cut_off"));
    // Unless the provider says that the answer is.
    let answer = answer_of(&[&open, &[stop]]);
    assert_eq!(answer.content[0].kind, BlockKind::Text { text: "x".to_owned() });
}

#[test]
fn an_answer_that_ends_without_a_reason_is_an_error() {
    let silent = json!({"type": "message_delta", "delta": {"stop_reason": null}, "usage": {"output_tokens": 1}});
    let error = error_of(&frames(&[start(), silent, json!({"type": "message_stop"})]));
    assert_eq!(error.code.as_deref(), Some("upstream_cut_off"));
}

#[test]
fn errors_in_the_stream_keep_their_kind() {
    let said = |error: Value| error_of(&frames(&[start(), begin(0, text_block()), error]));
    let error = said(
        json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
    );
    assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Overloaded, "Overloaded"));
    let error =
        said(json!({"type": "error", "error": {"type": "rate_limit_error", "message": "slow",
        "details": {"error_code": "rpm"}}}));
    assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::RateLimit, Some("rpm")));
    assert_eq!(said(json!({"type": "error"})).kind, ErrorKind::Api);
    // As OpenAI has it.
    let error = error_of("data: {\"error\":{\"message\":\"m\"}}\n\n");
    assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Api, "m"));
}

#[test]
fn frames_after_the_end_are_passed_over() {
    let mut stream = frames(&[&[start()][..], &end("end_turn")].concat());
    stream.push_str("data: [DONE]\n\nevent: error\ndata: {\"type\":\"error\"}\n\n");
    assert!(collected(&read(&stream)).is_ok());
    let stream = format!("data: [DONE]\n\n: keepalive\n\n{stream}");
    assert!(collected(&read(&stream)).is_ok());
}

#[test]
fn broken_frames_are_errors_and_not_panics() {
    for broken in [
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"del\n\n",
        "data: {\"type\":\"content_block_start\",\"index\":\"a\"}\n\n",
        "data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":7}\n\n",
        "data: {\"type\":\"content_block_delta\",\"index\":9,\"delta\":{\"type\":\"text_delta\",\"text\":\"x\"}}\n\n",
        "data: \u{fffd}\n\n",
    ] {
        let error = error_of(&(frames(&[start()]) + broken));
        assert_eq!(error.code.as_deref(), Some("upstream_unreadable"), "{broken}");
    }
}

#[test]
fn names_that_are_in_the_frame_alone_are_enough() {
    let stream = "event: message_start\ndata: {\"message\":{\"id\":\"a\",\"model\":\"m\"}}\n\n\
        event: message_delta\ndata: {\"delta\":{\"stop_reason\":\"refusal\"}}\n\n\
        event: message_stop\ndata: {}\n\n";
    assert_eq!(collected(&read(stream)).unwrap().stop_reason, StopReason::Refusal);
}

#[test]
fn usage_of_kimi_and_qwen_is_not_doubled() {
    let first = json!({"type": "message_start", "message": {"id": "a", "model": "kimi",
        "usage": {"input_tokens": 1000, "output_tokens": 0}}});
    let last = |usage: Value| json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage});
    let usage = |mode, last: Value| {
        let source = Source { usage_mode: mode, ..source() };
        let stream = frames(&[first.clone(), last, json!({"type": "message_stop"})]);
        collected(&read_in(&[stream.as_bytes()], &source)).unwrap().usage
    };
    let split = json!({"input_tokens": 300, "cache_read_input_tokens": 700, "output_tokens": 9});
    let found = usage(UsageMode::LastEvent, last(split));
    assert_eq!((found.input, found.cache_read, found.output, found.prompt()), (300, 700, 9, 1000));
    let inclusive =
        json!({"input_tokens": 1000, "cache_read_input_tokens": 700, "output_tokens": 9});
    let found = usage(UsageMode::Inclusive, last(inclusive));
    assert_eq!((found.input, found.prompt()), (300, 1000));
}

#[test]
fn text_tools_give_their_text() {
    let names = [("patch__text".to_owned(), "patch".to_owned())].into();
    let source = Source { tool_names: Arc::new(names), ..source() };
    let stream = frames(
        &[
            &[
                start(),
                begin(
                    0,
                    json!({"type": "tool_use", "id": "a", "name": "patch__text", "input": {}}),
                ),
            ][..],
            &[
                delta(0, json!({"type": "input_json_delta", "partial_json": "{\"input\":\"a\\"})),
                delta(0, json!({"type": "input_json_delta", "partial_json": "nb\"}"})),
                stop(0),
            ],
            &end("tool_use"),
        ]
        .concat(),
    );
    let answer = collected(&read_in(&[stream.as_bytes()], &source)).unwrap();
    let BlockKind::ToolUse { name, input, .. } = &answer.content[0].kind else { panic!() };
    assert_eq!((name.as_str(), input), ("patch", &ToolInput::Text("a\nb".to_owned())));
}

proptest! {
    #[test]
    fn any_split_gives_the_same_events(
        texts in proptest::collection::vec("[a-zé\u{1f600}\n\"]{0,6}", 0..5),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..8),
        crlf in any::<bool>(),
    ) {
        let mut whole = vec![start(), begin(0, text_block())];
        whole.extend(texts.iter().map(|text| text_delta(0, text)));
        whole.push(stop(0));
        whole.extend(end("end_turn"));
        let mut stream = frames(&whole);
        if crlf {
            stream = stream.replace('\n', "\r\n");
        }
        let bytes = stream.as_bytes();
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        at.extend([0, bytes.len()]);
        at.sort_unstable();
        let pieces: Vec<&[u8]> = at.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
        prop_assert_eq!(read_in(&pieces, &source()), read_in(&[bytes], &source()));
    }

    #[test]
    fn what_is_read_is_written_by_the_rules(
        order in proptest::collection::vec(0_usize..9, 0..14),
    ) {
        // Events in any order, as no provider would send them.
        let any = [
            start(), begin(0, text_block()), text_delta(0, "x"), stop(0),
            begin(1, json!({"type": "tool_use", "id": "a", "name": "f", "input": {}})),
            delta(1, json!({"type": "input_json_delta", "partial_json": "{}"})), stop(1),
            end("tool_use")[0].clone(), end("tool_use")[1].clone(),
        ];
        let stream: Vec<Value> = order.iter().map(|at| any[*at].clone()).collect();
        written(&read(&frames(&stream)));
    }
}
