//! What comes of a stream or an answer.

use serde_json::{Value, json};

use super::super::house::House;
use super::super::wire::{Call, FRONTS, Text, UPSTREAMS, Wire, chat_chunk};
use super::{answers, chunk, events, streams};

const ARGUMENTS: &str = r#"{"path":"/tmp/x"}"#;

const CALL: super::super::wire::Part = Call("call_1", "allowed", ARGUMENTS);

#[tokio::test]
async fn litellm_25321_arguments_only_on_done() {
    let house = House::new().await;
    let all = Wire::R.stream(&[CALL]);
    let without = |words: &[&str]| -> Vec<String> {
        let has = |frame: &&String| words.iter().any(|word| frame.contains(word));
        all.iter().filter(|frame| !has(frame)).cloned().collect()
    };
    for frames in [
        without(&["arguments.delta"]),
        without(&["arguments.delta", "arguments.done"]),
        without(&["arguments.delta", "arguments.done", "item.done"]),
    ] {
        for front in FRONTS {
            let reply = streams(&house, front, Wire::R, &frames).await;
            let got = front.read_stream(&reply.body);
            if front == Wire::R {
                assert_eq!(got.calls, [("allowed".to_owned(), ARGUMENTS.to_owned())]);
                continue;
            }
            front.check(&reply.body, false);
            assert_eq!(got.calls, [("allowed".to_owned(), ARGUMENTS.to_owned())], "{front:?}");
        }
    }
    // The same of Chat: the first piece has them all.
    let call = json!({"tool_calls": [{"index": 0, "id": "call_1", "type": "function",
        "function": {"name": "allowed", "arguments": ARGUMENTS}}]});
    let frames = [chunk(call, None), chunk(json!({}), Some("tool_calls"))];
    for front in FRONTS {
        let reply = streams(&house, front, Wire::C, &frames).await;
        let got = front.read_stream(&reply.body);
        assert_eq!(got.calls, [("allowed".to_owned(), ARGUMENTS.to_owned())], "{front:?}");
    }
}

#[tokio::test]
async fn litellm_32357_thoughts_within_a_text_and_one_message_start() {
    let house = House::new().await;
    let frames = [
        chunk(json!({"role": "assistant", "content": ""}), None),
        chunk(json!({"reasoning_content": "first "}), None),
        chunk(json!({"content": "one ", "reasoning_content": "second"}), None),
        chunk(json!({"role": "assistant", "content": "two"}), None),
        chunk(json!({"reasoning_content": "third"}), None),
        chunk(json!({"content": "three"}), None),
        chunk(json!({}), Some("stop")),
    ];
    let reply = streams(&house, Wire::A, Wire::C, &frames).await;
    Wire::A.check(&reply.body, false);
    let events = events(&reply);
    assert_eq!(events.iter().filter(|event| event["type"] == "message_start").count(), 1);
    let mut open = String::new();
    for event in &events {
        match (event["type"].as_str().unwrap(), event["delta"]["type"].as_str()) {
            ("content_block_start", _) => {
                event["content_block"]["type"].as_str().unwrap().clone_into(&mut open);
            }
            (_, Some("thinking_delta" | "signature_delta")) => assert_eq!(open, "thinking"),
            (_, Some("text_delta")) => assert_eq!(open, "text"),
            _ => {}
        }
    }
    let got = Wire::A.read_stream(&reply.body);
    assert_eq!((got.text.as_str(), got.thought.as_str()), ("one twothree", "first secondthird"));
}

#[tokio::test]
async fn litellm_30761_a_chunk_without_choices() {
    let house = House::new().await;
    let mut frames = Wire::C.stream(&[Text("Hello"), CALL]);
    for at in (0..frames.len() - 1).rev() {
        frames.insert(at, chat_chunk(&json!([]), &Value::Null));
    }
    for front in FRONTS {
        let reply = streams(&house, front, Wire::C, &frames).await;
        // In its own dialect the provider's frames are passed on.
        if front != Wire::C {
            front.check(&reply.body, false);
        }
        let got = front.read_stream(&reply.body);
        assert_eq!((got.text.as_str(), got.calls.len(), got.error), ("Hello", 1, None));
    }
}

#[tokio::test]
async fn agentgateway_3002_no_arguments_are_an_object() {
    let house = House::new().await;
    let call = |arguments: Value| {
        json!({"tool_calls": [{"index": 0, "id": "call_1", "type": "function",
            "function": {"name": "allowed", "arguments": arguments}}]})
    };
    for arguments in [json!(""), Value::Null] {
        let frames = [chunk(call(arguments.clone()), None), chunk(json!({}), Some("tool_calls"))];
        let mut whole: Value = serde_json::from_str(&Wire::C.whole(&[CALL])).unwrap();
        whole["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"] = arguments;
        for front in [Wire::A, Wire::R] {
            let reply = streams(&house, front, Wire::C, &frames).await;
            front.check(&reply.body, false);
            assert_eq!(front.read_stream(&reply.body).calls, [("allowed".into(), "{}".into())]);
            let reply = answers(&house, front, Wire::C, &whole).await;
            assert_eq!(front.read_whole(&reply.body).calls, [("allowed".into(), "{}".into())]);
        }
    }
    assert!(house.governor.tools().iter().all(|call| call == "allowed {}"));
}

#[tokio::test]
async fn aisix_170_a_call_in_a_whole_answer_is_kept() {
    let house = House::new().await;
    for front in FRONTS {
        for upstream in UPSTREAMS {
            let whole: Value = serde_json::from_str(&upstream.whole(&[Text("So."), CALL])).unwrap();
            let reply = answers(&house, front, upstream, &whole).await;
            let got = front.read_whole(&reply.body);
            assert_eq!(got.calls, [("allowed".into(), ARGUMENTS.into())], "{front:?} {upstream:?}");
            assert_eq!(got.text, "So.");
            if front == Wire::C {
                assert_eq!(got.stop, "tool_calls");
                let call = &reply.json()["choices"][0]["message"]["tool_calls"][0];
                assert_eq!((&call["type"], &call["id"]), (&json!("function"), &json!("call_1")));
            }
        }
    }
}

#[tokio::test]
async fn llm_rosetta_56_everything_that_codex_reads_is_there() {
    let house = House::new().await;
    for upstream in [Wire::A, Wire::C, Wire::G] {
        let frames = upstream.stream(&[Text("Hello"), CALL]);
        let reply = streams(&house, Wire::R, upstream, &frames).await;
        Wire::R.check(&reply.body, false);
        let events = events(&reply);
        let of = |kind: &str| -> Vec<&Value> {
            events.iter().filter(|event| event["type"] == kind).collect()
        };
        for (number, event) in events.iter().enumerate() {
            assert_eq!(event["sequence_number"], number, "{upstream:?} {event}");
        }
        let added = of("response.output_item.added");
        assert_eq!(added.len(), 2, "{upstream:?}");
        let end = of("response.completed")[0]["response"].clone();
        for (at, item) in added.iter().enumerate() {
            assert_eq!(item["output_index"], at);
            let id = &item["item"]["id"];
            assert!(id.as_str().is_some_and(|id| !id.is_empty()), "{item}");
            assert_eq!(&end["output"][at]["id"], id);
            assert_eq!(&of("response.output_item.done")[at]["item"], &end["output"][at]);
        }
        for kind in ["response.output_text.delta", "response.function_call_arguments.delta"] {
            let at = usize::from(kind.contains("function"));
            for delta in of(kind) {
                assert_eq!(delta["item_id"], end["output"][at]["id"], "{delta}");
                assert_eq!(delta["output_index"], at, "{delta}");
            }
            assert!(!of(kind).is_empty());
        }
        assert_eq!(end["output"][0]["content"][0]["text"], "Hello");
        assert_eq!(end["output"][1]["call_id"], "call_1");
        assert_eq!(end["output"][1]["arguments"], ARGUMENTS);
        assert_eq!(end["usage"]["output_tokens"], 7);
    }
}

/// An answer that the limit of tokens ended, whole and in frames.
fn cut_short(upstream: Wire) -> (Value, Vec<String>) {
    let change = |text: &str| {
        text.replace("\"stop_reason\":\"end_turn\"", "\"stop_reason\":\"max_tokens\"")
            .replace("\"finish_reason\":\"stop\"", "\"finish_reason\":\"length\"")
            .replace("\"finishReason\":\"STOP\"", "\"finishReason\":\"MAX_TOKENS\"")
    };
    let incomplete = |response: &mut Value| {
        response["status"] = json!("incomplete");
        response["incomplete_details"] = json!({"reason": "max_output_tokens"});
    };
    let mut whole: Value = serde_json::from_str(&change(&upstream.whole(&[Text("Hel")]))).unwrap();
    let mut frames: Vec<String> =
        upstream.stream(&[Text("Hel")]).iter().map(|frame| change(frame)).collect();
    if upstream == Wire::R {
        incomplete(&mut whole);
        let last = frames.pop().unwrap();
        let mut event: Value =
            serde_json::from_str(last.trim_end().split_once("data: ").unwrap().1).unwrap();
        event["type"] = json!("response.incomplete");
        incomplete(&mut event["response"]);
        frames.push(super::super::wire::named(&event));
    }
    (whole, frames)
}

#[tokio::test]
async fn agentic_api_273_the_limit_of_tokens_is_no_good_end() {
    let house = House::new().await;
    for upstream in UPSTREAMS {
        let (whole, frames) = cut_short(upstream);
        for front in FRONTS {
            let what = format!("{front:?}->{upstream:?}");
            let stop = match front {
                Wire::A => "max_tokens",
                Wire::C => "length",
                _ => "incomplete",
            };
            let reply = streams(&house, front, upstream, &frames).await;
            front.check(&reply.body, false);
            assert_eq!(front.read_stream(&reply.body).stop, stop, "{what} {}", reply.text());
            let reply = answers(&house, front, upstream, &whole).await;
            assert_eq!(front.read_whole(&reply.body).stop, stop, "{what} {}", reply.text());
            if front == Wire::R {
                assert_eq!(reply.json()["incomplete_details"]["reason"], "max_output_tokens");
            }
        }
    }
}
