use proptest::prelude::*;
use serde_json::json;

use super::round_trip::Choices;
use super::*;

/// Puts `with` in the place of the value that `at` chooses.
fn replace(value: &mut Value, at: &mut usize, with: &Value) -> bool {
    if *at == 0 {
        *value = with.clone();
        return true;
    }
    *at -= 1;
    match value {
        Value::Array(items) => items.iter_mut().any(|item| replace(item, at, with)),
        Value::Object(members) => members.values_mut().any(|item| replace(item, at, with)),
        _ => false,
    }
}

fn odd(at: usize) -> Value {
    [
        json!(null),
        json!(-1),
        json!(1e300),
        json!("x"),
        json!([]),
        json!({}),
        json!([[[[{"type": "tool_use"}]]]]),
        json!({"type": "text", "text": "t"}),
        json!(true),
        json!(u64::MAX),
    ][at % 10]
        .clone()
}

proptest! {
    #[test]
    fn odd_requests_are_refused_or_sent_and_never_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..120),
        changes in proptest::collection::vec((0_usize..120, 0_usize..10), 1..4),
    ) {
        let mut body = Choices::new(&bytes).request();
        for (mut at, with) in changes {
            replace(&mut body, &mut at, &odd(with));
        }
        if let Ok(request) = decode(&body) {
            let _ = Given::model("claude-opus-5-5").try_send(&request);
            let _ = Given::opus_5_5().try_send(&ModelRequest { dialect: Dialect::Responses, ..request.clone() });
            let _ = Given::model("kimi-k3").try_send(&ModelRequest { dialect: Dialect::Gemini, ..request });
        }
    }

    #[test]
    fn any_bytes_can_be_read(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = AnthropicFront.decode_request(&bytes);
        let _ = AnthropicUpstream.decode_answer(&bytes, &source());
        AnthropicUpstream.decode_error(500, &bytes);
        let _ = grammar::check(&bytes);
        read_in(&[&bytes], &source());
    }

    #[test]
    fn odd_frames_never_panic_and_what_is_written_keeps_the_rules(
        changes in proptest::collection::vec((0_usize..9, 0_usize..14, 0_usize..10), 1..4),
    ) {
        let mut frames_in: Vec<Value> = data(include_str!("golden/stream_tools.sse")).into_iter().map(|(_, data)| data).collect();
        for (frame, mut at, with) in changes {
            let count = frames_in.len();
            replace(&mut frames_in[frame * 3 % count], &mut at, &odd(with));
        }
        let stream: String = frames_in.iter().map(|data| format!("data: {data}\n\n")).collect();
        let events = read(&stream);
        let end = events.iter().filter(|event| matches!(event, StreamEvent::Stop { .. } | StreamEvent::Error(_))).count();
        prop_assert_eq!(end, 1);
        let mut encoder = AnthropicFront.stream_encoder(&reply());
        let mut out = Vec::new();
        for event in &events {
            encoder.push(event, &mut out);
        }
        encoder.finish(&mut out);
        match grammar::check(&out) {
            Ok(_) => {}
            // Names are the provider's own.
            Err(violation) => prop_assert_eq!(violation.rule, "`content_block.name` is empty"),
        }
    }
}

#[test]
fn deep_nesting_is_refused_and_not_run_into() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for body in [
        format!(r#"{{"model":"m","max_tokens":1,"messages":[],"x":{deep}}}"#),
        format!(
            r#"{{"model":"m","max_tokens":1,"messages":[{{"role":"user","content":[{{"type":"x","y":{deep}}}]}}]}}"#
        ),
        format!(
            r#"{{"model":"m","max_tokens":1,"messages":[],"tools":[{{"name":"f","input_schema":{{"a":{deep}}}}}]}}"#
        ),
        format!(
            r#"{{"model":"m","max_tokens":1,"messages":[{{"role":"assistant","content":[{{"type":"tool_use","id":"a","name":"b","input":{{"a":{deep}}}}}]}}]}}"#
        ),
    ] {
        let error = AnthropicFront.decode_request(body.as_bytes()).unwrap_err();
        assert!(error.field.is_some(), "{}", error.message);
    }
    let result = r#"{"type":"tool_result","tool_use_id":"a","content":["#;
    let nested = format!("{}{}", result.repeat(5000), "]}".repeat(5000));
    let body = format!(
        r#"{{"model":"m","max_tokens":1,"messages":[{{"role":"user","content":[{nested}]}}]}}"#
    );
    let error = AnthropicFront.decode_request(body.as_bytes()).unwrap_err();
    assert_eq!(error.field.as_deref(), Some("messages.0.content.0.content.0.type"));
    let stream = format!(
        "data: {{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{{\"type\":\"x\",\"y\":{deep}}}}}\n\n"
    );
    assert!(collected(&read(&stream)).is_err());
}

#[test]
fn many_calls_of_one_id_are_read_and_sent() {
    let calls: Vec<Value> = (0..20_000)
        .map(|_| json!({"type": "tool_use", "id": "same", "name": "f", "input": {}}))
        .collect();
    let results: Vec<Value> =
        (0..20_000).map(|_| json!({"type": "tool_result", "tool_use_id": "same"})).collect();
    let body = json!({"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "a"},
        {"role": "assistant", "content": calls}, {"role": "user", "content": results}]});
    let mut unanswered = body.clone();
    unanswered["messages"].as_array_mut().unwrap().pop();
    for body in [body, unanswered] {
        let sent = Given::model("claude-opus-5-5").send(&decode(&body).unwrap());
        super::round_trip::check_sent(&sent.body).unwrap();
    }
}

#[test]
fn input_that_is_held_back_has_a_bound() {
    let names = [("p__text".to_owned(), "p".to_owned())].into();
    let source = Source { tool_names: Arc::new(names), ..source() };
    let piece = "x".repeat(1 << 19);
    let mut parts = vec![json!({"type": "content_block_start", "index": 0,
        "content_block": {"type": "tool_use", "id": "a", "name": "p__text", "input": {}}})];
    parts.extend((0..20).map(|_| {
        json!({"type": "content_block_delta", "index": 0,
        "delta": {"type": "input_json_delta", "partial_json": piece}})
    }));
    let error = collected(&read_in(&[frames(&parts).as_bytes()], &source)).unwrap_err();
    assert_eq!(error.code.as_deref(), Some("upstream_too_long"));
}
