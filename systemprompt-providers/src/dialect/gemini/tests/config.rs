use serde_json::json;
use systemprompt_core::llm::{Effort, OutputFormat, Reasoning, ReasoningMode, Sampling};

use super::*;

fn config(request: &ModelRequest, can: &Capabilities) -> (Value, Sent) {
    let sent = try_send(request, "m", can, &ProviderFlags::default()).unwrap();
    (sent.body["generationConfig"].clone(), sent)
}

fn thinking(reasoning: Reasoning, can: &Capabilities) -> (Value, Sent) {
    let mut request = asked("x");
    request.reasoning = Some(reasoning);
    let (config, sent) = config(&request, can);
    (config["thinkingConfig"].clone(), sent)
}

fn levels() -> Capabilities {
    Capabilities { thinking_budget: false, ..Capabilities::default() }
}

fn budgets() -> Capabilities {
    Capabilities { adaptive_thinking: false, ..Capabilities::default() }
}

fn effort(effort: Effort) -> Reasoning {
    Reasoning { effort: Some(effort), ..Reasoning::default() }
}

#[test]
fn numbers_are_carried() {
    let mut request = asked("x");
    request.max_output_tokens = Some(100);
    request.stop_sequences = vec!["a".into(), String::new(), "b".into()];
    request.sampling = Sampling {
        temperature: Some(1.5),
        top_p: Some(0.5),
        top_k: Some(40),
        seed: Some(7),
        presence_penalty: Some(-1.0),
        frequency_penalty: Some(1.0),
    };
    let (config, sent) = config(&request, &Capabilities::default());
    assert_eq!(
        config,
        json!({"maxOutputTokens": 100, "stopSequences": ["a", "b"], "temperature": 1.5, "topP": 0.5,
            "topK": 40, "seed": 7, "presencePenalty": -1.0, "frequencyPenalty": 1.0})
    );
    assert!(sent.losses.is_empty());
}

#[test]
fn numbers_out_of_range_are_moved_into_it_or_left_out() {
    let mut request = asked("x");
    request.max_output_tokens = Some(100_000);
    request.stop_sequences = (0..7).map(|n| n.to_string()).collect();
    request.sampling.temperature = Some(3.0);
    request.sampling.seed = Some(1 << 40);
    let can = Capabilities { max_output: Some(65_536), ..Capabilities::default() };
    let (config, sent) = config(&request, &can);
    assert_eq!(config["maxOutputTokens"], 65_536);
    assert_eq!(config["temperature"], 2.0);
    assert_eq!(config["stopSequences"].as_array().unwrap().len(), 5);
    assert_eq!(config.get("seed"), None);
    assert!(sent.lost("max_tokens", LossKind::Clamped));
    assert!(sent.lost("temperature", LossKind::Clamped));
    assert!(sent.lost("stop_sequences.6", LossKind::Dropped));
    assert!(sent.lost("seed", LossKind::Dropped));
}

#[test]
fn a_model_that_takes_no_sampling_is_sent_none() {
    let mut request = asked("x");
    request.sampling = Sampling {
        temperature: Some(1.0),
        top_p: Some(0.9),
        top_k: Some(1),
        ..Sampling::default()
    };
    let can = Capabilities { sampling: false, ..Capabilities::default() };
    let (config, sent) = config(&request, &can);
    assert_eq!(config, Value::Null);
    for field in ["temperature", "top_p", "top_k"] {
        assert!(sent.lost(field, LossKind::Dropped), "{field}");
    }
}

#[test]
fn efforts_are_levels_where_there_are_levels() {
    for (asked, level) in [
        (Effort::Minimal, "MINIMAL"),
        (Effort::Low, "LOW"),
        (Effort::Medium, "MEDIUM"),
        (Effort::High, "HIGH"),
    ] {
        let (config, sent) = thinking(effort(asked), &levels());
        assert_eq!(config, json!({"thinkingLevel": level, "includeThoughts": true}));
        assert!(sent.losses.is_empty());
    }
    let (config, sent) = thinking(effort(Effort::Max), &levels());
    assert_eq!(config["thinkingLevel"], "HIGH");
    assert!(sent.lost("output_config.effort", LossKind::Clamped));
}

#[test]
fn efforts_are_tokens_where_there_are_tokens() {
    let (config, sent) = thinking(effort(Effort::Medium), &budgets());
    assert_eq!(config, json!({"thinkingBudget": 8192, "includeThoughts": true}));
    assert!(sent.lost("output_config.effort", LossKind::Degraded));
}

#[test]
fn tokens_are_tokens_or_a_level_and_never_both() {
    let asked = || Reasoning {
        mode: Some(ReasoningMode::Enabled),
        budget_tokens: Some(10_000),
        effort: Some(Effort::High),
        ..Reasoning::default()
    };
    let (config, _) = thinking(asked(), &Capabilities::default());
    assert_eq!(config, json!({"thinkingBudget": 10_000, "includeThoughts": true}));
    let (config, sent) = thinking(asked(), &levels());
    assert_eq!(config, json!({"thinkingLevel": "HIGH", "includeThoughts": true}));
    assert!(sent.lost("thinking.budget_tokens", LossKind::Degraded));
    let (config, _) = thinking(Reasoning { effort: None, ..asked() }, &levels());
    assert_eq!(config["thinkingLevel"], "MEDIUM");
}

#[test]
fn no_thinking_is_as_little_as_there_is() {
    let off = || Reasoning { mode: Some(ReasoningMode::Disabled), ..Reasoning::default() };
    let (config, sent) = thinking(off(), &Capabilities::default());
    assert_eq!((config, sent.losses.len()), (json!({"thinkingBudget": 0}), 0));
    let (config, sent) = thinking(effort(Effort::None), &levels());
    assert_eq!(config, json!({"thinkingLevel": "MINIMAL"}));
    assert!(sent.lost("thinking", LossKind::Degraded));
    let always = |can: Capabilities| Capabilities { always_thinks: true, ..can };
    assert_eq!(thinking(off(), &always(levels())).0, json!({"thinkingLevel": "LOW"}));
    let little = Reasoning { budget_tokens: Some(500), ..Reasoning::default() };
    assert_eq!(thinking(little.clone(), &levels()).0["thinkingLevel"], "MINIMAL");
    assert_eq!(thinking(little, &always(levels())).0["thinkingLevel"], "LOW");
    assert_eq!(thinking(off(), &always(budgets())).0, json!({"thinkingBudget": 128}));
}

#[test]
fn a_model_that_cannot_think_is_not_asked_to() {
    let can = Capabilities { thinks: false, ..Capabilities::default() };
    let (config, sent) = thinking(effort(Effort::High), &can);
    assert_eq!(config, Value::Null);
    assert!(sent.lost("thinking", LossKind::Dropped));
    assert!(thinking(effort(Effort::None), &can).1.losses.is_empty());
}

#[test]
fn thoughts_are_shown_to_those_who_asked() {
    let adaptive = |summary: Option<&str>| Reasoning {
        mode: Some(ReasoningMode::Adaptive),
        summary: summary.map(Into::into),
        ..Reasoning::default()
    };
    assert_eq!(thinking(adaptive(None), &levels()).0, json!({"includeThoughts": true}));
    assert_eq!(thinking(adaptive(Some("omitted")), &levels()).0, Value::Null);
    assert_eq!(thinking(adaptive(None), &budgets()).0["thinkingBudget"], -1);
    let mut request = asked("x");
    request.dialect = Dialect::Responses;
    request.reasoning = Some(effort(Effort::Low));
    let (config, _) = config(&request, &levels());
    assert_eq!(config["thinkingConfig"], json!({"thinkingLevel": "LOW"}));
}

#[test]
fn answers_in_json_have_their_schema() {
    let mut request = asked("x");
    request.output = OutputFormat::JsonObject;
    let (config_object, _) = config(&request, &Capabilities::default());
    assert_eq!(config_object, json!({"responseMimeType": "application/json"}));
    let schema = json!({"type": "object", "properties": {"a": {"const": "b"}}});
    request.output = OutputFormat::JsonSchema {
        name: Some("n".into()),
        description: Some("d".into()),
        schema: schema.clone(),
        strict: Some(true),
    };
    let (config, sent) = config(&request, &Capabilities::default());
    assert_eq!(
        config,
        json!({"responseMimeType": "application/json", "responseJsonSchema": schema})
    );
    assert!(sent.lost("output_config.format.name", LossKind::Hint));
    assert!(sent.lost("output_config.format.description", LossKind::Dropped));
    let flags = ProviderFlags { json_schema: false, ..ProviderFlags::default() };
    let sent = try_send(&request, "m", &Capabilities::default(), &flags).unwrap();
    let cleaned = &sent.body["generationConfig"]["responseSchema"];
    assert_eq!(cleaned["properties"]["a"]["enum"], json!(["b"]));
}

#[test]
fn tiers_have_the_words_of_the_wire() {
    let mut request = asked("x");
    for (asked, sent) in
        [("auto", Value::Null), ("standard_only", json!("standard")), ("flex", json!("flex"))]
    {
        request.service_tier = Some(asked.into());
        assert_eq!(send(&request).body["serviceTier"], sent);
    }
    request.service_tier = Some("scale".into());
    assert!(send(&request).lost("service_tier", LossKind::Hint));
}

#[test]
fn members_that_the_wire_does_not_have_are_noted() {
    let mut request = asked("x");
    request.dialect = Dialect::Chat;
    request.verbosity = Some("low".into());
    request.rest = json!({"logprobs": true, "n": 1, "metadata": {}, "logit_bias": null})
        .as_object()
        .unwrap()
        .clone();
    let sent = send(&request);
    let expected = [
        ("verbosity".to_owned(), LossKind::Dropped),
        ("logprobs".to_owned(), LossKind::Dropped),
        ("metadata".to_owned(), LossKind::Hint),
    ];
    assert_eq!(sent.losses, expected);
    request.rest.insert("n".into(), json!(2));
    assert_eq!(refuse(&request).field.as_deref(), Some("n"));
    request.rest.clear();
    request.rest.insert("previous_response_id".into(), json!("resp_1"));
    assert_eq!(refuse(&request).field.as_deref(), Some("previous_response_id"));
}
