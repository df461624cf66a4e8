//! What the policy says of an answer: calls of tools that are denied, in every dialect.

use serde_json::{Value, json};

use crate::sdk::LANGS;
use crate::stand::{ANTHROPIC, CHAT, OPENAI_CHAT, Stand};
use crate::wire::{
    chunks, delta, finish, message, message_end, message_start, named, text_block, tool_block,
    usage,
};

const TOLD: (u64, u64) = (20, 5);

fn told() -> Value {
    json!({ "input_tokens": TOLD.0, "output_tokens": TOLD.1 })
}

fn tools() -> Value {
    let schema = json!({ "type": "object", "properties": {} });
    json!([{ "name": "delete_records", "input_schema": schema }, { "name": "weather", "input_schema": schema }])
}

fn functions() -> Value {
    let schema = json!({ "type": "object", "properties": {} });
    let function = |name: &str| json!({ "type": "function", "function": { "name": name, "parameters": schema } });
    json!([function("delete_records"), function("weather")])
}

fn ask(model: &str, tools: Value) -> Value {
    json!({ "model": model, "max_tokens": 64, "messages": [{ "role": "user", "content": "clean up" }], "tools": tools })
}

/// A stream that calls the tool the policy blocks, and another one where `both`.
fn stream(both: bool) -> Vec<Value> {
    let mut events = vec![message_start(json!({ "input_tokens": TOLD.0, "output_tokens": 1 }))];
    events.extend(text_block(0, &["I will ", "clean up."]));
    events.extend(tool_block(1, "toolu_a", "delete_records", &["{\"table\":", "\"customers\"}"]));
    if both {
        events.extend(tool_block(2, "toolu_b", "weather", &["{\"city\":", "\"Oslo\"}"]));
    }
    events.extend(message_end("tool_use", told()));
    events
}

// 49
#[tokio::test(flavor = "multi_thread")]
async fn a_denied_call_in_a_stream_of_anthropic_is_a_sentence_and_the_stream_ends_well() {
    let stand = Stand::start().await;
    let mut number = 0;
    for lang in LANGS {
        for both in [false, true] {
            stand.script(ANTHROPIC, named(&stream(both)));
            let said = stand
                .anthropic(lang, "messages.stream", ask("claude-sonnet-4-6", tools()))
                .await
                .well();
            let all = json!(said.events).to_string();
            assert!(!all.contains("customers"), "not a byte of the arguments: {all}");
            let content = said.result["content"].as_array().unwrap();
            assert_eq!(content[0]["text"], "I will clean up.");
            assert_eq!(content[1]["type"], "text", "{lang:?} {content:#?}");
            let sentence = content[1]["text"].as_str().unwrap();
            assert!(
                sentence.contains("delete_records") && sentence.contains("denied"),
                "{sentence}"
            );
            if both {
                assert_eq!(content[2]["input"], json!({ "city": "Oslo" }));
            }
            assert_eq!(content.len(), if both { 3 } else { 2 });
            assert_eq!(said.result["stop_reason"], if both { "tool_use" } else { "end_turn" });
            assert_eq!(said.count("message_stop"), 1);
            number += 1;
            let record = stand.record(number).await;
            assert_eq!(record["status"], "success");
            assert_eq!(record["tool_calls_denied"], 1);
            assert_eq!(record["tool_calls_allowed"].as_u64().unwrap_or(0), u64::from(both));
            assert_eq!(record["tokens"]["output"], TOLD.1);
        }
    }
}

// 49
#[tokio::test(flavor = "multi_thread")]
async fn a_denied_call_in_a_whole_answer_is_a_sentence() {
    let stand = Stand::start().await;
    for lang in LANGS {
        let content = json!([
            { "type": "text", "text": "I will clean up." },
            { "type": "tool_use", "id": "toolu_a", "name": "delete_records", "input": { "table": "customers" } },
        ]);
        for sdk in ["anthropic", "openai"] {
            stand.script(ANTHROPIC, message(content.clone(), "tool_use", told()));
            let (all, reason) = if sdk == "anthropic" {
                let said = stand
                    .anthropic(lang, "messages", ask("claude-sonnet-4-6", tools()))
                    .await
                    .well();
                (said.result["content"].to_string(), said.result["stop_reason"].clone())
            } else {
                let said =
                    stand.openai(lang, "chat", ask("claude-sonnet-4-6", functions())).await.well();
                let choice = &said.result["choices"][0];
                assert!(
                    choice["message"]["tool_calls"].as_array().is_none_or(Vec::is_empty),
                    "{choice:#}"
                );
                (choice["message"].to_string(), choice["finish_reason"].clone())
            };
            assert!(
                all.contains("delete_records") && all.contains("denied"),
                "{lang:?} {sdk} {all}"
            );
            assert!(!all.contains("customers"), "{all}");
            assert_eq!(reason, if sdk == "anthropic" { "end_turn" } else { "stop" });
        }
    }
}

// 49
#[tokio::test(flavor = "multi_thread")]
async fn a_denied_call_in_a_stream_of_chat_is_a_sentence_in_both_lanes() {
    let stand = Stand::start().await;
    let call = |index: u64, id: &str, name: &str, arguments: &str| json!({ "index": index, "id": id, "type": "function", "function": { "name": name, "arguments": arguments } });
    let answer = chunks(&[
        delta(json!({ "role": "assistant", "content": "I will clean up." })),
        delta(json!({ "tool_calls": [call(0, "call_a", "delete_records", "")] })),
        delta(
            json!({ "tool_calls": [{ "index": 0, "function": { "arguments": "{\"table\":\"customers\"}" } }] }),
        ),
        delta(json!({ "tool_calls": [call(1, "call_b", "weather", "{\"city\":\"Oslo\"}")] })),
        finish("tool_calls"),
        usage(
            json!({ "prompt_tokens": TOLD.0, "completion_tokens": TOLD.1, "total_tokens": TOLD.0 + TOLD.1 }),
        ),
    ]);
    let mut number = 0;
    for lang in LANGS {
        for (path, model) in [(OPENAI_CHAT, "gpt-5.5"), (ANTHROPIC, "claude-sonnet-4-6")] {
            let script = if path == OPENAI_CHAT { answer.clone() } else { named(&stream(true)) };
            stand.script(path, script);
            let mut params = ask(model, functions());
            if model == "gpt-5.5" {
                params.as_object_mut().unwrap().remove("max_tokens");
            }
            let said = stand.openai(lang, "chat.stream", params).await.well();
            let all = json!(said.events).to_string();
            assert!(!all.contains("customers"), "{lang:?} {model} {all}");
            let message = &said.result["choices"][0]["message"];
            let text = message["content"].as_str().unwrap();
            assert!(text.contains("I will clean up.") && text.contains("denied"), "{text}");
            let calls = message["tool_calls"].as_array().unwrap();
            assert_eq!(calls.len(), 1, "{lang:?} {model} {message:#}");
            assert_eq!(calls[0]["function"]["name"], "weather");
            assert_eq!(said.result["choices"][0]["finish_reason"], "tool_calls");
            number += 1;
            let record = stand.record(number).await;
            assert_eq!(
                (&record["tool_calls_allowed"], &record["tool_calls_denied"]),
                (&json!(1), &json!(1))
            );
        }
    }
}

// 49
#[tokio::test(flavor = "multi_thread")]
async fn a_denied_call_in_a_stream_of_responses_is_a_sentence() {
    let stand = Stand::start().await;
    let schema = json!({ "type": "object", "properties": {} });
    let tools = json!([{ "type": "function", "name": "delete_records", "parameters": schema, "strict": false }]);
    for lang in LANGS {
        stand.script(ANTHROPIC, named(&stream(false)));
        let params = json!({ "model": "claude-sonnet-4-6", "input": "clean up", "tools": tools });
        let said = stand.openai(lang, "responses.stream", params).await.well();
        let output = said.result["output"].as_array().unwrap();
        assert!(output.iter().all(|item| item["type"] == "message"), "{lang:?} {output:#?}");
        let all = json!(said.events).to_string();
        assert!(!all.contains("customers"), "{all}");
        assert!(json!(output).to_string().contains("denied"));
        assert_eq!(said.result["status"], "completed");
    }
}

// 49
#[tokio::test(flavor = "multi_thread")]
async fn nothing_leaves_of_a_call_that_breaks_off_before_it_is_decided() {
    let stand = Stand::start().await;
    for lang in LANGS {
        for broken in ["cut", "error"] {
            let mut events = stream(false);
            // All that comes of the call is its name and its arguments: no end of its block.
            events.truncate(events.len() - 3);
            if broken == "error" {
                let error = json!({ "type": "overloaded_error", "message": "too busy" });
                events.push(json!({ "type": "error", "error": error }));
            }
            for sdk in ["anthropic", "openai"] {
                stand.script(ANTHROPIC, named(&events));
                let said = match sdk {
                    "anthropic" => {
                        let params = ask("claude-sonnet-4-6", tools());
                        stand.anthropic(lang, "messages.events", params).await
                    }
                    _ => {
                        let params = ask("claude-sonnet-4-6", functions());
                        stand.openai(lang, "chat.events", params).await
                    }
                };
                said.raised("APIError");
                let all = json!(said.events).to_string();
                assert!(all.contains("clean up."), "{lang:?} {sdk} {broken} {all}");
                assert!(!all.contains("customers"), "{lang:?} {sdk} {broken} {all}");
            }
        }
    }
}

// 49: what a policy let through is settled when its result comes.
#[tokio::test(flavor = "multi_thread")]
async fn a_permitted_call_is_settled_by_the_result_that_the_next_request_brings() {
    let stand = Stand::start().await;
    for lang in LANGS {
        let call = json!({ "role": "assistant", "content": null, "tool_calls": [{
            "index": 0, "id": format!("call_{lang:?}"), "type": "function",
            "function": { "name": "weather", "arguments": "{}" },
        }] });
        stand.script(CHAT, chunks(&[delta(call), finish("tool_calls")]));
        let said =
            stand.anthropic(lang, "messages.stream", ask("deepseek-v4-pro", tools())).await.well();
        let mut params = ask("deepseek-v4-pro", tools());
        let id = &said.result["content"][0]["id"];
        params["messages"].as_array_mut().unwrap().extend([
            json!({ "role": "assistant", "content": said.result["content"] }),
            json!({ "role": "user", "content": [{ "type": "tool_result", "tool_use_id": id, "content": "rain" }] }),
        ]);
        stand.script(
            CHAT,
            chunks(&[delta(json!({ "role": "assistant", "content": "Rain." })), finish("stop")]),
        );
        stand.anthropic(lang, "messages.stream", params).await.well();
    }
    let records = stand.records().await;
    assert_eq!(records.len(), 4);
    assert!(
        records.iter().all(|record| record.get("unpermitted_results").is_none()),
        "{records:#?}"
    );
}
