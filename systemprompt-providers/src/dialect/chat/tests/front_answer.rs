use super::*;

fn start() -> StreamEvent {
    StreamEvent::Start { id: "msg_1".into(), model: "claude".into() }
}

fn begin(index: usize, block: BlockStart) -> StreamEvent {
    StreamEvent::BlockStart { index, block }
}

fn more(index: usize, delta: Delta) -> StreamEvent {
    StreamEvent::Delta { index, delta }
}

fn close(index: usize) -> StreamEvent {
    StreamEvent::BlockStop { index }
}

fn stop(reason: StopReason) -> StreamEvent {
    StreamEvent::Stop { reason, stop_sequence: None }
}

fn call(id: &str) -> BlockStart {
    BlockStart::ToolUse { id: id.into(), name: "read".into(), text: false, state: None }
}

fn text(text: &str) -> Delta {
    Delta::Text(text.into())
}

#[test]
fn a_text_has_its_role_once_and_ends_whole() {
    let events = [
        start(),
        begin(0, BlockStart::Text),
        more(0, text("Hi")),
        close(0),
        stop(StopReason::EndTurn),
    ];
    let (chunks, losses) = written(&events, false);
    let chunk = |delta: Value, reason: Value| {
        json!({"id": "msg_1", "object": "chat.completion.chunk", "created": 1_700_000_000,
            "model": "alias",
            "choices": [{"index": 0, "delta": delta, "logprobs": null, "finish_reason": reason}]})
    };
    assert_eq!(
        chunks,
        [
            chunk(json!({"role": "assistant", "content": ""}), json!(null)),
            chunk(json!({"content": "Hi"}), json!(null)),
            chunk(json!({}), json!("stop")),
            json!("[DONE]"),
        ]
    );
    assert_eq!(losses, "");
}

#[test]
fn calls_are_numbered_and_their_arguments_come_together() {
    let events = [
        start(),
        begin(0, BlockStart::Text),
        more(0, text("ok")),
        close(0),
        begin(1, call("c1")),
        more(1, Delta::Input("{\"a\"".into())),
        more(1, Delta::Input(":1}".into())),
        close(1),
        begin(2, call("c2")),
        close(2),
        stop(StopReason::ToolUse),
    ];
    let (chunks, _) = written(&events, false);
    let begun = |index: u64, id: &str| {
        json!({"tool_calls": [{"index": index, "id": id, "type": "function",
            "function": {"name": "read", "arguments": ""}}]})
    };
    let piece = |index: u64, arguments: &str| json!({"tool_calls": [{"index": index, "function": {"arguments": arguments}}]});
    assert_eq!(
        deltas(&chunks)[2..],
        [
            begun(0, "c1"),
            piece(0, "{\"a\""),
            piece(0, ":1}"),
            begun(1, "c2"),
            // agentgateway#3002
            piece(1, "{}"),
            json!({}),
        ]
    );
}

#[test]
fn reasoning_is_text_and_its_state_comes_with_it() {
    let state = opaque(Dialect::Anthropic, "claude", "sig");
    let events = [
        start(),
        begin(0, BlockStart::Thinking),
        more(0, text("Let ")),
        more(0, text("me")),
        more(0, Delta::State(state.clone())),
        close(0),
        begin(1, BlockStart::RedactedThinking(opaque(Dialect::Anthropic, "claude", "enc"))),
        close(1),
        begin(2, BlockStart::Text),
        more(2, text("Hi")),
        close(2),
        stop(StopReason::EndTurn),
    ];
    let (chunks, losses) = written(&events, false);
    assert_eq!(
        deltas(&chunks)[1..5],
        [
            json!({"reasoning_content": "Let "}),
            json!({"reasoning_content": "me"}),
            json!({"reasoning_details": [{"type": "reasoning.text", "text": "Let me",
                "signature": "sig", "id": null, "format": "systemprompt.thinking/anthropic/claude",
                "index": 0}]}),
            json!({"reasoning_details": [{"type": "reasoning.encrypted", "data": "enc", "id": null,
                "format": "systemprompt.redacted/anthropic/claude", "index": 1}]}),
        ]
    );
    assert_eq!(losses, "");
}

#[test]
fn usage_comes_last_and_only_to_who_asked() {
    let usage = Usage {
        input: 200,
        cache_read: 700,
        cache_write_5m: 60,
        cache_write_1h: 40,
        output: 9,
        reasoning: None,
    };
    let events = [
        start(),
        StreamEvent::Usage(UsageUpdate { input: Some(200), ..UsageUpdate::default() }),
        stop(StopReason::EndTurn),
        StreamEvent::Usage(usage.into()),
    ];
    let (chunks, _) = written(&events, true);
    assert_eq!(chunks[0]["usage"], json!(null));
    assert_eq!(chunks[2]["choices"], json!([]));
    assert_eq!(
        chunks[2]["usage"],
        json!({"prompt_tokens": 1000, "completion_tokens": 9, "total_tokens": 1009,
            "prompt_tokens_details": {"cached_tokens": 700, "cache_write_tokens": 100}})
    );
    let (chunks, _) = written(&events, false);
    assert!(chunks.iter().all(|chunk| chunk.get("usage").is_none()));
    // What nobody told is not made up.
    assert_eq!(written(&[start(), stop(StopReason::EndTurn)], true).0.len(), 3);
}

// litellm PR#39748
#[test]
fn a_failure_in_the_middle_is_an_error_then_done() {
    let error = ModelError::new(ErrorKind::Overloaded, "Overloaded");
    let events = [
        start(),
        begin(0, BlockStart::Text),
        more(0, text("a")),
        more(0, text("b")),
        StreamEvent::Error(error),
        more(0, text("c")),
        stop(StopReason::EndTurn),
        StreamEvent::Ping,
    ];
    let (chunks, _) = written(&events, true);
    assert_eq!(
        chunks[3..],
        [
            json!({"error": {"message": "Overloaded", "type": "overloaded_error", "param": null,
                "code": "server_overloaded"}}),
            json!("[DONE]"),
        ]
    );
}

// litellm PR#32159
#[test]
fn an_end_is_never_made_up() {
    for events in [&[][..], &[start(), begin(0, call("c1")), more(0, Delta::Input("{".into()))]] {
        let (chunks, _) = written(events, false);
        let [.., error, done] = chunks.as_slice() else { panic!() };
        assert_eq!(error["error"]["code"], json!("upstream_cut_off"));
        assert_eq!(done, &json!("[DONE]"));
    }
}

#[test]
fn reasons_for_the_end_have_their_words() {
    let cases = [
        (StopReason::EndTurn, "stop", ""),
        (StopReason::MaxTokens, "length", ""),
        (StopReason::ContextWindow, "length", ""),
        (StopReason::Refusal, "content_filter", ""),
        (StopReason::ContentFilter, "content_filter", ""),
        (StopReason::ToolUse, "stop", ""),
        (StopReason::Pause, "stop", "stop_reason=degraded"),
        (StopReason::Other("new".into()), "stop", "stop_reason=degraded"),
    ];
    for (reason, word, lost) in cases {
        let (chunks, losses) = written(&[start(), stop(reason)], false);
        assert_eq!(chunks[1]["choices"][0]["finish_reason"], json!(word));
        assert_eq!(losses, lost);
    }
    let sequence =
        StreamEvent::Stop { reason: StopReason::StopSequence, stop_sequence: Some("END".into()) };
    let (chunks, losses) = written(&[start(), sequence], false);
    assert_eq!(chunks[1]["choices"][0]["finish_reason"], json!("stop"));
    assert_eq!(losses, "stop_sequence=hint");
}

#[test]
fn a_refusal_says_why() {
    let events = [
        start(),
        begin(0, BlockStart::Refusal),
        more(0, text("No.")),
        close(0),
        stop(StopReason::Refusal),
    ];
    let (chunks, _) = written(&events, false);
    assert_eq!(deltas(&chunks)[1], json!({"refusal": "No."}));
    assert_eq!(chunks[2]["choices"][0]["finish_reason"], json!("stop"));
}

#[test]
fn a_silent_upstream_is_kept_alive_with_comments() {
    let mut encoder = ChatFront.stream_encoder(&reply(false));
    let mut out = Vec::new();
    encoder.ping(&mut out);
    assert_eq!(out, b": keepalive\n\n");
    encoder.push(&start(), &mut out);
    encoder.push(&StreamEvent::Ping, &mut out);
    encoder.push(&stop(StopReason::EndTurn), &mut out);
    encoder.finish(&mut out);
    let whole = out.len();
    encoder.ping(&mut out);
    encoder.finish(&mut out);
    assert_eq!(out.len(), whole);
    ChatGrammar::check(&out, false).unwrap();
}

#[test]
fn what_only_another_wire_knows_is_lost_aloud() {
    let events = [
        start(),
        begin(0, BlockStart::Unknown(json!({"type": "server_tool_use"}))),
        close(0),
        begin(1, BlockStart::Unknown(json!({"annotations": [{"type": "url_citation"}]}))),
        close(1),
        stop(StopReason::EndTurn),
    ];
    let (chunks, losses) = written(&events, false);
    assert_eq!(losses, "content.0=dropped");
    assert_eq!(deltas(&chunks)[1], json!({"annotations": [{"type": "url_citation"}]}));
}

#[test]
fn an_answer_is_written_whole() {
    let answer = Answer {
        id: String::new(),
        model: "claude".into(),
        content: vec![
            thinking("Hm", Some(opaque(Dialect::Anthropic, "claude", "sig"))),
            Block::text("a"),
            Block::text("b"),
            tool_use("c1", "read", "{\"a\":1}"),
            Block::new(BlockKind::Unknown { value: json!({"type": "server_tool_use"}) }),
        ],
        stop_reason: StopReason::ToolUse,
        stop_sequence: None,
        usage: Usage { input: 5, output: 7, reasoning: Some(2), ..Usage::default() },
    };
    let mut losses = LossReport::default();
    let body = ChatFront.encode_answer(&answer, &reply(false), &mut losses);
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        body,
        json!({
            "id": "chatcmpl-own", "object": "chat.completion", "created": 1_700_000_000,
            "model": "alias",
            "choices": [{"index": 0, "logprobs": null, "finish_reason": "tool_calls", "message": {
                "role": "assistant", "content": "ab", "refusal": null, "reasoning_content": "Hm",
                "reasoning_details": [{"type": "reasoning.text", "text": "Hm", "signature": "sig",
                    "id": null, "format": "systemprompt.thinking/anthropic/claude", "index": 0}],
                "tool_calls": [{"id": "c1", "type": "function",
                    "function": {"name": "read", "arguments": "{\"a\":1}"}}],
            }}],
            "usage": {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12,
                "prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 2}},
        })
    );
    assert_eq!(losses.to_string(), "content.4=dropped");
}

#[test]
fn an_upstreams_429_is_one_for_the_caller() {
    let error = ChatUpstream
        .decode_error(429, br#"{"error":{"message":"slow down","type":"rate_limit_error"}}"#);
    let (status, body) = ChatFront.encode_error(&error, "req_1");
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(status, 429);
    assert_eq!(
        body,
        json!({"error": {"message": "slow down", "type": "rate_limit_error", "param": null,
            "code": "rate_limit_exceeded"}})
    );
}
