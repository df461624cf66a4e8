//! A mock that others wrote, as the provider of every wire: nothing here knows how we think a provider speaks.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use systemprompt::ai::scripted::ScriptedUpstream;
use tempfile::TempDir;

use crate::sdk::{LANGS, installed};
use crate::stand::{Stand, models_at};

const WORDS: &str = "Greetings from the mock, at some length.";

struct Mock {
    child: Child,
    url: String,
    _folder: TempDir,
}

impl Mock {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let fixtures = json!({ "fixtures": [
            { "match": { "userMessage": "hello" }, "response": { "content": WORDS } },
            { "match": { "userMessage": "weather" }, "response": {
                "toolCalls": [{ "name": "weather", "arguments": "{\"city\":\"Oslo\"}" }],
            } },
        ] });
        let file = folder.path().join("fixtures.json");
        std::fs::write(&file, fixtures.to_string()).unwrap();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new("node")
            .arg(installed("node/node_modules/.bin/llmock"))
            .args(["-h", "127.0.0.1", "-p", &free.to_string(), "--log-level", "warn", "-f"])
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("node is installed");
        let mock = Self { child, url: format!("http://127.0.0.1:{free}"), _folder: folder };
        let start = Instant::now();
        while tokio::net::TcpStream::connect(("127.0.0.1", free)).await.is_err() {
            assert!(start.elapsed() < Duration::from_secs(30), "the mock did not start");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        mock
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn stand(mock: &Mock) -> Stand {
    let models = models_at(&|_| mock.url.clone());
    Stand::with(ScriptedUpstream::start().await.unwrap(), &models).await
}

const MODELS: [&str; 4] = ["claude-sonnet-4-6", "gpt-5.5", "deepseek-v4-pro", "gemini-3.5-flash"];

/// The only block of its kind: thoughts may stand before it.
fn block(message: &Value, kind: &str) -> Value {
    let blocks = message["content"].as_array().unwrap();
    let found: Vec<_> = blocks.iter().filter(|block| block["type"] == kind).collect();
    assert_eq!(found.len(), 1, "{message:#}");
    found[0].clone()
}

fn say(text: &str) -> Value {
    json!([{ "role": "user", "content": text }])
}

#[tokio::test(flavor = "multi_thread")]
async fn every_surface_gets_the_words_of_every_wire() {
    let mock = Mock::start().await;
    let stand = stand(&mock).await;
    for lang in LANGS {
        for model in MODELS {
            for how in ["", ".stream"] {
                let params = json!({ "model": model, "max_tokens": 64, "messages": say("hello") });
                let said = stand.anthropic(lang, &format!("messages{how}"), params).await.well();
                assert_eq!(block(&said.result, "text")["text"], WORDS, "{lang:?} {model} {how}");
                assert_eq!(said.result["stop_reason"], "end_turn");
                let params = json!({ "model": model, "messages": say("hello") });
                let said = stand.openai(lang, &format!("chat{how}"), params).await.well();
                assert_eq!(
                    said.result["choices"][0]["message"]["content"], WORDS,
                    "{lang:?} {model} {how}"
                );
                let params = json!({ "model": model, "input": "hello" });
                let said = stand.openai(lang, &format!("responses{how}"), params).await.well();
                let texts: Vec<_> = said.result["output"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .filter_map(|item| item["content"][0]["text"].as_str())
                    .collect();
                assert_eq!(texts, [WORDS], "{lang:?} {model} {how}");
            }
        }
    }
    let records = stand.records().await;
    assert_eq!(records.len(), 2 * MODELS.len() * 2 * 3);
    assert!(records.iter().all(|record| record["status"] == "success"), "{records:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_surface_gets_the_calls_of_every_wire() {
    let mock = Mock::start().await;
    let stand = stand(&mock).await;
    let schema = json!({ "type": "object", "properties": { "city": { "type": "string" } } });
    let oslo = json!({ "city": "Oslo" });
    let read =
        |arguments: &Value| serde_json::from_str::<Value>(arguments.as_str().unwrap()).unwrap();
    for lang in LANGS {
        for model in MODELS {
            for how in ["", ".stream"] {
                let params = json!({
                    "model": model, "max_tokens": 64, "messages": say("weather"),
                    "tools": [{ "name": "weather", "input_schema": schema }],
                });
                let said = stand.anthropic(lang, &format!("messages{how}"), params).await.well();
                assert_eq!(
                    block(&said.result, "tool_use")["input"],
                    oslo,
                    "{lang:?} {model} {how}"
                );
                assert_eq!(said.result["stop_reason"], "tool_use", "{lang:?} {model} {how}");
                let params = json!({
                    "model": model, "messages": say("weather"),
                    "tools": [{ "type": "function", "function": { "name": "weather", "parameters": schema } }],
                });
                let said = stand.openai(lang, &format!("chat{how}"), params).await.well();
                let choice = &said.result["choices"][0];
                let call = &choice["message"]["tool_calls"][0];
                assert_eq!(read(&call["function"]["arguments"]), oslo, "{lang:?} {model} {how}");
                assert_eq!(choice["finish_reason"], "tool_calls");
                let params = json!({
                    "model": model, "input": "weather",
                    "tools": [{ "type": "function", "name": "weather", "parameters": schema, "strict": false }],
                });
                let said = stand.openai(lang, &format!("responses{how}"), params).await.well();
                let output = said.result["output"].as_array().unwrap();
                let call = output.iter().find(|item| item["type"] == "function_call").unwrap();
                assert_eq!(read(&call["arguments"]), oslo, "{lang:?} {model} {how}");
            }
        }
    }
    let records = stand.records().await;
    assert!(records.iter().all(|record| record["tool_calls_allowed"] == 1), "{records:#?}");
}
