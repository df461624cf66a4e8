use super::*;

fn answer(message: Value, reason: Value) -> Result<Answer, ModelError> {
    let body = json!({"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "up",
        "choices": [{"index": 0, "message": message, "finish_reason": reason}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13}});
    ChatUpstream.decode_answer(body.to_string().as_bytes(), &source())
}

fn kinds(answer: &Answer) -> Vec<BlockKind> {
    answer.content.iter().map(|block| block.kind.clone()).collect()
}

// api7/aisix#170
#[test]
fn calls_are_blocks_and_the_reason_follows_them() {
    let call = |id: &str, arguments: Value| json!({"id": id, "type": "function", "function": {"name": "read", "arguments": arguments}});
    let calls =
        [call("c1", json!("{\"a\":1}")), call("c2", json!("")), call("c3", json!({"b": 2}))];
    let message = json!({"role": "assistant", "content": null, "tool_calls": calls});
    for reason in ["tool_calls", "stop"] {
        let answer = answer(message.clone(), json!(reason)).unwrap();
        assert_eq!(answer.stop_reason, StopReason::ToolUse);
        assert_eq!(
            kinds(&answer),
            [
                tool_use("c1", "read", "{\"a\":1}").kind,
                tool_use("c2", "read", "{}").kind,
                tool_use("c3", "read", "{\"b\":2}").kind,
            ]
        );
        assert_eq!((answer.usage.input, answer.usage.output), (10, 3));
        let origin = answer.content[0].origin.as_ref().unwrap();
        assert_eq!((origin.dialect, origin.provider.as_deref()), (Dialect::Chat, Some("kimi")));
    }
}

// claude-code-router#1378
#[test]
fn reasoning_says_how_it_goes_back() {
    let cases = [
        (json!({"content": "Hi", "reasoning_content": "Hm"}), "reasoning_content"),
        (json!({"content": "Hi", "reasoning": "Hm"}), "reasoning"),
        (json!({"content": "<think>\nHm\n</think>\n\nHi"}), "<think>"),
        (
            json!({"content": "Hi", "reasoning_details": [{"type": "reasoning.text", "text": "Hm"}]}),
            "[{\"text\":\"Hm\",\"type\":\"reasoning.text\"}]",
        ),
    ];
    for (message, way) in cases {
        let answer = answer(message, json!("stop")).unwrap();
        let state = Some(opaque(Dialect::Chat, "kimi", way));
        assert_eq!(
            kinds(&answer),
            [thinking("Hm", state).kind, BlockKind::Text { text: "Hi".into() }]
        );
    }
}

#[test]
fn refusals_and_filters_are_told_apart() {
    let refused = answer(json!({"content": null, "refusal": "No."}), json!("stop")).unwrap();
    assert_eq!(kinds(&refused), [BlockKind::Refusal { text: "No.".into() }]);
    assert_eq!(refused.stop_reason, StopReason::Refusal);
    let filtered = answer(json!({"content": ""}), json!("content_filter")).unwrap();
    assert_eq!((kinds(&filtered), filtered.stop_reason), (vec![], StopReason::ContentFilter));
}

#[test]
fn the_older_form_of_a_call_is_a_call() {
    let message =
        json!({"content": null, "function_call": {"name": "f", "arguments": "{\"a\":1}"}});
    let answer = answer(message, json!("function_call")).unwrap();
    assert_eq!(answer.stop_reason, StopReason::ToolUse);
    let BlockKind::ToolUse { id, name, .. } = &answer.content[0].kind else { panic!() };
    assert!(id.starts_with("call_") && name == "f");
}

#[test]
fn the_thought_signature_of_geminis_chat_endpoint_goes_back_with_its_call() {
    let extra = json!({"google": {"thought_signature": "c2ln"}});
    let call = json!({"id": "c1", "type": "function", "extra_content": extra,
        "function": {"name": "f", "arguments": "{}"}});
    let answer =
        answer(json!({"content": null, "tool_calls": [call]}), json!("tool_calls")).unwrap();
    let mut request = ModelRequest::new(Dialect::Anthropic, "m");
    request.messages = vec![
        message(Role::User, vec![Block::text("go")]),
        message(Role::Assistant, answer.content),
        message(Role::User, vec![result("c1", vec![Block::text("ok")], false)]),
    ];
    let (body, losses) = sent(&request);
    assert_eq!(body["messages"][1]["tool_calls"][0]["extra_content"], extra);
    assert_eq!(losses, [""; 0]);
}

#[test]
fn what_is_no_answer_is_an_error() {
    let decode = |body: &str| ChatUpstream.decode_answer(body.as_bytes(), &source()).unwrap_err();
    for body in ["", "<html>", "[]", "{}", "{\"choices\":[]}", "{\"choices\":null}", "null"] {
        assert_eq!(decode(body).kind, ErrorKind::BadGateway, "{body}");
    }
    let error = decode(r#"{"error":{"message":"slow down","code":429}}"#);
    assert_eq!((error.kind, error.message.as_str()), (ErrorKind::RateLimit, "slow down"));
}

#[test]
fn an_answer_says_the_same_as_its_stream() {
    let message = json!({"reasoning_content": "Hm", "content": "Hi",
        "tool_calls": [{"index": 0, "id": "c1", "function": {"name": "f", "arguments": "{\"a\":1}"}}]});
    let mut whole = answer(message.clone(), json!("tool_calls")).unwrap();
    let streamed = collect(&stream(&[message], "tool_calls")).unwrap();
    whole.content.iter_mut().for_each(|block| block.origin = None);
    assert_eq!((whole.content, whole.stop_reason), (streamed.content, streamed.stop_reason));
}
