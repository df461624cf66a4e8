use serde_json::json;
use systemprompt_core::llm::{
    BlockStart, Delta, ErrorKind, OpaqueState, Origin, StopReason, Usage, UsageUpdate,
};

use super::*;

fn start() -> StreamEvent {
    StreamEvent::Start { id: "chatcmpl-1".to_owned(), model: "gpt".to_owned() }
}

fn block(index: usize, block: BlockStart, deltas: Vec<Delta>) -> Vec<StreamEvent> {
    let mut events = vec![StreamEvent::BlockStart { index, block }];
    events.extend(deltas.into_iter().map(|delta| StreamEvent::Delta { index, delta }));
    events.push(StreamEvent::BlockStop { index });
    events
}

fn text(index: usize, text: &str) -> Vec<StreamEvent> {
    block(index, BlockStart::Text, vec![Delta::Text(text.to_owned())])
}

fn call(index: usize, id: &str, state: Option<OpaqueState>, pieces: &[&str]) -> Vec<StreamEvent> {
    let start = BlockStart::ToolUse { id: id.to_owned(), name: "f".to_owned(), text: false, state };
    block(index, start, pieces.iter().map(|piece| Delta::Input((*piece).to_owned())).collect())
}

fn stop(reason: StopReason) -> StreamEvent {
    StreamEvent::Stop { reason, stop_sequence: None }
}

fn foreign(dialect: Dialect, id: Option<&str>, data: &str) -> OpaqueState {
    let origin = Origin { dialect, provider: Some("p".into()) };
    OpaqueState { origin, id: id.map(str::to_owned), data: data.to_owned() }
}

fn stream(parts: Vec<Vec<StreamEvent>>) -> Vec<StreamEvent> {
    std::iter::once(start()).chain(parts.into_iter().flatten()).collect()
}

fn names(stream: &str) -> Vec<String> {
    data(stream).into_iter().map(|(name, _)| name).collect()
}

#[test]
fn a_text_has_one_start_one_block_and_one_end() {
    let events = stream(vec![text(0, "hel"), vec![stop(StopReason::EndTurn)]]);
    let (out, end, losses) = written(&events);
    assert_eq!(end, End::Whole);
    assert!(losses.is_empty());
    assert_eq!(
        names(&out),
        [
            "message_start",
            "content_block_start",
            "content_block_delta",
            "content_block_stop",
            "message_delta",
            "message_stop"
        ]
    );
    let data = data(&out);
    assert_eq!(data[0].1["message"]["id"], "chatcmpl-1");
    assert_eq!(data[0].1["message"]["model"], "alias");
    assert_eq!(data[4].1["delta"]["stop_reason"], "end_turn");
}

#[test]
fn calls_come_one_after_the_other_with_their_inputs() {
    let events = stream(vec![
        call(0, "a", None, &["{\"x\":", "1}"]),
        call(1, "b", None, &[]),
        vec![stop(StopReason::ToolUse)],
    ]);
    let (out, _, _) = written(&events);
    let answer = collected(&read(&out)).unwrap();
    let inputs: Vec<_> = answer
        .content
        .iter()
        .filter_map(|block| match &block.kind {
            systemprompt_core::llm::BlockKind::ToolUse { id, input, .. } => {
                Some((id.as_str(), input.as_str()))
            }
            _ => None,
        })
        .collect();
    assert_eq!(inputs, [("a", "{\"x\":1}"), ("b", "{}")]);
    assert!(out.contains(r#""partial_json":"{}""#), "empty arguments are said to be empty");
}

#[test]
fn usage_that_comes_first_is_in_the_start_and_totals_are_in_the_end() {
    let usage =
        Usage { input: 200, cache_read: 700, cache_write_5m: 100, output: 1, ..Usage::default() };
    let mut events = vec![start(), StreamEvent::Usage(usage.into())];
    events.extend(text(0, "x"));
    events.push(stop(StopReason::EndTurn));
    // Chat tells its usage after the reason to stop.
    events.push(StreamEvent::Usage(UsageUpdate {
        output: Some(30),
        reasoning: Some(7),
        ..UsageUpdate::default()
    }));
    let (out, _, _) = written(&events);
    let data = data(&out);
    assert_eq!(data[0].1["message"]["usage"]["input_tokens"], 200);
    assert_eq!(data[0].1["message"]["usage"]["cache_creation"]["ephemeral_5m_input_tokens"], 100);
    let last = &data[data.len() - 2].1["usage"];
    assert_eq!(last["input_tokens"], 200);
    assert_eq!(last["cache_read_input_tokens"], 700);
    assert_eq!(last["cache_creation_input_tokens"], 100);
    assert_eq!(last["output_tokens"], 30);
    assert_eq!(last["output_tokens_details"]["thinking_tokens"], 7);
}

#[test]
fn reasons_to_stop_have_their_words() {
    for (reason, word, lost) in [
        (StopReason::MaxTokens, "max_tokens", false),
        (StopReason::ContentFilter, "refusal", false),
        (StopReason::Refusal, "refusal", false),
        (StopReason::ContextWindow, "model_context_window_exceeded", false),
        (StopReason::Pause, "pause_turn", false),
        (StopReason::Other("LANGUAGE".to_owned()), "end_turn", true),
    ] {
        let (out, _, losses) = written(&stream(vec![text(0, "x"), vec![stop(reason)]]));
        assert!(out.contains(&format!("\"stop_reason\":\"{word}\"")), "{out}");
        assert_eq!(!losses.is_empty(), lost);
    }
    let end = StreamEvent::Stop {
        reason: StopReason::StopSequence,
        stop_sequence: Some("END".to_owned()),
    };
    let (out, _, _) = written(&stream(vec![text(0, "x"), vec![end]]));
    assert!(out.contains("\"stop_sequence\":\"END\""));
}

#[test]
fn an_error_ends_the_stream_in_the_middle_of_a_block() {
    let mut events =
        stream(vec![vec![StreamEvent::BlockStart { index: 0, block: BlockStart::Text }]]);
    events.push(StreamEvent::Error(ModelError::new(ErrorKind::Overloaded, "too busy")));
    events.extend(text(1, "never"));
    let (out, end, _) = written(&events);
    assert_eq!(end, End::Failed);
    let (name, last) = data(&out).pop().unwrap();
    assert_eq!(name, "error");
    assert_eq!(last["error"]["type"], "overloaded_error");
    assert!(!out.contains("never"));
}

#[test]
fn an_end_is_never_made_up() {
    for events in [vec![], stream(vec![]), stream(vec![text(0, "half")])] {
        let (out, end, _) = written(&events);
        assert_eq!(end, End::Failed);
        assert!(out.contains("upstream_cut_off") && !out.contains("end_turn"), "{out}");
    }
}

#[test]
fn arguments_that_are_broken_are_an_error_unless_they_were_cut_off() {
    let broken = |reason| stream(vec![call(0, "a", None, &["{\"x\":"]), vec![stop(reason)]]);
    let (out, end, _) = written(&broken(StopReason::ToolUse));
    assert_eq!(end, End::Failed);
    assert!(out.contains("invalid_tool_arguments"));
    let (out, end, _) = written(&broken(StopReason::MaxTokens));
    assert_eq!(end, End::Whole);
    assert!(out.contains("\"max_tokens\""));
}

#[test]
fn thoughts_are_signed_last_and_foreign_state_comes_back() {
    let state = foreign(Dialect::Responses, Some("rs_1"), "gAAA");
    let events = stream(vec![
        block(
            0,
            BlockStart::Thinking,
            vec![Delta::State(state.clone()), Delta::Text("hm".to_owned())],
        ),
        block(1, BlockStart::RedactedThinking(state.clone()), vec![]),
        call(2, "c", Some(foreign(Dialect::Gemini, None, "SIG")), &["{}"]),
        vec![stop(StopReason::ToolUse)],
    ]);
    let (out, _, losses) = written(&events);
    assert!(losses.is_empty());
    // A client sends the blocks back as they came.
    let mut blocks: Vec<Value> = Vec::new();
    for (name, data) in data(&out) {
        match name.as_str() {
            "content_block_start" => blocks.push(data["content_block"].clone()),
            "content_block_delta" => {
                let last = blocks.last_mut().unwrap();
                for (member, piece) in [("thinking", "thinking"), ("signature", "signature")] {
                    if let Some(text) = data["delta"][piece].as_str() {
                        last[member] = text.into();
                    }
                }
            }
            _ => {}
        }
    }
    let request = decode(&json!({"model": "m", "max_tokens": 1,
        "messages": [{"role": "assistant", "content": blocks}]}))
    .unwrap();
    let content = &request.messages[0].content;
    assert_eq!(content.len(), 3);
    let systemprompt_core::llm::BlockKind::Thinking { text, state: Some(back) } = &content[0].kind
    else {
        panic!()
    };
    assert_eq!((text.as_str(), back), ("hm", &state));
    assert_eq!(content[1].kind, systemprompt_core::llm::BlockKind::RedactedThinking(state));
    let systemprompt_core::llm::BlockKind::ToolUse { state: Some(back), .. } = &content[2].kind
    else {
        panic!()
    };
    assert_eq!(*back, foreign(Dialect::Gemini, None, "SIG"));
}

#[test]
fn thoughts_that_nobody_signed_come_back_as_such() {
    let thoughts = block(0, BlockStart::Thinking, vec![Delta::Text("hm".to_owned())]);
    let (out, _, _) = written(&stream(vec![thoughts, vec![stop(StopReason::EndTurn)]]));
    let signature = data(&out)[3].1["delta"]["signature"].clone();
    assert_eq!(signature, "sp1:none::::");
    let request = decode(&json!({"model": "m", "max_tokens": 1, "messages": [{"role": "assistant",
        "content": [{"type": "thinking", "thinking": "hm", "signature": signature}]}]}))
    .unwrap();
    let block = &request.messages[0].content[0];
    assert_eq!(block.origin, None);
    assert!(matches!(&block.kind, systemprompt_core::llm::BlockKind::Thinking { state: None, .. }));
}

#[test]
fn a_call_without_id_gets_one() {
    let (out, _, _) = written(&stream(vec![
        call(0, "", None, &[]),
        call(1, "", None, &[]),
        vec![stop(StopReason::ToolUse)],
    ]));
    let ids: Vec<Value> =
        data(&out).iter().map(|(_, data)| data["content_block"]["id"].clone()).collect();
    assert!(
        ids.contains(&json!("toolu_chatcmpl-1_0")) && ids.contains(&json!("toolu_chatcmpl-1_1"))
    );
}

#[test]
fn a_refusal_is_a_text_and_a_text_tool_has_one_argument() {
    let tool = BlockStart::ToolUse {
        id: "a".to_owned(),
        name: "patch".to_owned(),
        text: true,
        state: None,
    };
    let events = stream(vec![
        block(0, BlockStart::Refusal, vec![Delta::Text("no".to_owned())]),
        block(1, tool, vec![Delta::Input("a \"b\"\n".to_owned()), Delta::Input("é".to_owned())]),
        vec![stop(StopReason::ToolUse)],
    ]);
    let (out, _, _) = written(&events);
    let answer = collected(&read(&out)).unwrap();
    assert_eq!(
        answer.content[0].kind,
        systemprompt_core::llm::BlockKind::Text { text: "no".to_owned() }
    );
    let systemprompt_core::llm::BlockKind::ToolUse { input, .. } = &answer.content[1].kind else {
        panic!()
    };
    assert_eq!(input.object().unwrap()["input"], "a \"b\"\né");
}

#[test]
fn blocks_of_other_wires_are_left_out_and_own_ones_stay() {
    let search = json!({"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}});
    let events = stream(vec![
        block(0, BlockStart::Unknown(json!({"type": "image_generation_call"})), vec![]),
        block(1, BlockStart::Unknown(search), vec![]),
        text(2, "x"),
        vec![stop(StopReason::EndTurn)],
    ]);
    let (out, _, losses) = written(&events);
    assert_eq!(losses.to_string(), "content.0=dropped");
    assert!(out.contains(r#""partial_json":"{\"query\":\"q\"}""#), "{out}");
}

#[test]
fn a_ping_may_come_at_any_time() {
    let mut encoder = AnthropicFront.stream_encoder(&reply());
    let mut out = Vec::new();
    encoder.ping(&mut out);
    encoder.push(&start(), &mut out);
    encoder.ping(&mut out);
    for event in text(0, "x") {
        encoder.push(&event, &mut out);
        encoder.push(&StreamEvent::Ping, &mut out);
    }
    encoder.push(&stop(StopReason::EndTurn), &mut out);
    encoder.finish(&mut out);
    encoder.ping(&mut out);
    assert_eq!(grammar::check(&out), Ok(End::Whole));
}

#[test]
fn blocks_that_were_never_closed_are() {
    let mut events = stream(vec![]);
    for index in 0..2 {
        events.push(StreamEvent::BlockStart { index, block: BlockStart::Text });
        events.push(StreamEvent::Delta { index, delta: Delta::Text("x".to_owned()) });
    }
    events.push(stop(StopReason::EndTurn));
    let (out, end, _) = written(&events);
    assert_eq!(end, End::Whole);
    assert_eq!(names(&out).iter().filter(|name| *name == "content_block_stop").count(), 2);
}
