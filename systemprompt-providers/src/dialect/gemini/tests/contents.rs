use serde_json::json;

use super::*;

#[test]
fn neighbours_of_one_side_are_one_turn() {
    let mut request = asked("a");
    request.system = vec![Block::text("one"), Block::text("two")];
    request.messages.push(said(Role::User, vec![Block::text("b")]));
    request.messages.push(said(Role::Assistant, vec![Block::text("c")]));
    request.messages.push(said(Role::Assistant, vec![Block::text(""), Block::text("d")]));
    request.messages.push(said(Role::User, vec![Block::text("e")]));
    let sent = send(&request);
    assert_eq!(
        sent.body,
        json!({
            "systemInstruction": {"parts": [{"text": "one"}, {"text": "two"}]},
            "contents": [
                {"role": "user", "parts": [{"text": "a"}, {"text": "b"}]},
                {"role": "model", "parts": [{"text": "c"}, {"text": "d"}]},
                {"role": "user", "parts": [{"text": "e"}]},
            ],
        })
    );
    assert!(sent.losses.is_empty());
}

#[test]
fn a_system_message_in_the_middle_is_told_by_the_user() {
    let mut request = asked("a");
    request.messages.push(said(Role::Assistant, vec![Block::text("b")]));
    request.messages.push(said(Role::System, vec![Block::text("be brief")]));
    request.messages.push(said(Role::User, vec![Block::text("c")]));
    let sent = send(&request);
    assert_eq!(sent.body["contents"][2]["parts"], json!([{"text": "be brief"}, {"text": "c"}]));
    assert!(sent.lost("messages.2", LossKind::Degraded));
}

#[test]
fn results_have_the_names_of_their_calls_and_a_turn_of_their_own() {
    let mut request = asked("weather?");
    request.messages.push(said(
        Role::Assistant,
        vec![call("t1", "weather", r#"{"in":  "Oslo", "n": 1.50}"#), call("t2", "time", "")],
    ));
    request.messages.push(said(
        Role::User,
        vec![
            Block::text("and be quick"),
            result("t2", vec![Block::text("noon")]),
            result("t1", vec![Block::text(r#"{"c": -3}"#)]),
        ],
    ));
    let sent = send(&request);
    assert_eq!(
        sent.body["contents"].as_array().unwrap()[2..],
        [
            json!({"role": "user", "parts": [
                {"functionResponse": {"id": "t1", "name": "weather", "response": {"c": -3}}},
                {"functionResponse": {"id": "t2", "name": "time", "response": {"output": "noon"}}},
            ]}),
            json!({"role": "user", "parts": [{"text": "and be quick"}]}),
        ]
    );
    // Arguments keep their bytes.
    assert!(sent.text.contains(r#""args":{"in":  "Oslo", "n": 1.50}"#), "{}", sent.text);
    assert!(sent.text.contains(r#""args":{}"#), "{}", sent.text);
    assert!(sent.losses.is_empty(), "{:?}", sent.losses);
}

#[test]
fn results_in_messages_of_their_own_answer_the_same_turn() {
    let mut request = asked("x");
    request.messages.push(said(Role::Assistant, vec![call("a", "f", "{}"), call("b", "f", "{}")]));
    request.messages.push(said(Role::User, vec![result("b", vec![Block::text("2")])]));
    request.messages.push(said(Role::User, vec![result("a", vec![Block::text("1")])]));
    let parts = &send(&request).body["contents"][2]["parts"];
    assert_eq!(parts[0]["functionResponse"]["response"], json!({"output": "1"}));
    assert_eq!(parts[1]["functionResponse"]["response"], json!({"output": "2"}));
}

#[test]
fn a_failed_tool_answers_with_an_error() {
    let mut request = asked("x");
    request.messages.push(said(Role::Assistant, vec![call("a", "f", "{}")]));
    let kind = BlockKind::ToolResult {
        tool_use_id: "a".into(),
        content: vec![Block::text(r#"{"why": 1}"#), Block::text("more")],
        is_error: true,
    };
    request.messages.push(said(Role::User, vec![Block::new(kind)]));
    let response = &send(&request).body["contents"][2]["parts"][0]["functionResponse"]["response"];
    assert_eq!(*response, json!({"error": "{\"why\": 1}\nmore"}));
}

#[test]
fn what_is_no_object_is_wrapped() {
    for (text, expected) in [
        ("", json!({"output": ""})),
        ("[1]", json!({"output": "[1]"})),
        ("{broken", json!({"output": "{broken"})),
        ("{} {}", json!({"output": "{} {}"})),
        (" {\"a\": null}\n", json!({"a": null})),
    ] {
        let mut request = asked("x");
        request.messages.push(said(Role::Assistant, vec![call("a", "f", "{}")]));
        request.messages.push(said(Role::User, vec![result("a", vec![Block::text(text)])]));
        let sent = send(&request);
        assert_eq!(sent.body["contents"][2]["parts"][0]["functionResponse"]["response"], expected);
    }
}

#[test]
fn an_object_that_is_too_deep_is_a_text() {
    let deep = format!("{}{}", r#"{"a":"#.repeat(100_000), "}".repeat(100_000));
    let mut request = asked("x");
    request.messages.push(said(Role::Assistant, vec![call("a", "f", "{}")]));
    request.messages.push(said(Role::User, vec![result("a", vec![Block::text(&*deep)])]));
    let sent = send(&request);
    let response = &sent.body["contents"][2]["parts"][0]["functionResponse"]["response"];
    assert_eq!(response["output"], deep);
}

#[test]
fn a_call_that_was_broken_off_gets_an_error_as_its_result() {
    let mut request = asked("x");
    request.messages.push(said(Role::Assistant, vec![call("a", "f", "{}"), call("b", "g", "{}")]));
    request.messages.push(said(Role::User, vec![result("b", vec![Block::text("ok")])]));
    let sent = send(&request);
    let parts = &sent.body["contents"][2]["parts"];
    assert_eq!(parts[0]["functionResponse"]["name"], "f");
    assert!(parts[0]["functionResponse"]["response"]["error"].is_string());
    assert_eq!(parts[1]["functionResponse"]["response"], json!({"output": "ok"}));
    assert!(sent.lost("messages.1.content.0", LossKind::Degraded));
}

#[test]
fn a_conversation_must_not_end_with_a_call() {
    let mut request = asked("x");
    request.messages.push(said(Role::Assistant, vec![call("a", "f", "{}")]));
    assert_eq!(refuse(&request).field.as_deref(), Some("messages.1.content.0"));
}

#[test]
fn a_result_of_no_call_is_refused() {
    let mut request = asked("x");
    request.messages.push(said(Role::User, vec![result("a", vec![])]));
    let error = refuse(&request);
    assert_eq!(error.field.as_deref(), Some("messages.1.content.0.tool_use_id"));
    assert!(error.message.contains("`a`"));
}

#[test]
fn a_late_or_second_result_is_told_in_words() {
    let mut request = asked("x");
    request.messages.push(said(Role::Assistant, vec![call("a", "f", "{}")]));
    let answers = vec![result("a", vec![Block::text("1")]), result("a", vec![Block::text("2")])];
    request.messages.push(said(Role::User, answers));
    request.messages.push(said(Role::Assistant, vec![Block::text("so")]));
    request.messages.push(said(Role::User, vec![result("a", vec![Block::text("3")])]));
    let sent = send(&request);
    let contents = sent.body["contents"].as_array().unwrap();
    assert_eq!(contents[2]["parts"].as_array().unwrap().len(), 1);
    assert!(contents[3]["parts"][0]["text"].as_str().unwrap().ends_with(":\n2"));
    assert!(contents[5]["parts"][0]["text"].as_str().unwrap().ends_with(":\n3"));
    assert!(sent.lost("messages.2.content.1", LossKind::Degraded));
    assert!(sent.lost("messages.4.content.0", LossKind::Degraded));
}

#[test]
fn a_conversation_that_says_nothing_is_refused() {
    let request = ModelRequest::new(Dialect::Responses, "m");
    assert_eq!(refuse(&request).field.as_deref(), Some("input"));
    assert_eq!(refuse(&asked("")).field.as_deref(), Some("messages"));
}

#[test]
fn a_model_that_takes_no_beginning_is_given_none() {
    let mut request = asked("x");
    request.messages.push(said(Role::Assistant, vec![Block::text("It")]));
    assert_eq!(send(&request).body["contents"][1]["parts"][0]["text"], "It");
    let can = Capabilities { prefill: false, ..Capabilities::default() };
    let error = try_send(&request, "m", &can, &ProviderFlags::default()).err().unwrap();
    assert_eq!(error.field.as_deref(), Some("messages.1"));
}

#[test]
fn marks_of_caches_are_hints() {
    let mark = Some(systemprompt_core::llm::CacheMark { ttl: None });
    let mut request = asked("x");
    request.messages[0].content[0].cache = mark;
    request.system = vec![Block { cache: mark, ..Block::text("s") }];
    let mut tool = function("f", json!({"type": "object"}));
    tool.cache = mark;
    request.tools = vec![tool];
    let sent = send(&request);
    for field in ["messages.0.content.0", "system.0", "tools.0"] {
        assert!(sent.lost(&format!("{field}.cache_control"), LossKind::Hint), "{field}");
    }
    assert!(!sent.text.contains("cache"));
}

#[test]
fn broken_arguments_are_sent_as_a_text() {
    let mut request = asked("x");
    request.messages.push(said(Role::Assistant, vec![call("a", "f", r#"{"a": "#)]));
    request.messages.push(said(Role::User, vec![result("a", vec![])]));
    let sent = send(&request);
    let args = &sent.body["contents"][1]["parts"][0]["functionCall"]["args"];
    assert_eq!(*args, json!({"input": "{\"a\": "}));
    assert!(sent.lost("messages.1.content.0.input", LossKind::Degraded));
}

/// An agent in the middle of its work: everything that a request of Anthropic usually has.
#[test]
fn the_request_of_an_agent_is_written_as_it_should_be() {
    let mut request = asked("Fix the test.");
    request.system = vec![Block::text("You are an agent."), Block::text("Be brief.")];
    request.max_output_tokens = Some(32_000);
    request.reasoning = Some(systemprompt_core::llm::Reasoning {
        mode: Some(systemprompt_core::llm::ReasoningMode::Adaptive),
        effort: Some(systemprompt_core::llm::Effort::High),
        ..systemprompt_core::llm::Reasoning::default()
    });
    request.tools = vec![
        function(
            "Read",
            json!({"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}),
        ),
        function("mcp__issues__list", json!({"type": "object", "properties": {}})),
    ];
    request.tool_choice = Some(systemprompt_core::llm::ToolChoice::Auto);
    let thought = BlockKind::Thinking { text: "Look first.".into(), state: Some(ours("dGg=")) };
    let mut read = call("toolu_1", "Read", r#"{"path":"a.rs"}"#);
    if let BlockKind::ToolUse { state, .. } = &mut read.kind {
        *state = Some(ours("Y2FsbA=="));
    }
    request.messages.push(said(
        Role::Assistant,
        vec![
            Block::new(thought),
            Block::text("Reading."),
            read,
            call("toolu_2", "mcp__issues__list", "{}"),
        ],
    ));
    request.messages.push(said(
        Role::User,
        vec![
            result("toolu_1", vec![Block::text("fn main() {}")]),
            result("toolu_2", vec![Block::text(r#"{"issues":[]}"#)]),
            Block::text("Mind the style."),
        ],
    ));
    let sent = send(&request);
    let golden: Value = serde_json::from_str(include_str!("golden/agent.json")).unwrap();
    assert_eq!(sent.body, golden);
    assert!(sent.losses.is_empty(), "{:?}", sent.losses);
}
