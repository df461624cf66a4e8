use serde_json::json;
use systemprompt_core::llm::{ErrorKind, StopReason, Usage};

use super::*;

fn try_read(body: &Value) -> Result<Answer, ModelError> {
    GeminiUpstream.decode_answer(body.to_string().as_bytes(), &source())
}

fn read(body: &Value) -> Answer {
    try_read(body).unwrap()
}

fn candidate(parts: Value, reason: &str) -> Value {
    json!({"candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": reason}]})
}

#[test]
fn a_whole_answer_is_read() {
    let answer = read(&json!({
        "candidates": [{
            "content": {"role": "model", "parts": [
                {"text": "Thinking it over", "thought": true},
                {"text": "Hello, "},
                {"text": "world", "thoughtSignature": "c2ln"},
                {"functionCall": {"id": "fc1", "name": "f", "args": {"a": [1, 2.50]}}, "thoughtSignature": "Y2FsbA=="},
            ]},
            "finishReason": "STOP",
            "index": 0,
            "safetyRatings": [],
        }],
        "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 1, "thoughtsTokenCount": 7,
            "totalTokenCount": 18},
        "modelVersion": "gemini-3-pro",
        "responseId": "r1",
    }));
    assert_eq!((answer.id.as_str(), answer.model.as_str()), ("r1", "gemini-3-pro"));
    assert_eq!(answer.stop_reason, StopReason::ToolUse);
    let usage = Usage { input: 10, output: 8, reasoning: Some(7), ..Usage::default() };
    assert_eq!(answer.usage, usage);
    let kinds: Vec<BlockKind> = answer.content.iter().map(|block| block.kind.clone()).collect();
    assert_eq!(
        kinds,
        [
            BlockKind::Thinking { text: "Thinking it over".into(), state: None },
            BlockKind::Text { text: "Hello, world".into() },
            BlockKind::Thinking { text: String::new(), state: Some(ours("c2ln")) },
            BlockKind::ToolUse {
                id: "fc1".into(),
                name: "f".into(),
                input: ToolInput::Json(json!({"a": [1, 2.50]}).to_string()),
                state: Some(ours("Y2FsbA==")),
            },
        ]
    );
    let made = origin(&Arc::from("google"));
    assert!(answer.content.iter().all(|block| block.origin.as_ref() == Some(&made)));
}

#[test]
fn arguments_keep_their_bytes() {
    let body = br#"{"candidates": [{"content": {"parts": [{"functionCall": {"name": "f",
        "args": {"big": 12345678901234567890123, "f": 1.0} }}]}, "finishReason": "STOP"}]}"#;
    let answer = GeminiUpstream.decode_answer(body, &source()).unwrap();
    let BlockKind::ToolUse { input, .. } = &answer.content[0].kind else { panic!("no call") };
    assert_eq!(input.as_str(), r#"{"big": 12345678901234567890123, "f": 1.0}"#);
}

#[test]
fn calls_without_ids_get_ids_of_their_own() {
    let call = json!({"functionCall": {"name": "f", "args": {}}});
    let mut body =
        candidate(json!([call, call, {"functionCall": {"id": "", "name": "g"}}]), "STOP");
    let ids = |body: &Value| -> Vec<String> {
        let ids = read(body).content.into_iter().map(|block| match block.kind {
            BlockKind::ToolUse { id, .. } => id,
            other => panic!("no call: {other:?}"),
        });
        ids.collect()
    };
    let first = ids(&body);
    assert_eq!(first, ids(&body), "the same answer has the same ids");
    assert!(first.iter().all(|id| id.starts_with("call_") && id.len() == 21));
    assert!(first[0] != first[1] && first[1] != first[2]);
    body["responseId"] = json!("another");
    assert_ne!(first[0], ids(&body)[0], "another answer has other ids");
}

#[test]
fn ends_are_told_apart() {
    let text = json!([{"text": "x"}]);
    for (reason, expected) in [
        ("STOP", StopReason::EndTurn),
        ("MAX_TOKENS", StopReason::MaxTokens),
        ("SAFETY", StopReason::ContentFilter),
        ("PROHIBITED_CONTENT", StopReason::ContentFilter),
        ("OTHER", StopReason::Other("OTHER".into())),
    ] {
        assert_eq!(read(&candidate(text.clone(), reason)).stop_reason, expected);
    }
    let cut = candidate(json!([{"functionCall": {"name": "f"}}]), "MAX_TOKENS");
    assert_eq!(read(&cut).stop_reason, StopReason::MaxTokens);
}

#[test]
fn a_malformed_call_is_an_error_and_no_answer() {
    let mut body = candidate(json!([]), "MALFORMED_FUNCTION_CALL");
    body["candidates"][0]["finishMessage"] = json!("Malformed function call: print(f(");
    let error = try_read(&body).unwrap_err();
    assert_eq!(error.kind, ErrorKind::BadGateway);
    assert_eq!(error.code.as_deref(), Some("malformed_function_call"));
    assert!(error.message.contains("print(f("));
}

#[test]
fn a_blocked_prompt_is_a_refusal() {
    let answer = read(&json!({
        "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
        "usageMetadata": {"promptTokenCount": 9},
    }));
    assert_eq!(answer.stop_reason, StopReason::Refusal);
    assert_eq!((answer.usage.input, answer.usage.output), (9, 0));
    let BlockKind::Refusal { text } = &answer.content[0].kind else { panic!("no refusal") };
    assert!(text.contains("PROHIBITED_CONTENT"));
}

#[test]
fn an_error_in_place_of_an_answer_is_an_error() {
    let error = json!({"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}});
    for body in [error.clone(), json!([error])] {
        let error = try_read(&body).unwrap_err();
        assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Overloaded, "overloaded"));
    }
}

#[test]
fn what_is_no_answer_is_an_error() {
    for body in [
        "",
        "{}",
        "[]",
        "null",
        "7",
        "{\"candidates\": 1}",
        "<html>",
        "{\"candidates\": [{}]}",
        r#"{"candidates": [{"finishReason": "FINISH_REASON_UNSPECIFIED"}]}"#,
    ] {
        let error = GeminiUpstream.decode_answer(body.as_bytes(), &source()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::BadGateway, "{body}");
    }
    let deep = format!("{{\"candidates\": {}", "[".repeat(100_000));
    assert!(GeminiUpstream.decode_answer(deep.as_bytes(), &source()).is_err());
}

#[test]
fn parts_that_are_not_known_are_kept() {
    let code = json!({"executableCode": {"code": "1"}, "thoughtSignature": "c2ln"});
    let answer = read(&candidate(json!([code, {}, {"text": ""}]), "STOP"));
    assert_eq!(answer.content.len(), 1);
    assert_eq!(answer.content[0].kind, BlockKind::Unknown { value: code });
}
