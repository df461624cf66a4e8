use systemprompt_core::config::{ModelPattern, ProviderConfig, ProviderKind, ProviderUsage};
use systemprompt_core::llm::Dialect;

use super::{KeyHeader, Provider, models};
use crate::dialect::{Capabilities, UsageMode};
use crate::price::PriceTable;

const KINDS: [ProviderKind; 10] = [
    ProviderKind::Anthropic,
    ProviderKind::Openai,
    ProviderKind::OpenaiChat,
    ProviderKind::Gemini,
    ProviderKind::Moonshot,
    ProviderKind::Qwen,
    ProviderKind::Minimax,
    ProviderKind::Echo,
    ProviderKind::Custom,
    ProviderKind::ByExtension,
];

fn provider(kind: ProviderKind) -> Provider {
    Provider::new("p", &ProviderConfig::new(kind))
}

fn configured(kind: ProviderKind, set: impl FnOnce(&mut ProviderConfig)) -> Provider {
    let mut config = ProviderConfig::new(kind);
    set(&mut config);
    Provider::new("p", &config)
}

fn capabilities(kind: ProviderKind, model: &str) -> Capabilities {
    provider(kind).capabilities(model, &PriceTable::embedded())
}

/// What an error in a word would hide.
#[test]
fn every_row_has_a_pattern_and_finds_a_priced_model_or_an_older_one() {
    let table = PriceTable::embedded();
    for (vendor, pattern, _) in models::rows() {
        let pattern: ModelPattern = pattern.parse().unwrap();
        let priced =
            table.rows_of(vendor).any(|row| pattern.matches(&row.model.to_ascii_lowercase()));
        let older = ["claude-3", "claude-mythos-preview", "claude-sonnet-4*", "claude-opus-4*"];
        let older = older.iter().any(|older| pattern.as_str().starts_with(older));
        assert!(priced || older, "{vendor} {pattern}");
    }
}

#[test]
fn the_kinds_speak_what_their_configuration_may_say() {
    for kind in KINDS {
        let spoken: Vec<_> = configured(kind, |config| {
            config.base_url = Some("https://host.example".parse().unwrap());
        })
        .endpoints()
        .iter()
        .map(|endpoint| endpoint.dialect.as_str())
        .collect();
        let said: Vec<_> = kind.wires().iter().map(|wire| wire.as_str()).collect();
        assert_eq!(spoken, said, "{kind}");
        assert_eq!(provider(kind).endpoints().is_empty(), !kind.has_place(), "{kind}");
    }
}

#[test]
fn endpoints_are_the_base_url_and_the_path_of_the_wire() {
    let at = |provider: &Provider, front| {
        provider.endpoint_for(front).map(|endpoint| (endpoint.dialect, endpoint.base_url.clone()))
    };
    let found = |dialect, url: &str| Some((dialect, url.to_owned()));
    let (anthropic, chat) = (Dialect::Anthropic, Dialect::Chat);
    let qwen = provider(ProviderKind::Qwen);
    assert_eq!(
        at(&qwen, anthropic),
        found(anthropic, "https://dashscope-intl.aliyuncs.com/apps/anthropic")
    );
    assert_eq!(at(&qwen, chat), found(chat, "https://dashscope-intl.aliyuncs.com/compatible-mode"));
    // What it does not speak is translated to its best.
    assert_eq!(at(&qwen, Dialect::Responses), at(&qwen, anthropic));
    let openai = provider(ProviderKind::Openai);
    assert_eq!(at(&openai, chat), found(chat, "https://api.openai.com"));
    assert_eq!(at(&openai, anthropic), found(Dialect::Responses, "https://api.openai.com"));
    let china = configured(ProviderKind::Moonshot, |config| {
        config.base_url = Some("https://api.moonshot.cn/".parse().unwrap());
        config.wire = Some(Dialect::Anthropic);
    });
    assert_eq!(at(&china, chat), found(anthropic, "https://api.moonshot.cn/anthropic"));
    let custom = configured(ProviderKind::Custom, |config| {
        config.base_url = Some("https://api.z.ai/api/anthropic".parse().unwrap());
        config.wire = Some(Dialect::Anthropic);
    });
    assert_eq!(at(&custom, chat), found(anthropic, "https://api.z.ai/api/anthropic"));
    assert_eq!(at(&provider(ProviderKind::Echo), chat), None);
}

#[test]
fn keys_go_where_they_are_looked_for() {
    let header = |kind, dialect| provider(kind).key_header(dialect);
    let plain = |name: &str| KeyHeader::Plain(name.to_owned());
    assert_eq!(header(ProviderKind::Anthropic, Dialect::Anthropic), plain("x-api-key"));
    assert_eq!(header(ProviderKind::Gemini, Dialect::Gemini), plain("x-goog-api-key"));
    assert_eq!(header(ProviderKind::Moonshot, Dialect::Anthropic), KeyHeader::Bearer);
    assert_eq!(header(ProviderKind::Openai, Dialect::Responses), KeyHeader::Bearer);
    let named = |name: &str| {
        let name = name.to_owned();
        configured(ProviderKind::Openai, |config| config.key_header = Some(name))
            .key_header(Dialect::Chat)
    };
    assert_eq!(named("API-Key"), plain("api-key"));
    assert_eq!(named("Authorization"), KeyHeader::Bearer);
    assert_eq!(
        (KeyHeader::Bearer.name(), KeyHeader::Bearer.prefix()),
        ("authorization", "Bearer ")
    );
}

#[test]
fn what_is_compatible_is_told_less() {
    let flags = provider(ProviderKind::Moonshot).flags(Dialect::Anthropic);
    assert!(!flags.cache_ttl);
    assert_eq!(flags.betas, Some(Vec::new()));
    assert_eq!(flags.usage_mode, UsageMode::LastEvent);
    assert_eq!(provider(ProviderKind::Moonshot).flags(Dialect::Chat).usage_mode, UsageMode::Native);
    assert!(!provider(ProviderKind::OpenaiChat).flags(Dialect::Chat).max_completion_tokens);
    let openai = provider(ProviderKind::Openai).flags(Dialect::Chat);
    assert!(openai.max_completion_tokens && !openai.replay_reasoning);
    assert!(provider(ProviderKind::Moonshot).flags(Dialect::Chat).replay_reasoning);
    for (kind, counts) in [
        (ProviderKind::Anthropic, true),
        (ProviderKind::Openai, true),
        (ProviderKind::Gemini, true),
        (ProviderKind::Moonshot, false),
        (ProviderKind::Qwen, false),
        (ProviderKind::Minimax, false),
    ] {
        for front in [Dialect::Anthropic, Dialect::Responses] {
            let dialect = provider(kind).endpoint_for(front).unwrap().dialect;
            assert_eq!(provider(kind).flags(dialect).counts_tokens, counts, "{kind} {front:?}");
        }
    }
    let own = provider(ProviderKind::Anthropic).flags(Dialect::Anthropic);
    assert_eq!((own.cache_ttl, own.betas, own.version), (true, None, None));
    let said = configured(ProviderKind::Qwen, |config| {
        config.cache_ttl = Some(true);
        config.betas = Some(vec!["b".to_owned()]);
        config.version = Some("2026-10-21".to_owned());
        config.stream_usage = Some(false);
        config.usage_mode = Some(ProviderUsage::Inclusive);
    })
    .flags(Dialect::Anthropic);
    assert!(said.cache_ttl && !said.stream_usage);
    assert_eq!(said.betas.as_deref(), Some(&["b".to_owned()][..]));
    assert_eq!(said.version.as_deref(), Some("2026-10-21"));
    assert_eq!(said.usage_mode, UsageMode::Inclusive);
}

#[test]
fn what_models_of_anthropic_can_do() {
    // Sampling, forced tools, prefill, budgets, adaptive, always thinks.
    for (model, expected) in [
        ("claude-opus-5-5", [false, false, false, false, true, true]),
        ("claude-sonnet-5-5", [false, false, false, false, true, true]),
        ("claude-haiku-5-5", [false, true, false, false, true, false]),
        ("claude-fable-5", [false, true, false, false, true, true]),
        ("claude-fable-5-20260801", [false, true, false, false, true, true]),
        ("claude-fable-5-1", [false, false, false, false, true, true]),
        ("claude-fable-5-2", [false, false, false, false, true, true]),
        ("claude-mythos-5-1", [false, false, false, false, true, true]),
        ("claude-mythos-5", [false, true, false, false, true, true]),
        ("claude-opus-5", [false, true, false, false, true, false]),
        ("claude-sonnet-5", [false, true, false, false, true, false]),
        ("claude-opus-4-8", [false, true, false, false, true, false]),
        ("claude-opus-4-7-20260416", [false, true, false, false, true, false]),
        ("claude-opus-4-6", [true, true, false, true, true, false]),
        ("claude-sonnet-4-6", [true, true, false, true, true, false]),
        ("claude-sonnet-4-5-20250929", [true, true, true, true, false, false]),
        ("claude-haiku-4-5", [true, true, true, true, false, false]),
        ("claude-opus-4-20250514", [true, true, true, true, false, false]),
        ("claude-opus-7", [false, true, false, false, true, false]),
    ] {
        let can = capabilities(ProviderKind::Anthropic, model);
        let found = [
            can.sampling,
            can.forced_tool_choice,
            can.prefill,
            can.thinking_budget,
            can.adaptive_thinking,
            can.always_thinks,
        ];
        assert_eq!(found, expected, "{model}");
        assert!(can.thinks && can.images && !can.cache_breakpoints, "{model}");
    }
    let can = capabilities(ProviderKind::Anthropic, "claude-3-5-haiku-20241022");
    assert!(!can.thinks && !can.thinking_budget && !can.adaptive_thinking);
}

#[test]
fn what_models_of_others_can_do() {
    let openai = |model| capabilities(ProviderKind::Openai, model);
    for model in
        ["gpt-6-sol", "gpt-6.1-sol", "gpt-6-luna", "gpt-5.6-terra", "gpt-5.6-sol-2026-07-01"]
    {
        assert!(openai(model).cache_breakpoints, "{model}");
    }
    for model in ["gpt-5.5", "gpt-5", "gpt-4.1", "o3"] {
        assert!(!openai(model).cache_breakpoints, "{model}");
    }
    assert!(openai("gpt-5.5").sampling && !openai("gpt-5-mini").sampling && !openai("o3").sampling);
    assert!(openai("gpt-5.5-pro").always_thinks && !openai("gpt-5.4-mini").always_thinks);
    assert!(!openai("gpt-4o").thinks && openai("gpt-4o").sampling);
    let gemini = |model| capabilities(ProviderKind::Gemini, model);
    for model in
        ["gemini-3.5-flash-lite", "gemini-3.6-flash", "gemini-3.7-flash", "gemini-3.8-flash"]
    {
        assert!(!gemini(model).sampling, "{model}");
    }
    assert!(gemini("gemini-3.5-flash").sampling && gemini("gemini-4-argon").sampling);
    assert!(gemini("models/gemini-2.5-flash-001").thinking_budget);
    assert!(!gemini("gemini-3.5-flash").thinking_budget);
    let kimi = capabilities(ProviderKind::Moonshot, "kimi-k3");
    assert!(kimi.always_thinks && !kimi.sampling);
    assert!(capabilities(ProviderKind::Moonshot, "kimi-k2.6").sampling);
    let minimax = |model| capabilities(ProviderKind::Minimax, model);
    assert!(!minimax("MiniMax-M2.7").images && minimax("MiniMax-M3").images);
    assert_eq!(capabilities(ProviderKind::Echo, "echo"), Capabilities::default());
}

#[test]
fn limits_of_tokens_come_from_the_price_table() {
    let can = capabilities(ProviderKind::Anthropic, "claude-haiku-4-5-20251001");
    assert_eq!((can.max_output, can.context), (Some(64_000), Some(200_000)));
    let deepseek = configured(ProviderKind::OpenaiChat, |config| {
        config.priced_as = Some("deepseek".to_owned());
    });
    let table = PriceTable::embedded();
    let can = deepseek.capabilities("deepseek-v4-pro", &table);
    assert_eq!((can.max_output, can.images), (Some(393_216), false));
}

#[test]
fn a_row_of_the_providers_own_name_comes_first() {
    let table = PriceTable::embedded();
    let text = r#"{"models": [{"provider": "p", "model": "gpt-5", "input": 7, "output": 7}]}"#;
    let over = table.with_overrides(text).unwrap();
    let openai = provider(ProviderKind::Openai);
    assert_eq!(openai.price("gpt-5", &over).unwrap().rates.input, 7);
    assert_eq!(openai.price("gpt-5", &table).unwrap().rates.input, 1_250_000);
    assert_eq!(openai.price("gpt-5-mini", &over).unwrap().rates.input, 250_000);
    assert_eq!(openai.price("llama", &over), None, "not known is not free");
    assert_eq!(provider(ProviderKind::OpenaiChat).price("gpt-5", &table), None);
    let echo = provider(ProviderKind::Echo).price("any", &table).unwrap();
    assert_eq!((echo.rates.input, echo.rates.output), (0, 0));
}
