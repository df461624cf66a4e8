//! Asking a provider whether it answers.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::{Value, json};
use systemprompt_core::config::{ProviderConfig, ProviderKey, ProviderKind, SecretRef};
use systemprompt_core::contract::{OpenSecret, SecretStore, SecretStoreError, SecretUse};
use systemprompt_core::id::TenantId;
use systemprompt_core::llm::Dialect;
use systemprompt_core::secret::Secret;
use systemprompt_providers::gateway::ProviderSecrets;
use systemprompt_providers::preset::Provider;
use systemprompt_providers::price::PriceTable;
use systemprompt_providers::probe::{Probe, ProbeQuestion, ProbeReport};
use systemprompt_providers::scripted::{Script, ScriptedUpstream};

const KEY: &str = "the-key-of-the-provider";

fn provider(url: &str, wire: Dialect, key: Option<ProviderKey>) -> Provider {
    let mut config = ProviderConfig::new(ProviderKind::Custom);
    config.base_url = Some(url.parse().unwrap());
    config.wire = Some(wire);
    config.private_addresses = true;
    config.key = key;
    Provider::new("mine", &config)
}

fn variable() -> Option<ProviderKey> {
    Some(ProviderKey::Ref(SecretRef::Env("K".to_owned())))
}

fn secrets() -> ProviderSecrets {
    let mut secrets = ProviderSecrets::default();
    secrets.keys.insert("mine".to_owned(), Arc::new(Secret::new(KEY.to_owned())));
    secrets
}

async fn ask(provider: &Provider, question: &ProbeQuestion) -> ProbeReport {
    let (secrets, prices) = (secrets(), PriceTable::embedded());
    Probe { secrets: &secrets, custody: None, prices: &prices }.ask(provider, question).await
}

fn model() -> ProbeQuestion {
    ProbeQuestion::Answer("m".to_owned())
}

#[tokio::test]
async fn every_wire_is_asked_for_as_little_as_it_allows() {
    let answers = [
        (
            Dialect::Anthropic,
            "/v1/messages",
            "/max_tokens",
            1,
            json!({ "id": "i", "type": "message", "role": "assistant", "model": "m", "content": [],
                "stop_reason": "max_tokens", "usage": { "input_tokens": 1, "output_tokens": 1 } }),
        ),
        (
            Dialect::Chat,
            "/v1/chat/completions",
            "/max_tokens",
            1,
            json!({ "id": "i", "object": "chat.completion", "model": "m", "choices": [{ "index": 0,
                "message": { "role": "assistant", "content": "" }, "finish_reason": "length" }] }),
        ),
        (
            Dialect::Responses,
            "/v1/responses",
            "/max_output_tokens",
            16,
            json!({ "id": "i", "object": "response", "model": "m", "status": "incomplete", "output": [],
                "incomplete_details": { "reason": "max_output_tokens" } }),
        ),
        (
            Dialect::Gemini,
            "/v1beta/models/m:generateContent",
            "/generationConfig/maxOutputTokens",
            1,
            json!({ "candidates": [{ "content": { "role": "model" }, "finishReason": "MAX_TOKENS" }],
                "usageMetadata": { "promptTokenCount": 1, "totalTokenCount": 1 } }),
        ),
    ];
    for (wire, path, limit, least, answer) in answers {
        let upstream = ScriptedUpstream::start().await.unwrap();
        upstream.on("POST", path, Script::json(answer.to_string()));
        let report = ask(&provider(&upstream.url(), wire, None), &model()).await;
        assert_eq!((report.status, report.problem), (Some(200), None), "{wire:?}");
        let seen = upstream.journal();
        let body: Value = serde_json::from_slice(&seen[0].body).unwrap();
        let said = body.pointer(limit).or_else(|| body.pointer("/max_completion_tokens"));
        assert_eq!(said, Some(&json!(least)), "{wire:?}: {body}");
    }
}

#[tokio::test]
async fn a_key_that_is_repeated_is_taken_out_and_a_failure_is_not_tried_again() {
    let upstream = ScriptedUpstream::start().await.unwrap();
    let error = json!({ "error": { "message": format!("no such key: {KEY}"), "code": KEY } });
    let refusal = Script { status: 503, ..Script::json(error.to_string()) };
    upstream.always("POST", "/", refusal);
    let provider = provider(&upstream.url(), Dialect::Chat, variable());
    let report = ask(&provider, &model()).await;
    assert_eq!(report.status, Some(503));
    let problem = report.problem.unwrap();
    assert!(problem.message.contains("no such key: [key]"), "{problem:?}");
    assert!(!format!("{problem:?}").contains(KEY), "{problem:?}");
    assert_eq!(upstream.requests(), 1);
    let expected = format!("Bearer {KEY}");
    assert_eq!(upstream.journal()[0].header("authorization"), Some(expected.as_str()));
}

#[tokio::test]
async fn what_is_no_answer_is_a_problem_although_its_status_is_200() {
    let upstream = ScriptedUpstream::start().await.unwrap();
    upstream.always("*", "/", Script::json("<html>welcome</html>"));
    let provider = provider(&upstream.url(), Dialect::Chat, None);
    for question in [model(), ProbeQuestion::Models] {
        let report = ask(&provider, &question).await;
        assert_eq!(report.status, Some(200));
        assert!(report.problem.is_some(), "{question:?}");
    }
}

/// A store that notes what is asked of it.
struct Store(Mutex<Vec<String>>);

#[async_trait]
impl SecretStore for Store {
    async fn open(&self, usage: SecretUse<'_>) -> Result<OpenSecret, SecretStoreError> {
        let said = format!("{} {} {} {:?}", usage.tenant, usage.name, usage.server, usage.sink);
        self.0.lock().unwrap().push(said);
        let value = Secret::new(KEY.to_owned());
        Ok(OpenSecret { name: usage.name.clone(), version: 1, value })
    }
}

#[tokio::test]
async fn a_key_in_custody_is_opened_for_the_use_that_is_granted() {
    let upstream = ScriptedUpstream::start().await.unwrap();
    upstream.on("GET", "/v1/models", Script::json(r#"{"data": []}"#));
    let key = Some(ProviderKey::Custody("a-key".parse().unwrap()));
    let provider = provider(&upstream.url(), Dialect::Anthropic, key);
    let report = ask(&provider, &ProbeQuestion::Models).await;
    assert_eq!(report.problem.unwrap().code.as_deref(), Some("provider_key"));
    assert_eq!(upstream.requests(), 0, "nothing is sent without the key");

    let (store, tenant) = (Store(Mutex::default()), TenantId::parse("acme").unwrap());
    let (secrets, prices) = (ProviderSecrets::default(), PriceTable::embedded());
    let custody = Some((&store as &dyn SecretStore, &tenant));
    let probe = Probe { secrets: &secrets, custody, prices: &prices };
    let report = probe.ask(&provider, &ProbeQuestion::Models).await;
    assert_eq!((report.status, report.problem), (Some(200), None));
    assert_eq!(upstream.journal()[0].header("x-api-key"), Some(KEY));
    let sink = format!("Header {{ host: \"{}\", header: \"x-api-key\" }}", upstream.address());
    assert_eq!(*store.0.lock().unwrap(), [format!("acme a-key mine {sink}")]);
}
