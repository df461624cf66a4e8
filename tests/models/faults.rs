//! Callers that leave, providers that fail, and who is asked next.

use std::time::Duration;

use serde_json::{Value, json};
use systemprompt::ai::scripted::{Script, ScriptedUpstream, Step, sse};

use crate::sdk::{Call, LANGS, Lang};
use crate::stand::{ANTHROPIC, CHAT, OPENAI_CHAT, Stand, models};
use crate::wire::{completion, delta, message, message_start, named_frame, text_block, unended};

fn ask(model: &str) -> Value {
    json!({ "model": model, "max_tokens": 64, "messages": [{ "role": "user", "content": "hi" }] })
}

fn told() -> Value {
    json!({ "prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25 })
}

// 42
#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_leaves_ends_the_request_and_what_came_is_counted() {
    let stand = Stand::start().await;
    let mut frames =
        vec![named_frame(&message_start(json!({ "input_tokens": 20, "output_tokens": 1 })))];
    let words = ["one ", "two ", "three ", "four ", "five ", "six "];
    let mut text = text_block(0, &words);
    text.pop();
    frames.extend(text.iter().map(named_frame));
    let mut number = 0;
    for lang in LANGS {
        stand.script(ANTHROPIC, sse(&frames).step(Step::Hang));
        let call = Call::new(lang, "anthropic", "messages.events", ask("claude-sonnet-4-6"))
            .set("leave_after", 5);
        let said = stand.make(call).await.well();
        assert_eq!(said.events.len(), 5);
        number += 1;
        let left = stand
            .upstream
            .wait_until(Duration::from_secs(10), |upstream| upstream.departures().len() == number);
        assert!(left.await, "{lang:?}: the provider is still read");
        let record = stand.record(number).await;
        assert_eq!(record["status"], "cancelled", "{lang:?} {record:#}");
        assert_eq!(record["tokens"]["input"], 20);
        assert!(
            record["tokens"]["output"].as_u64().unwrap() > 1,
            "what came is counted: {record:#}"
        );

        // The same where the answer is translated.
        let chunks: Vec<_> = words
            .iter()
            .map(|word| delta(json!({ "role": "assistant", "content": word })))
            .collect();
        stand.script(CHAT, unended(&chunks).step(Step::Hang));
        let call = Call::new(lang, "anthropic", "messages.events", ask("deepseek-v4-pro"))
            .set("leave_after", 5);
        stand.make(call).await.well();
        number += 1;
        let left = stand
            .upstream
            .wait_until(Duration::from_secs(10), |upstream| upstream.departures().len() == number);
        assert!(left.await, "{lang:?}: the provider is still read");
        let record = stand.record(number).await;
        assert_eq!(record["status"], "cancelled", "{lang:?} {record:#}");
        assert_eq!(record["usage_estimated"], true);
        assert!(record["tokens"]["output"].as_u64().unwrap() > 0);
    }
}

// 43
#[tokio::test(flavor = "multi_thread")]
async fn the_next_provider_answers_when_the_first_fails_before_its_first_byte() {
    let stand = Stand::start().await;
    let unwell = || {
        Script::status(503)
            .header("content-type", "application/json")
            .bytes(r#"{"type":"error","error":{"type":"overloaded_error","message":"too busy"}}"#)
    };
    let mut number = 0;
    for lang in LANGS {
        for (failing, attempt) in [(unwell(), "anthropic:status_503"), (Script::reset(), "")] {
            stand.script(ANTHROPIC, failing);
            stand.script(
                CHAT,
                completion(json!({ "role": "assistant", "content": "here" }), "stop", told()),
            );
            let said = stand.anthropic(lang, "messages", ask("claude-haiku-4-5")).await.well();
            assert_eq!(said.result["content"][0]["text"], "here", "{lang:?}");
            assert_eq!(said.result["model"], "claude-haiku-4-5");
            assert_eq!(said.headers["x-systemprompt-provider"], "chat");
            assert_eq!(stand.sent()["model"], "deepseek-v4-pro");
            number += 1;
            let record = stand.record(number).await;
            let attempts = record["attempts"].as_array().unwrap();
            assert_eq!(attempts.len(), 2, "{record:#}");
            assert!(attempts[0].as_str().unwrap().starts_with("anthropic:"));
            assert!(attempt.is_empty() || attempts[0] == attempt, "{record:#}");
            assert!(attempts[1].as_str().unwrap().starts_with("chat:"));
            assert_eq!(
                (&record["provider"], &record["model"]),
                (&json!("chat"), &json!("deepseek-v4-pro"))
            );
            assert_eq!(record["requested_model"], "claude-haiku-4-5");
            assert_eq!(record["status"], "success");
        }
        // A request that is wrong is wrong everywhere.
        let before = stand.upstream.requests();
        let refusal = json!({ "type": "error", "error": { "type": "invalid_request_error", "message": "no" } });
        stand.script(
            ANTHROPIC,
            Script::status(400)
                .header("content-type", "application/json")
                .bytes(refusal.to_string()),
        );
        stand.anthropic(lang, "messages", ask("claude-haiku-4-5")).await.raised("BadRequestError");
        assert_eq!(stand.upstream.requests(), before + 1);
        number += 1;
    }
}

// 43
#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_is_asked_after_the_first_byte() {
    let stand = Stand::start().await;
    for (number, lang) in LANGS.into_iter().enumerate() {
        let mut frames =
            vec![named_frame(&message_start(json!({ "input_tokens": 20, "output_tokens": 1 })))];
        let mut text = text_block(0, &["Once "]);
        text.pop();
        frames.extend(text.iter().map(named_frame));
        stand.script(ANTHROPIC, sse(&frames).step(Step::Reset));
        let said = stand.anthropic(lang, "messages.events", ask("claude-haiku-4-5")).await;
        said.raised("APIError");
        assert_eq!(said.count("message_stop"), 0);
        assert_eq!(stand.upstream.requests(), number + 1, "{lang:?}");
        let record = stand.record(number + 1).await;
        assert_eq!(record["status"], "failed");
        assert_eq!(record["tokens"]["input"], 20);
    }
}

// 6 of the reports (litellm PR#32159), in the byte lane of Chat: an end that is none is told.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_chat_that_breaks_off_is_raised() {
    let stand = Stand::start().await;
    for (number, lang) in LANGS.into_iter().enumerate() {
        let begun = [
            delta(json!({ "role": "assistant", "content": "Once " })),
            delta(json!({ "content": "upon" })),
        ];
        stand.script(OPENAI_CHAT, unended(&begun).step(Step::Close));
        let params =
            json!({ "model": "gpt-5.5", "messages": [{ "role": "user", "content": "hi" }] });
        let said = stand.openai(lang, "chat.events", params).await;
        said.raised("APIError");
        assert_eq!(stand.record(number + 1).await["status"], "failed");
    }
}

// 35
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_a_provider_refuses_is_no_fault_of_the_caller() {
    let stand = Stand::start().await;
    for lang in LANGS {
        for model in ["claude-sonnet-4-6", "deepseek-v4-pro"] {
            let words = json!({ "type": "error", "error": { "type": "authentication_error", "message": "invalid key" } });
            let path = if model == "deepseek-v4-pro" { CHAT } else { ANTHROPIC };
            stand.script(
                path,
                Script::status(401)
                    .header("content-type", "application/json")
                    .bytes(words.to_string()),
            );
            let said = stand.anthropic(lang, "messages", ask(model)).await;
            said.raised("InternalServerError");
            assert_eq!(said.error["status"], 502, "{lang:?} {model} {:#}", said.error);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_down_is_probed_until_it_works() {
    let upstream = ScriptedUpstream::start().await.unwrap();
    let probed = "kind: anthropic\n      breaker: {failures: 2, open_ms: 300}\n      health: {interval_s: 1}";
    let models = models(&upstream.url()).replace("kind: anthropic", probed);
    let stand = Stand::with(upstream, &models).await;
    let list = "/anthropic/v1/models";
    stand.upstream.always("GET", list, Script::status(503));
    for _ in 0..2 {
        stand.script(ANTHROPIC, Script::status(503));
        let said = stand.anthropic(Lang::Node, "messages", ask("claude-sonnet-4-6")).await;
        said.raised("APIError");
    }
    let requests = |upstream: &ScriptedUpstream, method: &str| {
        upstream.journal().iter().filter(|seen| seen.method == method).count()
    };
    let patience = Duration::from_secs(30);
    let probes = stand.upstream.wait_until(patience, |upstream| requests(upstream, "GET") >= 2);
    assert!(probes.await, "it is probed, and again when it is still down");

    stand.upstream.always("GET", list, Script::json(r#"{"data": []}"#));
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let works = async {
        loop {
            let health = client.get(format!("{}/api/v1/providers/health", stand.base()));
            let health = health.bearer_auth(stand.key("user")).send().await.unwrap();
            let health: Value = health.json().await.unwrap();
            if health["providers"]["anthropic"][0]["state"] == "closed" {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(patience, works).await.expect("the breaker is closed by a probe");
    assert_eq!(requests(&stand.upstream, "POST"), 2, "no caller had to find out");
    let usage = json!({ "input_tokens": 20, "output_tokens": 5 });
    stand.script(ANTHROPIC, message(json!([{ "type": "text", "text": "ok" }]), "end_turn", usage));
    stand.anthropic(Lang::Node, "messages", ask("claude-sonnet-4-6")).await.well();
    assert_eq!(stand.record(3).await["status"], "success");
}
