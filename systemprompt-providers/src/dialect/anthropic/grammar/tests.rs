use serde_json::json;

use super::*;

fn start() -> Value {
    json!({"type": "message_start", "message": {"id": "a", "type": "message", "role": "assistant", "model": "m",
        "content": [], "stop_reason": null, "usage": {"input_tokens": 1, "output_tokens": 1}}})
}

fn begin(index: u64, kind: &str) -> Value {
    let block = json!({"type": kind, "text": "", "thinking": "", "id": "a", "name": "f", "input": {}, "data": ""});
    json!({"type": "content_block_start", "index": index, "content_block": block})
}

fn delta(index: u64, kind: &str, member: &str, value: &str) -> Value {
    json!({"type": "content_block_delta", "index": index, "delta": {"type": kind, member: value}})
}

fn end(index: u64) -> Value {
    json!({"type": "content_block_stop", "index": index})
}

fn reason(word: &str) -> Value {
    json!({"type": "message_delta", "delta": {"stop_reason": word}, "usage": {"output_tokens": 1}})
}

fn stop() -> Value {
    json!({"type": "message_stop"})
}

fn stream(events: &[Value]) -> String {
    let frame =
        |data: &Value| format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap());
    events.iter().map(frame).collect()
}

fn rule(events: &[Value]) -> String {
    check(stream(events).as_bytes()).unwrap_err().to_string()
}

#[test]
fn a_stream_that_keeps_every_rule() {
    let events = [
        start(),
        begin(0, "thinking"),
        delta(0, "thinking_delta", "thinking", "hm"),
        delta(0, "signature_delta", "signature", "s"),
        end(0),
        json!({"type": "ping"}),
        begin(1, "text"),
        delta(1, "text_delta", "text", "x"),
        end(1),
        begin(2, "tool_use"),
        delta(2, "input_json_delta", "partial_json", "{\"a\""),
        delta(2, "input_json_delta", "partial_json", ":1}"),
        end(2),
        reason("tool_use"),
        stop(),
    ];
    assert_eq!(check(stream(&events).as_bytes()), Ok(End::Whole));
    // Wherever it is cut into pieces, and wherever it ends too soon.
    let bytes = stream(&events).into_bytes();
    let mut checker = Checker::new();
    for byte in &bytes {
        checker.push(std::slice::from_ref(byte)).unwrap();
    }
    assert_eq!(checker.finish(), Ok(End::Whole));
    for kept in 0..events.len() {
        assert!(check(stream(&events[..kept]).as_bytes()).is_err(), "{kept}");
    }
    // An error may come instead of any event.
    let error = json!({"type": "error", "error": {"type": "api_error", "message": "m"}});
    for kept in 0..events.len() - 1 {
        let mut cut = events[..kept].to_vec();
        cut.push(error.clone());
        assert_eq!(check(stream(&cut).as_bytes()), Ok(End::Failed), "{kept}");
        cut.push(stop());
        assert!(rule(&cut).ends_with("comes after the end"));
    }
}

#[test]
fn every_rule_can_be_broken() {
    let text = [begin(0, "text"), delta(0, "text_delta", "text", "x"), end(0)];
    let with = |middle: &[Value]| [&[start()][..], middle, &[reason("end_turn"), stop()]].concat();
    for (events, expected) in [
        (vec![], "event 0: there is no `message_start`"),
        (vec![stop()], "event 0: `message_stop` comes before `message_start`"),
        (with(&[start()]), "event 1: there is a second `message_start`"),
        (with(&[begin(1, "text")]), "event 1: the index is 1, not 0"),
        (
            with(&[begin(0, "text"), begin(1, "text")]),
            "event 2: a block begins while another one is open",
        ),
        (with(&[begin(0, "image")]), "event 1: there is no block of type `image`"),
        (with(&[delta(0, "text_delta", "text", "x")]), "event 1: block 0 is not open"),
        (
            with(&[begin(0, "text"), delta(1, "text_delta", "text", "x")]),
            "event 2: block 1 is not open",
        ),
        (
            with(&[begin(0, "text"), delta(0, "thinking_delta", "thinking", "x")]),
            "event 2: a block of type `text` has no `thinking_delta`",
        ),
        (
            with(&[begin(0, "text"), delta(0, "text_delta", "text_", "x")]),
            "event 2: `text` is no string",
        ),
        (
            with(&[begin(0, "redacted_thinking"), delta(0, "text_delta", "text", "x")]),
            "event 2: a block of type `redacted_thinking` has no `text_delta`",
        ),
        (
            with(&[
                begin(0, "thinking"),
                delta(0, "signature_delta", "signature", "s"),
                delta(0, "thinking_delta", "thinking", "x"),
            ]),
            "event 3: `thinking_delta` comes after the signature",
        ),
        (with(&[end(0)]), "event 1: block 0 is not open"),
        (with(&[begin(0, "text")]), "event 2: `message_delta` comes while a block is open"),
        (
            with(&[
                begin(0, "tool_use"),
                delta(0, "input_json_delta", "partial_json", "[1]"),
                end(0),
            ]),
            "event 4: the input of a call is no JSON object",
        ),
        (
            [&[start()][..], &text, &[stop()]].concat(),
            "event 4: `message_stop` comes without `message_delta`",
        ),
        (
            [&[start()][..], &text, &[reason("stop"), stop()]].concat(),
            "event 4: there is no reason to stop called `stop`",
        ),
        (
            [&[start()][..], &[reason("end_turn")], &text].concat(),
            "event 2: `content_block_start` comes after `message_delta`",
        ),
        (vec![start(), reason("end_turn")], "event 2: there is no `message_stop`"),
        (
            with(&[json!({"type": "response.created"})]),
            "event 1: `response.created` is no event of this wire",
        ),
    ] {
        assert_eq!(rule(&events), expected);
    }
}

#[test]
fn input_may_be_cut_off_by_the_length() {
    let events = [
        start(),
        begin(0, "tool_use"),
        delta(0, "input_json_delta", "partial_json", "{\"a\":"),
        end(0),
        reason("max_tokens"),
        stop(),
    ];
    assert_eq!(check(stream(&events).as_bytes()), Ok(End::Whole));
}

#[test]
fn names_must_be_there_and_be_those_of_the_data() {
    let data = start().to_string();
    let said = |stream: String| check(stream.as_bytes()).unwrap_err().rule;
    assert_eq!(said(format!("data: {data}\n\n")), "it has no name");
    assert!(
        said(format!("event: ping\ndata: {data}\n\n")).contains("its data says `message_start`")
    );
    assert_eq!(said("event: ping\n\n".to_owned()), "it has no data");
    assert_eq!(said("event: ping\ndata: [DONE]\n\n".to_owned()), "its data is no JSON object");
    // A violation stays.
    let mut checker = Checker::new();
    assert!(checker.push(b"data: x\n\n").is_err());
    assert!(checker.push(b": comment\n\n").is_err());
    assert!(checker.finish().is_err());
}

#[test]
fn the_head_must_be_whole() {
    for (member, value) in [
        ("id", json!("")),
        ("model", json!(null)),
        ("role", json!("user")),
        ("content", json!([1])),
        ("stop_reason", json!("end_turn")),
        ("usage", json!({"input_tokens": 1})),
    ] {
        let mut head = start();
        head["message"][member] = value;
        assert!(check(stream(&[head]).as_bytes()).is_err(), "{member}");
    }
}
