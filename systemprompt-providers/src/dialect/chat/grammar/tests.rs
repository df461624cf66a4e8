use serde_json::json;

use super::*;

fn chunk(delta: Value, reason: Value) -> Value {
    json!({"id": "a", "object": "chat.completion.chunk", "created": 1, "model": "m",
        "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})
}

fn usage() -> Value {
    json!({"id": "a", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}})
}

fn role() -> Value {
    chunk(json!({"role": "assistant", "content": ""}), json!(null))
}

fn end(reason: &str) -> Value {
    chunk(json!({}), json!(reason))
}

fn call(call: Value) -> Value {
    chunk(json!({"tool_calls": [call]}), json!(null))
}

fn begun(index: u64, arguments: &str) -> Value {
    call(json!({"index": index, "id": "c", "type": "function",
        "function": {"name": "f", "arguments": arguments}}))
}

fn text(frames: &[Value]) -> String {
    frames.iter().fold(String::new(), |text, frame| match frame {
        Value::String(word) => text + &format!("data: {word}\n\n"),
        frame => text + &format!("data: {frame}\n\n"),
    })
}

#[test]
fn whole_streams_pass() {
    let done = json!("[DONE]");
    let piece = call(json!({"index": 0, "function": {"arguments": "}"}}));
    let error = json!({"error": {"message": "m", "type": "t", "param": null, "code": null}});
    for frames in [
        vec![role(), chunk(json!({"content": "x"}), json!(null)), end("stop"), done.clone()],
        vec![role(), end("stop"), usage(), done.clone()],
        vec![role(), begun(0, "{"), piece, begun(1, "{}"), end("tool_calls"), done.clone()],
        vec![role(), begun(0, "{"), end("length"), done.clone()],
        vec![error.clone(), done.clone()],
        vec![role(), error, done],
    ] {
        let text = text(&frames);
        assert_eq!(ChatGrammar::check(text.as_bytes(), true), Ok(()), "{text}");
        let comments = text.replace("data:", ": c\n\ndata:");
        assert_eq!(ChatGrammar::check(comments.as_bytes(), true), Ok(()));
    }
}

#[test]
fn each_rule_is_kept() {
    let done = json!("[DONE]");
    let mut other = end("stop");
    other["model"] = json!("other");
    let mut object = role();
    object["object"] = json!("chat.completion");
    let mut beside = end("stop");
    beside["usage"] = json!({"prompt_tokens": 1});
    let error = json!({"error": {"message": "m", "type": "t", "param": null, "code": null}});
    let again = call(json!({"index": 0, "id": "c", "function": {"arguments": ""}}));
    let nameless =
        call(json!({"index": 0, "id": "c", "type": "function", "function": {"arguments": ""}}));
    let cases = [
        (vec![role(), end("stop")], "the stream ends without `[DONE]`"),
        (vec![role(), done.clone()], "`[DONE]` without a `finish_reason`"),
        (vec![role(), end("stop"), done.clone(), done.clone()], "something follows `[DONE]`"),
        (vec![role(), other, done.clone()], "`id`, `model` or `created` has changed"),
        (vec![object], "`object` is not `chat.completion.chunk`"),
        (vec![end("stop"), done.clone()], "`role` is not in the first choice alone"),
        (vec![role(), role()], "`role` is not in the first choice alone"),
        (vec![role(), end("stop"), end("stop")], "a choice after the `finish_reason`"),
        (vec![role(), end("end_turn")], "`finish_reason` is `end_turn`"),
        (vec![role(), end("tool_calls")], "`tool_calls` without calls"),
        (vec![role(), begun(1, "{}")], "calls are not numbered in order"),
        (vec![role(), nameless], "the first piece of a call without id and name"),
        (vec![role(), begun(0, ""), again], "a later piece of a call with an `id`"),
        (
            vec![role(), begun(0, "{"), end("tool_calls"), done.clone()],
            "the arguments of call 0 are no JSON object",
        ),
        (vec![role(), usage()], "usage before the `finish_reason`"),
        (vec![role(), end("stop"), usage(), usage()], "usage twice"),
        (vec![role(), beside], "usage beside a choice"),
        (vec![error.clone(), end("stop")], "something other than `[DONE]` follows the error"),
        (vec![error], "the stream ends without `[DONE]`"),
        (vec![json!("no")], "no JSON object: expected ident at line 1 column 2"),
    ];
    for (frames, what) in cases {
        let text = text(&frames);
        let wrong = ChatGrammar::check(text.as_bytes(), true).unwrap_err();
        assert_eq!(wrong.what, what, "{text}");
    }
    let asked = text(&[role(), end("stop"), usage(), done]);
    let wrong = ChatGrammar::check(asked.as_bytes(), false).unwrap_err();
    assert_eq!((wrong.frame, wrong.what.as_str()), (2, "usage that was not asked for"));
    let named = ChatGrammar::check(b"event: message\ndata: {}\n\n", false).unwrap_err();
    assert_eq!(named.what, "the frame has an `event`");
    let cut = ChatGrammar::check(b"data: [DO", false).unwrap_err();
    assert_eq!(cut.what, "the last frame has no blank line after it");
}
