//! Thought signatures: back to where they came from, and to nobody else.

use serde_json::json;

use super::*;

fn thinking(text: &str, state: Option<OpaqueState>) -> Block {
    Block::new(BlockKind::Thinking { text: text.into(), state })
}

fn signed(block: Block, new: OpaqueState) -> Block {
    let BlockKind::ToolUse { id, name, input, .. } = block.kind else { panic!("no call") };
    Block::new(BlockKind::ToolUse { id, name, input, state: Some(new) })
}

/// A step of the model with `content`, whose calls `a` and `b` are answered.
fn step(content: Vec<Block>) -> ModelRequest {
    let mut request = asked("go");
    let ids: Vec<String> = content
        .iter()
        .filter_map(|block| match &block.kind {
            BlockKind::ToolUse { id, .. } => Some(id.clone()),
            _ => None,
        })
        .collect();
    request.messages.push(said(Role::Assistant, content));
    let results = ids.iter().map(|id| result(id, vec![Block::text("ok")])).collect();
    request.messages.push(said(Role::User, results));
    request
}

fn model_parts(sent: &Sent) -> Vec<Value> {
    sent.body["contents"][1]["parts"].as_array().unwrap().clone()
}

#[test]
fn of_parallel_calls_the_first_has_the_signature_and_keeps_it() {
    let calls = vec![signed(call("a", "f", "{}"), ours("c2ln")), call("b", "g", "{}")];
    let sent = send(&step(calls));
    assert_eq!(
        model_parts(&sent),
        [
            json!({"functionCall": {"id": "a", "name": "f", "args": {}}, "thoughtSignature": "c2ln"}),
            json!({"functionCall": {"id": "b", "name": "g", "args": {}}}),
        ]
    );
    assert!(sent.losses.is_empty());
}

#[test]
fn a_history_of_another_model_gets_the_filler_on_the_first_call_alone() {
    let foreign = state(Dialect::Anthropic, "anthropic", "EqQB");
    let mut thought = thinking("hm", Some(foreign.clone()));
    thought.origin = Some(foreign.origin);
    let sent = send(&step(vec![thought, call("a", "f", "{}"), call("b", "g", "{}")]));
    let parts = model_parts(&sent);
    assert_eq!(parts.len(), 2, "{parts:?}");
    assert_eq!(parts[0]["thoughtSignature"], SIGNATURE_FILLER);
    assert_eq!(parts[1].get("thoughtSignature"), None);
    assert!(sent.lost("messages.1.content.0", LossKind::Dropped));
    assert!(!sent.text.contains("EqQB"));
}

#[test]
fn signatures_of_another_gemini_are_not_sent() {
    let other = state(Dialect::Gemini, "vertex", "b3RoZXI=");
    let sent = send(&step(vec![signed(call("a", "f", "{}"), other)]));
    assert_eq!(model_parts(&sent)[0]["thoughtSignature"], SIGNATURE_FILLER);
    assert!(sent.lost("messages.1.content.0.signature", LossKind::Dropped));
    let mut unknown = ours("eA==");
    unknown.origin.provider = None;
    let sent = send(&step(vec![signed(call("a", "f", "{}"), unknown)]));
    assert_eq!(model_parts(&sent)[0]["thoughtSignature"], SIGNATURE_FILLER);
}

#[test]
fn every_step_of_the_current_turn_is_signed_and_none_before_it() {
    let mut request = step(vec![call("a", "f", "{}")]);
    request.messages.push(said(Role::Assistant, vec![Block::text("done")]));
    request.messages.push(said(Role::User, vec![Block::text("again")]));
    for id in ["b", "c"] {
        request.messages.push(said(Role::Assistant, vec![call(id, "f", "{}")]));
        request.messages.push(said(Role::User, vec![result(id, vec![Block::text("ok")])]));
    }
    let sent = send(&request);
    let signatures: Vec<Option<&str>> = sent.body["contents"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|content| content["parts"].as_array().unwrap())
        .filter(|part| part.get("functionCall").is_some())
        .map(|part| part.get("thoughtSignature").and_then(Value::as_str))
        .collect();
    assert_eq!(signatures, [None, Some(SIGNATURE_FILLER), Some(SIGNATURE_FILLER)]);
}

#[test]
fn a_model_that_does_not_think_gets_no_filler() {
    let can = Capabilities { thinks: false, ..Capabilities::default() };
    let request = step(vec![call("a", "f", "{}")]);
    let sent = try_send(&request, "m", &can, &ProviderFlags::default()).unwrap();
    assert!(!sent.text.contains("thoughtSignature"));
}

#[test]
fn the_signature_of_a_thought_stays_with_it() {
    let thought = thinking("hm", Some(ours("dGg=")));
    let sent = send(&step(vec![thought, signed(call("a", "f", "{}"), ours("Y2FsbA=="))]));
    let parts = model_parts(&sent);
    assert_eq!(parts[0], json!({"text": "hm", "thought": true, "thoughtSignature": "dGg="}));
    assert_eq!(parts[1]["thoughtSignature"], "Y2FsbA==");
}

#[test]
fn thinking_right_before_a_call_that_has_no_state_carries_its_signature() {
    for carrier in
        [thinking("", Some(ours("c2ln"))), Block::new(BlockKind::RedactedThinking(ours("c2ln")))]
    {
        let sent = send(&step(vec![Block::text("so"), carrier, call("a", "f", "{}")]));
        let parts = model_parts(&sent);
        assert_eq!(parts.len(), 2);
        assert_eq!(parts[0], json!({"text": "so"}));
        assert_eq!(parts[1]["thoughtSignature"], "c2ln");
    }
}

#[test]
fn a_signature_that_a_dialect_put_onto_the_thought_goes_back_to_the_call() {
    let sent = send(&step(vec![thinking("hm", Some(ours("c2ln"))), call("a", "f", "{}")]));
    let parts = model_parts(&sent);
    assert_eq!(parts[0], json!({"text": "hm", "thought": true}));
    assert_eq!(parts[1]["thoughtSignature"], "c2ln");
}

#[test]
fn reasoning_items_of_responses_sign_the_calls_of_every_step() {
    let mut request = asked("go");
    request.dialect = Dialect::Responses;
    for (id, signature) in [("a", "c3RlcDE="), ("b", "c3RlcDI=")] {
        request.messages.push(said(Role::Assistant, vec![thinking("", Some(ours(signature)))]));
        request.messages.push(said(Role::Assistant, vec![call(id, "f", "{}")]));
        request.messages.push(said(Role::User, vec![result(id, vec![Block::text("ok")])]));
    }
    let sent = send(&request);
    for (content, signature) in [(1, "c3RlcDE="), (3, "c3RlcDI=")] {
        let parts = sent.body["contents"][content]["parts"].as_array().unwrap();
        assert_eq!(parts.len(), 1);
        assert_eq!(parts[0]["thoughtSignature"], signature);
    }
    assert!(sent.losses.is_empty());
}

#[test]
fn empty_thinking_behind_a_text_is_the_signature_of_the_text() {
    let mut request = asked("a");
    let content = vec![Block::text("b"), thinking("", Some(ours("c2ln")))];
    request.messages.push(said(Role::Assistant, content));
    request.messages.push(said(Role::User, vec![Block::text("c")]));
    let parts = model_parts(&send(&request));
    assert_eq!(parts, [json!({"text": "b", "thoughtSignature": "c2ln"})]);
    // Without a text before it, it stands alone.
    request.messages[1].content.remove(0);
    assert_eq!(model_parts(&send(&request)), [json!({"text": "", "thoughtSignature": "c2ln"})]);
}

#[test]
fn what_an_answer_says_goes_back_as_it_came() {
    let parts = json!([
        {"text": "hm", "thought": true},
        {"text": "Let me look.", "thoughtSignature": "dGV4dA=="},
        {"functionCall": {"id": "a", "name": "f", "args": {"x": 1}}, "thoughtSignature": "Y2FsbA=="},
        {"functionCall": {"id": "b", "name": "g", "args": {}}},
        {"executableCode": {"language": "PYTHON", "code": "1"}},
    ]);
    let answer = json!({"candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}]});
    let answer = GeminiUpstream.decode_answer(answer.to_string().as_bytes(), &source()).unwrap();
    let sent = send(&step(answer.content));
    assert_eq!(Value::Array(model_parts(&sent)), parts);
    assert!(sent.losses.is_empty(), "{:?}", sent.losses);
}

#[test]
fn parts_that_only_another_wire_knows_are_left_out() {
    let value = json!({"type": "server_tool_use"});
    let mut request = asked("a");
    let content = vec![Block::new(BlockKind::Unknown { value }), Block::text("b")];
    request.messages.push(said(Role::Assistant, content));
    request.messages.push(said(Role::User, vec![Block::text("c")]));
    let sent = send(&request);
    assert_eq!(model_parts(&sent), [json!({"text": "b"})]);
    assert!(sent.lost("messages.1.content.0", LossKind::Dropped));
}
