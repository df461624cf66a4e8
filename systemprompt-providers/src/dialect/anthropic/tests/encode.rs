use serde_json::json;
use systemprompt_core::llm::{
    Block, BlockKind, CacheMark, CacheTtl, Effort, ErrorKind, Media, MediaSource, Message,
    OpaqueState, Origin, OutputFormat, Reasoning, ReasoningMode, Role, Tool, ToolChoice, ToolInput,
    ToolKind,
};

use super::*;

fn message(role: Role, content: Vec<Block>) -> Message {
    Message { role, content }
}

fn say(role: Role, text: &str) -> Message {
    message(role, vec![Block::text(text)])
}

fn call(id: &str, name: &str, input: ToolInput) -> Block {
    Block::new(BlockKind::ToolUse { id: id.to_owned(), name: name.to_owned(), input, state: None })
}

fn json_call(id: &str) -> Block {
    call(id, "f", ToolInput::Json("{}".to_owned()))
}

fn result(id: &str, text: &str) -> Block {
    Block::new(BlockKind::ToolResult {
        tool_use_id: id.to_owned(),
        content: vec![Block::text(text)],
        is_error: false,
    })
}

fn function(name: &str, schema: Value) -> Tool {
    Tool {
        kind: ToolKind::Function { schema, strict: None },
        name: name.to_owned(),
        description: None,
        cache: None,
    }
}

/// A request as it comes from Chat Completions.
fn chat(messages: Vec<Message>) -> ModelRequest {
    let mut request = ModelRequest::new(Dialect::Chat, "gpt-alias");
    request.messages = messages;
    request
}

fn hi() -> ModelRequest {
    chat(vec![say(Role::User, "hi")])
}

fn roles(sent: &Sent) -> Vec<&str> {
    let messages = sent.body["messages"].as_array().unwrap();
    messages.iter().map(|message| message["role"].as_str().unwrap()).collect()
}

fn signed(provider: &str, dialect: Dialect) -> Block {
    let origin = Origin { dialect, provider: Some(provider.into()) };
    let state = OpaqueState { origin: origin.clone(), id: None, data: "SIG".to_owned() };
    Block {
        kind: BlockKind::Thinking { text: "hm".to_owned(), state: Some(state) },
        cache: None,
        origin: Some(origin),
    }
}

#[test]
fn the_least_that_is_sent() {
    let sent = Given::model("claude-opus-5-5").send(&hi());
    assert_eq!(sent.request.path, "/v1/messages");
    assert_eq!(sent.version(), "2026-10-21");
    assert_eq!(
        sent.body,
        json!({"model": "claude-opus-5-5", "max_tokens": 4096,
            "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]})
    );
    assert!(sent.request.losses.is_empty() && sent.request.tool_names.is_empty());
}

#[test]
fn max_tokens_comes_from_the_request_or_the_model_and_never_exceeds_it() {
    let given = Given::model("claude-opus-5-5").able(|able| able.max_output = Some(64_000));
    let mut request = hi();
    assert_eq!(given.send(&request).body["max_tokens"], 64_000);
    request.max_output_tokens = Some(100);
    assert_eq!(given.send(&request).body["max_tokens"], 100);
    request.max_output_tokens = Some(128_000);
    let sent = given.send(&request);
    assert_eq!(sent.body["max_tokens"], 64_000);
    assert_eq!(sent.losses(), "max_completion_tokens=clamped");
}

#[test]
fn instructions_are_hoisted_and_those_in_the_middle_stay_there() {
    let mut request = chat(vec![
        say(Role::User, "a"),
        say(Role::System, "be brief"),
        say(Role::Assistant, "b"),
        say(Role::User, "c"),
    ]);
    request.system = vec![Block::text("one"), Block::text(""), Block::text("two")];
    let sent = Given::model("claude-opus-4-8").send(&request);
    assert_eq!(
        sent.body["system"],
        json!([{"type": "text", "text": "one"}, {"type": "text", "text": "two"}])
    );
    assert_eq!(roles(&sent), ["user", "system", "assistant", "user"]);
    assert!(sent.request.losses.is_empty());
    // Models before take them as a text of the user.
    for model in [
        "claude-sonnet-4-6",
        "claude-opus-4-7",
        "claude-opus-4-20250514",
        "claude-sonnet-5",
        "kimi-k3",
        "anthropic.claude-opus-4-8-v1:0",
        "claude-opus-4-8@20260528",
    ] {
        let sent = Given::model(model).send(&request);
        assert_eq!(roles(&sent), ["user", "assistant", "user"], "{model}");
        assert_eq!(sent.body["messages"][0]["content"][1]["text"], "<system>\nbe brief\n</system>");
        assert_eq!(sent.losses(), "messages.1.content.0=degraded");
    }
    for model in ["claude-opus-4-8", "claude-opus-5-5", "claude-sonnet-5-5", "claude-fable-5-1"] {
        assert_eq!(roles(&Given::model(model).send(&request))[1], "system", "{model}");
    }
}

#[test]
fn instructions_after_an_answer_go_behind_the_next_turn() {
    let request = chat(vec![
        say(Role::User, "a"),
        say(Role::Assistant, "b"),
        say(Role::System, "s"),
        say(Role::User, "c"),
    ]);
    let sent = Given::model("claude-opus-5-5").send(&request);
    assert_eq!(roles(&sent), ["user", "assistant", "user", "system"]);
    let request =
        chat(vec![say(Role::User, "a"), say(Role::Assistant, "b"), say(Role::System, "s")]);
    let sent = Given::model("claude-opus-5-5").send(&request);
    assert_eq!(roles(&sent), ["user", "assistant", "user"]);
}

#[test]
fn three_results_are_one_turn_in_the_order_of_the_calls() {
    let request = chat(vec![
        say(Role::User, "go"),
        message(Role::Assistant, vec![json_call("a"), json_call("b"), json_call("c")]),
        message(Role::User, vec![Block::text("and"), result("c", "3")]),
        message(Role::User, vec![result("a", "1")]),
        message(Role::User, vec![result("b", "2"), Block::text("now")]),
    ]);
    let sent = Given::model("claude-opus-5-5").send(&request);
    assert_eq!(roles(&sent), ["user", "assistant", "user"]);
    let content = sent.body["messages"][2]["content"].as_array().unwrap();
    let ids: Vec<_> =
        content.iter().map(|part| part["tool_use_id"].as_str().unwrap_or("-")).collect();
    assert_eq!(ids, ["a", "b", "c", "-", "-"]);
    assert_eq!(content[3]["text"], "and");
    assert!(sent.request.losses.is_empty());
}

#[test]
fn a_call_without_result_gets_one_that_says_so() {
    let request = chat(vec![
        say(Role::User, "go"),
        message(Role::Assistant, vec![json_call("a"), json_call("b")]),
        message(Role::User, vec![result("b", "2")]),
        message(Role::Assistant, vec![json_call("c")]),
    ]);
    let sent = Given::model("claude-opus-5-5").send(&request);
    assert_eq!(roles(&sent), ["user", "assistant", "user", "assistant", "user"]);
    let first = &sent.body["messages"][2]["content"][0];
    assert_eq!(
        (first["tool_use_id"].as_str(), first["is_error"].as_bool()),
        (Some("a"), Some(true))
    );
    assert_eq!(sent.body["messages"][4]["content"][0]["tool_use_id"], "c");
    assert_eq!(sent.losses(), "messages.1.content.0=degraded,messages.3.content.0=degraded");
}

#[test]
fn a_result_without_its_call_becomes_a_text() {
    let request = chat(vec![
        message(Role::User, vec![result("x", "old"), Block::text("hi")]),
        message(Role::Assistant, vec![json_call("a")]),
        message(Role::User, vec![result("a", "1"), result("a", "again")]),
    ]);
    let sent = Given::model("claude-opus-5-5").send(&request);
    assert_eq!(sent.body["messages"][0]["content"][1]["text"], "old");
    let content = sent.body["messages"][2]["content"].as_array().unwrap();
    let kinds: Vec<_> = content.iter().map(|part| part["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["tool_result", "text", "text"]);
    assert_eq!(sent.losses(), "messages.0.content.0=degraded,messages.2.content.1=degraded");
}

#[test]
fn ids_are_unique_and_of_the_letters_that_are_taken() {
    let turn = || message(Role::Assistant, vec![json_call("functions.f:0")]);
    let answer = || message(Role::User, vec![result("functions.f:0", "1")]);
    let request = chat(vec![say(Role::User, "go"), turn(), answer(), turn(), answer()]);
    let sent = Given::model("claude-opus-5-5").send(&request);
    let id = |at: usize, member: &str| sent.body["messages"][at]["content"][0][member].clone();
    assert_eq!(id(1, "id"), "functions_f_0");
    assert_eq!(id(2, "tool_use_id"), "functions_f_0");
    assert_eq!(id(3, "id"), "functions_f_0_2");
    assert_eq!(id(4, "tool_use_id"), "functions_f_0_2");
}

#[test]
fn arguments_are_an_object_or_the_field_is_named() {
    let with = |input| {
        chat(vec![
            say(Role::User, "go"),
            message(Role::Assistant, vec![call("a", "f", input)]),
            message(Role::User, vec![result("a", "1")]),
        ])
    };
    let given = Given::model("claude-opus-5-5");
    let request = with(ToolInput::from_json_text("{\"b\":1, \"a\":2.50}"));
    let sent = given.send(&request);
    let text = std::str::from_utf8(&sent.request.body).unwrap();
    assert!(text.contains("\"input\":{\"b\":1, \"a\":2.50}"), "the bytes stay: {text}");
    assert_eq!(
        given.send(&with(ToolInput::from_json_text(""))).body["messages"][1]["content"][0]["input"],
        json!({})
    );
    let error = given.try_send(&with(ToolInput::from_json_text("{\"a\":"))).unwrap_err();
    assert_eq!(error.kind, ErrorKind::InvalidRequest);
    assert_eq!(error.field.as_deref(), Some("messages.1.content.0.arguments"));
}

#[test]
fn temperature_is_clamped_or_dropped() {
    let mut request = hi();
    request.sampling.temperature = Some(1.4);
    let sent = Given::model("claude-sonnet-4-6").send(&request);
    assert_eq!(sent.version(), "2023-06-01");
    assert_eq!(sent.body["temperature"], 1.0);
    assert_eq!(sent.losses(), "temperature=clamped");
    let sent = Given::opus_5_5().send(&request);
    assert_eq!(sent.version(), "2026-10-21");
    assert!(sent.body.get("temperature").is_none());
    assert_eq!(sent.losses(), "temperature=dropped");
}

#[test]
fn a_version_that_a_provider_asks_for_is_sent() {
    let mut request = hi();
    request.sampling.temperature = Some(0.5);
    let pinned = |version: &str| {
        Given::model("kimi-k3")
            .flags(|flags| flags.version = Some(version.to_owned()))
            .send(&request)
    };
    let sent = pinned("2023-06-01");
    assert_eq!((sent.version(), sent.body["temperature"].as_f64()), ("2023-06-01", Some(0.5)));
    let sent = pinned("2026-10-21");
    assert_eq!(sent.version(), "2026-10-21");
    assert_eq!(sent.losses(), "temperature=dropped");
    let sent =
        Given::model("m").flags(|flags| flags.version = Some("2023-06-01".to_owned())).send(&hi());
    assert_eq!(sent.version(), "2023-06-01");
}

#[test]
fn sampling_that_has_no_peer_is_reported() {
    let mut request = hi();
    request.sampling.seed = Some(1);
    request.sampling.presence_penalty = Some(0.1);
    request.sampling.frequency_penalty = Some(0.1);
    request.sampling.temperature = Some(0.2);
    request.sampling.top_p = Some(0.9);
    let sent = Given::model("claude-sonnet-4-6").send(&request);
    assert_eq!(
        sent.losses(),
        "seed=dropped,presence_penalty=dropped,frequency_penalty=dropped,top_p=dropped"
    );
    assert_eq!(sent.body["temperature"], 0.2);
    assert!(sent.body.get("top_p").is_none());
}

#[test]
fn a_tool_is_forced_where_that_can_be() {
    let mut request = hi();
    request.tools = vec![function("f", json!({}))];
    let choice = |given: &Given, request: &ModelRequest| {
        let sent = given.send(request);
        (sent.body["tool_choice"].clone(), sent.losses())
    };
    let (older, newer) = (Given::model("claude-sonnet-4-6"), Given::opus_5_5());
    for (asked, expected) in [
        (ToolChoice::Auto, json!({"type": "auto"})),
        (ToolChoice::None, json!({"type": "none"})),
        (ToolChoice::Required, json!({"type": "any"})),
        (ToolChoice::Named("f".to_owned()), json!({"type": "tool", "name": "f"})),
    ] {
        let forced = crate::dialect::forces_a_tool(&asked);
        request.tool_choice = Some(asked);
        assert_eq!(choice(&older, &request), (expected.clone(), String::new()));
        let degraded = if forced {
            (json!({"type": "auto"}), "tool_choice=degraded".to_owned())
        } else {
            (expected, String::new())
        };
        assert_eq!(choice(&newer, &request), degraded);
    }
    request.tool_choice = Some(ToolChoice::Named("g".to_owned()));
    assert_eq!(older.try_send(&request).unwrap_err().field.as_deref(), Some("tool_choice"));
    request.tool_choice = None;
    request.parallel_tool_calls = Some(false);
    let expected = json!({"type": "auto", "disable_parallel_tool_use": true});
    assert_eq!(choice(&newer, &request).0, expected);
    request.tools.clear();
    assert_eq!(choice(&newer, &request).0, Value::Null);
}

#[test]
fn tools_that_are_not_among_the_allowed_are_not_sent() {
    let mut request = hi();
    request.tools = vec![function("f", json!({})), function("g", json!({}))];
    request.tool_choice = Some(ToolChoice::Among { names: vec!["g".to_owned()], required: true });
    let sent = Given::model("claude-sonnet-4-6").send(&request);
    assert_eq!(sent.body["tools"].as_array().unwrap().len(), 1);
    assert_eq!(sent.body["tool_choice"], json!({"type": "any"}));
}

#[test]
fn names_that_are_not_taken_are_changed_and_come_back() {
    let mut request = hi();
    request.tools =
        vec![function("mcp.search:web", json!({})), function("mcp_search_web", json!({}))];
    request.tool_choice = Some(ToolChoice::Named("mcp.search:web".to_owned()));
    let sent = Given::model("claude-sonnet-4-6").send(&request);
    assert_eq!(sent.body["tools"][0]["name"], "mcp_search_web_2");
    assert_eq!(sent.body["tool_choice"]["name"], "mcp_search_web_2");
    assert_eq!(sent.source().tool_name("mcp_search_web_2"), "mcp.search:web");
    assert_eq!(sent.source().tool_name("mcp_search_web"), "mcp_search_web");
}

#[test]
fn tools_without_parameters_and_odd_schemas_are_objects() {
    let mut request = hi();
    request.tools = vec![
        function("a", json!({})),
        function("b", Value::Null),
        function("c", json!({"properties": {"x": {"minimum": 1}}, "required": ["x"]})),
        function("d", json!({"anyOf": [{"properties": {"y": {}}}]})),
    ];
    let sent = Given::model("claude-sonnet-4-6").send(&request);
    let empty = json!({"type": "object", "properties": {}});
    assert_eq!(sent.body["tools"][0]["input_schema"], empty);
    assert_eq!(sent.body["tools"][1]["input_schema"], empty);
    assert_eq!(sent.body["tools"][2]["input_schema"]["properties"]["x"], json!({"minimum": 1}));
    assert_eq!(sent.body["tools"][3]["input_schema"]["properties"], json!({"y": {}}));
    assert_eq!(sent.losses(), "tools.3.parameters=degraded");
}

#[test]
fn text_tools_are_functions_of_one_string() {
    let mut request = chat(vec![
        say(Role::User, "go"),
        message(Role::Assistant, vec![call("a", "patch", ToolInput::Text("*** x".to_owned()))]),
        message(Role::User, vec![result("a", "ok")]),
    ]);
    request.tools = vec![Tool {
        kind: ToolKind::Text { format: Some(json!({"type": "grammar"})) },
        name: "patch".to_owned(),
        description: Some("d".to_owned()),
        cache: None,
    }];
    request.tool_choice = Some(ToolChoice::Named("patch".to_owned()));
    let sent = Given::model("claude-sonnet-4-6").send(&request);
    let tool = &sent.body["tools"][0];
    assert_eq!(tool["input_schema"]["required"], json!(["input"]));
    assert_eq!(tool["name"], sent.body["messages"][1]["content"][0]["name"]);
    assert_eq!(tool["name"], sent.body["tool_choice"]["name"]);
    assert_eq!(sent.body["messages"][1]["content"][0]["input"], json!({"input": "*** x"}));
    assert_eq!(sent.losses(), "tools.0.format=degraded");
    let answer = json!({"type": "message", "content": [{"type": "tool_use", "id": "b", "name": tool["name"],
        "input": {"input": "*** y"}}], "stop_reason": "tool_use"});
    let answer =
        AnthropicUpstream.decode_answer(answer.to_string().as_bytes(), &sent.source()).unwrap();
    let BlockKind::ToolUse { name, input, .. } = &answer.content[0].kind else { panic!() };
    assert_eq!((name.as_str(), input), ("patch", &ToolInput::Text("*** y".to_owned())));
}

#[test]
fn tools_of_other_providers_and_more_than_one_answer_are_refused() {
    let given = Given::model("claude-sonnet-4-6");
    let mut request = hi();
    request.tools = vec![Tool {
        kind: ToolKind::Server { value: json!({"type": "web_search"}) },
        name: "web_search".to_owned(),
        description: None,
        cache: None,
    }];
    assert_eq!(given.try_send(&request).unwrap_err().field.as_deref(), Some("tools.0"));
    for (name, value) in [("n", json!(2)), ("previous_response_id", json!("resp_1"))] {
        let mut request = hi();
        request.rest.insert(name.to_owned(), value);
        assert_eq!(given.try_send(&request).unwrap_err().field.as_deref(), Some(name));
    }
    let mut request = hi();
    request.rest =
        json!({"n": 1, "logit_bias": {"5": 1}, "store": true}).as_object().unwrap().clone();
    assert_eq!(given.send(&request).losses(), "logit_bias=dropped,n=hint,store=hint");
}

#[test]
fn a_schema_for_the_answer_is_sent_closed() {
    let mut request = hi();
    request.output = OutputFormat::JsonSchema {
        name: Some("n".to_owned()),
        description: Some("d".to_owned()),
        schema: json!({"type": "object", "properties": {"a": {"type": "object", "properties": {}}}}),
        strict: Some(true),
    };
    let sent = Given::opus_5_5().send(&request);
    assert_eq!(
        sent.body["output_config"]["format"],
        json!({"type": "json_schema", "schema": {"type": "object", "description": "d", "additionalProperties": false,
            "properties": {"a": {"type": "object", "properties": {}, "additionalProperties": false}}}})
    );
    assert!(sent.request.losses.is_empty());
    request.output = OutputFormat::JsonObject;
    let sent = Given::opus_5_5().send(&request);
    assert_eq!(sent.losses(), "response_format=degraded");
    assert!(sent.body["system"][0]["text"].as_str().unwrap().contains("JSON"));
}

#[test]
fn thinking_is_said_in_the_words_of_the_model() {
    let older = Given::model("claude-haiku-4-5").able(|able| able.adaptive_thinking = false);
    let newer = Given::opus_5_5();
    let never = Given::model("claude-3-haiku").able(|able| able.thinks = false);
    let asked = |given: &Given, reasoning: Reasoning, max_tokens| {
        let mut request = hi();
        request.reasoning = Some(reasoning);
        request.max_output_tokens = max_tokens;
        let sent = given.send(&request);
        (sent.body["thinking"].clone(), sent.body["output_config"]["effort"].clone(), sent.losses())
    };
    let effort = |effort| Reasoning { effort: Some(effort), ..Reasoning::default() };
    let budget = |tokens| Reasoning { budget_tokens: Some(tokens), ..Reasoning::default() };
    let adaptive = json!({"type": "adaptive"});
    assert_eq!(
        asked(&newer, effort(Effort::High), None),
        (adaptive.clone(), json!("high"), String::new())
    );
    let (thinking, word, losses) = asked(&newer, effort(Effort::Minimal), None);
    assert_eq!(
        (thinking, word, losses.as_str()),
        (adaptive.clone(), json!("low"), "reasoning_effort=degraded")
    );
    let (thinking, word, losses) = asked(&newer, effort(Effort::None), None);
    assert_eq!(
        (thinking, word, losses.as_str()),
        (Value::Null, json!("low"), "reasoning_effort=degraded")
    );
    let (thinking, word, losses) = asked(&newer, budget(20_000), None);
    assert_eq!(
        (thinking, word, losses.as_str()),
        (adaptive, json!("high"), "reasoning_effort=degraded")
    );
    let enabled = |tokens: u64| json!({"type": "enabled", "budget_tokens": tokens});
    assert_eq!(
        asked(&older, effort(Effort::Low), Some(9000)),
        (enabled(2048), Value::Null, String::new())
    );
    assert_eq!(asked(&older, effort(Effort::Max), Some(9000)).0, enabled(8999));
    assert_eq!(
        asked(&older, budget(20_000), Some(9000)),
        (enabled(8999), Value::Null, "reasoning_effort=clamped".to_owned())
    );
    assert_eq!(asked(&older, budget(10), Some(9000)).0, enabled(1024));
    assert_eq!(
        asked(&older, budget(2000), Some(1000)),
        (Value::Null, Value::Null, "reasoning_effort=dropped".to_owned())
    );
    assert_eq!(asked(&older, effort(Effort::None), None).0, json!({"type": "disabled"}));
    assert_eq!(asked(&never, effort(Effort::High), None).2, "reasoning_effort=dropped");
    assert_eq!(
        asked(&never, effort(Effort::None), None),
        (Value::Null, Value::Null, String::new())
    );
}

#[test]
fn a_budget_leaves_room_for_the_answer() {
    let given = Given::model("claude-haiku-4-5").able(|able| able.adaptive_thinking = false);
    let mut request = hi();
    request.reasoning = Some(Reasoning { budget_tokens: Some(8000), ..Reasoning::default() });
    let sent = given.send(&request);
    assert_eq!(sent.body["max_tokens"], 12_096);
    assert_eq!(sent.body["thinking"]["budget_tokens"], 8000);
}

#[test]
fn thinking_gives_way_to_what_it_cannot_stand_beside() {
    let mut request = hi();
    request.reasoning = Some(Reasoning { effort: Some(Effort::High), ..Reasoning::default() });
    request.tools = vec![function("f", json!({}))];
    request.tool_choice = Some(ToolChoice::Required);
    let sent = Given::model("claude-sonnet-4-6").send(&request);
    assert_eq!(sent.body["tool_choice"], json!({"type": "any"}));
    assert!(sent.body.get("thinking").is_none());
    assert_eq!(sent.losses(), "reasoning_effort=degraded");
    request.tool_choice = None;
    request.sampling.temperature = Some(0.3);
    let sent = Given::model("claude-sonnet-4-6").send(&request);
    assert!(sent.body.get("temperature").is_none());
    assert_eq!(sent.losses(), "temperature=dropped");
    // A turn that another model began without thoughts.
    let mut request = chat(vec![
        say(Role::User, "go"),
        message(Role::Assistant, vec![json_call("a")]),
        message(Role::User, vec![result("a", "1")]),
    ]);
    request.reasoning = Some(Reasoning { budget_tokens: Some(2000), ..Reasoning::default() });
    let sent = Given::model("claude-haiku-4-5").send(&request);
    assert!(sent.body.get("thinking").is_none());
    assert_eq!(sent.losses(), "reasoning_effort=degraded");
}

#[test]
fn thoughts_go_back_to_their_maker_alone() {
    let with = |block| {
        chat(vec![
            say(Role::User, "go"),
            message(Role::Assistant, vec![block, Block::text("x")]),
            say(Role::User, "on"),
        ])
    };
    let given = Given::model("claude-opus-5-5");
    let sent = given.send(&with(signed("anthropic", Dialect::Anthropic)));
    assert_eq!(
        sent.body["messages"][1]["content"][0],
        json!({"type": "thinking", "thinking": "hm", "signature": "SIG"})
    );
    for foreign in [signed("kimi", Dialect::Anthropic), signed("anthropic", Dialect::Responses)] {
        let sent = given.send(&with(foreign));
        assert_eq!(sent.body["messages"][1]["content"].as_array().unwrap().len(), 1);
        assert_eq!(sent.losses(), "messages.1.content.0=dropped");
    }
    // Models that do not sign want their thoughts back as they were.
    let unsigned = Block::new(BlockKind::Thinking { text: "hm".to_owned(), state: None });
    assert_eq!(given.send(&with(unsigned.clone())).losses(), "messages.1.content.0=dropped");
    let sent = Given::model("kimi-k3").send(&with(unsigned));
    assert_eq!(sent.body["messages"][1]["content"][0]["thinking"], "hm");
}

#[test]
fn empty_texts_are_not_sent_and_leave_no_empty_turn() {
    let request = chat(vec![
        say(Role::User, "a"),
        message(Role::Assistant, vec![Block::text("")]),
        message(Role::User, vec![Block::text(""), Block::text("b")]),
    ]);
    let sent = Given::model("claude-opus-5-5").send(&request);
    assert_eq!(roles(&sent), ["user"]);
    assert_eq!(sent.body["messages"][0]["content"].as_array().unwrap().len(), 2);
    let mut request = chat(vec![say(Role::User, " ")]);
    request.dialect = Dialect::Anthropic;
    let error = Given::model("claude-opus-5-5").try_send(&request).unwrap_err();
    assert_eq!(error.field.as_deref(), Some("messages"));
}

#[test]
fn a_conversation_begins_with_the_user() {
    let sent = Given::model("claude-opus-5-5")
        .send(&chat(vec![say(Role::Assistant, "hello"), say(Role::User, "hi")]));
    assert_eq!(roles(&sent), ["user", "assistant", "user"]);
    assert_eq!(sent.losses(), "messages=degraded");
    let mut request = chat(vec![]);
    request.system = vec![Block::text("write a poem")];
    assert_eq!(roles(&Given::model("claude-opus-5-5").send(&request)), ["user"]);
}

#[test]
fn an_answer_is_begun_where_the_model_goes_on_from_it() {
    let request = chat(vec![say(Role::User, "a"), say(Role::Assistant, "The answer is \n")]);
    let sent = Given::model("claude-sonnet-4-5").send(&request);
    assert_eq!(sent.body["messages"][1]["content"][0]["text"], "The answer is");
    assert_eq!(sent.losses(), "messages.1.content.0=hint");
    let sent = Given::opus_5_5().send(&request);
    assert_eq!(roles(&sent), ["user", "assistant", "user"]);
    assert_eq!(sent.losses(), "messages.1=degraded");
}

#[test]
fn at_most_four_marks_and_no_ttl_where_it_is_not_taken() {
    let marked = |text: &str| Block {
        cache: Some(CacheMark { ttl: Some(CacheTtl::OneHour) }),
        ..Block::text(text)
    };
    let mut request = chat(vec![message(Role::User, vec![marked("a"), marked("b"), marked("c")])]);
    request.system = vec![marked("s")];
    request.tools = vec![Tool {
        cache: Some(CacheMark { ttl: None }),
        ..function("f", json!({"properties": {"cache_control": {"ttl": 1}}}))
    }];
    let sent = Given::model("claude-opus-5-5").send(&request);
    let text = std::str::from_utf8(&sent.request.body).unwrap();
    assert_eq!(text.matches("\"type\":\"ephemeral\"").count(), 4);
    assert_eq!(sent.losses(), "tools.0.cache_control=hint");
    assert_eq!(sent.body["system"][0]["cache_control"], json!({"type": "ephemeral", "ttl": "1h"}));
    let sent = Given::model("kimi-k3").flags(|flags| flags.cache_ttl = false).send(&request);
    assert_eq!(sent.body["system"][0]["cache_control"], json!({"type": "ephemeral"}));
    assert_eq!(
        sent.body["tools"][0]["input_schema"]["properties"]["cache_control"],
        json!({"ttl": 1})
    );
    assert!(sent.losses().contains("messages.0.content.2.cache_control.ttl=hint"));
}

#[test]
fn pictures_and_documents_find_their_form() {
    let media = |source| Media { source, title: None, detail: None };
    let base64 = |media_type: &str, data: &str| MediaSource::Base64 {
        media_type: media_type.to_owned(),
        data: data.to_owned(),
    };
    let url = |url: &str| MediaSource::Url { url: url.to_owned(), media_type: None };
    let image = |source| BlockKind::Image(media(source));
    let document = |source| BlockKind::Document(media(source));
    let send = |given: &Given, kind: BlockKind| {
        let sent = given.send(&chat(vec![message(Role::User, vec![Block::new(kind)])]));
        (sent.body["messages"][0]["content"][0].clone(), sent.losses())
    };
    let given = Given::model("claude-opus-5-5");
    let png = json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}});
    assert_eq!(send(&given, image(base64("image/png", "AA=="))), (png.clone(), String::new()));
    assert_eq!(send(&given, image(url("data:image/png;base64,AA=="))), (png, String::new()));
    assert_eq!(
        send(&given, image(url("https://a/b"))).0["source"],
        json!({"type": "url", "url": "https://a/b"})
    );
    assert_eq!(
        send(&given, document(base64("application/pdf", "AA=="))).0["source"]["type"],
        "base64"
    );
    assert_eq!(
        send(&given, document(base64("text/csv", "YSxi"))).0["source"],
        json!({"type": "text", "media_type": "text/plain", "data": "a,b"})
    );
    let blind = Given::model("MiniMax-M2.5").able(|able| able.images = false);
    for (given, lost) in [
        (&blind, image(base64("image/png", "AA=="))),
        (&given, image(base64("image/tiff", "AA=="))),
        (&given, image(MediaSource::File { id: "file-1".to_owned() })),
        (&given, document(base64("application/zip", "AA=="))),
        (&given, BlockKind::Audio(media(base64("audio/wav", "AA==")))),
    ] {
        let (block, losses) = send(given, lost);
        assert_eq!(block["type"], "text");
        assert_eq!(losses, "messages.0.content.0=degraded");
    }
    let result = BlockKind::ToolResult {
        tool_use_id: "a".to_owned(),
        content: vec![Block::new(image(base64("image/png", "AA=="))), Block::text("")],
        is_error: true,
    };
    let sent = given.send(&chat(vec![
        say(Role::User, "go"),
        message(Role::Assistant, vec![json_call("a")]),
        message(Role::User, vec![Block::new(result)]),
    ]));
    let result = &sent.body["messages"][2]["content"][0];
    assert_eq!(result["content"][0]["type"], "image");
    assert_eq!(
        (result["content"].as_array().unwrap().len(), result["is_error"].as_bool()),
        (1, Some(true))
    );
}

#[test]
fn blocks_of_other_wires_and_refusals() {
    let unknown = Block::new(BlockKind::Unknown { value: json!({"type": "item_reference"}) });
    let refusal = Block::new(BlockKind::Refusal { text: "no".to_owned() });
    let request = chat(vec![
        say(Role::User, "a"),
        message(Role::Assistant, vec![unknown, refusal]),
        say(Role::User, "b"),
    ]);
    let sent = Given::model("claude-opus-5-5").send(&request);
    assert_eq!(sent.body["messages"][1]["content"], json!([{"type": "text", "text": "no"}]));
    assert_eq!(sent.losses(), "messages.1.content.0=dropped");
}

#[test]
fn the_new_version_has_its_own_rules() {
    let request = decode(&json!({"model": "m", "max_tokens": 5, "messages": [
        {"role": "user", "content": [{"type": "text", "text": "a", "citations": [{"type": "page_location"}]}]},
        {"role": "assistant", "content": [{"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "d"}}]},
        {"role": "user", "content": "b"}]}))
    .unwrap();
    let sent = Given::model("claude-opus-5-5").send(&request);
    assert_eq!(
        sent.losses(),
        "messages.0.content.0.citations=dropped,messages.1.content.0=degraded"
    );
    let old = Given::model("claude-opus-5-5")
        .flags(|flags| flags.version = Some("2023-06-01".to_owned()));
    let sent = old.send(&request);
    assert!(sent.request.losses.is_empty());
    assert_eq!(sent.body["messages"][1]["content"][0]["type"], "document");
}

#[test]
fn small_things_are_hints() {
    let mut request = hi();
    request.service_tier = Some("flex".to_owned());
    request.verbosity = Some("low".to_owned());
    request.user = Some("u".to_owned());
    request.stop_sequences = vec!["\n".to_owned(), "END".to_owned()];
    request.stream = true;
    let sent = Given::model("claude-opus-5-5").send(&request);
    assert_eq!(sent.losses(), "stop.0=dropped,service_tier=hint,verbosity=hint");
    assert_eq!(sent.body["stop_sequences"], json!(["END"]));
    assert_eq!(sent.body["stream"], true);
    assert!(sent.body.get("metadata").is_none());
}

#[test]
fn a_count_asks_for_no_answer() {
    let mut request = hi();
    request.stream = true;
    request.max_output_tokens = Some(5);
    let given = Given::model("claude-opus-5-5");
    let target = Target {
        provider: &given.provider,
        model: given.model,
        capabilities: &given.capabilities,
        flags: &given.flags,
    };
    let sent = Sent::new(AnthropicUpstream.encode_count_request(&request, &target).unwrap());
    assert_eq!(sent.request.path, "/v1/messages/count_tokens");
    let members: Vec<&String> = sent.body.as_object().unwrap().keys().collect();
    assert_eq!(members, ["messages", "model"]);
}

#[test]
fn adaptive_thinking_becomes_a_budget_where_it_must() {
    let request =
        decode(&json!({"model": "m", "max_tokens": 20_000, "thinking": {"type": "adaptive"},
        "output_config": {"effort": "low"}, "messages": [{"role": "user", "content": "a"}]}))
        .unwrap();
    assert_eq!(request.reasoning.as_ref().unwrap().mode, Some(ReasoningMode::Adaptive));
    let sent =
        Given::model("claude-haiku-4-5").able(|able| able.adaptive_thinking = false).send(&request);
    assert_eq!(sent.body["thinking"], json!({"type": "enabled", "budget_tokens": 2048}));
    assert_eq!(sent.losses(), "thinking=degraded");
}
