//! Callers of Anthropic, a provider of Responses.

use serde_json::{Value, json};

use crate::sdk::LANGS;
use crate::stand::{RESPONSES, Stand};
use crate::wire::named;

fn ask() -> Value {
    let schema = json!({ "type": "object", "properties": { "city": { "type": "string" } } });
    json!({
        "model": "gpt-5.5", "max_tokens": 64, "messages": [{ "role": "user", "content": "weather?" }],
        "tools": [{ "name": "weather", "input_schema": schema }],
    })
}

fn response(status: &str, output: Value) -> Value {
    json!({
        "id": "resp_up", "object": "response", "created_at": 1_760_000_000, "status": status, "error": null,
        "incomplete_details": null, "model": "gpt-5.5", "output": output,
        "usage": {
            "input_tokens": 20, "input_tokens_details": { "cached_tokens": 0 }, "output_tokens": 5,
            "output_tokens_details": { "reasoning_tokens": 0 }, "total_tokens": 25,
        },
    })
}

fn call(arguments: &str) -> Value {
    json!({
        "id": "fc_up", "type": "function_call", "status": "completed", "call_id": "call_a", "name": "weather",
        "arguments": arguments,
    })
}

fn numbered(mut events: Vec<Value>) -> Vec<Value> {
    for (number, event) in events.iter_mut().enumerate() {
        event["sequence_number"] = number.into();
    }
    events
}

// 17 (litellm#25321)
#[tokio::test(flavor = "multi_thread")]
async fn arguments_that_come_only_at_the_end_come_once() {
    let stand = Stand::start().await;
    let arguments = "{\"city\":\"Oslo\"}";
    for lang in LANGS {
        for in_item_only in [false, true] {
            let mut events = vec![
                json!({ "type": "response.created", "response": response("in_progress", json!([])) }),
                json!({ "type": "response.output_item.added", "output_index": 0, "item": call("") }),
            ];
            if !in_item_only {
                events.push(json!({ "type": "response.function_call_arguments.done", "item_id": "fc_up", "output_index": 0, "arguments": arguments }));
            }
            events.extend([
                json!({ "type": "response.output_item.done", "output_index": 0, "item": call(arguments) }),
                json!({ "type": "response.completed", "response": response("completed", json!([call(arguments)])) }),
            ]);
            stand.script(RESPONSES, named(&numbered(events)));
            let said = stand.anthropic(lang, "messages.events", ask()).await.well();
            let pieces: String = said
                .events
                .iter()
                .filter_map(|event| event["delta"]["partial_json"].as_str())
                .collect();
            assert_eq!(pieces, arguments, "{lang:?} {in_item_only}");
            let stop = said.events.iter().find_map(|event| event["delta"]["stop_reason"].as_str());
            assert_eq!(stop, Some("tool_use"));
        }
    }
}

// 18
#[tokio::test(flavor = "multi_thread")]
async fn sealed_reasoning_goes_back_as_it_came() {
    let stand = Stand::start().await;
    let sealed = "c2VhbGVkIGJ5IHRoZSBwcm92aWRlcg==";
    let reasoning = json!({
        "id": "rs_up", "type": "reasoning", "summary": [{ "type": "summary_text", "text": "Rain?" }],
        "encrypted_content": sealed,
    });
    let whole = || {
        let output = json!([reasoning, call("{\"city\":\"Oslo\"}")]);
        systemprompt::ai::scripted::Script::json(response("completed", output).to_string())
    };
    for lang in LANGS {
        let mut params = ask();
        for turn in 0..2 {
            stand.script(RESPONSES, whole());
            let said = stand.anthropic(lang, "messages", params.clone()).await.well();
            let sent = stand.sent().to_string();
            assert_eq!(sent.matches(sealed).count(), turn, "{lang:?} {turn} {sent}");
            let content = said.result["content"].as_array().unwrap();
            let id = content.iter().find_map(|block| block["id"].as_str()).unwrap();
            params["messages"].as_array_mut().unwrap().extend([
                json!({ "role": "assistant", "content": content }),
                json!({ "role": "user", "content": [{ "type": "tool_result", "tool_use_id": id, "content": "rain" }] }),
            ]);
        }
        let input = stand.sent()["input"].as_array().unwrap().clone();
        let kinds: Vec<_> =
            input.iter().map(|item| item["type"].as_str().unwrap_or("message")).collect();
        assert_eq!(
            kinds,
            ["message", "reasoning", "function_call", "function_call_output"],
            "{input:#?}"
        );
    }
}

// 19
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_not_complete_says_why_and_one_that_failed_is_an_error() {
    let stand = Stand::start().await;
    for lang in LANGS {
        let text = json!({ "id": "msg_up", "type": "message", "role": "assistant", "status": "incomplete",
            "content": [{ "type": "output_text", "text": "so", "annotations": [] }] });
        let mut cut = response("incomplete", json!([text]));
        cut["incomplete_details"] = json!({ "reason": "max_output_tokens" });
        let at = |mut event: Value| {
            event["item_id"] = "msg_up".into();
            event["output_index"] = 0.into();
            event["content_index"] = 0.into();
            event
        };
        let begun = vec![
            json!({ "type": "response.created", "response": response("in_progress", json!([])) }),
            json!({ "type": "response.output_item.added", "output_index": 0, "item":
                { "id": "msg_up", "type": "message", "role": "assistant", "status": "in_progress", "content": [] } }),
            at(
                json!({ "type": "response.content_part.added", "part": { "type": "output_text", "text": "", "annotations": [] } }),
            ),
            at(json!({ "type": "response.output_text.delta", "delta": "so" })),
        ];
        let mut events = begun.clone();
        events.push(json!({ "type": "response.incomplete", "response": cut }));
        stand.script(RESPONSES, named(&numbered(events)));
        let said = stand.anthropic(lang, "messages.stream", ask()).await.well();
        assert_eq!(said.result["stop_reason"], "max_tokens", "{lang:?}");
        assert_eq!(said.result["content"][0]["text"], "so");

        let mut failed = response("failed", json!([]));
        failed["error"] = json!({ "code": "rate_limit_exceeded", "message": "slow down" });
        let mut events = begun;
        events.push(json!({ "type": "response.failed", "response": failed }));
        stand.script(RESPONSES, named(&numbered(events)));
        let said = stand.anthropic(lang, "messages.events", ask()).await;
        said.raised("APIError");
        assert_eq!(said.count("message_stop"), 0);
        assert!(said.error["message"].as_str().unwrap().contains("slow down"), "{:#}", said.error);
    }
    // What is raised in the middle of a stream is raised before its record is written.
    stand.record(4).await;
    let records = stand.records().await;
    let statuses: Vec<_> =
        records.iter().map(|record| record["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["success", "failed", "success", "failed"]);
}

// 20
#[tokio::test(flavor = "multi_thread")]
async fn marks_of_the_cache_are_told_to_the_models_that_take_them() {
    let stand = Stand::start().await;
    let mut number = 0;
    for lang in LANGS {
        for (model, ttl, said_ttl, takes) in [
            ("gpt-5.6-sol", Some("1h"), json!("12h"), true),
            ("gpt-6-sol", None, Value::Null, true),
            ("gpt-5.5", Some("1h"), Value::Null, false),
        ] {
            let text = json!({ "id": "msg_up", "type": "message", "role": "assistant", "status": "completed",
                "content": [{ "type": "output_text", "text": "ok", "annotations": [] }] });
            let mut whole = response("completed", json!([text]));
            whole["model"] = model.into();
            if takes {
                whole["usage"]["input_tokens"] = 2020.into();
                whole["usage"]["input_tokens_details"]["cache_write_tokens"] = 2000.into();
            }
            stand.script(RESPONSES, systemprompt::ai::scripted::Script::json(whole.to_string()));
            let mut mark = json!({ "type": "ephemeral" });
            if let Some(ttl) = ttl {
                mark["ttl"] = ttl.into();
            }
            let params = json!({
                "model": model, "max_tokens": 64,
                "system": [
                    { "type": "text", "text": "Be brief.", "cache_control": mark },
                    { "type": "text", "text": "Be kind." },
                ],
                "messages": [{ "role": "user", "content": "hi" }],
            });
            let said = stand.anthropic(lang, "messages", params).await.well();
            assert_eq!(said.result["content"][0]["text"], "ok", "{lang:?} {model}");
            let written = said.result["usage"]["cache_creation_input_tokens"].as_u64();
            let sent = stand.sent();
            number += 1;
            let record = stand.record(number).await;
            let losses = record["losses"].as_array().cloned().unwrap_or_default();
            let loss = said.headers["x-systemprompt-loss"].as_str().unwrap_or_default();
            if takes {
                let mut point = json!({ "mode": "explicit" });
                if !said_ttl.is_null() {
                    point["ttl"] = said_ttl;
                }
                let expected = json!({ "type": "message", "role": "system", "content": [
                    { "type": "input_text", "text": "Be brief.", "prompt_cache_breakpoint": point },
                    { "type": "input_text", "text": "Be kind." },
                ]});
                assert_eq!(sent["input"][0], expected, "{lang:?} {model}");
                assert_eq!(sent.get("instructions"), None, "{sent:#}");
                assert!(!loss.contains("cache_control"), "{loss}");
                assert_eq!(written, Some(2000), "{:#}", said.result);
                assert_eq!(record["tokens"]["cache_write"], 2000, "{record:#}");
            } else {
                assert_eq!(sent["instructions"], "Be brief.\n\nBe kind.", "{sent:#}");
                assert!(!sent.to_string().contains("cache"), "{sent:#}");
                assert!(loss.contains("system.0.cache_control=hint"), "{loss}");
                assert!(losses.contains(&json!("system.0.cache_control=hint")), "{record:#}");
                assert_eq!(written.unwrap_or_default(), 0);
            }
            assert_eq!(record["status"], "success");
            assert_eq!((&record["provider"], &record["model"]), (&json!("openai"), &json!(model)));
        }
    }
}
