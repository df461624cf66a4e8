//! Pictures: their bytes stay as they are, and addresses go to providers that get them, or are refused.

use serde_json::{Value, json};
use systemprompt::ai::scripted::Script;

use crate::sdk::LANGS;
use crate::stand::{ANTHROPIC, CHAT, GEMINI, OPENAI_CHAT, RESPONSES, Stand};
use crate::wire::{candidate, completion, message};

/// Where a picture is.
const ADDRESS: &str = "https://pictures.example/a%20dot.png?size=2";

/// Some bytes in base64, with every character that it has beside letters and digits.
fn bytes() -> String {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let rounds = (0..97).map(|at| format!("{}{}", &alphabet[at % 64..], &alphabet[..at % 64]));
    rounds.collect::<String>() + "+/8="
}

/// A picture as each surface has it, by its bytes or by an address.
fn picture(surface: &str, address: Option<&str>) -> Value {
    let data_url = || format!("data:image/png;base64,{}", bytes());
    match (surface, address) {
        ("messages", None) => {
            json!({ "type": "image", "source": { "type": "base64", "media_type": "image/png", "data": bytes() } })
        }
        ("messages", Some(url)) => {
            json!({ "type": "image", "source": { "type": "url", "url": url } })
        }
        ("chat", url) => {
            let url = url.map_or_else(data_url, str::to_owned);
            json!({ "type": "image_url", "image_url": { "url": url } })
        }
        (_, url) => {
            let url = url.map_or_else(data_url, str::to_owned);
            json!({ "type": "input_image", "image_url": url, "detail": "auto" })
        }
    }
}

/// A request with a picture.
fn ask(surface: &str, model: &str, address: Option<&str>) -> Value {
    let text = match surface {
        "responses" => json!({ "type": "input_text", "text": "what is it?" }),
        _ => json!({ "type": "text", "text": "what is it?" }),
    };
    let turn = json!([{ "role": "user", "content": [text, picture(surface, address)] }]);
    match surface {
        "messages" => json!({ "model": model, "max_tokens": 64, "messages": turn }),
        "chat" => json!({ "model": model, "messages": turn }),
        _ => json!({ "model": model, "input": turn }),
    }
}

/// A provider: a model of it, where it is asked, its answer, and the picture in what it was sent.
struct Provider {
    model: &'static str,
    path: &'static str,
    answer: fn() -> Script,
    /// Its bytes, after what is said of them.
    data: fn(&Value) -> (&str, &str),
    address: fn(&Value) -> &str,
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn split(url: &Value) -> (&str, &str) {
    text(url).split_once(";base64,").unwrap_or_default()
}

fn openai_answer() -> Script {
    let content = json!([{ "type": "output_text", "text": "a dot", "annotations": [] }]);
    let item = json!({ "id": "msg_up", "type": "message", "role": "assistant", "status": "completed", "content": content });
    let usage = json!({
        "input_tokens": 20, "input_tokens_details": { "cached_tokens": 0 }, "output_tokens": 5,
        "output_tokens_details": { "reasoning_tokens": 0 }, "total_tokens": 25,
    });
    let whole = json!({
        "id": "resp_up", "object": "response", "created_at": 1_760_000_000, "status": "completed", "error": null,
        "incomplete_details": null, "model": "gpt-5.5", "output": [item], "usage": usage,
    });
    Script::json(whole.to_string())
}

fn chat_answer() -> Script {
    let usage = json!({ "prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25 });
    completion(json!({ "role": "assistant", "content": "a dot" }), "stop", usage)
}

const PROVIDERS: [Provider; 4] = [
    Provider {
        model: "claude-sonnet-4-6",
        path: ANTHROPIC,
        answer: || {
            let usage = json!({ "input_tokens": 20, "output_tokens": 5 });
            message(json!([{ "type": "text", "text": "a dot" }]), "end_turn", usage)
        },
        data: |sent| {
            let source = &sent["messages"][0]["content"][1]["source"];
            (text(&source["media_type"]), text(&source["data"]))
        },
        address: |sent| text(&sent["messages"][0]["content"][1]["source"]["url"]),
    },
    Provider {
        model: "vision-1",
        path: CHAT,
        answer: chat_answer,
        data: |sent| split(&sent["messages"][0]["content"][1]["image_url"]["url"]),
        address: |sent| text(&sent["messages"][0]["content"][1]["image_url"]["url"]),
    },
    Provider {
        model: "gpt-5.5",
        path: RESPONSES,
        answer: openai_answer,
        data: |sent| split(&sent["input"][0]["content"][1]["image_url"]),
        address: |sent| text(&sent["input"][0]["content"][1]["image_url"]),
    },
    Provider {
        model: "gemini-3.5-flash",
        path: GEMINI,
        answer: || {
            let usage =
                json!({ "promptTokenCount": 20, "candidatesTokenCount": 5, "totalTokenCount": 25 });
            Script::json(candidate(json!([{ "text": "a dot" }]), "STOP", usage).to_string())
        },
        data: |sent| {
            let inline = &sent["contents"][0]["parts"][1]["inlineData"];
            (text(&inline["mimeType"]), text(&inline["data"]))
        },
        address: |sent| text(&sent["contents"][0]["parts"][1]["fileData"]["fileUri"]),
    },
];

/// What an SDK makes of the answer.
fn answered<'s>(surface: &str, result: &'s Value) -> &'s str {
    match surface {
        "messages" => text(&result["content"][0]["text"]),
        "chat" => text(&result["choices"][0]["message"]["content"]),
        _ => text(&result["output"][0]["content"][0]["text"]),
    }
}

// 48
#[tokio::test(flavor = "multi_thread")]
async fn pictures_reach_every_provider_as_they_are() {
    let stand = Stand::start().await;
    let mut records = 0;
    for lang in LANGS {
        for surface in ["messages", "chat", "responses"] {
            let sdk = if surface == "messages" { "anthropic" } else { "openai" };
            for provider in &PROVIDERS {
                for address in [None, Some(ADDRESS)] {
                    let at = format!("{lang:?} {surface} -> {} {address:?}", provider.model);
                    // OpenAI is spoken to in the caller's own dialect.
                    let native = surface == "chat" && provider.model == "gpt-5.5";
                    let (path, answer) = match native {
                        true => (OPENAI_CHAT, chat_answer as fn() -> Script),
                        false => (provider.path, provider.answer),
                    };
                    let model = provider.model;
                    stand.script(path, answer());
                    let call =
                        crate::sdk::Call::new(lang, sdk, surface, ask(surface, model, address));
                    let said = stand.make(call).await.well();
                    assert_eq!(answered(surface, &said.result), "a dot", "{at}");
                    let sent = stand.sent();
                    let url = &sent["messages"][0]["content"][1]["image_url"]["url"];
                    match address {
                        None => {
                            let (kind, data) =
                                if native { split(url) } else { (provider.data)(&sent) };
                            assert_eq!(
                                kind.trim_start_matches("data:"),
                                "image/png",
                                "{at} {sent:#}"
                            );
                            assert!(data == bytes(), "{at} {data}");
                        }
                        Some(address) => {
                            let got = if native { text(url) } else { (provider.address)(&sent) };
                            assert_eq!(got, address, "{at} {sent:#}");
                        }
                    }
                    records += 1;
                    let record = stand.record(records).await;
                    assert_eq!(record["status"], "success", "{at} {record:#}");
                    let losses = record["losses"].as_array().cloned().unwrap_or_default();
                    assert!(losses.is_empty(), "{at} {losses:?}");
                }
            }
        }
    }
}

// 48
#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_gemini_does_not_get_is_refused_and_never_fetched_here() {
    let stand = Stand::start().await;
    let here = format!("{}/a.png", stand.upstream.url());
    let mut records = 0;
    for lang in LANGS {
        for surface in ["messages", "chat", "responses"] {
            let sdk = if surface == "messages" { "anthropic" } else { "openai" };
            for (address, why) in [
                ("https://pictures.example/a-dot", "the media type is not said"),
                ("https://pictures.example/a-dot.tiff", "the media type is not said"),
                (here.as_str(), "`https://`"),
            ] {
                let params = ask(surface, "gemini-3.5-flash", Some(address));
                let call = crate::sdk::Call::new(lang, sdk, surface, params);
                let said = stand.make(call).await;
                said.raised("BadRequestError");
                let message = text(&said.error["message"]);
                assert!(message.contains(why), "{lang:?} {surface} {address} {message}");
                records += 1;
                let record = stand.record(records).await;
                assert_eq!(record["status"], "failed", "{record:#}");
                assert_eq!(record["cost_microdollars"], 0);
            }
        }
    }
    assert_eq!(stand.upstream.requests(), 0, "nothing was fetched, and nobody asked");
}
