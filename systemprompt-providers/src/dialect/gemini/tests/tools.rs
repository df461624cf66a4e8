use serde_json::json;
use systemprompt_core::llm::ToolChoice;

use super::*;

fn offering(names: &[&str]) -> ModelRequest {
    let mut request = asked("x");
    let schema = || json!({"type": "object", "properties": {"a": {"type": "string"}}});
    request.tools = names.iter().map(|name| function(name, schema())).collect();
    request
}

fn config(request: &ModelRequest) -> Value {
    send(request).body["toolConfig"]["functionCallingConfig"].clone()
}

#[test]
fn tools_are_declared_with_json_schema() {
    let mut request = offering(&["f"]);
    request.tools[0].description = Some("does it".into());
    let schema = json!({"type": "object", "additionalProperties": false,
        "properties": {"a": {"const": 1}}});
    request.tools[0].kind = ToolKind::Function { schema: schema.clone(), strict: None };
    let sent = send(&request);
    let declared = json!({"name": "f", "description": "does it", "parametersJsonSchema": schema});
    assert_eq!(sent.body["tools"], json!([{"functionDeclarations": [declared]}]));
    assert!(sent.losses.is_empty());
}

#[test]
fn names_that_the_wire_does_not_take_come_back_changed() {
    let mut request = offering(&["2nd/tool"]);
    request.tool_choice = Some(ToolChoice::Named("2nd/tool".into()));
    request.messages.push(said(Role::Assistant, vec![call("a", "2nd/tool", "{}")]));
    request.messages.push(said(Role::User, vec![result("a", vec![])]));
    let sent = send(&request);
    assert_eq!(sent.body["tools"][0]["functionDeclarations"][0]["name"], "_2nd_tool");
    assert_eq!(sent.body["contents"][1]["parts"][0]["functionCall"]["name"], "_2nd_tool");
    assert_eq!(sent.body["contents"][2]["parts"][0]["functionResponse"]["name"], "_2nd_tool");
    let allowed = &sent.body["toolConfig"]["functionCallingConfig"]["allowedFunctionNames"];
    assert_eq!(*allowed, json!(["_2nd_tool"]));
    let from = Source { tool_names: Arc::new(sent.names), ..source() };
    let body = br#"{"candidates": [{"content": {"parts": [{"functionCall": {"name": "_2nd_tool"}}]}, "finishReason": "STOP"}]}"#;
    let answer = GeminiUpstream.decode_answer(body, &from).unwrap();
    let BlockKind::ToolUse { name, .. } = &answer.content[0].kind else { panic!("no call") };
    assert_eq!(name, "2nd/tool");
}

#[test]
fn a_text_tool_becomes_a_function_and_its_calls_are_turned_back() {
    let mut request = asked("x");
    let kind = ToolKind::Text { format: Some(json!({"type": "grammar", "syntax": "lark"})) };
    request.dialect = Dialect::Responses;
    request.tools = vec![Tool { kind, name: "apply_patch".into(), description: None, cache: None }];
    let input = ToolInput::Text("*** Begin".into());
    let used =
        BlockKind::ToolUse { id: "a".into(), name: "apply_patch".into(), input, state: None };
    request.messages.push(said(Role::Assistant, vec![Block::new(used)]));
    request.messages.push(said(Role::User, vec![result("a", vec![])]));
    let sent = send(&request);
    let declared = &sent.body["tools"][0]["functionDeclarations"][0];
    assert_eq!(declared["name"], "apply_patch__text");
    assert_eq!(declared["parametersJsonSchema"]["required"], json!(["input"]));
    assert!(sent.lost("tools.0.format", LossKind::Degraded));
    let called = &sent.body["contents"][1]["parts"][0]["functionCall"];
    assert_eq!(called["args"], json!({"input": "*** Begin"}));

    let from = Source { tool_names: Arc::new(sent.names), ..source() };
    let body = json!({"candidates": [{"content": {"parts": [{"functionCall":
        {"name": "apply_patch__text", "args": {"input": "*** \"End\""}}}]}, "finishReason": "STOP"}]});
    let answer = GeminiUpstream.decode_answer(body.to_string().as_bytes(), &from).unwrap();
    let BlockKind::ToolUse { name, input, .. } = &answer.content[0].kind else { panic!("no call") };
    assert_eq!((name.as_str(), input), ("apply_patch", &ToolInput::Text("*** \"End\"".into())));
}

#[test]
fn choices_of_tools_have_their_modes() {
    let mut request = offering(&["f", "g"]);
    assert_eq!(config(&request), Value::Null);
    let among = |required| ToolChoice::Among { names: vec!["f".into(), "g".into()], required };
    for (choice, expected) in [
        (ToolChoice::Auto, json!({"mode": "AUTO"})),
        (ToolChoice::None, json!({"mode": "NONE"})),
        (ToolChoice::Required, json!({"mode": "ANY"})),
        (ToolChoice::Named("g".into()), json!({"mode": "ANY", "allowedFunctionNames": ["g"]})),
        (among(true), json!({"mode": "ANY", "allowedFunctionNames": ["f", "g"]})),
        (among(false), json!({"mode": "VALIDATED", "allowedFunctionNames": ["f", "g"]})),
    ] {
        request.tool_choice = Some(choice);
        assert_eq!(config(&request), expected);
    }
}

#[test]
fn a_model_that_cannot_be_forced_is_not() {
    let can = Capabilities { forced_tool_choice: false, ..Capabilities::default() };
    let mut request = offering(&["f"]);
    for (choice, mode) in
        [(ToolChoice::Required, "AUTO"), (ToolChoice::Named("f".into()), "VALIDATED")]
    {
        request.tool_choice = Some(choice);
        let sent = try_send(&request, "m", &can, &ProviderFlags::default()).unwrap();
        assert_eq!(sent.body["toolConfig"]["functionCallingConfig"]["mode"], mode);
        assert!(sent.lost("tool_choice", LossKind::Degraded));
    }
}

#[test]
fn a_choice_of_what_is_not_on_offer_is_refused() {
    let mut request = offering(&["f"]);
    request.tool_choice = Some(ToolChoice::Named("g".into()));
    let error = refuse(&request);
    assert_eq!(error.field.as_deref(), Some("tool_choice"));
    assert!(error.message.contains("`g`"));
    request.tools.clear();
    request.tool_choice = Some(ToolChoice::Required);
    assert_eq!(refuse(&request).field.as_deref(), Some("tool_choice"));
    request.tool_choice = Some(ToolChoice::Auto);
    assert_eq!(config(&request), Value::Null);
}

#[test]
fn functions_that_are_all_strict_are_validated() {
    let mut request = offering(&["f", "g"]);
    let strict = |tool: &mut Tool| {
        let ToolKind::Function { strict, .. } = &mut tool.kind else { panic!("no function") };
        *strict = Some(true);
    };
    strict(&mut request.tools[0]);
    let sent = send(&request);
    assert!(sent.lost("tools.0.strict", LossKind::Hint));
    strict(&mut request.tools[1]);
    let sent = send(&request);
    assert_eq!(sent.body["toolConfig"]["functionCallingConfig"], json!({"mode": "VALIDATED"}));
    assert!(sent.losses.is_empty());
}

#[test]
fn one_call_at_a_time_cannot_be_asked_for() {
    let mut request = offering(&["f"]);
    request.parallel_tool_calls = Some(false);
    let sent = send(&request);
    assert!(sent.lost("tool_choice.disable_parallel_tool_use", LossKind::Dropped));
    request.dialect = Dialect::Chat;
    assert!(send(&request).lost("parallel_tool_calls", LossKind::Dropped));
}

#[test]
fn tools_of_another_provider_are_refused() {
    let mut request = offering(&["f", "web_search"]);
    request.tools[1].kind = ToolKind::Server { value: json!({"type": "web_search_20250305"}) };
    let error = refuse(&request);
    assert_eq!(error.field.as_deref(), Some("tools.1"));
    assert!(error.message.contains("web_search"));
}

#[test]
fn a_schema_that_is_no_object_is_refused() {
    let mut request = offering(&["f"]);
    request.tools[0].kind = ToolKind::Function { schema: json!(true), strict: None };
    assert_eq!(refuse(&request).field.as_deref(), Some("tools.0.input_schema"));
}
