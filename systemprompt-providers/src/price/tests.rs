use std::sync::LazyLock;

use proptest::prelude::*;
use systemprompt_core::llm::Usage;
use systemprompt_core::money::Microdollars;

use super::*;

static TABLE: LazyLock<PriceTable> = LazyLock::new(PriceTable::embedded);

fn any_row(pick: usize) -> &'static PriceRow {
    TABLE.providers().flat_map(|name| TABLE.rows_of(name)).nth(pick).unwrap()
}

fn row(provider: &str, model: &str) -> PriceRow {
    (**TABLE.row(provider, model).unwrap_or_else(|| panic!("{provider} {model}"))).clone()
}

fn microdollars(usage: Usage, row: &PriceRow) -> i64 {
    cost(&usage, row).unwrap().get()
}

#[test]
fn the_table_that_is_built_in_is_read_whole() {
    let table = PriceTable::embedded();
    let rows: usize = table.providers().map(|name| table.rows_of(name).count()).sum();
    assert_eq!(rows, 88);
    assert_eq!(table.version(), "2026-11-22");
    let vendors: Vec<_> = table.providers().collect();
    assert_eq!(
        vendors,
        [
            "anthropic",
            "deepseek",
            "gemini",
            "minimax",
            "mistral",
            "moonshot",
            "openai",
            "qwen",
            "xai",
            "zai"
        ]
    );
}

#[test]
fn snapshots_and_spellings_find_their_row() {
    let table = PriceTable::embedded();
    for (provider, model, found) in [
        ("anthropic", "claude-sonnet-4-5-20250929", Some("claude-sonnet-4-5")),
        ("openai", "gpt-4o-2024-08-06", Some("gpt-4o")),
        ("gemini", "models/gemini-2.5-pro", Some("gemini-2.5-pro")),
        ("minimax", "minimax-m3", Some("MiniMax-M3")),
        ("openai", "gpt-5-mini", Some("gpt-5-mini")),
        ("openai", "gpt-5-minimal", None),
        ("openai", "claude-sonnet-4-5", None),
        ("nobody", "gpt-5", None),
    ] {
        let row = table.row(provider, model).map(|row| &*row.model);
        assert_eq!(row, found, "{provider} {model}");
    }
}

#[test]
fn cache_writes_are_charged_once() {
    // github.com/maximhq/bifrost/issues/3451
    let usage = Usage { input: 6, cache_write_5m: 159_217, output: 2_745, ..Usage::default() };
    assert_eq!(microdollars(usage, &row("anthropic", "claude-opus-4-7")), 1_063_761);
}

#[test]
fn each_kind_of_token_has_its_rate() {
    let row = row("anthropic", "claude-sonnet-4-6");
    let million = 1_000_000;
    for (usage, expected) in [
        (Usage { input: million, ..Usage::default() }, 3_000_000),
        (Usage { cache_read: million, ..Usage::default() }, 300_000),
        (Usage { cache_write_5m: million, ..Usage::default() }, 3_750_000),
        (Usage { cache_write_1h: million, ..Usage::default() }, 6_000_000),
        (Usage { output: million, reasoning: Some(900_000), ..Usage::default() }, 15_000_000),
        (Usage::default(), 0),
    ] {
        assert_eq!(microdollars(usage, &row), expected, "{usage:?}");
    }
}

#[test]
fn what_has_no_rate_of_its_own_costs_what_input_costs() {
    let row = row("openai", "gpt-5.5-pro");
    let usage = Usage { cache_read: 1000, cache_write_5m: 1000, ..Usage::default() };
    assert_eq!(microdollars(usage, &row), 60_000);
    let row = self::row("openai", "gpt-6-sol");
    let hour = Usage { cache_write_1h: 1_000, ..Usage::default() };
    assert_eq!(microdollars(hour, &row), 2_500, "an hour costs what any writing costs");
}

#[test]
fn a_tier_prices_the_whole_request_from_its_edge_on() {
    let haiku = row("anthropic", "claude-haiku-5-5");
    let of = |input, cache_read, output| Usage { input, cache_read, output, ..Usage::default() };
    assert_eq!(microdollars(of(100_000, 0, 1000), &haiku), 10_000 + 500);
    assert_eq!(microdollars(of(100_001, 0, 1000), &haiku), 50_001 + 2500);
    // What was cached counts for the length.
    assert_eq!(microdollars(of(1, 100_000, 0), &haiku), 5_001);
    let sol = row("openai", "gpt-6-sol");
    assert_eq!(microdollars(of(272_000, 0, 1000), &sol), 544_000 + 10_000);
    assert_eq!(microdollars(of(272_001, 0, 1000), &sol), 1_088_004 + 15_000);
    let qwen = row("qwen", "qwen3-max");
    assert_eq!(qwen.rates_for(32_000), &qwen.rates);
    assert_eq!(qwen.rates_for(32_001), &qwen.tiers[0].rates);
    assert_eq!(qwen.rates_for(128_001), &qwen.tiers[1].rates);
}

#[test]
fn sums_are_rounded_once_and_half_up() {
    let rates = Rates { input: 250_000, output: 250_000, ..Rates::default() };
    let row = PriceRow { rates, ..PriceRow::free("p", "m") };
    let of = |input, output| Usage { input, output, ..Usage::default() };
    assert_eq!(numerator(&of(1, 1), &row), 500_000);
    assert_eq!(microdollars(of(1, 1), &row), 1, "two quarters are a half");
    assert_eq!(microdollars(of(1, 0), &row), 0);
    assert_eq!(microdollars(of(5, 0), &row), 1);
}

#[test]
fn what_money_cannot_say_has_no_cost() {
    let row = row("openai", "gpt-5.5-pro");
    let usage = Usage { input: u64::MAX, output: u64::MAX, ..Usage::default() };
    assert_eq!(cost(&usage, &row), None);
    assert_eq!(worst_case(u64::MAX, u64::MAX, &row), None);
}

#[test]
fn peak_hours_cost_a_multiple() {
    let row = row("deepseek", "deepseek-v4-pro");
    let usage = Usage { input: 1_000_000, ..Usage::default() };
    let day = 1_795_392_000;
    assert_eq!(day % 86_400, 0);
    for (hour, expected) in [(0, 660_000), (1, 1_320_000), (3, 1_320_000), (4, 660_000)] {
        let at = cost_at(&usage, &row, day + hour * 3600 + 3599);
        assert_eq!(at, Some(Microdollars::new(expected)), "{hour}");
    }
    assert_eq!(worst_case(1_000_000, 0, &row), Some(Microdollars::new(1_320_000)));
}

#[test]
fn a_file_replaces_and_adds_rows() {
    let table = PriceTable::embedded();
    let text = r#"{"as_of": "2026-12-01", "models": [
        {"provider": "openai", "model": "gpt-5", "input": 1, "output": 2},
        {"provider": "vllm", "model": "llama", "input": 0, "output": 0,
         "tiers": [{"above_input_tokens": 10, "input": 3, "output": 4}]}]}"#;
    let over = table.with_overrides(text).unwrap();
    assert_eq!(over.version(), "2026-11-22+2026-12-01");
    let gpt = over.row("openai", "gpt-5").unwrap();
    assert_eq!((gpt.rates.input, gpt.rates.cache_read, gpt.context), (1, None, None));
    assert_eq!(over.row("vllm", "llama").unwrap().rates_for(11).output, 4);
    assert_eq!(over.row("openai", "gpt-4.1"), table.row("openai", "gpt-4.1"));
}

#[test]
fn what_is_wrong_in_a_file_names_row_and_field() {
    let table = PriceTable::embedded();
    let good = r#"{"provider": "p", "model": "a", "input": 1, "output": 2}"#;
    for (models, expected) in [
        (
            r#"{"provider": "p", "model": "m", "input": 1.5, "output": 2}"#,
            "models[0].input (`m`): must be a whole number from 0 to 1000000000000, not `1.5`",
        ),
        (r#"{"provider": "p", "model": "m", "input": -1, "output": 2}"#, "not `-1`"),
        (
            r#"{"provider": "p", "model": "m", "input": "3", "output": 2}"#,
            "models[0].input (`m`): must be a whole number",
        ),
        (r#"{"provider": "p", "model": "m", "input": 1}"#, "models[0].output (`m`): is missing"),
        (r#"{"model": "m", "input": 1, "output": 2}"#, "models[0].provider (`m`): is missing"),
        (r#"{"provider": "p", "input": 1, "output": 2}"#, "models[0].model: is missing"),
        (
            r#"{"provider": "p", "model": "m", "inptu": 1, "input": 1, "output": 2}"#,
            "models[0].inptu (`m`): unknown field",
        ),
        (
            r#"{"provider": "p", "model": "m", "input": 1, "output": 2,
               "tiers": [{"above_input_tokens": 5, "input": 1, "output": null}]}"#,
            "models[0].tiers[0].output (`m`): must be a whole number",
        ),
        (
            r#"{"provider": "p", "model": "m", "input": 1, "output": 2,
               "tiers": [{"above_input_tokens": 5, "input": 1, "output": 1},
                         {"above_input_tokens": 5, "input": 1, "output": 1}]}"#,
            "models[0].tiers[1].above_input_tokens (`m`): must be more",
        ),
        (
            r#"{"provider": "p", "model": "m", "input": 1, "output": 2,
               "peak": {"multiplier": 2, "hours_utc": [[5, 3]]}}"#,
            "models[0].peak.hours_utc[0] (`m`)",
        ),
        ("7", "models[0]: must be an object"),
        (&format!("{good},{good}"), "models[1] (`a`): has the provider and the model of models[0]"),
    ] {
        let error = table.with_overrides(&format!("{{\"models\": [{models}]}}")).unwrap_err();
        assert!(error.to_string().contains(expected), "{models}: {error}");
    }
    for (text, expected) in [
        ("{", "the file: is no JSON"),
        ("[]", "the file: must be an object"),
        ("{}", "models: must be a list"),
        (r#"{"modles": [], "models": []}"#, "modles: unknown field"),
    ] {
        let error = table.with_overrides(text).unwrap_err();
        assert!(error.to_string().contains(expected), "{text}: {error}");
    }
}

fn usages() -> impl Strategy<Value = Usage> {
    let tokens = || prop_oneof![0..300_000_u64, 99_990..100_010_u64];
    (tokens(), tokens(), tokens(), tokens(), tokens()).prop_map(|(a, b, c, d, e)| Usage {
        input: a,
        cache_read: b,
        cache_write_5m: c,
        cache_write_1h: d,
        output: e,
        reasoning: None,
    })
}

proptest! {
    #[test]
    fn no_request_costs_more_than_its_worst_case(
        usage in usages(),
        more in (0..10_u64, 0..10_u64),
        pick in 0..88_usize,
        at in 0..86_400_i64,
    ) {
        let row = any_row(pick);
        let most = worst_case(usage.prompt() + more.0, usage.output + more.1, row).unwrap();
        prop_assert!(cost_at(&usage, row, at).unwrap() <= most);
        prop_assert!(cost(&usage, row).unwrap() <= cost_at(&usage, row, at).unwrap());
    }

    #[test]
    fn the_cost_is_the_rounded_numerator(usage in usages(), pick in 0..88_usize) {
        let row = any_row(pick);
        let exact = numerator(&usage, row);
        let rounded = u128::try_from(cost(&usage, row).unwrap().get()).unwrap() * 1_000_000;
        prop_assert!(rounded.abs_diff(exact) <= 500_000);
    }

    #[test]
    fn no_text_makes_reading_panic(text in "\\PC{0,64}", inner in "[\\[\\]{}\",:0-9a-z]{0,64}") {
        let _ = TABLE.with_overrides(&text);
        let _ = TABLE.with_overrides(&format!("{{\"models\": [{{{inner}}}]}}"));
        let _ = undated(&text);
    }
}
