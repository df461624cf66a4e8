//! Two turns of a conversation: what an answer carries comes back in the next request.

use systemprompt_core::llm::{
    Block, BlockKind, Message, OpaqueState, Origin, Role, StopReason, ToolInput, Usage,
};

use super::*;

fn state(dialect: Dialect, data: &str) -> OpaqueState {
    let origin = Origin { dialect, provider: Some("house".into()) };
    OpaqueState { origin, id: None, data: data.to_owned() }
}

fn answer(kinds: Vec<BlockKind>) -> Answer {
    Answer {
        id: "resp_1".into(),
        model: "m".into(),
        content: kinds.into_iter().map(Block::new).collect(),
        stop_reason: StopReason::ToolUse,
        stop_sequence: None,
        usage: Usage::default(),
    }
}

/// The blocks that come back when a client sends the items of `answer` with its next request.
fn comes_back(answer: Answer) -> Vec<BlockKind> {
    let body = ResponsesFront.encode_answer(&answer, &reply(), &mut LossReport::default());
    let whole: Value = serde_json::from_slice(&body).unwrap();
    let (stream, _, _) = stream_of(&reply(), &answer.into_events());
    let streamed = &events_of(&stream).pop().unwrap()["response"];
    let blocks = [&whole, streamed].map(|response| {
        let request = decode(&json!({"model": "m", "input": response["output"]}));
        let blocks = request.messages.into_iter().flat_map(|message| message.content);
        blocks.map(|block| block.kind).collect::<Vec<_>>()
    });
    assert_eq!(blocks[0], blocks[1]);
    blocks.into_iter().next().unwrap()
}

/// Scenario 39: signatures of Gemini stand at calls, those of Anthropic at thoughts.
#[test]
fn state_of_other_providers_comes_back_where_it_was() {
    let call = |id: &str, state| BlockKind::ToolUse {
        id: id.into(),
        name: "f".into(),
        input: ToolInput::Json("{\"a\":1}".into()),
        state,
    };
    let kinds = vec![
        BlockKind::Thinking { text: "Hm.".into(), state: Some(state(Dialect::Anthropic, "sig=")) },
        BlockKind::RedactedThinking(state(Dialect::Anthropic, "redacted")),
        BlockKind::Text { text: "Let me see.".into() },
        call("c1", Some(state(Dialect::Gemini, "CiQB"))),
        call("c2", None),
    ];
    assert_eq!(comes_back(answer(kinds.clone())), kinds);
}

#[test]
fn state_whose_call_was_left_out_stays_where_it_is() {
    let kinds = vec![BlockKind::ToolUse {
        id: "c1".into(),
        name: "f".into(),
        input: ToolInput::Json("{}".into()),
        state: Some(state(Dialect::Gemini, "CiQB")),
    }];
    let body = ResponsesFront.encode_answer(&answer(kinds), &reply(), &mut LossReport::default());
    let whole: Value = serde_json::from_slice(&body).unwrap();
    let request = decode(&json!({"model": "m", "input": [whole["output"][0]]}));
    let expected =
        BlockKind::Thinking { text: String::new(), state: Some(state(Dialect::Gemini, "CiQB")) };
    assert_eq!(request.messages[0].content[0].kind, expected);
}

/// The `encrypted_content` of OpenAI comes back as it is, but for the provider, which the caller's history does not
/// tell.
#[test]
fn native_state_comes_back_as_it_is() {
    let mut own = state(Dialect::Responses, "gAAAA+/==");
    own.id = Some("rs_abc".into());
    let kinds = vec![BlockKind::Thinking { text: String::new(), state: Some(own.clone()) }];
    own.origin.provider = None;
    let expected = vec![BlockKind::Thinking { text: String::new(), state: Some(own) }];
    assert_eq!(comes_back(answer(kinds)), expected);
}

/// Another dialect calls reasoning without words so.
#[test]
fn native_state_that_is_called_redacted_is_reasoning() {
    let mut own = state(Dialect::Responses, "gAAAA");
    own.id = Some("rs_abc".into());
    own.origin.provider = Some("openai".into());
    let redacted = BlockKind::RedactedThinking(own.clone());
    let content = vec![Block::new(redacted.clone()), Block::text("One.")];
    let request = ModelRequest {
        messages: vec![Message { role: Role::Assistant, content }],
        ..ModelRequest::new(Dialect::Anthropic, "m")
    };
    let (body, _) = sent(&request);
    let expected =
        json!({"type": "reasoning", "id": "rs_abc", "summary": [], "encrypted_content": "gAAAA"});
    assert_eq!(body["input"][0], expected);
    own.origin.provider = None;
    let expected = vec![BlockKind::Thinking { text: String::new(), state: Some(own) }];
    assert_eq!(comes_back(answer(vec![redacted])), expected);
}

#[test]
fn a_request_in_our_own_words_is_sent_as_it_came() {
    let input = json!([
        {"type": "message", "role": "user", "content": [
            {"type": "input_text", "text": "See.", "prompt_cache_breakpoint": {"mode": "explicit"}},
            {"type": "input_image", "image_url": "https://example.com/a.png", "detail": "low"},
            {"type": "input_file", "file_id": "file_1"},
            {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
        ]},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{ \"a\" : 1 }"},
        {"type": "function_call_output", "call_id": "c1", "output": "1"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "One.", "annotations": []}]},
        {"type": "message", "role": "system", "content": [{"type": "input_text", "text": "Go on."}]},
    ]);
    let body = json!({
        "model": "gpt-6", "instructions": "Be brief.", "input": input, "stream": true,
        "max_output_tokens": 100, "temperature": 0.5, "top_p": 0.5, "parallel_tool_calls": true,
        "tools": [
            {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object", "properties": {}}},
            {"type": "custom", "name": "sql"},
            {"type": "mcp", "server_label": "x", "server_url": "https://example.com"}
        ],
        "tool_choice": {"type": "mcp", "server_label": "x"},
        "reasoning": {"effort": "minimal", "summary": "detailed"},
        "text": {"format": {"type": "json_object"}, "verbosity": "high"},
        "service_tier": "priority", "store": false, "include": ["reasoning.encrypted_content"],
        "metadata": {}, "prompt_cache_key": "k"
    });
    let request = decode(&body);
    let takes = Capabilities { cache_breakpoints: true, ..Capabilities::default() };
    let sent = encode_for(&request, &takes);
    assert_eq!(serde_json::from_slice::<Value>(&sent.body).unwrap(), body);
    assert!(sent.losses.is_empty(), "{}", sent.losses);
    assert_eq!(sent.path, "/v1/responses");
    // And once more the same.
    let again = ResponsesFront.decode_request(&sent.body).unwrap();
    assert_eq!(again, request);
}

#[test]
fn what_claude_said_goes_to_openai_without_its_signatures() {
    let request = ModelRequest {
        messages: vec![Message {
            role: Role::Assistant,
            content: vec![
                Block::new(BlockKind::RedactedThinking(state(Dialect::Anthropic, "x"))),
                Block::text("One."),
            ],
        }],
        ..ModelRequest::new(Dialect::Anthropic, "m")
    };
    let (body, losses) = sent(&request);
    assert_eq!(body["input"].as_array().unwrap().len(), 1);
    assert_eq!(losses[0], ("messages.0.content.0".to_owned(), LossKind::Dropped));
    // OpenAI begins an answer of its own after the one that was begun.
    assert_eq!(losses[1], ("messages.0".to_owned(), LossKind::Degraded));
}
