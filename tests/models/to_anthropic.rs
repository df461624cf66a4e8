//! Callers of OpenAI, a provider of Anthropic.

use serde_json::{Value, json};
use systemprompt::ai::scripted::Script;

use crate::sdk::LANGS;
use crate::stand::{ANTHROPIC, Stand};
use crate::wire::{
    block, message, message_end, message_start, named, named_frame, text_block, tool_block,
};

fn ask(messages: Value) -> Value {
    json!({ "model": "claude-sonnet-4-6", "messages": messages })
}

fn hi() -> Value {
    ask(json!([{ "role": "user", "content": "hi" }]))
}

fn told() -> Value {
    json!({ "input_tokens": 20, "output_tokens": 5 })
}

fn plain() -> Script {
    message(json!([{ "type": "text", "text": "ok" }]), "end_turn", told())
}

fn call(id: &str, arguments: &str) -> Value {
    json!({ "id": id, "type": "function", "function": { "name": "weather", "arguments": arguments } })
}

fn tools() -> Value {
    let schema = json!({ "type": "object", "properties": { "city": { "type": "string" } } });
    json!([{ "type": "function", "function": { "name": "weather", "parameters": schema } }])
}

fn roles(sent: &Value) -> Vec<&str> {
    sent["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| message["role"].as_str().unwrap())
        .collect()
}

// 26
#[tokio::test(flavor = "multi_thread")]
async fn what_the_system_says_is_kept_and_the_catalog_says_how_long_an_answer_may_be() {
    let stand = Stand::start().await;
    for (number, lang) in LANGS.into_iter().enumerate() {
        stand.script(ANTHROPIC, plain());
        let params = ask(json!([
            { "role": "system", "content": "Be brief." },
            { "role": "user", "content": "hi" },
            { "role": "assistant", "content": "Hello." },
            { "role": "developer", "content": "Now in French." },
            { "role": "user", "content": "and?" },
        ]));
        let said = stand.openai(lang, "chat", params).await.well();
        assert_eq!(said.result["choices"][0]["message"]["content"], "ok");
        assert_eq!(said.result["choices"][0]["finish_reason"], "stop");
        let sent = stand.sent();
        assert_eq!(sent["max_tokens"], 128_000, "{lang:?}");
        assert!(sent["system"].to_string().contains("Be brief."), "{sent:#}");
        let all = sent.to_string();
        assert!(all.contains("Now in French."), "{sent:#}");
        assert!(roles(&sent).iter().all(|role| *role != "developer"), "{sent:#}");
        assert_eq!(roles(&sent).first(), Some(&"user"));
        assert!(stand.seen().header("anthropic-version").is_some());
        assert_eq!(stand.record(number + 1).await["provider"], "anthropic");
    }
}

// 27
#[tokio::test(flavor = "multi_thread")]
async fn results_of_calls_that_were_made_together_share_one_turn() {
    let stand = Stand::start().await;
    for lang in LANGS {
        stand.script(ANTHROPIC, plain());
        let mut params = ask(json!([
            { "role": "user", "content": "all three" },
            { "role": "assistant", "content": null, "tool_calls": [
                call("call_a", "{\"city\":\"Oslo\"}"), call("call_b", "{\"city\":\"Rome\"}"), call("call_c", "{}"),
            ] },
            { "role": "tool", "tool_call_id": "call_a", "content": "rain" },
            { "role": "tool", "tool_call_id": "call_b", "content": "sun" },
            { "role": "tool", "tool_call_id": "call_c", "content": "snow" },
        ]));
        params["tools"] = tools();
        stand.openai(lang, "chat", params).await.well();
        let sent = stand.sent();
        assert_eq!(roles(&sent), ["user", "assistant", "user"], "{lang:?} {sent:#}");
        let results = sent["messages"][2]["content"].as_array().unwrap();
        let ids: Vec<_> =
            results.iter().map(|block| block["tool_use_id"].as_str().unwrap()).collect();
        assert_eq!(ids, ["call_a", "call_b", "call_c"]);
        assert!(results.iter().all(|block| block["type"] == "tool_result"));
    }
}

// 28
#[tokio::test(flavor = "multi_thread")]
async fn arguments_are_an_object_and_what_is_no_json_is_refused_by_its_name() {
    let stand = Stand::start().await;
    for lang in LANGS {
        stand.script(ANTHROPIC, plain());
        let conversation = |arguments: &str| {
            let mut params = ask(json!([
                { "role": "user", "content": "where?" },
                { "role": "assistant", "content": null, "tool_calls": [call("call_a", arguments)] },
                { "role": "tool", "tool_call_id": "call_a", "content": "rain" },
            ]));
            params["tools"] = tools();
            params
        };
        stand.openai(lang, "chat", conversation("{\"city\": \"Oslo\", \"n\": 1.50}")).await.well();
        let sent = stand.sent();
        assert_eq!(sent["messages"][1]["content"][0]["input"], json!({ "city": "Oslo", "n": 1.5 }));
        let before = stand.upstream.requests();
        let said = stand.openai(lang, "chat", conversation("{\"city\": ")).await;
        said.raised("BadRequestError");
        assert!(said.error["message"].as_str().unwrap().contains("arguments"), "{:#}", said.error);
        assert_eq!(stand.upstream.requests(), before);
    }
}

// 29
#[tokio::test(flavor = "multi_thread")]
async fn a_temperature_is_one_that_the_model_takes_or_is_left_out_with_a_word() {
    let stand = Stand::start().await;
    for lang in LANGS {
        for (model, sent_as) in
            [("claude-sonnet-4-6", json!(1.0)), ("claude-opus-5-5", Value::Null)]
        {
            stand.script(ANTHROPIC, plain());
            let mut params = hi();
            params["model"] = model.into();
            params["temperature"] = 1.4.into();
            let said = stand.openai(lang, "chat", params).await.well();
            let sent = stand.sent();
            assert_eq!(sent["temperature"].as_f64(), sent_as.as_f64(), "{lang:?} {model}");
            if sent_as.is_number() {
                assert_eq!(stand.seen().header("anthropic-version"), Some("2023-06-01"));
            }
            let loss = said.headers["x-systemprompt-loss"].as_str().unwrap_or_default();
            assert!(loss.contains("temperature"), "{:#}", said.headers);
        }
    }
}

// 30
#[tokio::test(flavor = "multi_thread")]
async fn a_forced_call_never_reaches_a_model_that_refuses_it() {
    let stand = Stand::start().await;
    for lang in LANGS {
        stand.script(ANTHROPIC, plain());
        let mut params = hi();
        params["model"] = "claude-opus-5-5".into();
        params["tools"] = tools();
        params["tool_choice"] = "required".into();
        let before = stand.upstream.requests();
        let said = stand.openai(lang, "chat", params).await;
        if said.error.is_null() {
            assert!(
                !["any", "tool"]
                    .contains(&stand.sent()["tool_choice"]["type"].as_str().unwrap_or("auto"))
            );
            let loss = said.headers["x-systemprompt-loss"].as_str().unwrap_or_default();
            assert!(loss.contains("tool_choice"), "{:#}", said.headers);
        } else {
            said.raised("BadRequestError");
            assert_eq!(stand.upstream.requests(), before);
        }
    }
}

// 31
#[tokio::test(flavor = "multi_thread")]
async fn a_schema_of_the_answer_is_said_in_the_providers_way() {
    let stand = Stand::start().await;
    let schema = json!({
        "type": "object", "properties": { "city": { "type": "string" } }, "required": ["city"],
        "additionalProperties": false,
    });
    for lang in LANGS {
        stand.script(
            ANTHROPIC,
            message(json!([{ "type": "text", "text": "{\"city\":\"Oslo\"}" }]), "end_turn", told()),
        );
        let mut params = hi();
        params["response_format"] = json!({ "type": "json_schema", "json_schema": { "name": "place", "strict": true, "schema": schema } });
        let said = stand.openai(lang, "chat", params).await.well();
        let text = said.result["choices"][0]["message"]["content"].as_str().unwrap();
        assert_eq!(serde_json::from_str::<Value>(text).unwrap(), json!({ "city": "Oslo" }));
        let format = &stand.sent()["output_config"]["format"];
        assert_eq!(format["type"], "json_schema", "{lang:?} {:#}", stand.sent());
        assert_eq!(format["schema"], schema);
    }
}

fn thoughts() -> Vec<Value> {
    let mut events = vec![message_start(json!({ "input_tokens": 20, "output_tokens": 1 }))];
    events.extend(block(
        0,
        json!({ "type": "thinking", "thinking": "", "signature": "" }),
        &[
            json!({ "type": "thinking_delta", "thinking": "Rain " }),
            json!({ "type": "thinking_delta", "thinking": "is likely." }),
            json!({ "type": "signature_delta", "signature": "c2lnbmVkIGJ5IHRoZSBwcm92aWRlcg==" }),
        ],
    ));
    events.extend(tool_block(1, "toolu_a", "weather", &["{\"city\":", "\"Oslo\"}"]));
    events.extend(message_end("tool_use", told()));
    events
}

/// What the chunks of a stream say together, extensions included, as a client keeps it.
fn folded(events: &[Value]) -> Value {
    let mut message = json!({ "role": "assistant", "content": null });
    let mut reasoning = String::new();
    let mut details: Vec<Value> = Vec::new();
    let mut calls: Vec<Value> = Vec::new();
    for event in events {
        let delta = &event["choices"][0]["delta"];
        if let Some(text) = delta["content"].as_str() {
            let so_far = message["content"].as_str().unwrap_or_default().to_owned();
            message["content"] = (so_far + text).into();
        }
        reasoning.push_str(delta["reasoning_content"].as_str().unwrap_or_default());
        details.extend(delta["reasoning_details"].as_array().cloned().unwrap_or_default());
        for piece in delta["tool_calls"].as_array().into_iter().flatten() {
            let at = piece["index"].as_u64().unwrap() as usize;
            if at == calls.len() {
                calls.push(call(piece["id"].as_str().unwrap(), ""));
            }
            let more = piece["function"]["arguments"].as_str().unwrap_or_default();
            let so_far = calls[at]["function"]["arguments"].as_str().unwrap().to_owned();
            calls[at]["function"]["arguments"] = (so_far + more).into();
        }
    }
    message["reasoning_content"] = reasoning.into();
    message["reasoning_details"] = details.into();
    message["tool_calls"] = calls.into();
    message
}

// 32, 17
#[tokio::test(flavor = "multi_thread")]
async fn thoughts_and_their_signature_come_out_and_go_back_in() {
    let stand = Stand::start().await;
    for lang in LANGS {
        stand.script(ANTHROPIC, named(&thoughts()));
        let mut params = hi();
        params["tools"] = tools();
        let said = stand.openai(lang, "chat.events", params.clone()).await.well();
        let message = folded(&said.events);
        assert_eq!(message["reasoning_content"], "Rain is likely.", "{lang:?} {message:#}");
        assert!(
            message["reasoning_details"].to_string().contains("c2lnbmVkIGJ5IHRoZSBwcm92aWRlcg"),
            "{message:#}"
        );
        stand.script(ANTHROPIC, plain());
        params["messages"].as_array_mut().unwrap().extend([
            message,
            json!({ "role": "tool", "tool_call_id": "toolu_a", "content": "rain" }),
        ]);
        stand.openai(lang, "chat", params).await.well();
        let sent = stand.sent();
        let content = sent["messages"][1]["content"].as_array().unwrap();
        assert_eq!(content[0]["type"], "thinking", "{sent:#}");
        assert_eq!(content[0]["thinking"], "Rain is likely.");
        assert_eq!(content[0]["signature"], "c2lnbmVkIGJ5IHRoZSBwcm92aWRlcg==");
        assert_eq!(content[1]["type"], "tool_use");
    }
}

// 33
#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_counts_with_what_was_cached_of_it() {
    let stand = Stand::start().await;
    let told = json!({
        "input_tokens": 200, "cache_read_input_tokens": 700, "cache_creation_input_tokens": 100,
        "cache_creation": { "ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 0 }, "output_tokens": 10,
    });
    for (number, lang) in LANGS.into_iter().enumerate() {
        stand.script(
            ANTHROPIC,
            message(json!([{ "type": "text", "text": "ok" }]), "end_turn", told.clone()),
        );
        let said = stand.openai(lang, "chat", hi()).await.well();
        let check = |usage: &Value| {
            assert_eq!(usage["prompt_tokens"], 1000, "{lang:?} {usage:#}");
            assert_eq!(usage["prompt_tokens_details"]["cached_tokens"], 700);
            assert_eq!(usage["prompt_tokens_details"]["cache_write_tokens"], 100);
            assert_eq!(usage["completion_tokens"], 10);
            assert_eq!(usage["total_tokens"], 1010);
        };
        check(&said.result["usage"]);
        let mut events = vec![message_start(told.clone())];
        events.extend(text_block(0, &["ok"]));
        events.extend(message_end("end_turn", told.clone()));
        stand.script(ANTHROPIC, named(&events));
        let mut params = hi();
        params["stream_options"] = json!({ "include_usage": true });
        let said = stand.openai(lang, "chat.stream", params).await.well();
        check(&said.result["usage"]);
        let record = stand.record(2 * number + 2).await;
        let tokens = json!({ "input": 200, "cached_input": 700, "cache_write": 100, "output": 10 });
        assert_eq!(record["tokens"], tokens, "set, not added");
        // 200 at 3 dollars, 700 at 0.3, 100 at 3.75, 10 at 15: 600 + 210 + 375 + 150.
        assert_eq!(record["cost_microdollars"], 1335);
    }
}

// 34
#[tokio::test(flavor = "multi_thread")]
async fn an_overload_in_the_middle_of_a_stream_is_raised() {
    let stand = Stand::start().await;
    for (number, lang) in LANGS.into_iter().enumerate() {
        let mut events = vec![message_start(json!({ "input_tokens": 20, "output_tokens": 1 }))];
        let mut text = text_block(0, &["Once ", "upon "]);
        text.pop();
        events.extend(text);
        events.push(json!({ "type": "error", "error": { "type": "overloaded_error", "message": "too busy" } }));
        stand.script(ANTHROPIC, named(&events));
        let said = stand.openai(lang, "chat.events", hi()).await;
        said.raised("APIError");
        let text: String = said
            .events
            .iter()
            .filter_map(|event| event["choices"][0]["delta"]["content"].as_str())
            .collect();
        assert_eq!(text, "Once upon ", "{lang:?}");
        assert!(said.error["message"].as_str().unwrap().contains("too busy"), "{:#}", said.error);
        assert!(said.events.iter().all(|event| event["choices"][0]["finish_reason"].is_null()));
        let record = stand.record(number + 1).await;
        assert_eq!(record["status"], "failed");
        assert_eq!(record["tokens"]["input"], 20);
    }
}

// 35
#[tokio::test(flavor = "multi_thread")]
async fn a_limit_of_the_provider_is_one_of_openai() {
    let stand = Stand::start().await;
    let words = json!({ "type": "error", "error": { "type": "rate_limit_error", "message": "slow down" }, "request_id": "req_up" });
    for (number, lang) in LANGS.into_iter().enumerate() {
        let refusal = Script::status(429)
            .header("content-type", "application/json")
            .header("retry-after", "7")
            .header("anthropic-ratelimit-requests-remaining", "0")
            .bytes(words.to_string());
        stand.script(ANTHROPIC, refusal);
        let said = stand.openai(lang, "chat", hi()).await;
        said.raised("RateLimitError");
        assert_eq!(said.error["status"], 429);
        assert_eq!(said.error["code"], "rate_limit_exceeded", "{lang:?} {:#}", said.error);
        assert!(said.error["message"].as_str().unwrap().contains("slow down"));
        assert_eq!(said.error["headers"]["retry-after"], "7");
        assert!(
            said.error["request_id"].as_str().is_some_and(|id| !id.is_empty()),
            "{:#}",
            said.error
        );
        let record = stand.record(number + 1).await;
        assert_eq!(
            (&record["status"], &record["attempts"]),
            (&json!("failed"), &json!(["anthropic:status_429"]))
        );
    }
}

// 36
#[tokio::test(flavor = "multi_thread")]
async fn ends_that_openai_has_no_word_for_get_the_nearest() {
    let stand = Stand::start().await;
    for lang in LANGS {
        for (theirs, ours) in [
            ("pause_turn", "stop"),
            ("model_context_window_exceeded", "length"),
            ("max_tokens", "length"),
            ("refusal", "content_filter"),
        ] {
            stand.script(
                ANTHROPIC,
                message(json!([{ "type": "text", "text": "so" }]), theirs, told()),
            );
            let said = stand.openai(lang, "chat", hi()).await.well();
            assert_eq!(said.result["choices"][0]["finish_reason"], ours, "{lang:?} {theirs}");
        }
    }
}

// 37
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_responses_has_every_event_in_order() {
    let stand = Stand::start().await;
    let mut events = vec![message_start(json!({ "input_tokens": 20, "output_tokens": 1 }))];
    events.extend(text_block(0, &["Let me ", "look."]));
    events.extend(tool_block(1, "toolu_a", "weather", &["{\"city\":", "\"Oslo\"}"]));
    events.extend(tool_block(2, "toolu_b", "weather", &["{\"city\":\"Rome\"}"]));
    events.extend(message_end("tool_use", told()));
    let schema = json!({ "type": "object", "properties": { "city": { "type": "string" } } });
    let params = json!({
        "model": "claude-sonnet-4-6", "input": "weather?",
        "tools": [{ "type": "function", "name": "weather", "parameters": schema, "strict": false }],
    });
    for (number, lang) in LANGS.into_iter().enumerate() {
        stand.script(ANTHROPIC, named(&events));
        let said = stand.openai(lang, "responses.events", params.clone()).await.well();
        let call = [
            "response.output_item.added",
            "response.function_call_arguments.delta",
            "response.function_call_arguments.done",
            "response.output_item.done",
        ];
        let mut expected = vec![
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
        ];
        expected.extend(call.iter().chain(&call));
        expected.push("response.completed");
        let mut kinds = said.types();
        kinds.dedup();
        assert_eq!(kinds, expected, "{lang:?}");
        for (at, event) in said.events.iter().enumerate() {
            assert_eq!(event["sequence_number"], at, "{event:#}");
        }
        let output = &said.events.last().unwrap()["response"]["output"];
        let kinds: Vec<_> =
            output.as_array().unwrap().iter().map(|item| item["type"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["message", "function_call", "function_call"]);
        assert_eq!(output[1]["call_id"], "toolu_a");
        assert_eq!(output[0]["content"][0]["text"], "Let me look.");
        stand.script(ANTHROPIC, named(&events));
        let said = stand.openai(lang, "responses.stream", params.clone()).await.well();
        assert_eq!(said.result["output"][2]["arguments"], "{\"city\":\"Rome\"}");
        let record = stand.record(2 * number + 2).await;
        assert_eq!(record["tool_calls_allowed"], 2);
        assert_eq!(record["tokens"]["output"], 5);
    }
}

// 12 of the reports (litellm#29223): errors in the middle of a stream of Responses.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_responses_that_breaks_off_has_failed() {
    let stand = Stand::start().await;
    for (number, lang) in LANGS.into_iter().enumerate() {
        let mut text = text_block(0, &["Once "]);
        text.pop();
        let frames: String = [message_start(told())].iter().chain(&text).map(named_frame).collect();
        stand.script(ANTHROPIC, systemprompt::ai::scripted::sse([frames]));
        let params = json!({ "model": "claude-sonnet-4-6", "input": "hi" });
        let said = stand.openai(lang, "responses.events", params).await;
        let failed =
            said.count("response.failed") > 0 || said.count("error") > 0 || !said.error.is_null();
        assert!(failed, "{lang:?} {:?}", said.types());
        assert_eq!(said.count("response.completed"), 0);
        assert_eq!(stand.record(number + 1).await["status"], "failed");
    }
}
