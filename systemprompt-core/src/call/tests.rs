use super::*;

fn parse(text: &str) -> Result<Arguments, MalformedCall> {
    Arguments::parse(text.as_bytes().to_vec())
}

#[test]
fn arguments_keep_their_bytes_and_their_order() {
    let text = "{\"z\" : 1, \"a\":[true,null,\"\\u0041\"] }";
    let arguments = parse(text).unwrap();
    assert_eq!(arguments.raw(), text.as_bytes());
    let Node::Object(members) = arguments.root() else { panic!("object") };
    assert_eq!(&*members[0].0, "z");
    assert_eq!(
        members[1].1,
        Node::Array(vec![Node::Bool(true), Node::Null, Node::String("A".into())])
    );
}

#[test]
fn duplicate_keys_are_refused_even_when_escaped_or_many() {
    for text in ["{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}", "{\"x\":[{\"k\":0,\"k\":0}]}"] {
        assert!(matches!(parse(text), Err(MalformedCall::DuplicateKey { .. })), "{text}");
    }
    let many: Vec<_> = (0..40).map(|n| format!("\"k{n}\":0")).collect();
    assert!(parse(&format!("{{{}}}", many.join(","))).is_ok());
    let twice = format!("{{{},\"k3\":1}}", many.join(","));
    assert!(matches!(parse(&twice), Err(MalformedCall::DuplicateKey { .. })));
}

#[test]
fn depth_and_size_are_bounded() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(parse(&nested(64)).is_ok());
    assert_eq!(parse(&nested(65)).unwrap_err(), MalformedCall::TooDeep { limit: 64 });
    assert_eq!(parse(&nested(10_000)).unwrap_err(), MalformedCall::TooDeep { limit: 64 });
    let huge = format!("\"{}\"", "a".repeat(MAX_ARGUMENT_BYTES));
    assert!(matches!(parse(&huge), Err(MalformedCall::TooLarge { .. })));
}

#[test]
fn broken_json_says_where() {
    assert_eq!(parse("{\"a\":\n tru}").unwrap_err(), MalformedCall::NotJson { line: 2, column: 5 });
    for text in ["", "{} x", "1e400", "\"\\ud800\"", "{\"a\":NaN}"] {
        assert!(matches!(parse(text), Err(MalformedCall::NotJson { .. })), "{text}");
    }
}

#[test]
fn qualified_names_are_split_and_conflicts_refused() {
    let tool = ToolRef::parse(None, "mcp__git-hub__list_repos").unwrap();
    assert_eq!(tool.server().unwrap().as_str(), "git-hub");
    assert_eq!(tool.name().as_str(), "list_repos");
    assert_eq!(tool, ToolRef::parse(Some("git-hub"), "list_repos").unwrap());
    assert_eq!(tool, ToolRef::parse(Some("git-hub"), "mcp__git-hub__list_repos").unwrap());
    assert_eq!(ToolRef::parse(None, "mcp__a__b__c").unwrap().name().as_str(), "b__c");
    for (server, name) in [
        (Some("other"), "mcp__a__b"),
        (None, "mcp____b"),
        (None, "mcp__a__"),
        (None, "mcp__a"),
        (None, "mcp__a___x"),
        (None, "mcp__a__mcp__b__c"),
        (None, "mcp__a__MCP__b"),
        (Some("a"), "mcp__a___x"),
        (None, "MCP__a__b"),
        (Some("a"), "Mcp__a__b"),
    ] {
        assert!(
            matches!(ToolRef::parse(server, name), Err(MalformedCall::QualifiedName { .. })),
            "{name}"
        );
    }
    assert!(matches!(
        ToolRef::parse(None, "Read "),
        Err(MalformedCall::Field { field: "tool", .. })
    ));
}

#[test]
fn a_server_takes_no_part_of_a_tool() {
    assert!(ToolRef::parse(Some("a_"), "x").is_err());
    assert!(ToolRef::parse(None, "mcp___a__x").is_err());
    let digest = |server, tool| {
        let tool = ToolRef::parse(server, tool).unwrap();
        Digest::of_call(CallKind::Tool, &tool, None, Digest::of(b"{}"))
    };
    assert_eq!(digest(Some("a"), "x"), digest(None, "mcp__a__x"));
    assert_ne!(digest(Some("a"), "x"), digest(None, "x"));
    assert_ne!(digest(Some("a"), "_x"), digest(Some("a"), "x"));
}

#[test]
fn the_digest_covers_tool_agent_and_arguments_without_ambiguity() {
    let digest = |tool: &str, agent: Option<&str>, text: &str| {
        let agent = agent.map(|agent| AgentId::parse(agent).unwrap());
        Digest::of_call(
            CallKind::Tool,
            &ToolRef::parse(None, tool).unwrap(),
            agent.as_ref(),
            parse(text).unwrap().digest(),
        )
    };
    let base = digest("Read", None, "{}");
    assert_eq!(base, digest("Read", None, "{}"));
    for other in
        [digest("Reads", None, "{}"), digest("Read", Some("a"), "{}"), digest("Read", None, "{ }")]
    {
        assert_ne!(base, other);
    }
}

#[test]
fn a_prompt_is_no_call_of_the_tool_it_is_recorded_as() {
    let tool = ToolRef::parse(None, "prompt:submit").unwrap();
    assert_eq!(tool, ToolRef::prompt());
    let arguments = parse("{\"prompt\":\"hi\"}").unwrap();
    let digest = |kind| Digest::of_call(kind, &tool, None, arguments.digest());
    assert_ne!(digest(CallKind::Tool), digest(CallKind::Prompt));
}
