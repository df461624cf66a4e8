use serde_json::json;
use systemprompt_core::llm::{Block, BlockKind, ErrorKind, StopReason, ToolInput, Usage};

use super::*;

fn answer(content: Vec<Block>) -> Answer {
    Answer {
        id: "chatcmpl-1".to_owned(),
        model: "gpt".to_owned(),
        content,
        stop_reason: StopReason::ToolUse,
        stop_sequence: None,
        usage: Usage {
            input: 200,
            cache_read: 700,
            cache_write_5m: 100,
            output: 30,
            ..Usage::default()
        },
    }
}

fn call(input: ToolInput) -> Block {
    Block::new(BlockKind::ToolUse { id: "a".to_owned(), name: "f".to_owned(), input, state: None })
}

fn written_whole(answer: &Answer) -> (Value, LossReport) {
    let mut losses = LossReport::default();
    let body = AnthropicFront.encode_answer(answer, &reply(), &mut losses);
    (serde_json::from_slice(&body).unwrap(), losses)
}

#[test]
fn a_whole_answer_has_the_shape_of_the_wire() {
    let (body, losses) =
        written_whole(&answer(vec![Block::text("hi"), call(ToolInput::from_json_text(""))]));
    assert_eq!(
        body,
        json!({"id": "chatcmpl-1", "type": "message", "role": "assistant", "model": "alias",
            "content": [{"type": "text", "text": "hi"}, {"type": "tool_use", "id": "a", "name": "f", "input": {}}],
            "stop_reason": "tool_use", "stop_sequence": null,
            "usage": {"input_tokens": 200, "cache_creation_input_tokens": 100, "cache_read_input_tokens": 700,
                "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 0},
                "output_tokens": 30}})
    );
    assert!(losses.is_empty());
}

#[test]
fn an_answer_without_id_gets_that_of_the_gateway() {
    let (body, _) = written_whole(&Answer { id: String::new(), ..answer(vec![]) });
    assert_eq!(body["id"], "msg_gateway");
}

#[test]
fn broken_arguments_are_wrapped_and_never_look_whole() {
    let (body, losses) = written_whole(&answer(vec![call(ToolInput::from_json_text("{\"rm\":"))]));
    assert_eq!(body["content"][0]["input"], json!({"INVALID_JSON": "{\"rm\":"}));
    assert_eq!(losses.to_string(), "content.0.input=degraded");
}

#[test]
fn blocks_of_other_wires_are_reported() {
    let unknown =
        Block::new(BlockKind::Unknown { value: json!({"type": "image_generation_call"}) });
    let (body, losses) = written_whole(&answer(vec![unknown]));
    assert_eq!(body["content"], json!([]));
    assert_eq!(losses.to_string(), "content.0=dropped");
}

#[test]
fn an_answer_and_its_stream_are_the_same() {
    let whole = answer(vec![Block::text("hi"), call(ToolInput::from_json_text("{\"a\":1}"))]);
    let (body, _) = written_whole(&whole);
    let read_whole =
        AnthropicUpstream.decode_answer(body.to_string().as_bytes(), &source()).unwrap();
    let (stream, _, _) = written(&whole.into_events());
    let mut streamed = collected(&read(&stream)).unwrap();
    for (block, other) in streamed.content.iter_mut().zip(&read_whole.content) {
        block.origin.clone_from(&other.origin);
    }
    assert_eq!(streamed, read_whole);
}

#[test]
fn what_is_no_answer_is_an_error() {
    let decode =
        |body: &str| AnthropicUpstream.decode_answer(body.as_bytes(), &source()).unwrap_err();
    for body in [
        "",
        "<html>",
        "[]",
        "{}",
        r#"{"type":"message","content":[]}"#,
        r#"{"type":"message","content":[7],"stop_reason":"end_turn"}"#,
    ] {
        let error = decode(body);
        assert_eq!(
            (error.kind, error.code.as_deref()),
            (ErrorKind::BadGateway, Some("upstream_unreadable")),
            "{body}"
        );
    }
    let error =
        decode(r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#);
    assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Overloaded, "Overloaded"));
}

#[test]
fn reasons_to_stop_are_told_apart() {
    for (word, reason) in [
        ("pause_turn", StopReason::Pause),
        ("model_context_window_exceeded", StopReason::ContextWindow),
        ("refusal", StopReason::Refusal),
        ("compaction", StopReason::Other("compaction".to_owned())),
    ] {
        let body = json!({"type": "message", "content": [], "stop_reason": word});
        let answer =
            AnthropicUpstream.decode_answer(body.to_string().as_bytes(), &source()).unwrap();
        assert_eq!(answer.stop_reason, reason);
    }
}

#[test]
fn an_overload_keeps_its_own_status() {
    let error = AnthropicUpstream.decode_error(529, br#"{"type":"error","error":{"type":"overloaded_error","message":"o"},"request_id":"req_up"}"#);
    assert_eq!(error.kind, ErrorKind::Overloaded);
    let (status, body) = AnthropicFront.encode_error(&error, "req_1");
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((status, body["request_id"].as_str()), (529, Some("req_1")));
}
