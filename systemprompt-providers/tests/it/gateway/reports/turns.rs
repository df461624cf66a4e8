//! What of a conversation is sent on.

use serde_json::{Value, json};

use super::super::house::House;
use super::super::wire::Wire;
use super::{conversation, model, sends};

const PICTURE: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=";

/// A turn of the model in which it calls tools with these ids.
fn calls(ids: &[&str]) -> Value {
    let calls: Vec<Value> = ids
        .iter()
        .map(|id| json!({"type": "tool_use", "id": id, "name": "allowed", "input": {"path": id}}))
        .collect();
    json!({"role": "assistant", "content": calls})
}

fn result(id: &str, content: &Value) -> Value {
    json!({"type": "tool_result", "tool_use_id": id, "content": content})
}

#[tokio::test]
async fn litellm_28995_a_call_that_nothing_answers() {
    let house = House::new().await;
    // The caller broke the agent off, and says something else.
    let turns = [calls(&["call_1", "call_2"]), json!({"role": "user", "content": "stop that"})];
    let asked = conversation(Wire::A, &model(Wire::C), &turns);
    let sent = sends(&house, Wire::A, Wire::C, &asked).await;
    let messages = sent["messages"].as_array().unwrap();
    let at = messages.iter().position(|message| message["tool_calls"].is_array()).unwrap();
    for (place, id) in [(1, "call_1"), (2, "call_2")] {
        let answer = &messages[at + place];
        assert_eq!(
            (&answer["role"], &answer["tool_call_id"]),
            (&json!("tool"), &json!(id)),
            "{sent}"
        );
    }
    assert_eq!(messages[at + 3], json!({"role": "user", "content": "stop that"}));
    // One of them is answered, with a text beside the result.
    let turns = [
        calls(&["call_1", "call_2"]),
        json!({"role": "user", "content": [
            {"type": "text", "text": "and now?"}, result("call_2", &json!("fine"))]}),
    ];
    let asked = conversation(Wire::A, &model(Wire::C), &turns);
    let sent = sends(&house, Wire::A, Wire::C, &asked).await;
    let roles: Vec<&str> = sent["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["role"].as_str().unwrap())
        .collect();
    assert_eq!(roles, ["user", "assistant", "tool", "tool", "user"], "{sent}");
}

#[tokio::test]
async fn bifrost_1164_parallel_results_share_a_turn() {
    let house = House::new().await;
    let ids = ["call_1", "call_2", "call_3"];
    let call = |id: &str| json!({"id": id, "type": "function", "function": {"name": "allowed", "arguments": "{}"}});
    let mut chat = vec![json!({"role": "assistant", "content": null, "tool_calls": ids.map(call)})];
    chat.extend(ids.map(|id| json!({"role": "tool", "tool_call_id": id, "content": id})));
    let item = |id: &str| json!({"type": "function_call", "call_id": id, "name": "allowed", "arguments": "{}"});
    let mut items: Vec<Value> = ids.map(item).to_vec();
    items
        .extend(ids.map(|id| json!({"type": "function_call_output", "call_id": id, "output": id})));
    for (front, turns) in [(Wire::C, chat), (Wire::R, items)] {
        let asked = conversation(front, &model(Wire::A), &turns);
        let sent = sends(&house, front, Wire::A, &asked).await;
        let messages = sent["messages"].as_array().unwrap();
        assert_eq!(messages.len(), 3, "{front:?} {sent}");
        let results: Vec<&str> = messages[2]["content"]
            .as_array()
            .unwrap()
            .iter()
            .map(|block| block["tool_use_id"].as_str().unwrap())
            .collect();
        assert_eq!(results, ids, "{front:?}");

        let asked = conversation(front, &model(Wire::G), &turns);
        let sent = sends(&house, front, Wire::G, &asked).await;
        let contents = sent["contents"].as_array().unwrap();
        assert_eq!(contents.len(), 3, "{front:?} {sent}");
        assert_eq!(contents[2]["parts"].as_array().unwrap().len(), 3, "{front:?} {sent}");
    }
}

#[tokio::test]
async fn agentgateway_3002_no_arguments_in_the_history() {
    let house = House::new().await;
    for arguments in ["", "{}"] {
        let turns = [
            json!({"role": "assistant", "content": null, "tool_calls": [{"id": "call_1", "type": "function",
                "function": {"name": "allowed", "arguments": arguments}}]}),
            json!({"role": "tool", "tool_call_id": "call_1", "content": "fine"}),
        ];
        let asked = conversation(Wire::C, &model(Wire::A), &turns);
        let sent = sends(&house, Wire::C, Wire::A, &asked).await;
        assert_eq!(sent["messages"][1]["content"][0]["input"], json!({}), "{sent}");
        let asked = conversation(Wire::C, &model(Wire::G), &turns);
        let sent = sends(&house, Wire::C, Wire::G, &asked).await;
        assert_eq!(sent["contents"][1]["parts"][0]["functionCall"]["args"], json!({}), "{sent}");
    }
}

#[tokio::test]
async fn free_claude_code_326_hidden_thoughts_beside_a_call() {
    let house = House::new().await;
    let mut turn = calls(&["call_1"]);
    let hidden = json!({"type": "redacted_thinking", "data": "EmwKAhgBEgy3va3pzix"});
    for at in [0, 1] {
        let mut turn = turn.clone();
        turn["content"].as_array_mut().unwrap().insert(at, hidden.clone());
        let turns = [turn, json!({"role": "user", "content": [result("call_1", &json!("fine"))]})];
        let ask = |upstream| conversation(Wire::A, &model(upstream), &turns);
        let sent = sends(&house, Wire::A, Wire::C, &ask(Wire::C)).await;
        let messages = sent["messages"].as_array().unwrap();
        assert_eq!(messages[1]["tool_calls"][0]["id"], "call_1", "{sent}");
        assert_eq!(
            messages[2],
            json!({"role": "tool", "tool_call_id": "call_1", "content": "fine"})
        );
        assert_eq!(messages.len(), 3, "{sent}");

        let sent = sends(&house, Wire::A, Wire::R, &ask(Wire::R)).await;
        let kinds: Vec<&str> = sent["input"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|item| item["type"].as_str())
            .filter(|kind| *kind != "message")
            .collect();
        assert_eq!(kinds, ["function_call", "function_call_output"], "{sent}");

        let sent = sends(&house, Wire::A, Wire::G, &ask(Wire::G)).await;
        assert!(sent["contents"][1]["parts"][0]["functionCall"].is_object(), "{sent}");
        assert!(sent["contents"][2]["parts"][0]["functionResponse"].is_object(), "{sent}");
        assert!(!sent.to_string().contains("EmwKAhg"), "{sent}");
    }
    // Its maker gets it back where it was.
    turn["content"].as_array_mut().unwrap().insert(0, hidden);
    let turns = [turn, json!({"role": "user", "content": [result("call_1", &json!("fine"))]})];
    let asked = conversation(Wire::A, &model(Wire::A), &turns);
    let sent = sends(&house, Wire::A, Wire::A, &asked).await;
    assert_eq!(sent["messages"], asked["messages"]);
}

#[tokio::test]
async fn imp_1006_pictures_in_results_are_sent() {
    let house = House::new().await;
    let picture = json!({"type": "image",
        "source": {"type": "base64", "media_type": "image/png", "data": PICTURE}});
    let content = json!([{"type": "text", "text": "the screen"}, picture]);
    let turns =
        [calls(&["call_1"]), json!({"role": "user", "content": [result("call_1", &content)]})];
    for upstream in [Wire::C, Wire::R, Wire::G] {
        let asked = conversation(Wire::A, &model(upstream), &turns);
        let sent = sends(&house, Wire::A, upstream, &asked).await;
        let text = sent.to_string();
        assert_eq!(text.matches(PICTURE).count(), 1, "{upstream:?} {sent}");
        assert!(text.contains("the screen"), "{upstream:?} {sent}");
        if upstream == Wire::C {
            // This wire takes no picture in a result: it follows as the user's.
            let messages = sent["messages"].as_array().unwrap();
            let at = messages.iter().position(|it| it["role"] == "tool").unwrap();
            assert!(messages[at]["content"].is_string(), "{sent}");
            assert_eq!(messages[at + 1]["role"], "user", "{sent}");
            assert!(messages[at + 1].to_string().contains(PICTURE), "{sent}");
        }
    }
}
