use systemprompt_core::llm::{BlockKind, ErrorKind, StopReason, Usage};

use super::*;

const TEXT: &str = include_str!("golden/stream_text.sse");
const TOOLS: &str = include_str!("golden/stream_tools.sse");
const SEARCH: &str = include_str!("golden/stream_search.sse");
const ERROR: &str = include_str!("golden/stream_error.sse");

/// What the official Python client 2.14.0 sent, written with one member a line.
const REQUESTS: [&str; 4] = [
    include_str!("golden/request_hello.json"),
    include_str!("golden/request_tools.json"),
    include_str!("golden/request_documents.json"),
    include_str!("golden/request_server_tools.json"),
];

#[test]
fn requests_of_the_official_client_go_through() {
    for text in REQUESTS {
        let mut expected: Value = serde_json::from_str(text).unwrap();
        let request = AnthropicFront.decode_request(text.as_bytes()).unwrap();
        let sent = Given::model("claude-opus-5-5").send(&request);
        assert!(sent.request.losses.is_empty(), "{}", sent.losses());
        as_sent(&mut expected);
        expected["model"] = "claude-opus-5-5".into();
        assert_eq!(sent.body, expected);
    }
}

/// A request with lists of blocks for texts, and without the user.
pub(super) fn as_sent(body: &mut Value) {
    let members = body.as_object_mut().unwrap();
    if let Some(metadata) = members.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("user_id");
        if metadata.is_empty() {
            members.remove("metadata");
        }
    }
    let mut contents: Vec<&mut Value> = Vec::new();
    for (name, value) in members.iter_mut() {
        match name.as_str() {
            "system" => contents.push(value),
            "messages" => {
                let messages = value.as_array_mut().unwrap().iter_mut();
                contents.extend(messages.map(|message| &mut message["content"]));
            }
            _ => {}
        }
    }
    for content in contents {
        if let Some(text) = content.as_str() {
            *content = serde_json::json!([{"type": "text", "text": text}]);
        }
        for block in content.as_array_mut().unwrap() {
            if block["type"] == "tool_result" && block["content"].is_string() {
                block["content"] = serde_json::json!([{"type": "text", "text": block["content"]}]);
            }
        }
    }
}

#[test]
fn streams_of_anthropic_keep_the_rules_of_the_checker() {
    for stream in [TEXT, TOOLS, SEARCH] {
        assert_eq!(grammar::check(stream.as_bytes()), Ok(End::Whole));
    }
    assert_eq!(grammar::check(ERROR.as_bytes()), Ok(End::Failed));
}

#[test]
fn a_text() {
    let answer = collected(&read(TEXT)).unwrap();
    assert_eq!(answer.content[0].kind, BlockKind::Text { text: "Hello! 👋".to_owned() });
    assert_eq!(answer.stop_reason, StopReason::EndTurn);
    assert_eq!((answer.usage.input, answer.usage.output), (25, 15));
}

#[test]
fn calls_of_tools() {
    let answer = collected(&read(TOOLS)).unwrap();
    let kinds: Vec<&str> = answer
        .content
        .iter()
        .map(|block| match &block.kind {
            BlockKind::Thinking { .. } => "thinking",
            BlockKind::RedactedThinking(_) => "redacted",
            BlockKind::Text { .. } => "text",
            BlockKind::ToolUse { input, .. } => input.as_str(),
            _ => "other",
        })
        .collect();
    assert_eq!(kinds, ["thinking", "redacted", "text", "{\"location\": \"Oslo, Norway\"}", "{}"]);
    let expected = Usage {
        input: 25,
        cache_read: 4000,
        cache_write_5m: 100,
        cache_write_1h: 1000,
        output: 89,
        reasoning: Some(20),
    };
    assert_eq!(answer.usage, expected);
}

#[test]
fn a_search_of_the_provider() {
    let answer = collected(&read(SEARCH)).unwrap();
    let BlockKind::Unknown { value } = &answer.content[1].kind else { panic!() };
    assert_eq!(value["input"]["query"], "weather");
    let BlockKind::Unknown { value } = &answer.content[2].kind else { panic!() };
    assert_eq!(value["content"][0]["encrypted_content"], "Ev0D");
    assert_eq!(answer.content[3].kind, BlockKind::Text { text: "Cold.".to_owned() });
}

#[test]
fn an_overload_in_the_middle() {
    let error = collected(&read(ERROR)).unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Overloaded, "Overloaded"));
}

#[test]
fn what_is_written_again_says_the_same() {
    for stream in [TEXT, TOOLS, SEARCH] {
        let answer = collected(&read(stream)).unwrap();
        let (out, end, losses) = written(&read(stream));
        assert_eq!((end, losses.is_empty()), (End::Whole, true));
        let again = collected(&read(&out)).unwrap();
        assert_eq!(again, Answer { model: "alias".to_owned(), ..answer });
    }
    let (out, end, _) = written(&read(ERROR));
    assert_eq!(end, End::Failed);
    assert_eq!(collected(&read(&out)), collected(&read(ERROR)));
}
