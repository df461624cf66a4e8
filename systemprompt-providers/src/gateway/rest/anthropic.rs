use serde_json::{Map, Value};

use super::{object, strip, with_text};

/// The blocks of Anthropic that are read, and what of them.
const BLOCKS: [(&str, &[&str]); 4] = [
    ("text", &["text"]),
    ("thinking", &["thinking", "signature"]),
    ("redacted_thinking", &["data"]),
    ("tool_use", &["id", "name", "input"]),
];

/// Whether a block of Anthropic is read piece by piece; any other is read when it is whole.
pub(in crate::gateway) fn is_read(block: &str) -> bool {
    BLOCKS.iter().any(|(kind, _)| *kind == block)
}

/// What is not read of an event of Anthropic that is no delta of a block: an object, if there is a text in it.
pub(in crate::gateway) fn of_event(kind: &str, data: &[u8]) -> Option<String> {
    let mut event: Map<String, Value> = serde_json::from_slice(data).ok()?;
    event.remove("type");
    match kind {
        "message_start" => {
            if let Some(message) = object(&mut event, "message") {
                strip(message, &["id", "type", "role", "model"]);
                strip(message, &["stop_reason", "stop_sequence", "usage"]);
            }
        }
        "content_block_start" => {
            let read = object(&mut event, "content_block").is_none_or(strip_block);
            // What is read when it is whole is looked through when it is.
            if !read {
                event.remove("content_block");
            }
        }
        "message_delta" => {
            event.remove("usage");
            if let Some(delta) = object(&mut event, "delta") {
                strip(delta, &["stop_reason", "stop_sequence"]);
            }
        }
        // Its words are the error that the caller is told.
        "error" => drop(event.remove("error")),
        _ => {}
    }
    with_text(event)
}

/// What is not read of a whole answer, if there is a text in it.
pub(super) fn of_answer(body: &[u8]) -> Option<String> {
    let mut answer: Map<String, Value> = serde_json::from_slice(body).ok()?;
    strip(&mut answer, &["id", "type", "role", "model", "stop_reason", "stop_sequence", "usage"]);
    if let Some(Value::Array(blocks)) = answer.get_mut("content") {
        blocks.retain_mut(|block| block.as_object_mut().is_some_and(strip_block));
    }
    with_text(answer)
}

/// Takes out of a block what is read of it. Whether it is read at all.
fn strip_block(block: &mut Map<String, Value>) -> bool {
    let kind = block.get("type").and_then(Value::as_str).unwrap_or_default();
    let Some((_, members)) = BLOCKS.iter().find(|(name, _)| *name == kind) else { return false };
    strip(block, members);
    block.remove("type");
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_of_an_event_is_left_out() {
        for (kind, event) in [
            (
                "message_start",
                r#"{"type":"message_start","message":{"id":"msg_0123456789","model":"claude-opus-5","content":[],
                    "stop_details":null,"usage":{"service_tier":"standard_only"}}}"#,
            ),
            (
                "content_block_start",
                r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"toolu_0123456",
                    "name":"a_long_name","input":{"text":"a long text"}}}"#,
            ),
            (
                "content_block_start",
                r#"{"type":"content_block_start","index":0,"content_block":{"type":"brand_new","x":"a long text"}}"#,
            ),
            (
                "message_delta",
                r#"{"type":"message_delta","delta":{"stop_reason":"stop_sequence","stop_sequence":"a long text"}}"#,
            ),
            ("ping", r#"{"type":"ping"}"#),
        ] {
            assert_eq!(of_event(kind, event.as_bytes()), None, "{event}");
        }
    }

    #[test]
    fn what_is_not_read_of_an_event_is_left() {
        for (kind, event, rest) in [
            (
                "content_block_start",
                r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"a long text",
                    "citations":[{"cited_text":"another text"}]}}"#,
                r#"{"index":0,"content_block":{"citations":[{"cited_text":"another text"}]}}"#,
            ),
            (
                "message_delta",
                r#"{"type":"message_delta","delta":{"stop_details":{"explanation":"because of it"}}}"#,
                r#"{"delta":{"stop_details":{"explanation":"because of it"}}}"#,
            ),
            (
                "brand_new",
                r#"{"type":"brand_new","x":["a long text"]}"#,
                r#"{"x":["a long text"]}"#,
            ),
        ] {
            let found: Value =
                serde_json::from_str(&of_event(kind, event.as_bytes()).unwrap()).unwrap();
            assert_eq!(found, serde_json::from_str::<Value>(rest).unwrap(), "{event}");
        }
    }

    #[test]
    fn what_is_read_of_an_answer_is_left_out() {
        let answer = r#"{"id":"msg_0123456789","type":"message","container":{"id":"a long text"},"content":[
            {"type":"text","text":"a long text","citations":null},{"type":"brand_new","x":"a long text"},
            {"type":"thinking","thinking":"a long text","y":"another text"}]}"#;
        let found: Value = serde_json::from_str(&of_answer(answer.as_bytes()).unwrap()).unwrap();
        let expected = serde_json::json!({
            "container": {"id": "a long text"}, "content": [{"citations": null}, {"y": "another text"}],
        });
        assert_eq!(found, expected);
    }
}
