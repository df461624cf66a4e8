use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use systemprompt_core::config::{Environment, ModelsSection, ProviderConfig, ProviderKind, parse};
use systemprompt_core::id::{RoleId, TenantId};
use systemprompt_core::llm::{ErrorKind, ModelError};

use super::*;
use crate::price::PriceTable;

const PROVIDERS: &str = "providers:
  anthropic: {kind: anthropic, key: {env: K}}
  second: {kind: anthropic, key: {env: K}}
  openai: {kind: openai, key: {env: K}}
  local: {kind: openai_chat, base_url: 'https://local.example'}
  echo: {kind: echo}
";

fn section(rest: &str) -> ModelsSection {
    let indented: String =
        format!("{PROVIDERS}{rest}").lines().map(|line| format!("  {line}\n")).collect();
    let text = format!("profile: p\nmodels:\n{indented}");
    let loaded = parse(&text, "p.yaml", &Environment::empty());
    loaded.unwrap_or_else(|error| panic!("{error}")).profile.models
}

fn compiled(section: &ModelsSection) -> Result<RouteTable, RouteError> {
    static PRICES: LazyLock<Arc<PriceTable>> = LazyLock::new(|| Arc::new(PriceTable::embedded()));
    RouteTable::compile(section, PRICES.clone())
}

fn table(rest: &str) -> RouteTable {
    compiled(&section(rest)).unwrap_or_else(|error| panic!("{error}"))
}

static NO_ROLES: BTreeSet<RoleId> = BTreeSet::new();

fn query(model: &str) -> RouteQuery<'_> {
    RouteQuery {
        model,
        tools: false,
        thinking: false,
        stream: false,
        estimated_tokens: 0,
        tenant: None,
        roles: &NO_ROLES,
        draw: 0,
    }
}

/// `provider/model` of what is asked first.
fn goes(table: &RouteTable, query: &RouteQuery<'_>) -> String {
    match table.choose(query) {
        Ok(chosen) => format!("{}/{}", chosen.target.provider.name(), chosen.target.model),
        Err(error) => error.to_string(),
    }
}

#[test]
fn the_first_route_that_fits_is_taken() {
    let table = table(
        "routes:
  - {match: claude-opus-5, provider: second}
  - {match: 'claude-*', provider: anthropic}
  - {match: 'gpt-*', provider: openai, fallback: [{provider: anthropic, model: claude-opus-5}]}
  - {match: '*', provider: anthropic, model: claude-sonnet-5}",
    );
    for (model, expected) in [
        ("claude-opus-5", "second/claude-opus-5"),
        ("claude-opus-4-6", "anthropic/claude-opus-4-6"),
        ("gpt-5", "openai/gpt-5"),
        ("anything", "anthropic/claude-sonnet-5"),
        ("", "anthropic/claude-sonnet-5"),
    ] {
        assert_eq!(goes(&table, &query(model)), expected, "{model}");
    }
    let chosen = table.choose(&query("gpt-5")).unwrap();
    assert_eq!((chosen.route, chosen.fallbacks.len()), (2, 1));
    assert_eq!(chosen.fallbacks[0].model, "claude-opus-5");
    assert_eq!(chosen.target.price.unwrap().rates.input, 1_250_000);
}

#[test]
fn conditions_decide_what_the_pattern_leaves_open() {
    let table = table(
        "routes:
  - {match: {pattern: 'claude-*', when: {tools: true, stream: false}}, provider: anthropic, model: claude-opus-5}
  - {match: {pattern: 'claude-*', when: {thinking: true}}, provider: anthropic, model: claude-opus-4-8}
  - {match: {pattern: 'claude-*', when: {min_tokens: 200000}}, provider: anthropic, model: claude-sonnet-5}
  - {match: {pattern: 'claude-*', when: {tenant: acme, role: operator}}, provider: second}
  - {match: {pattern: 'gpt-*', when: {role: admin}}, provider: openai}",
    );
    let plain = query("claude-haiku-4-5");
    let acme: TenantId = "acme".parse().unwrap();
    let roles = BTreeSet::from(["operator".parse::<RoleId>().unwrap()]);
    let admin = BTreeSet::from(["admin".parse::<RoleId>().unwrap()]);
    assert!(goes(&table, &RouteQuery { roles: &admin, ..query("gtp-5") }).ends_with("`gpt-5`?"));
    for (query, expected) in [
        (RouteQuery { tools: true, ..plain }, "anthropic/claude-opus-5"),
        (
            RouteQuery { tools: true, stream: true, thinking: true, ..plain },
            "anthropic/claude-opus-4-8",
        ),
        (RouteQuery { estimated_tokens: 200_000, ..plain }, "anthropic/claude-sonnet-5"),
        (RouteQuery { tenant: Some(&acme), roles: &roles, ..plain }, "second/claude-haiku-4-5"),
        (
            RouteQuery { tenant: Some(&acme), estimated_tokens: 199_999, ..plain },
            "no route takes this request for the model `claude-haiku-4-5`",
        ),
        // What is for others alone is not there, and no name of it is told.
        (query("gpt-5"), "there is no model `gpt-5`"),
        (query("gpt-4"), "there is no model `gpt-4`"),
    ] {
        assert_eq!(goes(&table, &query), expected, "{query:?}");
    }
}

#[test]
fn aliases_are_resolved_before_routes() {
    let table = table(
        "aliases: {fast: quick, quick: claude-haiku-5-5, gpt-5: claude-opus-5}
routes:
  - {match: 'claude-*', provider: anthropic}
  - {match: 'gpt-*', provider: openai}",
    );
    assert_eq!(goes(&table, &query("fast")), "anthropic/claude-haiku-5-5");
    assert_eq!(goes(&table, &query("gpt-5")), "anthropic/claude-opus-5");
    let chosen = table.choose(&query("fast")).unwrap();
    assert_eq!(chosen.model, "claude-haiku-5-5");
}

#[test]
fn a_model_that_nobody_has_is_told_with_what_was_meant() {
    let table = table("aliases: {best: gpt-5}\nroutes: [{match: gpt-5, provider: openai}]");
    let error = table.choose(&query("gtp-5")).unwrap_err();
    assert_eq!(error.reason, NoRouteReason::Unknown);
    assert_eq!(error.nearest.as_deref(), Some("gpt-5"));
    assert_eq!(error.to_string(), "there is no model `gtp-5`; did you mean `gpt-5`?");
    let error = ModelError::from(error);
    assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::NotFound, Some("model_not_found")));
    assert_eq!(error.field.as_deref(), Some("model"));
    let long = "x".repeat(1 << 20);
    let error = table.choose(&query(&long)).unwrap_err();
    assert!(error.to_string().len() < 200 && error.nearest.is_none());
}

#[test]
fn what_has_no_price_is_refused_unless_it_is_allowed() {
    let refused = compiled(&section(
        "routes:
  - {match: llama, provider: local}
  - {match: 'm*', provider: local, model: mistral, fallback: [{provider: local, model: other}]}",
    ))
    .unwrap_err();
    let paths: Vec<_> = refused.faults().iter().map(|fault| fault.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "models.routes[0].provider",
            "models.routes[1].model",
            "models.routes[1].fallback[0].model"
        ]
    );
    assert!(refused.to_string().contains("`unpriced: allow`"), "{refused}");

    let table = table(
        "routes:
  - {match: llama, provider: local, unpriced: allow}
  - {match: 'claude-*', provider: anthropic, fallback: [{provider: local}]}
  - {match: echo, provider: echo}",
    );
    assert!(table.choose(&query("llama")).unwrap().target.price.is_none());
    // A pattern leaves open what is asked for.
    let error = table.choose(&query("claude-2")).unwrap_err();
    assert!(matches!(&error.reason, NoRouteReason::Unpriced { route: 1, .. }), "{error}");
    assert_eq!(ModelError::from(error).kind, ErrorKind::Permission);
    let chosen = table.choose(&query("claude-opus-5")).unwrap();
    assert!(chosen.fallbacks.is_empty(), "what has no price is no fallback either");
    let echo = table.choose(&query("echo")).unwrap().target;
    assert_eq!(echo.price.unwrap().rates.input, 0, "an echo is known to cost nothing");
}

#[test]
fn a_section_that_was_not_checked_is_checked() {
    let mut section = section("routes: [{match: gpt-5, provider: openai}]");
    section.routes[0].provider = Some("opnai".to_owned());
    let mut local = ProviderConfig::new(ProviderKind::OpenaiChat);
    local.priced_as = Some("deepsek".to_owned());
    section.providers.insert("other".to_owned(), local);
    let error = compiled(&section).unwrap_err().to_string();
    for expected in [
        "`models.routes[0].provider`: there is no provider `opnai`; did you mean `openai`?",
        "`models.providers.other.base_url`: must be given",
        "`models.providers.other.priced_as`: there are no prices of `deepsek`; did you mean `deepseek`?",
    ] {
        assert!(error.contains(expected), "{expected}: {error}");
    }
}

#[test]
fn a_split_shares_by_weight() {
    let table = table(
        "routes:
  - match: claude-opus-5
    split:
      - {provider: anthropic, weight: 7}
      - {provider: second, weight: 0}
      - {provider: openai, model: gpt-5, weight: 3}
    fallback: [{provider: openai, model: gpt-5}, {provider: second}]",
    );
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for draw in 0..1000 {
        *counts.entry(goes(&table, &RouteQuery { draw, ..query("claude-opus-5") })).or_default() +=
            1;
    }
    assert_eq!(counts["anthropic/claude-opus-5"], 700);
    assert_eq!(counts["openai/gpt-5"], 300);
    assert_eq!(counts.len(), 2, "a weight of 0 is never drawn");
    // Numbers that are spread, not counted.
    let mut anthropic = 0_i32;
    let mut draw = 1_u64;
    for _ in 0..10_000 {
        draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let draw = draw >> 16;
        let to = goes(&table, &RouteQuery { draw, ..query("claude-opus-5") });
        anthropic += i32::from(to.starts_with("anthropic"));
    }
    assert!((anthropic - 7000).abs() < 200, "{anthropic}");
    // Who was asked first is not asked next.
    let next = |draw| {
        let chosen = table.choose(&RouteQuery { draw, ..query("claude-opus-5") }).unwrap();
        chosen.fallbacks.iter().map(|next| next.provider.name().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(next(0), ["openai", "second"]);
    assert_eq!(next(9), ["second"]);
}

#[test]
fn every_route_is_explained() {
    let table = table(
        "aliases: {best: claude-opus-5}
routes:
  - {match: gpt-5, provider: openai}
  - {match: {pattern: 'claude-*', when: {tools: true, min_tokens: 9}}, provider: second}
  - match: claude-opus-5
    split: [{provider: anthropic, weight: 9}, {provider: openai, model: gpt-5}]
    fallback: [{provider: second}]
  - {match: 'claude-*', provider: anthropic}",
    );
    assert_eq!(
        table.explain("best").to_string(),
        "`best` stands for `claude-opus-5`
0: `gpt-5` does not fit
1: `claude-*` takes it when: tools, at least 9 tokens
   second/claude-opus-5 ($5/$25 per million tokens)
2: `claude-opus-5` takes it
   anthropic/claude-opus-5 ($5/$25 per million tokens), 9 of 10
   openai/gpt-5 ($1.25/$10 per million tokens), 1 of 10
   then second/claude-opus-5 ($5/$25 per million tokens)
3: `claude-*` fits, but 2 has taken it
   anthropic/claude-opus-5 ($5/$25 per million tokens)"
    );
    let explained = table.explain("llama");
    assert!(
        explained.to_string().starts_with("`llama`: no route takes it\n0: `gpt-5` does not fit")
    );
    assert!(explained.routes.iter().all(|each| each.outcome == RouteOutcome::Differs));
}

#[test]
fn what_a_caller_may_ask_for_is_listed() {
    let table = table(
        "aliases: {best: claude-opus-5, inner: gpt-4o}
routes:
  - {match: {pattern: gpt-4o, when: {role: admin}}, provider: openai}
  - {match: {pattern: gpt-5, when: {tools: true}}, provider: openai}
  - {match: 'claude-opus-*', provider: anthropic}
  - {match: llama, provider: local, unpriced: allow}
  - {match: echo, provider: echo}
  - {match: 'mistral-*', provider: local}",
    );
    let ids = |roles: &BTreeSet<RoleId>| -> Vec<String> {
        table.models(None, roles).into_iter().map(|model| model.id).collect()
    };
    let plain = [
        "best",
        "claude-opus-4-5",
        "claude-opus-4-6",
        "claude-opus-4-7",
        "claude-opus-4-8",
        "claude-opus-5",
        "claude-opus-5-5",
        "echo",
        "gpt-5",
        "llama",
    ];
    assert_eq!(ids(&NO_ROLES), plain);
    let admin = ids(&BTreeSet::from(["admin".parse().unwrap()]));
    let more: Vec<_> = admin.iter().filter(|id| !plain.contains(&id.as_str())).collect();
    assert_eq!(more, ["gpt-4o", "inner"]);
    let models = table.models(None, &NO_ROLES);
    assert_eq!(
        models[0],
        ListedModel {
            id: "best".to_owned(),
            alias_of: Some("claude-opus-5".to_owned()),
            provider: "anthropic".to_owned(),
            context: Some(1_000_000),
            max_output: Some(128_000),
        }
    );
    assert!(
        models
            .iter()
            .all(|model| table.choose(&RouteQuery { tools: true, ..query(&model.id) }).is_ok())
    );
}

prop_compose! {
    fn a_route()(
        pattern in "[ab?*]{1,4}",
        tools in proptest::option::of(any::<bool>()),
        least in proptest::option::of(1..3_u64),
    ) -> (String, Option<bool>, Option<u64>) {
        (pattern, tools, least)
    }
}

proptest! {
    /// What the table finds by looking models up is what going through the routes in order finds.
    #[test]
    fn the_first_match_wins(
        routes in proptest::collection::vec(a_route(), 0..8),
        model in "[ab]{0,5}",
        tools in any::<bool>(),
        estimated_tokens in 0..4_u64,
    ) {
        let base = section("routes: [{match: x, provider: echo}]");
        let mut models = base.clone();
        models.routes.clear();
        for (pattern, tools, least) in &routes {
            let mut route = base.routes[0].clone();
            route.matching.pattern = pattern.parse().unwrap();
            route.matching.when.tools = *tools;
            route.matching.when.min_tokens = *least;
            // Routes that could never fit are refused; the law is about those that can.
            models.routes.push(route);
            if !models.faults().is_empty() {
                models.routes.pop();
            }
        }
        let table = compiled(&models).unwrap();
        let query = RouteQuery { tools, estimated_tokens, ..query(&model) };
        let expected = models.routes.iter().position(|route| {
            let when = &route.matching.when;
            route.matching.pattern.matches(&model)
                && when.tools.is_none_or(|wanted| wanted == tools)
                && when.min_tokens.unwrap_or(0) <= estimated_tokens
        });
        prop_assert_eq!(table.choose(&query).ok().map(|chosen| chosen.route), expected);
    }

    /// Each entry gets as many of the numbers in a row as its weight, wherever they begin.
    #[test]
    fn weights_are_shares(weights in proptest::collection::vec(0..20_u32, 1..5), from in 0..1000_u64) {
        let total: u32 = weights.iter().sum();
        prop_assume!(total > 0);
        let split: Vec<_> = weights
            .iter()
            .enumerate()
            .map(|(index, weight)| format!("{{provider: echo, model: m{index}, weight: {weight}}}"))
            .collect();
        let table = table(&format!("routes: [{{match: m, split: [{}]}}]", split.join(", ")));
        let mut counts = vec![0; weights.len()];
        let from = from * u64::from(total);
        for draw in from..from + u64::from(total) {
            let chosen = table.choose(&RouteQuery { draw, ..query("m") }).unwrap();
            let index: usize = chosen.target.model[1..].parse().unwrap();
            counts[index] += 1;
        }
        prop_assert_eq!(counts, weights);
    }

    #[test]
    fn no_model_makes_it_panic(model in "\\PC{0,64}", draw in any::<u64>()) {
        let table = table("aliases: {a: gpt-5}\nroutes: [{match: 'gpt-?*', provider: openai}]");
        let _ = table.choose(&RouteQuery { draw, ..query(&model) });
        let _ = table.explain(&model).to_string();
    }
}

#[test]
fn the_cheapest_model_of_a_provider_is_one_that_is_routed_to_it() {
    let table = table(
        "routes:
  - {match: 'claude-opus-*', provider: anthropic}
  - {match: 'claude-*', provider: second, fallback: [{provider: openai, model: gpt-5.5}]}
  - {match: mine, provider: local, unpriced: allow}
  - {match: other, provider: local, unpriced: allow}
  - {match: 'open-*', provider: openai, unpriced: allow}",
    );
    let cheapest = |provider: &str| table.cheapest_model(provider);
    let price = |provider: &str, model: &str| {
        table.provider(provider).unwrap().price(model, table.prices()).unwrap().rates.output
    };
    let opus = cheapest("anthropic").unwrap();
    assert!(opus.starts_with("claude-opus-"), "{opus}");
    let second = cheapest("second").unwrap();
    assert!(price("second", &second) < price("anthropic", &opus), "{second} {opus}");
    assert_eq!(cheapest("openai").as_deref(), Some("gpt-5.5"), "a fallback is a route, too");
    assert_eq!(cheapest("local").as_deref(), Some("mine"), "without a price the first by name");
    assert_eq!((cheapest("echo"), cheapest("nobody")), (None, None));
}
