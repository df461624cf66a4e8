use serde_json::{Map, Value};

use super::{object, strip, with_text};

/// Whether an event is read, or says over again what was.
pub(in crate::gateway) fn is_read(kind: &str) -> bool {
    const READ: [&str; 9] = [
        "output_text.delta",
        "output_text.done",
        "refusal.",
        "function_call_arguments.",
        "custom_tool_call_input.",
        "reasoning_text.",
        "reasoning_summary_text.",
        "reasoning_summary_part.",
        "content_part.",
    ];
    const OF_THE_ANSWER: [&str; 8] = [
        "created",
        "in_progress",
        "queued",
        "completed",
        "incomplete",
        "done",
        "failed",
        "cancelled",
    ];
    let Some(name) = kind.strip_prefix("response.") else { return kind == "error" };
    OF_THE_ANSWER.contains(&name) || READ.iter().any(|read| name.starts_with(read))
}

/// Whether an event brings a piece of a picture or of sound.
pub(in crate::gateway) fn is_media(kind: &str) -> bool {
    kind.ends_with(".partial_image") || kind == "response.audio.delta"
}

/// What an event says that is not read, if there is a text in it.
pub(in crate::gateway) fn of_event(kind: &str, data: &[u8]) -> Option<String> {
    let mut event: Map<String, Value> = serde_json::from_slice(data).ok()?;
    strip(&mut event, &["type", "item_id", "obfuscation"]);
    if kind == "response.output_item.done"
        && let Some(item) = object(&mut event, "item")
        && !strip_item(item)
    {
        // What is read when it is whole is looked through when it is.
        event.remove("item");
    } else if let Some(item) = object(&mut event, "item") {
        strip_item(item);
    }
    with_text(event)
}

/// What is not read of the items of a whole answer, if there is a text in it.
pub(super) fn of_answer(body: &[u8]) -> Option<String> {
    let mut answer: Map<String, Value> = serde_json::from_slice(body).ok()?;
    let Some(Value::Array(mut items)) = answer.remove("output") else { return None };
    items.retain_mut(|item| item.as_object_mut().is_some_and(strip_item));
    let mut rest = Map::new();
    rest.insert("output".to_owned(), Value::Array(items));
    with_text(rest)
}

/// Takes out of an item what is read of it. Whether it is read at all.
fn strip_item(item: &mut Map<String, Value>) -> bool {
    let members: &[&str] = match item.get("type").and_then(Value::as_str).unwrap_or_default() {
        "message" => &["role"],
        "reasoning" => &["summary", "content", "encrypted_content"],
        "function_call" => &["call_id", "name", "arguments"],
        "custom_tool_call" => &["call_id", "name", "input"],
        _ => {
            strip(item, &["id", "call_id", "type", "status"]);
            return false;
        }
    };
    strip(item, members);
    strip(item, &["id", "type", "status"]);
    if let Some(Value::Array(parts)) = item.get_mut("content") {
        for part in parts.iter_mut().filter_map(Value::as_object_mut) {
            strip(part, &["type", "text", "refusal", "logprobs"]);
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_left_out() {
        for (kind, event) in [
            (
                "response.output_item.done",
                r#"{"type":"response.output_item.done","item":{"type":"message","id":"msg_0123456789","role":"assistant",
                    "status":"completed","content":[{"type":"output_text","text":"a long text","annotations":[]}]}}"#,
            ),
            (
                "response.output_item.done",
                r#"{"type":"response.output_item.done","item":{"type":"brand_new","x":"a long text"}}"#,
            ),
            (
                "response.web_search_call.searching",
                r#"{"type":"response.web_search_call.searching","item_id":"ws_0123456789","output_index":0}"#,
            ),
        ] {
            assert_eq!(of_event(kind, event.as_bytes()), None, "{event}");
        }
        assert!(is_read("response.output_text.delta") && is_read("response.created"));
        assert!(
            !is_read("response.output_text.annotation.added") && !is_read("response.brand_new")
        );
    }

    #[test]
    fn what_is_not_read_is_left() {
        for (kind, event, rest) in [
            (
                "response.output_item.done",
                r#"{"item":{"type":"message","content":[{"type":"output_text","text":"a long text",
                    "annotations":[{"title":"another text"}]}]}}"#,
                r#"{"item":{"content":[{"annotations":[{"title":"another text"}]}]}}"#,
            ),
            (
                "response.output_item.added",
                r#"{"item":{"type":"brand_new","id":"x","action":{"query":"a long text"}}}"#,
                r#"{"item":{"action":{"query":"a long text"}}}"#,
            ),
        ] {
            let found: Value =
                serde_json::from_str(&of_event(kind, event.as_bytes()).unwrap()).unwrap();
            assert_eq!(found, serde_json::from_str::<Value>(rest).unwrap(), "{event}");
        }
    }
}
