use systemprompt_core::llm::Effort;

use super::*;
use crate::dialect::{Capabilities, Front as _, ProviderFlags};

fn sent(dialect: Dialect, request: &ModelRequest) -> (String, Value) {
    let provider = "p".into();
    let (capabilities, flags) = (Capabilities::default(), ProviderFlags::default());
    let to =
        Target { provider: &provider, model: "up", capabilities: &capabilities, flags: &flags };
    let sent = encode(dialect, request, &to).expect("a question").unwrap();
    assert!(sent.losses.is_empty(), "{}", sent.losses);
    (sent.path, serde_json::from_slice(&sent.body).unwrap())
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn what_only_an_answer_needs_is_left_out() {
    let body = br#"{"model": "m", "max_tokens": 9, "temperature": 0.5, "top_k": 3, "stream": true,
        "stop_sequences": ["x"], "service_tier": "auto", "metadata": {"user_id": "u", "x": 1},
        "container": "c", "system": "be brief", "thinking": {"type": "adaptive"},
        "tools": [{"name": "f", "input_schema": {"type": "object"}}], "tool_choice": {"type": "auto"},
        "messages": [{"role": "user", "content": "hello"}]}"#;
    let request = read(Dialect::Anthropic, body).unwrap();
    let (path, body) = sent(Dialect::Anthropic, &request);
    assert_eq!(path, "/v1/messages/count_tokens");
    assert_eq!(keys(&body), ["messages", "model", "system", "thinking", "tool_choice", "tools"]);

    let (path, body) = sent(Dialect::Responses, &request);
    assert_eq!(path, "/v1/responses/input_tokens");
    assert_eq!(keys(&body), ["input", "instructions", "model", "tool_choice", "tools"]);

    let (path, body) = sent(Dialect::Gemini, &request);
    assert_eq!(path, "/v1beta/models/up:countTokens");
    let counted = &body["generateContentRequest"];
    assert_eq!(counted["generationConfig"].get("temperature"), None, "{counted}");
    assert_eq!(counted["systemInstruction"]["parts"][0]["text"], "be brief");
}

#[test]
fn the_questions_of_callers_need_no_length_of_an_answer() {
    let body = br#"{"model": "m", "messages": [{"role": "user", "content": "hello"}]}"#;
    assert_eq!(read(Dialect::Anthropic, body).unwrap().max_output_tokens, None);
    let body = br#"{"model": "m", "input": "hello", "reasoning": {"effort": "high"}}"#;
    let request = read(Dialect::Responses, body).unwrap();
    assert_eq!(request.reasoning.as_ref().unwrap().effort, Some(Effort::High));
    let (_, body) = sent(Dialect::Responses, &request);
    assert_eq!(body["reasoning"]["effort"], "high");
    assert_eq!(body.get("store"), None);
    let chat = crate::dialect::chat::ChatFront
        .decode_request(br#"{"model": "m", "messages": [{"role": "user", "content": "hello"}]}"#)
        .unwrap();
    assert!(keys(&sent(Dialect::Responses, &chat).1).contains(&"input"));
}

#[test]
fn a_count_is_a_number() {
    for (dialect, body) in [
        (Dialect::Anthropic, &br#"{"input_tokens": 12, "context_management": {}}"#[..]),
        (Dialect::Responses, br#"{"object": "response.input_tokens", "input_tokens": 12}"#),
        (Dialect::Gemini, br#"{"totalTokens": 12}"#),
    ] {
        assert_eq!(decode(dialect, body).unwrap(), 12);
        for bad in ["", "{}", "[]", r#"{"input_tokens": -1}"#, r#"{"input_tokens": "12"}"#] {
            let error = decode(dialect, bad.as_bytes()).unwrap_err();
            assert_eq!(error.code.as_deref(), Some("upstream_unreadable"), "{bad}");
        }
    }
    assert_eq!(decode(Dialect::Responses, &answer(Dialect::Responses, 7)).unwrap(), 7);
    assert_eq!(decode(Dialect::Anthropic, &answer(Dialect::Anthropic, 7)).unwrap(), 7);
}
