//! Streams as callers are sent them; each is checked against the grammar.

use systemprompt_core::llm::{
    BlockStart, Delta, ErrorKind, OpaqueState, Origin, StopReason, Usage,
};

use super::*;

fn start() -> StreamEvent {
    StreamEvent::Start { id: "msg_01".into(), model: "claude".into() }
}

fn begin(index: usize, block: BlockStart) -> StreamEvent {
    StreamEvent::BlockStart { index, block }
}

fn add(index: usize, delta: Delta) -> StreamEvent {
    StreamEvent::Delta { index, delta }
}

fn end(index: usize) -> StreamEvent {
    StreamEvent::BlockStop { index }
}

fn stop(reason: StopReason) -> StreamEvent {
    StreamEvent::Stop { reason, stop_sequence: None }
}

fn call(id: &str, text: bool) -> BlockStart {
    BlockStart::ToolUse { id: id.into(), name: "f".into(), text, state: None }
}

fn signature(dialect: Dialect) -> OpaqueState {
    let origin = Origin { dialect, provider: Some("p".into()) };
    OpaqueState { origin, id: Some("rs_9".into()), data: "sig==".into() }
}

/// Scenario 37, Oaklight/llm-rosetta#56.
#[test]
fn text_and_tools_come_in_the_full_order() {
    let request = decode(&json!({
        "model": "house-model", "input": "x", "instructions": "Be brief.", "temperature": 0.5,
        "tools": [{"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}, "strict": true}],
        "reasoning": {"effort": "low"}, "metadata": {"a": "b"}, "parallel_tool_calls": false
    }));
    let usage =
        Usage { input: 10, cache_read: 5, output: 7, reasoning: Some(2), ..Usage::default() };
    let (stream, ending, losses) = stream_of(
        &reply_to(request),
        &[
            start(),
            begin(0, BlockStart::Thinking),
            add(0, Delta::Text("Hm.".into())),
            add(0, Delta::State(signature(Dialect::Anthropic))),
            end(0),
            begin(1, BlockStart::Text),
            add(1, Delta::Text("Let ".into())),
            add(1, Delta::Text("me see.".into())),
            end(1),
            begin(2, call("toolu_1", false)),
            add(2, Delta::Input("{\"a\":".into())),
            add(2, Delta::Input("1}".into())),
            end(2),
            begin(3, call("toolu_2", true)),
            add(3, Delta::Input("select 1".into())),
            end(3),
            StreamEvent::Usage(usage.into()),
            stop(StopReason::ToolUse),
        ],
    );
    assert_eq!(ending, Ending::Completed);
    assert!(losses.is_empty());
    let events = events_of(&stream);
    assert_eq!(
        types(&events),
        [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.reasoning_summary_part.added",
            "response.reasoning_summary_text.delta",
            "response.reasoning_summary_text.done",
            "response.reasoning_summary_part.done",
            "response.output_item.done",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.output_item.added",
            "response.function_call_arguments.delta",
            "response.function_call_arguments.delta",
            "response.function_call_arguments.done",
            "response.output_item.done",
            "response.output_item.added",
            "response.custom_tool_call_input.delta",
            "response.custom_tool_call_input.done",
            "response.output_item.done",
            "response.completed",
        ]
    );
    let response = &events.last().unwrap()["response"];
    assert_eq!(response["id"], "resp_msg_01");
    assert_eq!(response["object"], "response");
    assert_eq!(response["model"], "house-model");
    assert_eq!(response["created_at"], 1_800_000_000);
    assert_eq!(response["instructions"], "Be brief.");
    assert_eq!(response["parallel_tool_calls"], false);
    assert_eq!(response["tool_choice"], "auto");
    assert_eq!(response["tools"][0]["name"], "f");
    assert_eq!(response["text"], json!({"format": {"type": "text"}}));
    assert_eq!(response["reasoning"], json!({"effort": "low", "summary": null}));
    assert_eq!(response["metadata"], json!({"a": "b"}));
    assert_eq!(response["usage"]["input_tokens"], 15);
    assert_eq!(response["usage"]["total_tokens"], 22);
    let call = &response["output"][2];
    assert_eq!((&call["call_id"], &call["arguments"]), (&json!("toolu_1"), &json!("{\"a\":1}")));
    assert_ne!(call["id"], call["call_id"]);
    assert_eq!(response["output"][3]["input"], "select 1");
    let output_indexes: Vec<u64> =
        events.iter().filter_map(|event| event["output_index"].as_u64()).collect();
    assert!(output_indexes.is_sorted());
    assert!(!String::from_utf8(stream).unwrap().contains("[DONE]"));
}

#[test]
fn texts_one_after_the_other_are_one_message() {
    let (stream, _, _) = stream_of(
        &reply(),
        &[
            start(),
            begin(0, BlockStart::Text),
            add(0, Delta::Text("a".into())),
            end(0),
            begin(1, BlockStart::Refusal),
            add(1, Delta::Text("b".into())),
            end(1),
            stop(StopReason::Refusal),
        ],
    );
    let events = events_of(&stream);
    let response = &events.last().unwrap()["response"];
    assert_eq!(response["status"], "completed");
    assert_eq!(response["output"].as_array().unwrap().len(), 1);
    assert_eq!(response["output"][0]["content"][1], json!({"type": "refusal", "refusal": "b"}));
}

/// vllm-project/agentic-api#273: an answer that was broken off does not call itself completed.
#[test]
fn the_status_says_why_it_ended() {
    for (reason, status, word) in [
        (StopReason::EndTurn, "completed", None),
        (StopReason::StopSequence, "completed", None),
        (StopReason::MaxTokens, "incomplete", Some("max_output_tokens")),
        (StopReason::ContextWindow, "incomplete", Some("max_output_tokens")),
        (StopReason::ContentFilter, "incomplete", Some("content_filter")),
        (StopReason::Refusal, "incomplete", Some("content_filter")),
        (StopReason::Pause, "completed", None),
        (StopReason::Other("x".into()), "completed", None),
    ] {
        let (stream, _, losses) = stream_of(
            &reply(),
            &[
                start(),
                begin(0, call("c", false)),
                add(0, Delta::Input("{\"a".into())),
                end(0),
                stop(reason.clone()),
            ],
        );
        let events = events_of(&stream);
        let response = &events.last().unwrap()["response"];
        assert_eq!(response["status"], status, "{reason:?}");
        assert_eq!(response["incomplete_details"]["reason"].as_str(), word);
        assert_eq!(response["output"][0]["status"], status);
        assert_eq!(response["output"][0]["arguments"], "{\"a");
        let lost =
            matches!(reason, StopReason::Pause | StopReason::Other(_) | StopReason::ContextWindow);
        assert_eq!(!losses.is_empty(), lost, "{reason:?}");
    }
}

#[test]
fn a_failure_ends_the_stream_and_finishes_nothing() {
    let mut error = ModelError::new(ErrorKind::Overloaded, "busy");
    error.field = Some("input".to_owned());
    let events = [
        start(),
        begin(0, BlockStart::Text),
        add(0, Delta::Text("a".into())),
        end(0),
        begin(1, call("c", false)),
        add(1, Delta::Input("{\"a".into())),
        StreamEvent::Error(error),
        stop(StopReason::EndTurn),
    ];
    let (stream, ending, _) = stream_of(&reply(), &events);
    assert_eq!(ending, Ending::Failed);
    let said = events_of(&stream);
    let (failed, error) = (&said[said.len() - 2], &said[said.len() - 1]);
    assert_eq!(failed["type"], "response.failed");
    assert_eq!(failed["response"]["status"], "failed");
    assert_eq!(
        failed["response"]["error"],
        json!({"code": "server_is_overloaded", "message": "busy"})
    );
    assert_eq!(failed["response"]["output"].as_array().unwrap().len(), 1);
    assert_eq!((&error["type"], &error["message"]), (&json!("error"), &json!("busy")));
    assert_eq!(
        (&error["code"], &error["param"]),
        (&json!("server_is_overloaded"), &json!("input"))
    );

    // Cut off anywhere, it fails, and even one that never began has the events that SDKs wait for.
    for length in 0..6 {
        let (stream, ending, _) = stream_of(&reply(), &events[..length]);
        assert_eq!(ending, Ending::Failed);
        let said = events_of(&stream);
        assert_eq!(said[0]["type"], "response.created");
        assert_eq!(said.last().unwrap()["code"], "upstream_cut_off");
    }
}

#[test]
fn no_arguments_are_an_empty_object() {
    let (stream, _, _) = stream_of(
        &reply(),
        &[start(), begin(0, call("c", false)), end(0), stop(StopReason::ToolUse)],
    );
    let events = events_of(&stream);
    assert_eq!(events.last().unwrap()["response"]["output"][0]["arguments"], "{}");
}

#[test]
fn native_state_passes_byte_for_byte_and_keeps_its_id() {
    let state = || add(0, Delta::State(signature(Dialect::Responses)));
    let silent = [start(), begin(0, BlockStart::Thinking), state(), end(0)];
    let shown = [
        start(),
        begin(0, BlockStart::Thinking),
        add(0, Delta::Text("Hm.".into())),
        state(),
        end(0),
    ];
    for (events, id) in [(&silent[..], "rs_9"), (&shown[..], "rs_gw_msg_01_0")] {
        let mut events = events.to_vec();
        events.push(stop(StopReason::EndTurn));
        let (stream, _, _) = stream_of(&reply(), &events);
        let events = events_of(&stream);
        let item = &events.last().unwrap()["response"]["output"][0];
        assert_eq!((&item["encrypted_content"], &item["id"]), (&json!("sig=="), &json!(id)));
    }
}

#[test]
fn items_of_this_dialect_pass_and_those_of_others_do_not() {
    let search = json!({"id": "ws_0", "type": "web_search_call", "status": "completed"});
    let (stream, _, losses) = stream_of(
        &reply(),
        &[
            start(),
            begin(0, BlockStart::Unknown(search.clone())),
            end(0),
            begin(1, BlockStart::Unknown(search.clone())),
            end(1),
            begin(2, BlockStart::Unknown(json!({"type": "server_tool_use", "id": "srv_1"}))),
            end(2),
            stop(StopReason::EndTurn),
        ],
    );
    let events = events_of(&stream);
    assert_eq!(events.last().unwrap()["response"]["output"], json!([search]));
    assert_eq!(losses.losses().len(), 1);
}

#[test]
fn signs_of_life_are_comments() {
    let mut encoder = ResponsesFront.stream_encoder(&reply());
    let mut out = Vec::new();
    encoder.ping(&mut out);
    encoder.push(&StreamEvent::Ping, &mut out);
    assert_eq!(out, b": keepalive\n\n: keepalive\n\n");
}

#[test]
fn an_answer_is_not_kept_for_ever() {
    let state = OpaqueState { data: "x".repeat(1 << 20), ..signature(Dialect::Responses) };
    let mut encoder = ResponsesFront.stream_encoder(&reply());
    let mut out = Vec::new();
    encoder.push(&start(), &mut out);
    encoder.push(&begin(0, BlockStart::Thinking), &mut out);
    out.clear();
    // Nothing is written of a state until its item is whole.
    let kept = (0..80)
        .take_while(|_| {
            encoder.push(&add(0, Delta::State(state.clone())), &mut out);
            out.is_empty()
        })
        .count();
    assert_eq!(kept, 63);
    assert_eq!(events_of(&out).last().unwrap()["code"], "upstream_answer_too_long");
}

#[test]
fn no_two_items_have_one_id() {
    let item = json!({"id": "msg_msg_01_0", "type": "web_search_call"});
    let (stream, ..) = stream_of(
        &reply(),
        &[
            start(),
            begin(0, BlockStart::Unknown(item.clone())),
            end(0),
            begin(1, BlockStart::Text),
            add(1, Delta::Text("a".into())),
            end(1),
            begin(2, BlockStart::Unknown(json!({"id": "msg_msg_01_1", "type": "web_search_call"}))),
            end(2),
            stop(StopReason::EndTurn),
        ],
    );
    let output = &events_of(&stream).pop().unwrap()["response"]["output"];
    assert_eq!(output.as_array().unwrap().len(), 2);
    assert_eq!(output[1]["id"], "msg_msg_01_1");
}
