//! Whole answers, read and written.

use systemprompt_core::llm::{
    Block, BlockKind, ErrorKind, Media, MediaSource, StopReason, ToolInput, Usage,
};

use super::*;

fn read_answer(body: &Value) -> Result<Answer, ModelError> {
    ResponsesUpstream.decode_answer(body.to_string().as_bytes(), &source())
}

#[test]
fn an_answer_is_read() {
    let answer = read_answer(&json!({
        "id": "resp_1", "object": "response", "model": "gpt-6-2026", "status": "completed",
        "output": [
            {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "gAAA"},
            {"id": "rs_2", "type": "reasoning", "summary": []},
            {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [
                {"type": "output_text", "text": "Look.", "annotations": []},
                {"type": "output_text", "text": "", "annotations": []}
            ]},
            {"id": "fc_1", "type": "function_call", "call_id": "call_1", "name": "f", "arguments": ""},
            {"id": "ctc_1", "type": "custom_tool_call", "call_id": "call_2", "name": "sql", "input": "select 1"}
        ],
        "usage": {"input_tokens": 10, "input_tokens_details": {"cached_tokens": 4}, "output_tokens": 3}
    }))
    .unwrap();
    assert_eq!((answer.id.as_str(), answer.model.as_str()), ("resp_1", "gpt-6-2026"));
    assert_eq!(answer.stop_reason, StopReason::ToolUse);
    assert_eq!(answer.usage, Usage { input: 6, cache_read: 4, output: 3, ..Usage::default() });
    let kinds: Vec<&BlockKind> = answer.content.iter().map(|block| &block.kind).collect();
    assert_eq!(kinds.len(), 4);
    assert!(matches!(kinds[0], BlockKind::Thinking { state: Some(_), .. }));
    assert_eq!(*kinds[1], BlockKind::Text { text: "Look.".into() });
    let input = |kind: &BlockKind| match kind {
        BlockKind::ToolUse { id, input, .. } => (id.clone(), input.clone()),
        kind => panic!("{kind:?}"),
    };
    assert_eq!(input(kinds[2]), ("call_1".into(), ToolInput::Json("{}".into())));
    assert_eq!(input(kinds[3]), ("call_2".into(), ToolInput::Text("select 1".into())));
    assert!(answer.content.iter().all(|block| block.origin.is_some()));
}

#[test]
fn what_is_no_answer_is_an_error() {
    let cases = [
        (
            json!({"status": "failed", "output": [], "error": {"code": "server_error", "message": "broken"}}),
            ErrorKind::Api,
            "broken",
        ),
        (
            json!({"error": {"code": "invalid_prompt", "message": "bad"}}),
            ErrorKind::InvalidRequest,
            "bad",
        ),
        (json!({"status": "failed"}), ErrorKind::Api, "without a reason"),
        (json!({"status": "cancelled", "output": []}), ErrorKind::Api, "cancelled"),
        (json!({"status": "in_progress", "output": []}), ErrorKind::BadGateway, "not done"),
        (json!({"status": "completed"}), ErrorKind::BadGateway, "`output`"),
        (
            json!({"status": "completed", "output": [{"type": "function_call", "call_id": "c"}]}),
            ErrorKind::BadGateway,
            "calls a tool",
        ),
    ];
    for (body, kind, message) in cases {
        let error = read_answer(&body).unwrap_err();
        assert_eq!(error.kind, kind, "{body}");
        assert!(error.message.contains(message), "{error}");
    }
    let error = ResponsesUpstream.decode_answer(b"<html>", &source()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::BadGateway);
}

#[test]
fn an_answer_is_written_as_its_stream_ends() {
    let answer = Answer {
        id: "msg_01".into(),
        model: "claude".into(),
        content: vec![
            Block::text("Look."),
            Block::new(BlockKind::Image(Media {
                source: MediaSource::File { id: "f".into() },
                title: None,
                detail: None,
            })),
            Block::new(BlockKind::ToolUse {
                id: "toolu_1".into(),
                name: "f".into(),
                input: ToolInput::Json("{\"a\":1}".into()),
                state: None,
            }),
        ],
        stop_reason: StopReason::MaxTokens,
        stop_sequence: None,
        usage: Usage { input: 3, output: 2, ..Usage::default() },
    };
    let mut report = LossReport::default();
    let body = ResponsesFront.encode_answer(&answer, &reply(), &mut report);
    let whole: Value = serde_json::from_slice(&body).unwrap();
    let (stream, ending, _) = stream_of(&reply(), &answer.into_events());
    assert_eq!(ending, Ending::Incomplete);
    assert_eq!(events_of(&stream).last().unwrap()["response"], whole);
    assert_eq!(whole["incomplete_details"], json!({"reason": "max_output_tokens"}));
    assert_eq!(whole["output"].as_array().unwrap().len(), 2);
    assert_eq!(
        whole["usage"]["input_tokens_details"],
        json!({"cached_tokens": 0, "cache_write_tokens": 0})
    );
    assert_eq!(losses(&report), [("output.1".to_owned(), LossKind::Dropped)]);
}

#[test]
fn an_answer_without_an_id_gets_that_of_the_request() {
    for id in ["", "has spaces", &"x".repeat(200)] {
        let answer = Answer {
            id: id.into(),
            model: String::new(),
            content: vec![],
            stop_reason: StopReason::EndTurn,
            stop_sequence: None,
            usage: Usage::default(),
        };
        let body = ResponsesFront.encode_answer(&answer, &reply(), &mut LossReport::default());
        let whole: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(whole["id"], "resp_req_1");
    }
}
