//! Callers of Anthropic and OpenAI, a provider of Gemini.

use serde_json::{Value, json};
use systemprompt::ai::scripted::Script;

use crate::sdk::LANGS;
use crate::stand::{GEMINI, Stand};
use crate::wire::{candidate, gemini};

fn ask() -> Value {
    json!({ "model": "gemini-3.5-flash", "max_tokens": 64, "messages": [{ "role": "user", "content": "hi" }] })
}

fn with_tools() -> Value {
    let mut params = ask();
    let schema = json!({ "type": "object", "properties": { "city": { "type": "string" } } });
    params["tools"] = json!([{ "name": "weather", "input_schema": schema }]);
    params
}

fn told() -> Value {
    json!({ "promptTokenCount": 20, "candidatesTokenCount": 5, "totalTokenCount": 25 })
}

fn whole(response: &Value) -> Script {
    Script::json(response.to_string())
}

fn calls() -> Value {
    json!([
        { "functionCall": { "name": "weather", "args": { "city": "Oslo" } }, "thoughtSignature": "c2lnbmVkIGJ5IGdlbWluaQ==" },
        { "functionCall": { "name": "weather", "args": { "city": "Rome" } } },
    ])
}

// 21
#[tokio::test(flavor = "multi_thread")]
async fn a_signature_on_the_first_of_two_calls_goes_back_to_the_same_place() {
    let stand = Stand::start().await;
    for lang in LANGS {
        for op in ["messages", "messages.stream"] {
            let response = candidate(calls(), "STOP", told());
            let answer = if op == "messages" { whole(&response) } else { gemini(&[response]) };
            stand.script(GEMINI, answer);
            let said = stand.anthropic(lang, op, with_tools()).await.well();
            assert_eq!(said.result["stop_reason"], "tool_use");
            let content = said.result["content"].as_array().unwrap();
            let made: Vec<_> = content.iter().filter(|block| block["type"] == "tool_use").collect();
            assert_eq!(made.len(), 2, "{lang:?} {op} {content:#?}");
            assert_ne!(made[0]["id"], made[1]["id"]);
            let result = |block: &Value, text: &str| json!({ "type": "tool_result", "tool_use_id": block["id"], "content": text });
            let mut params = with_tools();
            params["messages"].as_array_mut().unwrap().extend([
                json!({ "role": "assistant", "content": content }),
                json!({ "role": "user", "content": [result(made[0], "rain"), result(made[1], "sun")] }),
            ]);
            stand.script(GEMINI, whole(&candidate(json!([{ "text": "ok" }]), "STOP", told())));
            stand.anthropic(lang, "messages", params).await.well();
            let sent = stand.sent();
            let parts = sent["contents"][1]["parts"].as_array().unwrap();
            let parts: Vec<_> =
                parts.iter().filter(|part| part["functionCall"].is_object()).collect();
            assert_eq!(
                parts[0]["thoughtSignature"], "c2lnbmVkIGJ5IGdlbWluaQ==",
                "{lang:?} {op} {sent:#}"
            );
            assert!(parts[1].get("thoughtSignature").is_none(), "{sent:#}");
            let results = sent["contents"][2]["parts"].as_array().unwrap();
            assert_eq!(results.len(), 2);
            assert!(
                results.iter().all(|part| part["functionResponse"]["name"] == "weather"),
                "{sent:#}"
            );
        }
    }
}

// 22
#[tokio::test(flavor = "multi_thread")]
async fn a_schema_of_any_shape_is_one_that_gemini_takes() {
    let stand = Stand::start().await;
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": { "place": { "type": "object", "properties": { "name": { "type": "string" } }, "additionalProperties": false } },
        "properties": {
            "where": { "$ref": "#/$defs/place" },
            "unit": { "const": "celsius" },
            "pair": { "type": "array", "prefixItems": [{ "type": "number" }, { "type": "number" }] },
            "labels": { "type": "object", "propertyNames": { "pattern": "^[a-z]+$" } },
            "n": { "type": ["integer", "null"], "exclusiveMinimum": 0, "multipleOf": 2 },
        },
        "required": ["where"],
        "additionalProperties": false,
    });
    for lang in LANGS {
        stand.script(GEMINI, whole(&candidate(json!([{ "text": "ok" }]), "STOP", told())));
        let mut params = ask();
        params["tools"] = json!([{ "name": "weather", "input_schema": schema }]);
        stand.anthropic(lang, "messages", params).await.well();
        let sent = stand.sent();
        let declaration = &sent["tools"][0]["functionDeclarations"][0];
        assert_eq!(declaration["name"], "weather", "{sent:#}");
        // Either the field that takes plain JSON Schema, or none of the keys that the other one refuses.
        if declaration.get("parametersJsonSchema").is_none() {
            let text = declaration["parameters"].to_string();
            assert!(declaration["parameters"].is_object(), "{declaration:#}");
            for key in [
                "$schema",
                "$ref",
                "$defs",
                "const",
                "prefixItems",
                "propertyNames",
                "exclusiveMinimum",
                "multipleOf",
            ] {
                assert!(!text.contains(&format!("\"{key}\"")), "{key}: {text}");
            }
        } else {
            assert!(declaration.get("parameters").is_none(), "only one of them: {declaration:#}");
            assert_eq!(declaration["parametersJsonSchema"]["required"], json!(["where"]));
        }
    }
}

// 23
#[tokio::test(flavor = "multi_thread")]
async fn ends_of_gemini_are_what_they_mean() {
    let stand = Stand::start().await;
    for lang in LANGS {
        for op in ["messages", "messages.stream"] {
            let answer = |response: &Value| match op {
                "messages" => whole(response),
                _ => gemini(std::slice::from_ref(response)),
            };
            stand.script(
                GEMINI,
                answer(&candidate(
                    json!([{ "functionCall": { "name": "weather", "args": {} } }]),
                    "STOP",
                    told(),
                )),
            );
            let said = stand.anthropic(lang, op, with_tools()).await.well();
            assert_eq!(said.result["stop_reason"], "tool_use", "{lang:?} {op}");

            let mut malformed = candidate(json!([]), "MALFORMED_FUNCTION_CALL", told());
            malformed["candidates"][0]["finishMessage"] = "Malformed function call: print(".into();
            stand.script(GEMINI, answer(&malformed));
            let said = stand.anthropic(lang, op, with_tools()).await;
            assert!(!said.error.is_null(), "{lang:?} {op}: {:#}", said.result);
            said.raised("APIError");

            let blocked = json!({
                "promptFeedback": { "blockReason": "PROHIBITED_CONTENT" }, "modelVersion": "gemini-3.5-flash",
                "usageMetadata": { "promptTokenCount": 20, "totalTokenCount": 20 },
            });
            stand.script(GEMINI, answer(&blocked));
            let said = stand.anthropic(lang, op, ask()).await.well();
            assert_eq!(said.result["stop_reason"], "refusal", "{lang:?} {op}");

            stand.script(
                GEMINI,
                answer(&candidate(json!([{ "text": "so" }]), "MAX_TOKENS", told())),
            );
            let said = stand.anthropic(lang, op, ask()).await.well();
            assert_eq!(said.result["stop_reason"], "max_tokens", "{lang:?} {op}");
        }
    }
}

// 24
#[tokio::test(flavor = "multi_thread")]
async fn thoughts_count_as_output_and_cost() {
    let stand = Stand::start().await;
    let told = json!({ "promptTokenCount": 20, "candidatesTokenCount": 1, "thoughtsTokenCount": 7, "totalTokenCount": 28 });
    for (number, lang) in LANGS.into_iter().enumerate() {
        let parts = json!([{ "text": "hm", "thought": true }, { "text": "ok" }]);
        stand.script(GEMINI, gemini(&[candidate(parts, "STOP", told.clone())]));
        let said = stand.anthropic(lang, "messages.stream", ask()).await.well();
        assert_eq!(said.result["usage"]["output_tokens"], 8, "{lang:?}");
        let seen = stand.seen();
        assert_eq!(
            seen.target,
            "/gemini/v1beta/models/gemini-3.5-flash:streamGenerateContent?alt=sse"
        );
        assert_eq!(seen.header("x-goog-api-key"), Some(crate::stand::provider_key().as_str()));
        let record = stand.record(number + 1).await;
        assert_eq!(record["tokens"]["output"], 8);
        assert_eq!(record["reasoning_tokens"], 7);
        // 20 at 1.5 dollars a million, 8 at 9.
        assert_eq!(record["cost_microdollars"], 30 + 72);
    }
}

// 25
#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_that_claude_began_goes_on() {
    let stand = Stand::start().await;
    for lang in LANGS {
        stand.script(GEMINI, whole(&candidate(json!([{ "text": "ok" }]), "STOP", told())));
        let mut params = with_tools();
        params["messages"] = json!([
            { "role": "user", "content": "weather?" },
            { "role": "assistant", "content": [
                { "type": "thinking", "thinking": "Let me see.", "signature": "c2lnbmF0dXJlIG9mIGNsYXVkZQ==" },
                { "type": "tool_use", "id": "toolu_a", "name": "weather", "input": { "city": "Oslo" } },
            ] },
            { "role": "user", "content": [{ "type": "tool_result", "tool_use_id": "toolu_a", "content": "rain" }] },
        ]);
        stand.anthropic(lang, "messages", params).await.well();
        let sent = stand.sent();
        assert!(!sent.to_string().contains("c2lnbmF0dXJlIG9mIGNsYXVkZQ=="), "{sent:#}");
        let parts = sent["contents"][1]["parts"].as_array().unwrap();
        for part in parts.iter().filter(|part| part["functionCall"].is_object()) {
            assert_eq!(
                part["thoughtSignature"], "skip_thought_signature_validator",
                "{lang:?} {sent:#}"
            );
        }
    }
}

// 39
#[tokio::test(flavor = "multi_thread")]
async fn a_caller_of_responses_brings_the_signature_back() {
    let stand = Stand::start().await;
    let schema = json!({ "type": "object", "properties": { "city": { "type": "string" } } });
    let tools =
        json!([{ "type": "function", "name": "weather", "parameters": schema, "strict": false }]);
    for lang in LANGS {
        stand.script(GEMINI, gemini(&[candidate(calls(), "STOP", told())]));
        let params = json!({ "model": "gemini-3.5-flash", "input": [{ "role": "user", "content": "hi" }], "tools": tools });
        let said = stand.openai(lang, "responses.events", params.clone()).await.well();
        let output = said.events.last().unwrap()["response"]["output"].as_array().unwrap().clone();
        let mut params = params;
        let input = params["input"].as_array_mut().unwrap();
        input.extend(output.iter().cloned());
        for item in output.iter().filter(|item| item["type"] == "function_call") {
            input.push(json!({ "type": "function_call_output", "call_id": item["call_id"], "output": "rain" }));
        }
        stand.script(GEMINI, whole(&candidate(json!([{ "text": "ok" }]), "STOP", told())));
        stand.openai(lang, "responses", params).await.well();
        let sent = stand.sent();
        let parts = sent["contents"][1]["parts"].as_array().unwrap();
        let parts: Vec<_> = parts.iter().filter(|part| part["functionCall"].is_object()).collect();
        assert_eq!(parts.len(), 2, "{sent:#}");
        assert_eq!(parts[0]["thoughtSignature"], "c2lnbmVkIGJ5IGdlbWluaQ==", "{lang:?} {sent:#}");
    }
}
