//! Caller and provider speak the same dialect: what goes through is what came.

use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use systemprompt::ai::scripted::{Script, sse};

use crate::sdk::{Call, LANGS};
use crate::stand::{ANTHROPIC, OPENAI_CHAT, RESPONSES, Stand, provider_key};
use crate::wire::{chunks, delta, finish, message, named, usage};

/// A stream of Anthropic with what no version of it has: an event, a block, comments, and odd spacing.
const ODD: [&str; 10] = [
    "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_up\",\"type\":\"message\",\
     \"role\":\"assistant\",\"model\":\"claude-sonnet-4-6\",\"content\":[],\"stop_reason\":null,\
     \"stop_sequence\":null,\"usage\":{\"input_tokens\":21,\"output_tokens\":1,\"novel_tokens\":3}}}\n\n",
    ": a comment\n\n",
    "event: novelty\ndata: {\"type\":\"novelty\",  \"x\" : [ 1 ,2]}\n\n",
    "event:content_block_start\ndata:{\"index\":0 , \"type\":\"content_block_start\",\"content_block\":\
     {\"type\":\"text\",\"text\":\"\"}}\n\n",
    "event: content_block_delta\r\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":\
     {\"type\":\"text_delta\",\"text\":\"gr\\u00fc\\u00df dich\"}}\r\n\r\n",
    "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n",
    "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":1,\"content_block\":\
     {\"type\":\"novel_block\",\"payload\":{\"a\":1.0}}}\n\nevent: content_block_stop\ndata: \
     {\"type\":\"content_block_stop\",\"index\":1}\n\n",
    "event: ping\ndata: {\"type\": \"ping\"}\n\n",
    "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",\
     \"stop_sequence\":null,\"novel\":true},\"usage\":{\"output_tokens\":7}}\n\n",
    "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
];

fn post(stand: &Stand, path: &str) -> RequestBuilder {
    let client = Client::builder().no_proxy().build().unwrap();
    client.post(format!("{}{path}", stand.base())).bearer_auth(stand.key("user"))
}

async fn body(response: Response) -> Vec<u8> {
    assert_eq!(response.status(), 200);
    response.bytes().await.unwrap().to_vec()
}

fn ask(model: &str, stream: bool) -> Value {
    json!({ "model": model, "max_tokens": 64, "stream": stream, "messages": [{ "role": "user", "content": "hi" }] })
}

// 1
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_anthropic_reaches_its_caller_byte_for_byte() {
    let stand = Stand::start().await;
    stand.script(ANTHROPIC, sse(ODD));
    let response =
        post(&stand, "/v1/messages").json(&ask("claude-sonnet-4-6", true)).send().await.unwrap();
    assert_eq!(String::from_utf8(body(response).await).unwrap(), ODD.concat());
    let record = stand.record(1).await;
    assert_eq!(record["byte_lane"], true);
    assert_eq!(
        record["tokens"],
        json!({ "input": 21, "cached_input": 0, "cache_write": 0, "output": 7 })
    );
    // 21 at 3 dollars a million, 7 at 15.
    assert_eq!(record["cost_microdollars"], 168);
    for (number, lang) in LANGS.into_iter().enumerate() {
        stand.script(ANTHROPIC, sse(ODD));
        let mut params = ask("claude-sonnet-4-6", true);
        params.as_object_mut().unwrap().remove("stream");
        let said = stand.anthropic(lang, "messages.events", params).await.well();
        let text = said.events.iter().find_map(|event| event["delta"]["text"].as_str());
        assert_eq!(text, Some("grüß dich"), "{lang:?}");
        assert_eq!(said.types().last(), Some(&"message_stop"));
        assert_eq!(stand.record(number + 2).await["tokens"], record["tokens"]);
    }
}

// 2
#[tokio::test(flavor = "multi_thread")]
async fn a_request_of_anthropic_reaches_its_provider_byte_for_byte_but_for_the_model() {
    let stand = Stand::start().await;
    let usage = json!({ "input_tokens": 1, "output_tokens": 1 });
    let answer = message(json!([{ "type": "text", "text": "hi" }]), "end_turn", usage);
    for version in ["2023-06-01", "2026-10-21"] {
        stand.script(ANTHROPIC, answer.clone());
        let text = "{ \"zeta\": [1, 2.50, {\"model\":\"x\"}],\n \"model\" : \"house\",\"max_tokens\":64, \
                    \"messages\":[{\"content\":\"a\\u0062c\",\"role\":\"user\"}] , \"unknown_field\" : null }";
        let response = post(&stand, "/v1/messages")
            .header("anthropic-version", version)
            .header("anthropic-beta", "novel-2026-01-01,other-2026-02-02")
            .header("content-type", "application/json")
            .body(text)
            .send()
            .await
            .unwrap();
        body(response).await;
        let seen = stand.seen();
        let sent = text.replace("\"house\"", "\"claude-sonnet-4-6\"");
        assert_eq!(std::str::from_utf8(&seen.body).unwrap(), sent);
        assert_eq!(seen.header("anthropic-version"), Some(version));
        assert_eq!(seen.header("anthropic-beta"), Some("novel-2026-01-01,other-2026-02-02"));
    }
    for lang in LANGS {
        stand.script(ANTHROPIC, answer.clone());
        let params = json!({ "model": "house", "max_tokens": 64, "messages": [{ "role": "user", "content": "hi" }] });
        let call = Call::new(lang, "anthropic", "messages", params)
            .set("headers", json!({ "anthropic-beta": "novel-2026-01-01" }));
        let said = stand.make(call).await.well();
        assert_eq!(said.result["content"][0]["text"], "hi");
        assert_eq!(stand.seen().header("anthropic-beta"), Some("novel-2026-01-01"));
        assert_eq!(stand.sent()["model"], "claude-sonnet-4-6");
    }
    let record = stand.record(4).await;
    assert_eq!(
        (&record["model"], &record["requested_model"]),
        (&json!("claude-sonnet-4-6"), &json!("house"))
    );
}

// 3
#[tokio::test(flavor = "multi_thread")]
async fn either_header_brings_a_key_and_the_provider_sees_its_own_alone() {
    let stand = Stand::start().await;
    let usage = json!({ "input_tokens": 1, "output_tokens": 1 });
    let answer = message(json!([{ "type": "text", "text": "hi" }]), "end_turn", usage);
    let key = stand.key("user");
    let check = || {
        let seen = stand.seen();
        assert_eq!(seen.header("x-api-key"), Some(provider_key().as_str()));
        assert_eq!(seen.header("authorization"), None);
        assert!(seen.headers.iter().all(|(_, value)| !value.contains(&key)), "{:?}", seen.headers);
        assert!(!String::from_utf8_lossy(&seen.body).contains(&key));
    };
    let client = Client::builder().no_proxy().build().unwrap();
    for header in ["x-api-key", "authorization"] {
        stand.script(ANTHROPIC, answer.clone());
        let value = if header == "x-api-key" { key.clone() } else { format!("Bearer {key}") };
        let request = client.post(format!("{}/v1/messages", stand.base())).header(header, value);
        body(request.json(&ask("claude-sonnet-4-6", false)).send().await.unwrap()).await;
        check();
    }
    for lang in LANGS {
        for bearer in [false, true] {
            stand.script(ANTHROPIC, answer.clone());
            let params = json!({ "model": "claude-sonnet-4-6", "max_tokens": 9, "messages": [{ "role": "user", "content": "hi" }] });
            let call = Call::new(lang, "anthropic", "messages", params).set("bearer", bearer);
            stand.make(call).await.well();
            check();
        }
        let params = json!({ "model": "claude-sonnet-4-6", "max_tokens": 9, "messages": [{ "role": "user", "content": "hi" }] });
        let before = stand.upstream.requests();
        let call = Call::new(lang, "anthropic", "messages", params).set("key", "sp_wrong");
        let said = stand.make(call).await;
        said.raised("AuthenticationError");
        assert_eq!(said.error["body"]["error"]["type"], "authentication_error", "{:#}", said.error);
        let params =
            json!({ "model": "gpt-5.5", "messages": [{ "role": "user", "content": "hi" }] });
        let said =
            stand.make(Call::new(lang, "openai", "chat", params).set("key", "sp_wrong")).await;
        said.raised("AuthenticationError");
        assert_eq!(stand.upstream.requests(), before, "nothing of a stranger goes upstream");
    }
}

// 4
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_chat_is_metered_and_its_caller_sees_no_usage_it_did_not_ask_for() {
    let stand = Stand::start().await;
    let told = json!({ "prompt_tokens": 100, "completion_tokens": 9, "total_tokens": 109 });
    let answer =
        [delta(json!({ "role": "assistant", "content": "hi" })), finish("stop"), usage(told)];
    let seen_by_caller: String = answer[..2]
        .iter()
        .map(|chunk| format!("data: {chunk}\n\n"))
        .chain(["data: [DONE]\n\n".to_owned()])
        .collect();
    stand.script(OPENAI_CHAT, chunks(&answer));
    let params = json!({ "model": "gpt-5.5", "stream": true, "messages": [{ "role": "user", "content": "hi" }] });
    let response = post(&stand, "/v1/chat/completions").json(&params).send().await.unwrap();
    assert_eq!(String::from_utf8(body(response).await).unwrap(), seen_by_caller);
    assert_eq!(stand.sent()["stream_options"]["include_usage"], true);
    let record = stand.record(1).await;
    assert_eq!((&record["tokens"]["input"], &record["tokens"]["output"]), (&json!(100), &json!(9)));
    for (number, lang) in LANGS.into_iter().enumerate() {
        stand.script(OPENAI_CHAT, chunks(&answer));
        let params =
            json!({ "model": "gpt-5.5", "messages": [{ "role": "user", "content": "hi" }] });
        let said = stand.openai(lang, "chat.events", params).await.well();
        assert_eq!(said.events.len(), 2, "{lang:?} {:#?}", said.events);
        assert!(said.events.iter().all(|chunk| chunk["usage"].is_null()));
        assert_eq!(
            stand.seen().header("authorization"),
            Some(format!("Bearer {}", provider_key()).as_str())
        );
        assert_eq!(stand.record(2 * number + 2).await["tokens"], record["tokens"]);
        stand.script(OPENAI_CHAT, chunks(&answer));
        let params = json!({
            "model": "gpt-5.5", "messages": [{ "role": "user", "content": "hi" }],
            "stream_options": { "include_usage": true },
        });
        let said = stand.openai(lang, "chat.events", params).await.well();
        assert_eq!(said.events[2]["usage"]["prompt_tokens"], 100, "what is asked for comes");
        stand.record(2 * number + 3).await;
    }
}

// 4
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_responses_reaches_its_caller_byte_for_byte() {
    let stand = Stand::start().await;
    let part = |text: &str| json!({ "type": "output_text", "text": text, "annotations": [], "logprobs": [] });
    let item = |status: &str, content: Value| json!({ "id": "msg_1", "type": "message", "role": "assistant", "status": status, "content": content });
    let response = |status: &str, output: Value, usage: Value| {
        json!({
            "id": "resp_up", "object": "response", "created_at": 1_760_000_000, "status": status, "error": null,
            "incomplete_details": null, "instructions": null, "metadata": {}, "model": "gpt-5.5", "output": output,
            "parallel_tool_calls": true, "temperature": 1.0, "tool_choice": "auto", "tools": [], "top_p": 1.0,
            "usage": usage, "novel": {"b": 1, "a": 2},
        })
    };
    let usage = json!({
        "input_tokens": 100, "input_tokens_details": { "cached_tokens": 40 }, "output_tokens": 9,
        "output_tokens_details": { "reasoning_tokens": 5 }, "total_tokens": 109,
    });
    let done = item("completed", json!([part("hi")]));
    let at = json!({ "item_id": "msg_1", "output_index": 0, "content_index": 0 });
    let mut events = vec![
        json!({ "type": "response.created", "response": response("in_progress", json!([]), Value::Null) }),
        json!({ "type": "response.output_item.added", "output_index": 0, "item": item("in_progress", json!([])) }),
        json!({ "type": "response.content_part.added", "part": part("") }),
        json!({ "type": "response.output_text.delta", "delta": "hi", "logprobs": [], "obfuscation": "xx" }),
        json!({ "type": "response.output_text.done", "text": "hi", "logprobs": [] }),
        json!({ "type": "response.content_part.done", "part": part("hi") }),
        json!({ "type": "response.output_item.done", "output_index": 0, "item": done }),
        json!({ "type": "response.completed", "response": response("completed", json!([done]), usage) }),
    ];
    for (number, event) in events.iter_mut().enumerate() {
        event["sequence_number"] = number.into();
        if (2..6).contains(&number) {
            event.as_object_mut().unwrap().extend(at.as_object().unwrap().clone());
        }
    }
    let text: String = events.iter().map(crate::wire::named_frame).collect();
    stand.script(RESPONSES, named(&events));
    let params = json!({ "model": "gpt-5.5", "stream": true, "input": "hi" });
    let response = post(&stand, "/v1/responses").json(&params).send().await.unwrap();
    assert_eq!(String::from_utf8(body(response).await).unwrap(), text);
    let record = stand.record(1).await;
    assert_eq!(
        record["tokens"],
        json!({ "input": 60, "cached_input": 40, "cache_write": 0, "output": 9 })
    );
    assert_eq!(record["reasoning_tokens"], 5);
    for (number, lang) in LANGS.into_iter().enumerate() {
        stand.script(RESPONSES, named(&events));
        let said = stand
            .openai(lang, "responses.stream", json!({ "model": "gpt-5.5", "input": "hi" }))
            .await
            .well();
        assert_eq!(said.result["output"][0]["content"][0]["text"], "hi", "{lang:?}");
        assert_eq!(stand.record(number + 2).await["tokens"], record["tokens"]);
    }
}

// 1, 35
#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_a_provider_of_the_same_dialect_comes_in_its_own_words() {
    let stand = Stand::start().await;
    let words = r#"{"type":"error","error":{"type":"rate_limit_error","message":"slow down","novel":1},"request_id":"req_up"}"#;
    for (number, lang) in LANGS.into_iter().enumerate() {
        let refusal = Script::status(429)
            .header("content-type", "application/json")
            .header("retry-after", "7")
            .header("anthropic-ratelimit-requests-remaining", "0")
            .header("request-id", "req_up")
            .bytes(words);
        stand.script(ANTHROPIC, refusal);
        let params = json!({ "model": "claude-sonnet-4-6", "max_tokens": 9, "messages": [{ "role": "user", "content": "hi" }] });
        let said = stand.anthropic(lang, "messages", params).await;
        said.raised("RateLimitError");
        assert_eq!(said.error["body"], serde_json::from_str::<Value>(words).unwrap());
        assert_eq!(said.error["headers"]["retry-after"], "7");
        assert_eq!(said.error["headers"]["anthropic-ratelimit-requests-remaining"], "0");
        assert_eq!(said.error["request_id"], "req_up");
        let record = stand.record(number + 1).await;
        assert_eq!(record["status"], "failed");
        assert_eq!(record["tokens"]["output"], 0);
    }
}
