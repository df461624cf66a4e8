//! What is beside the answers: lists of models, counts of tokens, and bodies that are packed.

use std::io::Write as _;
use std::process::{Command, Stdio};

use reqwest::Client;
use serde_json::{Value, json};
use systemprompt::ai::scripted::Script;

use crate::sdk::{Call, LANGS};
use crate::stand::{ANTHROPIC, Stand};
use crate::wire::message_body;

// 44
#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_counted_by_the_provider_of_every_model_or_estimated() {
    let stand = Stand::start().await;
    let counted = |body: Value| Script::json(body.to_string());
    let native = [
        (
            "claude-sonnet-4-6",
            "/anthropic/v1/messages/count_tokens",
            json!({ "input_tokens": 4711 }),
        ),
        (
            "gpt-5.5",
            "/openai/v1/responses/input_tokens",
            json!({ "object": "response.input_tokens", "input_tokens": 4711 }),
        ),
        (
            "gemini-3.5-flash",
            "/gemini/v1beta/models/gemini-3.5-flash:countTokens",
            json!({ "totalTokens": 4711 }),
        ),
    ];
    for (_, path, body) in &native {
        stand.upstream.always("POST", path, counted(body.clone()));
    }
    let mut asked = 0;
    for lang in LANGS {
        for (model, path, _) in &native {
            let turn = json!([{ "role": "user", "content": "hello there" }]);
            let params = json!({ "model": model, "messages": turn });
            let said = stand.anthropic(lang, "count_tokens", params).await.well();
            assert_eq!(said.result["input_tokens"], 4711, "{lang:?} {model}");
            assert_eq!(stand.seen().target, *path);
            let params = json!({ "model": model, "input": "hello there" });
            let said = stand.openai(lang, "input_tokens", params).await.well();
            assert_eq!(said.result["input_tokens"], 4711, "{lang:?} {model}");
            assert_eq!(said.result["object"], "response.input_tokens");
            assert_eq!(stand.seen().target, *path);
            assert!(String::from_utf8_lossy(&stand.seen().body).contains("hello there"));
            asked += 2;
        }
        for model in ["deepseek-v4-pro", "kimi-k3", "echo"] {
            let count = async |text: &str| {
                let turn = json!([{ "role": "user", "content": text }]);
                let params = json!({ "model": model, "messages": turn });
                let said = stand.anthropic(lang, "count_tokens", params).await.well();
                said.result["input_tokens"].as_u64().unwrap()
            };
            let (short, long) = (count("hi").await, count(&"many words ".repeat(50)).await);
            assert!(short > 0 && long > short, "{lang:?} {model}: {short}, {long}");
        }
        let params =
            json!({ "model": "no-such-model", "messages": [{ "role": "user", "content": "hi" }] });
        stand.anthropic(lang, "count_tokens", params).await.raised("NotFoundError");
    }
    assert_eq!(stand.upstream.requests(), asked, "what counts nothing is not asked");
    let client = Client::builder().no_proxy().build().unwrap();
    for (model, note) in [("deepseek-v4-pro", Some("estimated")), ("gpt-5.5", None)] {
        let response = client
            .post(format!("{}/v1/messages/count_tokens", stand.base()))
            .bearer_auth(stand.key("user"))
            .json(&json!({ "model": model, "messages": [{ "role": "user", "content": "hi" }] }))
            .send()
            .await
            .unwrap();
        let told = response.headers().get("x-systemprompt-usage");
        assert_eq!(told.map(|value| value.to_str().unwrap()), note, "{model}");
    }
    // What left the house was decided; nothing was answered.
    let mut models = stand.decided_models().await;
    models.dedup();
    assert_eq!(models.len(), 2 * native.len() + 1, "{models:?}");
    assert!(stand.records().await.is_empty());
}

// 45
#[tokio::test(flavor = "multi_thread")]
async fn a_list_has_the_shape_of_its_callers_dialect_and_what_the_caller_may_ask() {
    let stand = Stand::start().await;
    for lang in LANGS {
        for sdk in ["anthropic", "openai"] {
            let list = async |key: &str| {
                let call = Call::new(lang, sdk, "models", json!({})).set("key", stand.key(key));
                stand.make(call).await.well().result
            };
            let ids = |list: &Value| -> Vec<String> {
                list.as_array()
                    .unwrap()
                    .iter()
                    .map(|model| model["id"].as_str().unwrap().to_owned())
                    .collect()
            };
            let (users, admins) = (list("user").await, list("admin").await);
            assert!(ids(&users).contains(&"echo".to_owned()), "{lang:?} {sdk} {users:#}");
            assert!(ids(&users).contains(&"claude-sonnet-4-6".to_owned()), "{users:#}");
            assert!(!ids(&users).contains(&"secret-model".to_owned()), "{users:#}");
            assert!(ids(&admins).contains(&"secret-model".to_owned()), "{admins:#}");
            let (shape, other) =
                if sdk == "anthropic" { ("type", "object") } else { ("object", "type") };
            assert!(
                users
                    .as_array()
                    .unwrap()
                    .iter()
                    .all(|model| model[shape] == "model" && model[other].is_null())
            );

            let name = if sdk == "anthropic" { "model_id" } else { "model" };
            let params = |id: &str| json!({ name: id });
            let said = stand.make(Call::new(lang, sdk, "model", params("house"))).await.well();
            assert_eq!(said.result["id"], "house");
            let said = stand.make(Call::new(lang, sdk, "model", params("no-such-model"))).await;
            said.raised("NotFoundError");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_there_is_not_is_not_found() {
    let stand = Stand::start().await;
    let messages = json!([{ "role": "user", "content": "hi" }]);
    for lang in LANGS {
        let params = json!({ "model": "no-such-model", "max_tokens": 9, "messages": messages });
        let said = stand.anthropic(lang, "messages.stream", params).await;
        said.raised("NotFoundError");
        assert_eq!(said.error["body"]["error"]["type"], "not_found_error");
        let said = stand
            .openai(lang, "chat", json!({ "model": "no-such-model", "messages": messages }))
            .await;
        said.raised("NotFoundError");
        assert_eq!(said.error["code"], "model_not_found", "{lang:?}");
        stand
            .openai(lang, "responses", json!({ "model": "secret-model", "input": "hi" }))
            .await
            .raised("NotFoundError");
    }
    assert_eq!(stand.upstream.requests(), 0);
}

// 46
#[tokio::test(flavor = "multi_thread")]
async fn packed_bodies_are_read_both_ways() {
    let stand = Stand::start().await;
    let told = json!({ "input_tokens": 20, "output_tokens": 5 });
    let answer = message_body(json!([{ "type": "text", "text": "hi there" }]), "end_turn", told);
    for lang in LANGS {
        stand.script(
            ANTHROPIC,
            Script::gzip(answer.to_string().as_bytes()).header("content-type", "application/json"),
        );
        let params = json!({ "model": "claude-sonnet-4-6", "max_tokens": 9, "messages": [{ "role": "user", "content": "hi" }] });
        let said = stand.anthropic(lang, "messages", params).await.well();
        assert_eq!(said.result["content"][0]["text"], "hi there", "{lang:?}");
    }
    let params = json!({ "model": "echo", "max_tokens": 64, "messages": [{ "role": "user", "content": "packed" }] });
    let client = Client::builder().no_proxy().build().unwrap();
    let post = async |encoding: &str, body: Vec<u8>| {
        let request =
            client.post(format!("{}/v1/messages", stand.base())).bearer_auth(stand.key("user"));
        let request =
            request.header("content-type", "application/json").header("content-encoding", encoding);
        let response = request.body(body).send().await.unwrap();
        let status = response.status().as_u16();
        (status, response.json::<Value>().await.unwrap())
    };
    let (status, body) = post("gzip", packed(params.to_string().as_bytes())).await;
    assert_eq!((status, &body["content"][0]["text"]), (200, &json!("packed")));
    for (encoding, body) in [("gzip", b"no gzip".to_vec()), ("br", b"x".to_vec())] {
        let (status, body) = post(encoding, body).await;
        assert!((400..500).contains(&status), "{encoding}: {status}");
        assert_eq!(body["type"], "error", "{body:#}");
        assert_eq!(body["error"]["type"], "invalid_request_error");
    }
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let child = Command::new("gzip").arg("-c").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = child.expect("gzip is installed");
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    child.wait_with_output().unwrap().stdout
}
