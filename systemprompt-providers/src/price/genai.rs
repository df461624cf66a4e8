//! Prices of the crate `genai-prices`, as rows in integer microdollars.
//!
//! The crate prices a request in dollars, as floating-point numbers, and does not show its rates. They are found
//! by asking what requests of one kind of token cost, of more and more tokens until all edges of tiers are
//! found. What no row can say has none: a model with a fee per request, a rate of its own for reasoning, other
//! rates at other hours, or a rate that is no whole number of microdollars per million tokens.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use genai_prices::{Calculator, ModelInfo, PriceRequest, Usage, UsageKey};

use super::{PriceRow, PriceTier, Rates};

/// No prompt is longer.
const LONGEST: u64 = 16_000_000;

/// What a vendor of ours is called there.
const NAMES: [(&str, &str); 4] =
    [("gemini", "google"), ("moonshot", "moonshotai"), ("xai", "x-ai"), ("qwen", "alibaba")];

/// The rows of a vendor at a moment, in seconds since 1970.
pub(super) fn rows(vendor: &str, unix_s: u64) -> Vec<PriceRow> {
    let prices = Calculator::bundled();
    let known = NAMES.iter().find(|(own, _)| *own == vendor).map_or(vendor, |(_, theirs)| theirs);
    let Ok(Some(provider)) = prices.find_provider(Some(known), None) else { return Vec::new() };
    // A name that only an alias or a pattern of theirs fits is not meant.
    if provider.id() != known {
        return Vec::new();
    }
    provider
        .models()
        .filter_map(|model| Asked { prices, known, model, unix_s }.row(vendor))
        .collect()
}

/// A model whose rates are asked for.
#[derive(Clone, Copy)]
struct Asked<'p> {
    prices: &'p Calculator,
    known: &'p str,
    model: ModelInfo<'p>,
    unix_s: u64,
}

impl Asked<'_> {
    fn row(&self, vendor: &str) -> Option<PriceRow> {
        let rates = self.rates(1)?;
        let is_sold_by_tokens = self.dollars(&[])? == 0.0 && rates.input > 0;
        if !is_sold_by_tokens || self.rates(0).is_none() || !self.is_the_same_all_day() {
            return None;
        }
        let mut tiers = Vec::new();
        self.edges((1, rates), (LONGEST, self.rates(LONGEST)?), &mut tiers)?;
        Some(PriceRow {
            provider: vendor.into(),
            model: self.model.id().into(),
            rates,
            tiers,
            peak: None,
            context: self.model.context_window(),
            max_output: None,
        })
    }

    /// The tiers that begin between two lengths of prompts, whose rates are known.
    fn edges(
        &self,
        low: (u64, Rates),
        high: (u64, Rates),
        tiers: &mut Vec<PriceTier>,
    ) -> Option<()> {
        if low.1 == high.1 {
            return Some(());
        }
        if high.0 - low.0 == 1 {
            tiers.push(PriceTier { above_input_tokens: low.0, rates: high.1 });
            return Some(());
        }
        let middle = low.0.midpoint(high.0);
        let middle = (middle, self.rates(middle)?);
        self.edges(low, middle, tiers)?;
        self.edges(middle, high, tiers)
    }

    /// The rates of a prompt of so many tokens. `None` where they are none that a row can have.
    fn rates(&self, prompt: u64) -> Option<Rates> {
        use UsageKey as Key;
        let of_prompt = |kinds: &[UsageKey]| {
            let tokens = prompt.max(1);
            let usage: Vec<_> = kinds.iter().map(|kind| (kind.clone(), tokens)).collect();
            rate(self.dollars(&usage)?, tokens)
        };
        let input = of_prompt(&[Key::INPUT_TOKENS])?;
        let answer = |kinds: &[UsageKey]| {
            const TOKENS: u64 = 1_000;
            let mut usage = vec![(Key::INPUT_TOKENS, prompt)];
            usage.extend(kinds.iter().map(|kind| (kind.clone(), TOKENS)));
            let prompt = self.dollars(&[(Key::INPUT_TOKENS, prompt)])?;
            rate(self.dollars(&usage)? - prompt, TOKENS)
        };
        let output = answer(&[Key::OUTPUT_TOKENS])?;
        let reasoning = answer(&[Key::OUTPUT_TOKENS, Key::OUTPUT_REASONING_TOKENS])?;
        let rates = Rates {
            input,
            output,
            cache_read: Some(of_prompt(&[Key::INPUT_TOKENS, Key::CACHE_READ_TOKENS])?),
            cache_write: Some(of_prompt(&[Key::INPUT_TOKENS, Key::CACHE_WRITE_TOKENS])?),
            cache_write_1h: Some(of_prompt(&[
                Key::INPUT_TOKENS,
                Key::CACHE_WRITE_TOKENS,
                Key::CACHE_WRITE_1H_TOKENS,
            ])?),
        };
        (reasoning == output).then_some(rates)
    }

    /// Whether a token of each kind costs the same at every hour of the day.
    fn is_the_same_all_day(&self) -> bool {
        const DAY: u64 = 86_400;
        let kinds = [
            UsageKey::INPUT_TOKENS,
            UsageKey::CACHE_READ_TOKENS,
            UsageKey::CACHE_WRITE_TOKENS,
            UsageKey::CACHE_WRITE_1H_TOKENS,
            UsageKey::OUTPUT_TOKENS,
        ];
        // The kinds of a prompt are parts of it, and those of writing of what is written.
        let usage: Vec<_> = kinds.into_iter().zip([5, 1, 2, 1, 1]).collect();
        let now = self.dollars(&usage);
        let day = self.unix_s - self.unix_s % DAY;
        let mut hours = (day..day.saturating_add(DAY)).step_by(3_600);
        hours.all(|unix_s| Asked { unix_s, ..*self }.dollars(&usage) == now)
    }

    fn dollars(&self, usage: &[(UsageKey, u64)]) -> Option<f64> {
        // No count here is too large to be exact.
        #[expect(clippy::cast_precision_loss, reason = "below 2^53")]
        let usage: Usage =
            usage.iter().map(|(kind, tokens)| (kind.clone(), *tokens as f64)).collect();
        let at: SystemTime = UNIX_EPOCH + Duration::from_secs(self.unix_s);
        let request = PriceRequest::new(self.model.id(), &usage)
            .with_provider_id(self.known)
            .with_timestamp(at);
        let priced = self.prices.calculate(&request).ok()?;
        (priced.model_id == self.model.id() && priced.warnings.is_empty())
            .then_some(priced.total_price)
    }
}

/// Microdollars per million tokens, of the dollars of some tokens.
fn rate(dollars: f64, tokens: u64) -> Option<u64> {
    const PER_DOLLAR_AND_TOKEN: f64 = 1e12;
    const NEAR: f64 = 1e-3;
    #[expect(clippy::cast_precision_loss, reason = "below 2^53")]
    let exact = dollars * PER_DOLLAR_AND_TOKEN / tokens as f64;
    let whole = exact.round();
    let is_whole = (exact - whole).abs() <= NEAR.max(exact * 1e-9);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "within the range that is asked for"
    )]
    (is_whole && (0.0..1e15).contains(&whole)).then_some(whole as u64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use systemprompt_core::llm::Usage as Used;

    use super::*;
    use crate::price::{PriceTable, cost};

    /// 25 November 2026.
    const DAY: u64 = 1_795_564_800;

    fn row(vendor: &str, model: &str) -> PriceRow {
        let all = rows(vendor, DAY);
        all.into_iter().find(|row| &*row.model == model).unwrap_or_else(|| panic!("{model}"))
    }

    #[test]
    fn rates_and_tiers_are_those_of_the_price_lists() {
        let haiku = row("anthropic", "claude-haiku-5-5");
        assert_eq!((haiku.rates.input, haiku.rates.output), (100_000, 500_000));
        assert_eq!(haiku.rates.cache_write, Some(125_000));
        assert_eq!(haiku.tiers.len(), 1);
        assert_eq!(haiku.tiers[0].above_input_tokens, 100_000);
        assert_eq!(haiku.tiers[0].rates.input, 500_000);
        let gpt = row("openai", "gpt-5");
        assert_eq!((gpt.rates.input, gpt.rates.output), (1_250_000, 10_000_000));
        assert_eq!((gpt.rates.cache_read, gpt.tiers.len()), (Some(125_000), 0));
        assert!(rows("nobody", DAY).is_empty());
        assert!(rows("claude", DAY).is_empty(), "no alias is a vendor");
    }

    #[test]
    fn rows_are_put_over_those_that_are_built_in() {
        let built_in = PriceTable::embedded();
        let table = built_in.with_genai_prices(["anthropic", "groq"], DAY);
        assert_eq!(table.version(), format!("{}+genai-prices", built_in.version()));
        let model = "claude-haiku-5-5";
        let (old, new) = (built_in.row("anthropic", model), table.row("anthropic", model));
        assert_eq!(
            new.unwrap().max_output,
            old.unwrap().max_output,
            "which only one of them knows"
        );
        assert!(built_in.rows_of("groq").next().is_none() && table.rows_of("groq").count() > 10);
        assert_eq!(built_in.rows_of("openai").count(), table.rows_of("openai").count());
    }

    fn used() -> impl Strategy<Value = Used> {
        let few = || 0..300_000_u64;
        (few(), few(), few(), few(), few()).prop_map(|(input, read, write, hour, output)| Used {
            input,
            cache_read: read,
            cache_write_5m: write,
            cache_write_1h: hour,
            output,
            reasoning: None,
        })
    }

    proptest! {
        #[test]
        fn requests_cost_what_they_cost_there(usage in used(), pick: prop::sample::Index) {
            static ROWS: std::sync::LazyLock<Vec<PriceRow>> = std::sync::LazyLock::new(|| {
                ["anthropic", "openai", "gemini", "minimax"].iter().flat_map(|v| rows(v, DAY)).collect()
            });
            let row = &ROWS[pick.index(ROWS.len())];
            let provider = if &*row.provider == "gemini" { "google" } else { &row.provider };
            let write = usage.cache_write_5m + usage.cache_write_1h;
            let theirs: Usage = [
                (UsageKey::INPUT_TOKENS, usage.prompt() as f64),
                (UsageKey::CACHE_READ_TOKENS, usage.cache_read as f64),
                (UsageKey::CACHE_WRITE_TOKENS, write as f64),
                (UsageKey::CACHE_WRITE_1H_TOKENS, usage.cache_write_1h as f64),
                (UsageKey::OUTPUT_TOKENS, usage.output as f64),
            ].into_iter().collect();
            let at = UNIX_EPOCH + Duration::from_secs(DAY);
            let request = PriceRequest::new(&row.model, &theirs).with_provider_id(provider).with_timestamp(at);
            let dollars = Calculator::bundled().calculate(&request).unwrap().total_price;
            let ours = cost(&usage, row).unwrap().get() as f64;
            prop_assert!((ours - dollars * 1e6).abs() <= 0.51, "{} {ours} {dollars}", row.model);
        }
    }
}
