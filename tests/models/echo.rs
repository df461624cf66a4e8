//! The model that is built in, through every surface of every SDK.

use serde_json::{Value, json};

use crate::sdk::LANGS;
use crate::stand::Stand;

fn say(text: &str) -> Value {
    json!([{ "role": "user", "content": text }])
}

#[tokio::test(flavor = "multi_thread")]
async fn anthropic_sdks_get_their_message_back() {
    let stand = Stand::start().await;
    let mut number = 0;
    for lang in LANGS {
        for op in ["messages", "messages.stream"] {
            let params =
                json!({ "model": "echo", "max_tokens": 64, "messages": say("hello there") });
            let said = stand.anthropic(lang, op, params).await.well();
            let message = &said.result;
            assert_eq!(message["content"][0]["text"], "hello there", "{lang:?} {op}");
            assert_eq!(message["model"], "echo");
            assert_eq!(message["role"], "assistant");
            assert_eq!(message["stop_reason"], "end_turn");
            assert!(message["usage"]["output_tokens"].as_u64().unwrap() > 0);
            number += 1;
            let record = stand.record(number).await;
            assert_eq!(record["provider"], "echo");
            assert_eq!(record["status"], "success");
            assert_eq!(record["streamed"], op == "messages.stream");
            assert_eq!(record["tokens"]["output"], message["usage"]["output_tokens"]);
            assert_eq!(record["tokens"]["input"], message["usage"]["input_tokens"]);
            assert_eq!(record["stop_reason"], "end_turn");
        }
    }
    let row = stand.row().await;
    assert_eq!(row.as_array().unwrap()[..3], [json!("echo"), json!("echo"), json!("success")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn openai_sdks_get_their_message_back_from_chat() {
    let stand = Stand::start().await;
    let mut number = 0;
    for lang in LANGS {
        for op in ["chat", "chat.stream"] {
            let mut params = json!({ "model": "echo", "messages": say("hello there") });
            if op == "chat.stream" {
                params["stream_options"] = json!({ "include_usage": true });
            }
            let said = stand.openai(lang, op, params).await.well();
            let choice = &said.result["choices"][0];
            assert_eq!(choice["message"]["content"], "hello there", "{lang:?} {op}");
            assert_eq!(choice["finish_reason"], "stop");
            assert_eq!(said.result["model"], "echo");
            number += 1;
            let record = stand.record(number).await;
            assert_eq!(record["status"], "success");
            assert_eq!(record["tokens"]["output"], said.result["usage"]["completion_tokens"]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn openai_sdks_get_their_message_back_from_responses() {
    let stand = Stand::start().await;
    let mut number = 0;
    for lang in LANGS {
        for op in ["responses", "responses.stream"] {
            let params = json!({ "model": "echo", "input": "hello there" });
            let said = stand.openai(lang, op, params).await.well();
            let response = &said.result;
            assert_eq!(response["status"], "completed", "{lang:?} {op}");
            assert_eq!(response["output"][0]["content"][0]["text"], "hello there");
            assert_eq!(response["model"], "echo");
            number += 1;
            let record = stand.record(number).await;
            assert_eq!(record["status"], "success");
            assert_eq!(record["tokens"]["output"], response["usage"]["output_tokens"]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_of_a_tool_comes_through_every_surface() {
    let stand = Stand::start().await;
    let schema = json!({ "type": "object", "properties": { "city": { "type": "string" } } });
    for lang in LANGS {
        for how in ["", ".stream"] {
            let text = r#"call weather {"city": "Oslo"}"#;
            let params = json!({
                "model": "echo", "max_tokens": 64, "messages": say(text),
                "tools": [{ "name": "weather", "input_schema": schema }],
            });
            let said = stand.anthropic(lang, &format!("messages{how}"), params).await.well();
            assert_eq!(said.result["content"][0]["name"], "weather");
            assert_eq!(said.result["content"][0]["input"], json!({ "city": "Oslo" }));
            assert_eq!(said.result["stop_reason"], "tool_use");

            let function = json!({ "name": "weather", "parameters": schema });
            let tools = json!([{ "type": "function", "function": function }]);
            let params = json!({ "model": "echo", "messages": say(text), "tools": tools });
            let said = stand.openai(lang, &format!("chat{how}"), params).await.well();
            let call = &said.result["choices"][0]["message"]["tool_calls"][0]["function"];
            assert_eq!(call["name"], "weather", "{lang:?} {how}");
            let arguments: Value =
                serde_json::from_str(call["arguments"].as_str().unwrap()).unwrap();
            assert_eq!(arguments, json!({ "city": "Oslo" }));

            let tools = json!([{ "type": "function", "name": "weather", "parameters": schema, "strict": false }]);
            let params = json!({ "model": "echo", "input": text, "tools": tools });
            let said = stand.openai(lang, &format!("responses{how}"), params).await.well();
            let call = &said.result["output"][0];
            assert_eq!(call["type"], "function_call", "{lang:?} {how}: {:#}", said.result);
            let arguments: Value =
                serde_json::from_str(call["arguments"].as_str().unwrap()).unwrap();
            assert_eq!(arguments, json!({ "city": "Oslo" }));
        }
    }
    let records = stand.records().await;
    assert_eq!(records.len(), 12);
    assert!(records.iter().all(|record| record["tool_calls_allowed"] == 1), "{records:#?}");
}
