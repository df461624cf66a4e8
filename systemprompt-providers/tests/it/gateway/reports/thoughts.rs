//! Signatures and thoughts over several requests: a client sends back what it got.

use serde_json::{Value, json};
use systemprompt_providers::scripted::{Script, sse};

use super::super::house::House;
use super::super::wire::{Call, Part, Text, Thought, Wire, named};
use super::{conversation, events, model, sent};

const STEP: [Part; 2] = [Thought("let me see"), Call("call_1", "allowed", r#"{"path":"/x"}"#)];

/// What a client of a dialect sends back of an answer, and the result of the call in it.
fn sent_back(front: Wire, answer: &Value, id: &str) -> Vec<Value> {
    match front {
        Wire::A => vec![
            json!({"role": "assistant", "content": answer["content"]}),
            json!({"role": "user",
                "content": [{"type": "tool_result", "tool_use_id": id, "content": "fine"}]}),
        ],
        Wire::C => vec![
            answer["choices"][0]["message"].clone(),
            json!({"role": "tool", "tool_call_id": id, "content": "fine"}),
        ],
        _ => {
            let mut items = answer["output"].as_array().unwrap().clone();
            items.push(json!({"type": "function_call_output", "call_id": id, "output": "fine"}));
            items
        }
    }
}

/// The whole answer that a stream is, as the client of a dialect puts it together.
fn put_together(front: Wire, reply: &super::Reply) -> Value {
    let events = events(reply);
    match front {
        Wire::R => events.last().unwrap()["response"].clone(),
        Wire::A => {
            let mut content: Vec<Value> = Vec::new();
            let mut input = String::new();
            for event in events {
                let add = |block: &mut Value, name: &str| {
                    let piece = event["delta"][name].as_str().unwrap_or_default();
                    let whole = block[name].as_str().unwrap_or_default().to_owned() + piece;
                    block[name] = json!(whole);
                };
                match event["type"].as_str().unwrap() {
                    "content_block_start" => content.push(event["content_block"].clone()),
                    "content_block_delta" => {
                        let block = content.last_mut().unwrap();
                        match event["delta"]["type"].as_str().unwrap() {
                            "text_delta" => add(block, "text"),
                            "thinking_delta" => add(block, "thinking"),
                            "signature_delta" => add(block, "signature"),
                            _ => input += event["delta"]["partial_json"].as_str().unwrap(),
                        }
                    }
                    "content_block_stop" if !input.is_empty() => {
                        let input = std::mem::take(&mut input);
                        content.last_mut().unwrap()["input"] =
                            serde_json::from_str(&input).unwrap();
                    }
                    _ => {}
                }
            }
            json!({"content": content})
        }
        _ => {
            let mut message = json!({"role": "assistant", "content": null});
            for event in events {
                for (name, piece) in event["choices"][0]["delta"].as_object().into_iter().flatten()
                {
                    match (name.as_str(), piece) {
                        ("role", _) | (_, Value::Null) => {}
                        ("tool_calls", calls) => {
                            let call = &calls[0];
                            let all = message.as_object_mut().unwrap();
                            let all = all.entry("tool_calls").or_insert_with(|| json!([]));
                            let at = usize::try_from(call["index"].as_u64().unwrap()).unwrap();
                            if call["id"].is_string() {
                                all.as_array_mut().unwrap().push(call.clone());
                                continue;
                            }
                            let arguments = &mut all[at]["function"]["arguments"];
                            let more = call["function"]["arguments"].as_str().unwrap();
                            *arguments = json!(arguments.as_str().unwrap().to_owned() + more);
                        }
                        (name, Value::Array(more)) => {
                            let all = message.as_object_mut().unwrap();
                            let all = all.entry(name).or_insert_with(|| json!([]));
                            all.as_array_mut().unwrap().extend(more.iter().cloned());
                        }
                        (name, piece) => {
                            let whole = message[name].as_str().unwrap_or_default().to_owned();
                            message[name] = json!(whole + piece.as_str().unwrap());
                        }
                    }
                }
            }
            json!({"choices": [{"message": message}]})
        }
    }
}

/// Two requests: the provider answers the first with these parts, whole or streamed, and the client sends the
/// answer back. What the provider is sent then.
async fn second_request(
    front: Wire,
    upstream: Wire,
    name: &str,
    stream: bool,
    answer: (&str, &[String]),
) -> Value {
    let house = House::new().await;
    let script = if stream { sse(answer.1) } else { Script::json(answer.0.to_owned()) };
    house.plays(upstream, script);
    let reply = house.ask(front, front.request(name, stream)).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let answer = if stream { put_together(front, &reply) } else { reply.json() };
    let turns = sent_back(front, &answer, "call_1");
    house.says(upstream, &[Text("done")], false);
    let reply = house.ask(front, conversation(front, name, &turns)).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    sent(&house)
}

async fn round(front: Wire, upstream: Wire, stream: bool) -> Value {
    let answer = (&*upstream.whole(&STEP), &*upstream.stream(&STEP));
    second_request(front, upstream, &model(upstream), stream, answer).await
}

#[tokio::test]
async fn agentgateway_3363_thoughts_go_back_to_chat() {
    for front in [Wire::A, Wire::C, Wire::R] {
        for stream in [false, true] {
            let sent = round(front, Wire::C, stream).await;
            let turn = &sent["messages"][1];
            assert_eq!(turn["reasoning_content"], "let me see", "{front:?} {stream} {sent}");
            assert_eq!(turn["tool_calls"][0]["function"]["name"], "allowed", "{front:?} {sent}");
        }
    }
}

#[tokio::test]
async fn agentgateway_3363_thoughts_go_back_to_anthropic() {
    for front in [Wire::A, Wire::C, Wire::R] {
        for stream in [false, true] {
            let sent = round(front, Wire::A, stream).await;
            let content = sent["messages"][1]["content"].as_array().unwrap();
            let thought =
                json!({"type": "thinking", "thinking": "let me see", "signature": "c2ln"});
            assert_eq!(content[0], thought, "{front:?} {stream} {sent}");
            assert_eq!(content[1]["type"], "tool_use", "{front:?} {sent}");
        }
    }
}

/// An answer of Gemini that thinks, and calls a tool with a signature.
fn signed() -> (String, Vec<String>) {
    let sign = |text: &str| {
        let mut answer: Value = serde_json::from_str(text).unwrap();
        for part in answer["candidates"][0]["content"]["parts"].as_array_mut().unwrap() {
            if part["functionCall"].is_object() {
                part["thoughtSignature"] = json!("c2lnbmVkIGJ5IGdlbWluaQ==");
            }
        }
        answer.to_string()
    };
    let frames = Wire::G.stream(&STEP);
    let frames = frames.iter().map(|frame| {
        let data = frame.trim_end().strip_prefix("data: ").unwrap();
        format!("data: {}\r\n\r\n", sign(data))
    });
    (sign(&Wire::G.whole(&STEP)), frames.collect())
}

#[tokio::test]
async fn tensorzero_2547_signatures_of_gemini_are_taken_back() {
    let (whole, frames) = signed();
    for front in [Wire::A, Wire::C, Wire::R] {
        for stream in [false, true] {
            let sent = second_request(front, Wire::G, "g-x", stream, (&whole, &frames)).await;
            let parts = sent["contents"][1]["parts"].as_array().unwrap();
            let call = parts.iter().find(|part| part["functionCall"].is_object()).unwrap();
            let what = format!("{front:?} {stream} {sent}");
            assert_eq!(call["thoughtSignature"], "c2lnbmVkIGJ5IGdlbWluaQ==", "{what}");
        }
    }
}

#[tokio::test]
async fn cloudflare_502_signatures_are_kept_over_rounds_of_tools() {
    let step = |number: usize| {
        json!({"candidates": [{"content": {"role": "model", "parts": [
                {"functionCall": {"id": format!("call_{number}"), "name": "allowed", "args": {"path": "/x"}},
                    "thoughtSignature": format!("c2lnbmF0dXJl{number}==")}]}, "finishReason": "STOP"}],
            "usageMetadata": {"promptTokenCount": 11, "candidatesTokenCount": 7, "totalTokenCount": 18},
            "responseId": "r1", "modelVersion": "up"})
    };
    for front in [Wire::A, Wire::C, Wire::R] {
        let house = House::new().await;
        let mut turns = Vec::new();
        for number in 1..=3 {
            house.plays(Wire::G, Script::json(step(number).to_string()));
            let reply = house.ask(front, conversation(front, "g-x", &turns)).await;
            assert_eq!(reply.status, 200, "{}", reply.text());
            turns.extend(sent_back(front, &reply.json(), &format!("call_{number}")));
        }
        house.says(Wire::G, &[Text("done")], false);
        house.ask(front, conversation(front, "g-x", &turns)).await;
        let sent = sent(&house);
        let signatures: Vec<&str> = sent["contents"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|content| content["parts"].as_array().unwrap())
            .filter(|part| part["functionCall"].is_object())
            .map(|part| part["thoughtSignature"].as_str().unwrap_or("none"))
            .collect();
        let expected = ["c2lnbmF0dXJl1==", "c2lnbmF0dXJl2==", "c2lnbmF0dXJl3=="];
        assert_eq!(signatures, expected, "{front:?} {sent}");
    }
}

#[tokio::test]
async fn claude_code_router_1378_thoughts_of_deepseek_are_replayed() {
    let house = House::new().await;
    // A client that keeps what it got, and thinks on.
    let turns = [
        json!({"role": "assistant", "content": [
            {"type": "thinking", "thinking": "let me see", "signature": ""},
            {"type": "tool_use", "id": "call_1", "name": "allowed", "input": {"path": "/x"}}]}),
        json!({"role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "call_1", "content": "fine"}]}),
    ];
    let mut asked = conversation(Wire::A, "c-x", &turns);
    asked["thinking"] = json!({"type": "enabled", "budget_tokens": 4000});
    asked["max_tokens"] = json!(8000);
    let sent = super::sends(&house, Wire::A, Wire::C, &asked).await;
    assert_eq!(sent["messages"][1]["reasoning_content"], "let me see", "{sent}");
    assert!(sent["reasoning_effort"].is_string(), "{sent}");
    assert_eq!(sent.get("reasoning"), None, "{sent}");
}

#[tokio::test]
async fn claude_code_router_1378_effort_and_off_do_not_contradict_each_other() {
    let house = House::new().await;
    let mut asked = Wire::A.request("c-x", false);
    asked["thinking"] = json!({"type": "disabled"});
    asked["output_config"] = json!({"effort": "high"});
    let sent = super::sends(&house, Wire::A, Wire::C, &asked).await;
    assert_eq!(sent["reasoning_effort"], "none", "{sent}");
    for name in ["reasoning", "thinking", "enable_thinking"] {
        assert_eq!(sent.get(name), None, "{sent}");
    }
    asked["thinking"] = json!({"type": "enabled", "budget_tokens": 4000});
    asked["max_tokens"] = json!(8000);
    let sent = super::sends(&house, Wire::A, Wire::C, &asked).await;
    assert_ne!(sent["reasoning_effort"], "none", "{sent}");
}

#[tokio::test]
async fn litellm_32357_a_signature_is_told_once_and_last() {
    let house = House::new().await;
    let frames = Wire::A.stream(&STEP);
    // A provider that signs with nothing before it signs.
    let mut twice = frames.clone();
    let at = twice.iter().position(|frame| frame.contains("signature_delta")).unwrap();
    let early = json!({"type": "content_block_delta", "index": 0,
        "delta": {"type": "signature_delta", "signature": ""}});
    twice.insert(at, named(&early));
    house.plays(Wire::A, sse(&twice));
    let reply = house.ask(Wire::C, Wire::C.request("a-x", true)).await;
    Wire::C.check(&reply.body, false);
    let details: Vec<Value> = events(&reply)
        .iter()
        .filter_map(|event| event["choices"][0]["delta"]["reasoning_details"].as_array().cloned())
        .flatten()
        .collect();
    let signed = details.iter().filter(|detail| detail["signature"].is_string()).count();
    assert_eq!(signed, 1, "{details:?}");
}
