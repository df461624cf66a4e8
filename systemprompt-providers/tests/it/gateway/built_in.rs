//! Calls of tools that clients of OpenAI have built in: the provider's item is the call.

use serde_json::{Value, json};
use systemprompt_providers::scripted::{Script, sse};

use super::house::{House, Reply};
use super::wire::{Text, Wire};

/// An item, and the tool and the arguments of the call that is decided.
struct BuiltIn {
    item: Value,
    tool: &'static str,
    arguments: Value,
}

fn all() -> Vec<BuiltIn> {
    let item = |kind: &str, name: &str, call: Value| json!({"type": kind, "id": "item_1", "call_id": "call_built_in", "status": "completed", name: call});
    let call = |kind: &str, tool, name: &str, call: Value| BuiltIn {
        item: item(kind, name, call.clone()),
        tool,
        arguments: json!({name: call}),
    };
    let screen = json!({"type": "click", "button": "left", "x": 3, "y": 4});
    let mut computer = call("computer_call", "computer", "action", screen);
    computer.item["pending_safety_checks"] = json!([]);
    computer.arguments["pending_safety_checks"] = json!([]);
    vec![
        call(
            "local_shell_call",
            "local_shell",
            "action",
            json!({"type": "exec", "command": ["rm", "-rf", "/srv/deep"], "env": {}}),
        ),
        call(
            "shell_call",
            "shell",
            "action",
            json!({"commands": ["rm -rf /srv/deep"], "timeout_ms": 5}),
        ),
        call(
            "apply_patch_call",
            "apply_patch",
            "operation",
            json!({"type": "delete_file", "path": "/srv/deep"}),
        ),
        computer,
    ]
}

/// The frames of a streamed answer that says `So.` and then has the item.
fn frames(item: &Value) -> Vec<String> {
    let mut frames = Wire::R.stream(&[Text("So.")]);
    let last = frames.pop().unwrap();
    let mut added = item.clone();
    added["status"] = json!("in_progress");
    let mut number = frames.len();
    let mut say = |mut event: Value| {
        event["sequence_number"] = json!(number);
        number += 1;
        format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap())
    };
    frames
        .push(say(json!({"type": "response.output_item.added", "output_index": 1, "item": added})));
    if item["type"] == "apply_patch_call" {
        // A piece that only this kind has.
        frames.push(say(
            json!({"type": "response.apply_patch_call_operation_diff.delta", "output_index": 1,
            "item_id": "item_1", "delta": "-/srv/deep"}),
        ));
    }
    frames.push(say(json!({"type": "response.output_item.done", "output_index": 1, "item": item})));
    let data = last.trim_end().split_once("data: ").unwrap().1;
    let mut end: Value = serde_json::from_str(data).unwrap();
    end["response"]["output"].as_array_mut().unwrap().push(item.clone());
    frames.push(say(end));
    frames
}

fn whole(item: &Value) -> String {
    let mut answer: Value = serde_json::from_str(&Wire::R.whole(&[Text("So.")])).unwrap();
    answer["output"].as_array_mut().unwrap().push(item.clone());
    answer.to_string()
}

async fn asked(house: &House, item: &Value, stream: bool) -> Reply {
    house.plays(Wire::R, if stream { sse(frames(item)) } else { Script::json(whole(item)) });
    let reply = house.ask(Wire::R, Wire::R.request("r-x", stream)).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply
}

#[tokio::test]
async fn calls_of_built_in_tools_are_decided_and_pass_unchanged() {
    for BuiltIn { item, tool, arguments } in all() {
        for stream in [false, true] {
            let house = House::new().await;
            let reply = asked(&house, &item, stream).await;
            let sent = if stream { frames(&item).concat() } else { whole(&item) };
            assert_eq!(reply.text(), sent, "{tool} {stream}");
            assert_eq!(house.governor.tools(), [format!("{tool} {arguments}")]);
            let decided = house.governor.decided();
            assert_eq!(decided[1].call.call_id().as_str(), "call_built_in");
            let detail = house.record(1).await.detail;
            assert_eq!((detail.tool_calls_allowed, detail.tool_calls_denied), (1, 0));
            assert!(detail.provider_tools.is_empty());
            house.is_settled().await;
        }
    }
}

/// Asserts that a sentence stands in the place of the call, and nothing of it is left.
fn is_withheld(what: &str, reply: &Reply, stream: bool, sentence: &str) {
    let got = if stream {
        Wire::R.check(&reply.body, false);
        Wire::R.read_stream(&reply.body)
    } else {
        Wire::R.read_whole(&reply.body)
    };
    assert!(got.text.starts_with("So."), "{what} {got:?}");
    assert_eq!(got.text.matches(sentence).count(), 1, "{what} {got:?}");
    assert_eq!((got.stop.as_str(), got.error), ("completed", None), "{what}");
    for trace in ["call_built_in", "/srv/deep", "click", "_call\""] {
        assert!(!reply.text().contains(trace), "{what} {trace} {}", reply.text());
    }
}

#[tokio::test]
async fn a_forbidden_call_of_a_built_in_tool_is_denied() {
    for BuiltIn { item, tool, .. } in all() {
        for stream in [false, true] {
            let what = format!("{tool} {stream}");
            let house = House::new().await;
            house.governor.deny(tool);
            let reply = asked(&house, &item, stream).await;
            let sentence = format!("The call of the tool `{tool}` was denied by policy (blocked)");
            is_withheld(&what, &reply, stream, &sentence);
            let detail = house.record(1).await.detail;
            assert_eq!((detail.tool_calls_allowed, detail.tool_calls_denied), (0, 1), "{what}");
            assert_eq!(detail.stop_reason.as_deref(), Some("end_turn"), "{what}");
            house.is_settled().await;
        }
    }
}

#[tokio::test]
async fn a_forbidden_call_of_a_built_in_tool_is_denied_wherever_it_is_cut() {
    for BuiltIn { item, tool, .. } in all() {
        let house = House::new().await;
        house.governor.deny(tool);
        let sent = frames(&item).concat().into_bytes();
        let sentence = format!("The call of the tool `{tool}` was denied by policy (blocked)");
        for at in (1..sent.len()).step_by(151) {
            let (first, last) = sent.split_at(at);
            house.plays(Wire::R, sse([first, last]));
            let reply = house.ask(Wire::R, Wire::R.request("r-x", true)).await;
            is_withheld(&format!("{tool} {at}"), &reply, true, &sentence);
        }
    }
}

#[tokio::test]
async fn a_call_of_a_built_in_tool_whose_arguments_change_is_withheld() {
    for BuiltIn { item, tool, .. } in all() {
        for stream in [false, true] {
            let house = House::new().await;
            house.governor.rewrite(tool);
            let reply = asked(&house, &item, stream).await;
            let sentence = format!(
                "The call of the tool `{tool}` was withheld: the policy changes its arguments"
            );
            is_withheld(&format!("{tool} {stream}"), &reply, stream, &sentence);
        }
    }
}
