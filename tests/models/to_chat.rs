//! Callers of Anthropic, a provider of Chat Completions.

use serde_json::{Value, json};
use systemprompt::ai::scripted::{Script, Step};

use crate::sdk::LANGS;
use crate::stand::{CHAT, Stand};
use crate::wire::{chunk, chunks, completion, delta, finish, unended, usage};

fn ask() -> Value {
    json!({ "model": "deepseek-v4-pro", "max_tokens": 64, "messages": [{ "role": "user", "content": "hi" }] })
}

fn with_tools() -> Value {
    let mut params = ask();
    let schema = json!({ "type": "object", "properties": { "city": { "type": "string" } } });
    params["tools"] = json!([
        { "name": "weather", "description": "The weather.", "input_schema": schema },
        { "name": "now", "input_schema": { "type": "object", "properties": {} } },
    ]);
    params
}

fn told() -> Value {
    usage(json!({ "prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25 }))
}

fn call(index: u64, id: &str, name: &str, arguments: &str) -> Value {
    json!({ "index": index, "id": id, "type": "function", "function": { "name": name, "arguments": arguments } })
}

fn more(index: u64, arguments: &str) -> Value {
    json!({ "index": index, "function": { "arguments": arguments } })
}

// 5
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_text_has_one_start_one_open_block_and_one_end() {
    let stand = Stand::start().await;
    let answer = [
        delta(json!({ "role": "assistant", "content": "" })),
        delta(json!({ "content": "Hel" })),
        delta(json!({ "content": "lo" })),
        finish("stop"),
        told(),
    ];
    for (number, lang) in LANGS.into_iter().enumerate() {
        stand.script(CHAT, chunks(&answer));
        let said = stand.anthropic(lang, "messages.events", ask()).await.well();
        for kind in [
            "message_start",
            "content_block_start",
            "content_block_stop",
            "message_delta",
            "message_stop",
        ] {
            assert_eq!(said.count(kind), 1, "{lang:?} {kind}: {:?}", said.types());
        }
        assert_eq!(said.types().last(), Some(&"message_stop"));
        stand.script(CHAT, chunks(&answer));
        let said = stand.anthropic(lang, "messages.stream", ask()).await.well();
        assert_eq!(said.result["content"][0]["text"], "Hello");
        assert_eq!(said.result["stop_reason"], "end_turn");
        assert_eq!(said.result["model"], "deepseek-v4-pro");
        assert_eq!(said.result["usage"]["output_tokens"], 5);
        let sent = stand.sent();
        assert_eq!(sent["messages"], json!([{ "role": "user", "content": "hi" }]));
        assert_eq!((&sent["stream"], &sent["max_tokens"]), (&json!(true), &json!(64)));
        let record = stand.record(2 * number + 2).await;
        assert_eq!(record["provider"], "chat");
        assert_eq!(record["stop_reason"], "end_turn");
        assert_eq!(
            (&record["tokens"]["input"], &record["tokens"]["output"]),
            (&json!(20), &json!(5))
        );
        assert_eq!(record.get("byte_lane"), None);
        assert!(record["cost_microdollars"].as_u64().unwrap() > 0);
    }
}

// 6
#[tokio::test(flavor = "multi_thread")]
async fn calls_in_one_chunk_and_calls_that_alternate_are_blocks_one_after_the_other() {
    let stand = Stand::start().await;
    let together = vec![
        delta(json!({ "role": "assistant", "content": null, "tool_calls": [
            call(0, "call_a", "weather", "{\"city\":\"Oslo\"}"), call(1, "call_b", "weather", "{\"city\":\"Rome\"}"),
        ] })),
        finish("tool_calls"),
        told(),
    ];
    let alternating = vec![
        delta(json!({ "role": "assistant", "tool_calls": [call(0, "call_a", "weather", "")] })),
        delta(json!({ "tool_calls": [call(1, "call_b", "weather", "{\"ci")] })),
        delta(json!({ "tool_calls": [more(0, "{\"city\":")] })),
        delta(json!({ "tool_calls": [more(1, "ty\":\"Rome\"}"), more(0, "\"Oslo\"}")] })),
        finish("tool_calls"),
        told(),
    ];
    for lang in LANGS {
        for answer in [&together, &alternating] {
            stand.script(CHAT, chunks(answer));
            let said = stand.anthropic(lang, "messages.stream", with_tools()).await.well();
            let content = &said.result["content"];
            assert_eq!(content.as_array().unwrap().len(), 2, "{lang:?} {content:#}");
            for (at, (id, city)) in [("call_a", "Oslo"), ("call_b", "Rome")].into_iter().enumerate()
            {
                assert_eq!(content[at]["id"], id);
                assert_eq!(content[at]["input"], json!({ "city": city }));
            }
            assert_eq!(said.result["stop_reason"], "tool_use");
            let mut open = 0_i32;
            for kind in said.types() {
                open += i32::from(kind == "content_block_start")
                    - i32::from(kind == "content_block_stop");
                assert!((0..=1).contains(&open), "{:?}", said.types());
            }
        }
    }
    let records = stand.records().await;
    assert!(records.iter().all(|record| record["tool_calls_allowed"] == 2), "{records:#?}");
}

// 7
#[tokio::test(flavor = "multi_thread")]
async fn a_call_without_arguments_has_an_empty_object() {
    let stand = Stand::start().await;
    for lang in LANGS {
        let calls = json!({ "role": "assistant", "content": null, "tool_calls": [call(0, "call_a", "now", "")] });
        stand.script(CHAT, chunks(&[delta(calls.clone()), finish("tool_calls"), told()]));
        let said = stand.anthropic(lang, "messages.stream", with_tools()).await.well();
        assert_eq!(said.result["content"][0]["input"], json!({}), "{lang:?}");
        assert_eq!(said.result["stop_reason"], "tool_use");
        stand.script(CHAT, completion(calls, "tool_calls", told()["usage"].clone()));
        let said = stand.anthropic(lang, "messages", with_tools()).await.well();
        assert_eq!(said.result["content"][0]["input"], json!({}), "{lang:?}");
        // And back again: the provider gets a text that is an object.
        let mut params = with_tools();
        params["messages"].as_array_mut().unwrap().extend([
            json!({ "role": "assistant", "content": said.result["content"] }),
            json!({ "role": "user", "content": [{ "type": "tool_result", "tool_use_id": "call_a", "content": "noon" }] }),
        ]);
        stand.script(
            CHAT,
            completion(
                json!({ "role": "assistant", "content": "noon" }),
                "stop",
                told()["usage"].clone(),
            ),
        );
        stand.anthropic(lang, "messages", params).await.well();
        let sent = stand.sent();
        assert_eq!(sent["messages"][1]["tool_calls"][0]["function"]["arguments"], "{}");
        assert_eq!(sent["messages"][2]["content"], "noon");
    }
}

// 8, 9
#[tokio::test(flavor = "multi_thread")]
async fn results_come_first_in_the_order_of_their_calls_with_their_pictures_and_errors() {
    let stand = Stand::start().await;
    let picture = json!({ "type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo=" });
    for lang in LANGS {
        stand.script(
            CHAT,
            completion(
                json!({ "role": "assistant", "content": "ok" }),
                "stop",
                told()["usage"].clone(),
            ),
        );
        let mut params = with_tools();
        params["model"] = "vision-1".into();
        params["messages"] = json!([
            { "role": "user", "content": "both, please" },
            { "role": "assistant", "content": [
                { "type": "tool_use", "id": "call_a", "name": "weather", "input": { "city": "Oslo" } },
                { "type": "tool_use", "id": "call_b", "name": "weather", "input": { "city": "Rome" } },
            ] },
            { "role": "user", "content": [
                { "type": "tool_result", "tool_use_id": "call_b", "content": "no such city", "is_error": true },
                { "type": "tool_result", "tool_use_id": "call_a", "content": [
                    { "type": "text", "text": "rain" }, { "type": "image", "source": picture },
                ] },
                { "type": "text", "text": "and now?" },
            ] },
        ]);
        stand.anthropic(lang, "messages", params).await.well();
        let messages = stand.sent()["messages"].clone();
        let roles: Vec<_> =
            messages.as_array().unwrap().iter().map(|m| m["role"].as_str().unwrap()).collect();
        assert_eq!(roles[..4], ["user", "assistant", "tool", "tool"], "{messages:#}");
        assert!(roles[4..].iter().all(|role| *role == "user") && roles.len() > 4, "{messages:#}");
        assert_eq!(messages[2]["tool_call_id"], "call_a");
        assert_eq!(messages[3]["tool_call_id"], "call_b");
        let text = messages[3].to_string();
        assert!(text.contains("no such city") && text.to_lowercase().contains("error"), "{text}");
        let users = json!(messages.as_array().unwrap()[4..]).to_string();
        assert!(users.contains("data:image/png;base64,iVBORw0KGgo="), "{users}");
        assert!(users.contains("and now?"), "{users}");
    }
}

// 10
#[tokio::test(flavor = "multi_thread")]
async fn reasoning_is_a_thinking_block_before_the_text_and_goes_back_as_reasoning() {
    let stand = Stand::start().await;
    let answer = [
        delta(json!({ "role": "assistant", "reasoning_content": "Rain " })),
        delta(json!({ "reasoning_content": "is likely." })),
        delta(json!({ "content": "Take a coat." })),
        delta(json!({ "tool_calls": [call(0, "call_a", "weather", "{\"city\":\"Oslo\"}")] })),
        finish("tool_calls"),
        told(),
    ];
    for lang in LANGS {
        stand.script(CHAT, chunks(&answer));
        let said = stand.anthropic(lang, "messages.stream", with_tools()).await.well();
        let content = said.result["content"].as_array().unwrap();
        let kinds: Vec<_> = content.iter().map(|block| block["type"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["thinking", "text", "tool_use"], "{lang:?}");
        assert_eq!(content[0]["thinking"], "Rain is likely.");
        let mut params = with_tools();
        params["messages"].as_array_mut().unwrap().extend([
            json!({ "role": "assistant", "content": content }),
            json!({ "role": "user", "content": [{ "type": "tool_result", "tool_use_id": "call_a", "content": "rain" }] }),
        ]);
        stand.script(
            CHAT,
            completion(
                json!({ "role": "assistant", "content": "ok" }),
                "stop",
                told()["usage"].clone(),
            ),
        );
        stand.anthropic(lang, "messages", params).await.well();
        let sent = stand.sent();
        assert_eq!(sent["messages"][1]["reasoning_content"], "Rain is likely.", "{sent:#}");
        assert_eq!(sent["messages"][1]["content"], "Take a coat.");
    }
}

// 11
#[tokio::test(flavor = "multi_thread")]
async fn the_signature_of_another_provider_is_not_sent_and_that_is_said() {
    let stand = Stand::start().await;
    for lang in LANGS {
        let mut params = ask();
        params["messages"] = json!([
            { "role": "user", "content": "hi" },
            { "role": "assistant", "content": [
                { "type": "thinking", "thinking": "A greeting.", "signature": "c2lnbmF0dXJlIG9mIGFub3RoZXI=" },
                { "type": "text", "text": "Hello." },
            ] },
            { "role": "user", "content": "and?" },
        ]);
        stand.script(
            CHAT,
            completion(
                json!({ "role": "assistant", "content": "ok" }),
                "stop",
                told()["usage"].clone(),
            ),
        );
        let said = stand.anthropic(lang, "messages", params).await.well();
        let body = String::from_utf8(stand.seen().body.to_vec()).unwrap();
        assert!(!body.contains("c2lnbmF0dXJlIG9mIGFub3RoZXI="), "{body}");
        assert!(said.headers["x-systemprompt-loss"].is_string(), "{:#}", said.headers);
    }
    let records = stand.records().await;
    assert!(
        records.iter().all(|record| !record["losses"].as_array().unwrap().is_empty()),
        "{records:#?}"
    );
}

// 12
#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_from_a_cache_and_written_to_it_is_not_counted_as_input() {
    let stand = Stand::start().await;
    let told = json!({
        "prompt_tokens": 1000, "completion_tokens": 10, "total_tokens": 1010,
        "prompt_tokens_details": { "cached_tokens": 700, "cache_write_tokens": 100 },
    });
    for lang in LANGS {
        for op in ["messages", "messages.stream"] {
            let answer = match op {
                "messages" => completion(
                    json!({ "role": "assistant", "content": "hi" }),
                    "stop",
                    told.clone(),
                ),
                _ => chunks(&[
                    delta(json!({ "role": "assistant", "content": "hi" })),
                    finish("stop"),
                    usage(told.clone()),
                ]),
            };
            stand.script(CHAT, answer);
            let said = stand.anthropic(lang, op, ask()).await.well();
            let usage = &said.result["usage"];
            assert_eq!(usage["input_tokens"], 200, "{lang:?} {op}: {usage}");
            assert_eq!(usage["cache_read_input_tokens"], 700);
            assert_eq!(usage["cache_creation_input_tokens"], 100);
            assert_eq!(usage["output_tokens"], 10);
        }
    }
    let tokens = json!({ "input": 200, "cached_input": 700, "cache_write": 100, "output": 10 });
    let records = stand.records().await;
    assert!(records.iter().all(|record| record["tokens"] == tokens), "{records:#?}");
    assert_eq!(stand.row().await, json!(["chat", "deepseek-v4-pro", "success", 200, 700, 100, 10]));
}

// 13
#[tokio::test(flavor = "multi_thread")]
async fn a_limit_and_a_filter_are_reasons_of_their_own() {
    let stand = Stand::start().await;
    for (number, (lang, (theirs, ours))) in LANGS
        .into_iter()
        .flat_map(|lang| {
            [("length", "max_tokens"), ("content_filter", "refusal")].map(|reasons| (lang, reasons))
        })
        .enumerate()
    {
        stand.script(
            CHAT,
            chunks(&[
                delta(json!({ "role": "assistant", "content": "so" })),
                finish(theirs),
                told(),
            ]),
        );
        let said = stand.anthropic(lang, "messages.stream", ask()).await.well();
        assert_eq!(said.result["stop_reason"], ours, "{lang:?}");
        assert_eq!(stand.record(number + 1).await["status"], "success");
    }
}

// 14
#[tokio::test(flavor = "multi_thread")]
async fn comments_empty_choices_and_a_missing_mark_of_the_end_do_no_harm() {
    let stand = Stand::start().await;
    for lang in LANGS {
        let first =
            unended(&[chunk(json!([])), delta(json!({ "role": "assistant", "content": "hi" }))]);
        let answer = first
            .bytes(": keep-alive\n\n")
            .bytes(format!("data: {}\n\n", chunk(json!([]))))
            .bytes(format!("data: {}\n\n", finish("stop")));
        stand.script(CHAT, answer);
        let said = stand.anthropic(lang, "messages.stream", ask()).await.well();
        assert_eq!(said.result["content"][0]["text"], "hi", "{lang:?}");
        assert_eq!(said.result["stop_reason"], "end_turn");
    }
    let records = stand.records().await;
    assert!(records.iter().all(|record| record["status"] == "success"), "{records:#?}");
    assert!(records.iter().all(|record| record["usage_estimated"] == true), "no usage was told");
}

// 15
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_breaks_off_is_an_error_and_no_end() {
    let stand = Stand::start().await;
    let begun = [
        delta(json!({ "role": "assistant", "content": "Once " })),
        delta(json!({ "content": "upon " })),
        delta(json!({ "content": "a time" })),
    ];
    let cuts: [Script; 3] = [
        // In the middle of an answer, orderly and not.
        unended(&begun),
        unended(&begun).step(Step::Close),
        unended(&begun).step(Step::Reset),
    ];
    let mut number = 0;
    for lang in LANGS {
        for cut in &cuts {
            stand.script(CHAT, cut.clone());
            let said = stand.anthropic(lang, "messages.events", ask()).await;
            said.raised("APIError");
            assert_eq!(said.count("message_stop"), 0, "{:?}", said.types());
            assert_eq!(
                said.error["body"]["error"]["type"], "api_error",
                "{lang:?} {:#}",
                said.error
            );
            number += 1;
            let record = stand.record(number).await;
            assert_eq!(record["status"], "failed", "{record:#}");
            assert_eq!(record["usage_estimated"], true);
            assert!(record["tokens"]["output"].as_u64().unwrap() > 0, "what came is counted");
            assert!(record["error_code"].is_string());
        }
    }
}

// 16
#[tokio::test(flavor = "multi_thread")]
async fn an_error_in_a_stream_is_an_error_of_the_same_kind() {
    let stand = Stand::start().await;
    let error = json!({ "error": { "message": "slow down", "type": "rate_limit_error", "code": "rate_limit_exceeded" } });
    for (number, lang) in LANGS.into_iter().enumerate() {
        let answer = unended(&[delta(json!({ "role": "assistant", "content": "Once " }))])
            .bytes(format!("data: {error}\n\n"))
            .bytes("data: [DONE]\n\n");
        stand.script(CHAT, answer);
        let said = stand.anthropic(lang, "messages.events", ask()).await;
        said.raised("APIError");
        assert_eq!(
            said.error["body"]["error"]["type"], "rate_limit_error",
            "{lang:?} {:#}",
            said.error
        );
        assert_eq!(said.count("message_stop"), 0);
        assert_eq!(stand.record(number + 1).await["status"], "failed");
    }
}

// agentgateway#2804
#[tokio::test(flavor = "multi_thread")]
async fn a_tool_that_the_provider_would_have_to_run_is_refused_in_words() {
    let stand = Stand::start().await;
    for lang in LANGS {
        let mut params = ask();
        params["tools"] = json!([{ "type": "web_search_20250305", "name": "web_search" }]);
        let said = stand.anthropic(lang, "messages", params).await;
        said.raised("BadRequestError");
        assert_eq!(said.error["body"]["error"]["type"], "invalid_request_error");
        assert!(said.error["message"].as_str().unwrap().contains("web_search"), "{:#}", said.error);
    }
    assert_eq!(stand.upstream.requests(), 0);
}
