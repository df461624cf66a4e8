//! Providers that only look like Anthropic, edges of prices, and long streams in small pieces.

use std::time::Duration;

use serde_json::{Value, json};
use systemprompt::ai::scripted::{Framing, Script};

use crate::sdk::{Call, LANGS, Lang};
use crate::stand::{ANTHROPIC, CHAT, KIMI, MINIMAX, RESPONSES, Stand};
use crate::wire::{message_end, message_start, named, named_frame, text_block};

fn stream(start: Value, text: &[&str], end: Value) -> Vec<Value> {
    let mut events = vec![message_start(start)];
    events.extend(text_block(0, text));
    events.extend(message_end("end_turn", end));
    events
}

// 40
#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_that_is_told_whole_and_then_split_counts_once() {
    let stand = Stand::start().await;
    let split = json!({ "input_tokens": 200, "cache_read_input_tokens": 800, "output_tokens": 5 });
    for (number, lang) in LANGS.into_iter().enumerate() {
        let whole = json!({ "input_tokens": 1000, "output_tokens": 0 });
        stand.script(KIMI, named(&stream(whole, &["ok"], split.clone())));
        let params = json!({ "model": "kimi-k3", "max_tokens": 64, "messages": [{ "role": "user", "content": "hi" }] });
        let said = stand.anthropic(lang, "messages.stream", params).await.well();
        assert_eq!(said.result["content"][0]["text"], "ok");
        let record = stand.record(number + 1).await;
        let tokens = json!({ "input": 200, "cached_input": 800, "cache_write": 0, "output": 5 });
        assert_eq!(record["tokens"], tokens, "{lang:?}");
    }
}

// 40, and 9 10 of the reports (litellm#15880, litellm#14293)
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_is_not_told_what_it_would_refuse() {
    let stand = Stand::start().await;
    let told = json!({ "input_tokens": 20, "output_tokens": 5 });
    for lang in LANGS {
        for (path, model, life) in
            [(KIMI, "kimi-k3", false), (ANTHROPIC, "claude-sonnet-4-6", true)]
        {
            stand.script(path, named(&stream(told.clone(), &["ok"], told.clone())));
            let mark = json!({ "type": "ephemeral", "ttl": "1h" });
            let params = json!({
                "model": model, "max_tokens": 64,
                "system": [{ "type": "text", "text": "Be brief.", "cache_control": mark }],
                "messages": [{ "role": "user", "content": "hi" }],
            });
            let call = Call::new(lang, "anthropic", "messages.stream", params)
                .set("headers", json!({ "anthropic-beta": "novel-2026-01-01" }));
            stand.make(call).await.well();
            let sent = stand.sent();
            assert_eq!(sent["system"][0]["cache_control"]["type"], "ephemeral", "{sent:#}");
            assert_eq!(
                sent["system"][0]["cache_control"]["ttl"].is_string(),
                life,
                "{lang:?} {model} {sent:#}"
            );
            assert_eq!(stand.seen().header("anthropic-beta").is_some(), life, "{lang:?} {model}");
        }
    }
}

// 41
#[tokio::test(flavor = "multi_thread")]
async fn what_minimax_cannot_do_is_refused_or_said() {
    let stand = Stand::start().await;
    let told = json!({ "input_tokens": 20, "output_tokens": 5 });
    let picture = json!({ "type": "image", "source":
        { "type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo=" } });
    let ask = |model: &str| {
        let text = json!({ "type": "text", "text": "what is it?" });
        json!({ "model": model, "max_tokens": 64, "messages": [{ "role": "user", "content": [text, picture] }] })
    };
    let mut records = 0;
    for (turn, lang) in LANGS.into_iter().enumerate() {
        let said = stand.anthropic(lang, "messages", ask("MiniMax-M2.7")).await;
        said.raised("BadRequestError");
        let message = said.error["message"].as_str().unwrap();
        assert!(message.contains("`messages.0.content.1`"), "{lang:?} {message}");
        assert!(message.contains("`MiniMax-M2.7` takes no pictures"), "{lang:?} {message}");
        assert_eq!(stand.upstream.requests(), 2 * turn, "nothing goes upstream");
        records += 1;
        let record = stand.record(records).await;
        assert_eq!(
            (&record["status"], &record["error_code"]),
            (&json!("failed"), &json!("unsupported_image"))
        );
        assert_eq!(record["cost_microdollars"], 0);

        // Its next model takes them.
        stand.script(MINIMAX, named(&stream(told.clone(), &["a dot"], told.clone())));
        let said = stand.anthropic(lang, "messages.stream", ask("MiniMax-M3")).await.well();
        assert_eq!(said.result["content"][0]["text"], "a dot");
        assert_eq!(stand.sent()["messages"][0]["content"][1], picture);
        records += 1;
        let record = stand.record(records).await;
        assert_eq!((&record["byte_lane"], &record["status"]), (&json!(true), &json!("success")));

        // It takes these, too, and goes by neither.
        let whole = json!({
            "id": "msg_up", "type": "message", "role": "assistant", "model": "MiniMax-M2.7",
            "content": [{ "type": "text", "text": "ok" }], "stop_reason": "end_turn", "stop_sequence": null,
            "usage": told,
        });
        stand.script(MINIMAX, Script::json(whole.to_string()));
        let mut params = json!({
            "model": "MiniMax-M2.7", "max_tokens": 64, "stop_sequences": ["END"],
            "messages": [{ "role": "user", "content": "hi" }],
        });
        // The SDK of Python has no word for it any more.
        match lang {
            Lang::Python => params["extra_body"] = json!({ "top_k": 5 }),
            Lang::Node => params["top_k"] = 5.into(),
        }
        let said = stand.anthropic(lang, "messages", params).await.well();
        assert_eq!(said.result["content"][0]["text"], "ok");
        let sent = stand.sent();
        assert_eq!((&sent["top_k"], &sent["stop_sequences"]), (&json!(5), &json!(["END"])));
        let losses = json!(["top_k=dropped", "stop_sequences=dropped"]);
        assert_eq!(said.headers["x-systemprompt-loss"], "top_k=dropped,stop_sequences=dropped");
        records += 1;
        let record = stand.record(records).await;
        assert_eq!(
            (&record["losses"], &record["byte_lane"]),
            (&losses, &json!(true)),
            "{record:#}"
        );
    }
}

// 38
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_nobody_kept_cannot_be_gone_on_from() {
    let stand = Stand::start().await;
    for lang in LANGS {
        for model in ["deepseek-v4-pro", "claude-sonnet-4-6", "gemini-3.5-flash", "echo"] {
            let params = json!({ "model": model, "input": "hi", "previous_response_id": "resp_1" });
            let said = stand.openai(lang, "responses", params).await;
            said.raised("BadRequestError");
            let message = said.error["message"].as_str().unwrap();
            assert!(message.contains("previous_response_id"), "{lang:?} {model} {message}");
        }
    }
    assert_eq!(stand.upstream.requests(), 0);
}

// 47
#[tokio::test(flavor = "multi_thread")]
async fn a_token_above_the_edge_makes_all_of_them_dearer() {
    let stand = Stand::start().await;
    // Dollars a million: 2 and 10 up to 272000 tokens, 4 and 15 above.
    for (number, (tokens, cost)) in
        [(272_000_u64, 544_000 + 10_000), (272_001, 1_088_004 + 15_000)].into_iter().enumerate()
    {
        let response = json!({
            "id": "resp_up", "object": "response", "created_at": 1_760_000_000, "status": "completed",
            "model": "gpt-6-sol", "error": null, "incomplete_details": null,
            "output": [{ "id": "msg_up", "type": "message", "role": "assistant", "status": "completed",
                "content": [{ "type": "output_text", "text": "ok", "annotations": [] }] }],
            "usage": { "input_tokens": tokens, "output_tokens": 1000, "total_tokens": tokens + 1000 },
        });
        stand.script(RESPONSES, Script::json(response.to_string()));
        let lang = LANGS[number];
        let said = stand
            .openai(lang, "responses", json!({ "model": "gpt-6-sol", "input": "hi" }))
            .await
            .well();
        assert_eq!(said.result["usage"]["input_tokens"], tokens);
        let record = stand.record(number + 1).await;
        assert_eq!(
            (&record["cost_microdollars"], &record["priced"]),
            (&json!(cost), &json!(true)),
            "{lang:?}"
        );
    }
}

// 50
#[tokio::test(flavor = "multi_thread")]
async fn a_long_stream_in_small_pieces_is_the_same_stream() {
    const WORDS: usize = 500;
    let stand = Stand::start().await;
    let words: Vec<String> = (0..WORDS).map(|at| format!("wörd{at} ")).collect();
    let pieces: Vec<&str> = words.iter().map(String::as_str).collect();
    let told = json!({ "input_tokens": 20, "output_tokens": 4_000 });
    let frames: String = stream(told.clone(), &pieces, told).iter().map(named_frame).collect();
    let chunks: String = pieces
        .iter()
        .map(|word| {
            format!(
                "data: {}\n\n",
                crate::wire::delta(json!({ "role": "assistant", "content": word }))
            )
        })
        .chain([
            format!("data: {}\n\n", crate::wire::finish("stop")),
            "data: [DONE]\n\n".to_owned(),
        ])
        .collect();
    for lang in LANGS {
        for (path, model, text) in
            [(ANTHROPIC, "claude-sonnet-4-6", &frames), (CHAT, "deepseek-v4-pro", &chunks)]
        {
            let script = Script::status(200)
                .header("content-type", "text/event-stream")
                .framed(Framing::Chunked)
                .slices(text.replace('\n', "\r\n"), 37, Duration::ZERO);
            stand.script(path, script);
            let params = json!({ "model": model, "max_tokens": 64_000, "messages": [{ "role": "user", "content": "hi" }] });
            let said = stand.anthropic(lang, "messages.stream", params).await.well();
            assert_eq!(said.result["content"][0]["text"], words.concat(), "{lang:?} {model}");
        }
    }
}
