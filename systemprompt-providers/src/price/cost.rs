use systemprompt_core::llm::Usage;
use systemprompt_core::money::Microdollars;

use super::PriceRow;

/// Rates are for so many tokens.
const TOKENS: u128 = 1_000_000;

/// What a request cost, outside of [`Peak`](super::Peak) hours: the exact sum, rounded once and half up.
/// `None` when it is more than [`Microdollars`] can say.
#[must_use]
pub fn cost(usage: &Usage, row: &PriceRow) -> Option<Microdollars> {
    rounded(numerator(usage, row))
}

/// What a request cost that ended at a moment, in seconds since 1970.
#[must_use]
pub fn cost_at(usage: &Usage, row: &PriceRow, unix_s: i64) -> Option<Microdollars> {
    let multiplier = row.peak.as_ref().map_or(1, |peak| peak.multiplier_at(unix_s));
    rounded(numerator(usage, row).saturating_mul(u128::from(multiplier)))
}

/// The exact cost before it is rounded, in picodollars (a millionth of a microdollar).
#[must_use]
pub fn numerator(usage: &Usage, row: &PriceRow) -> u128 {
    let rates = row.rates_for(usage.prompt());
    [
        (usage.input, rates.input),
        (usage.cache_read, rates.cache_read()),
        (usage.cache_write_5m, rates.cache_write()),
        (usage.cache_write_1h, rates.cache_write_1h()),
        (usage.output, rates.output),
    ]
    .into_iter()
    // Both factors are below 2^64, so no product overflows, and the sum does not wrap either way.
    .map(|(tokens, rate)| u128::from(tokens) * u128::from(rate))
    .fold(0, u128::saturating_add)
}

/// The most that a request can cost whose prompt has at most `input_tokens` and whose answer at most
/// `max_output` tokens: every token at the dearest rate it could have, at the dearest hour, rounded up.
/// `None` when it is more than [`Microdollars`] can say.
#[must_use]
pub fn worst_case(input_tokens: u64, max_output: u64, row: &PriceRow) -> Option<Microdollars> {
    let reached = row.tiers.iter().filter(|tier| tier.above_input_tokens < input_tokens);
    let rates = || reached.clone().map(|tier| &tier.rates).chain([&row.rates]);
    let input = rates().map(|rates| rates.dearest_input()).max().unwrap_or_default();
    let output = rates().map(|rates| rates.output).max().unwrap_or_default();
    let sum = (u128::from(input_tokens) * u128::from(input))
        .saturating_add(u128::from(max_output) * u128::from(output));
    let multiplier = row.peak.as_ref().map_or(1, |peak| peak.multiplier);
    money(sum.saturating_mul(u128::from(multiplier)).div_ceil(TOKENS))
}

fn rounded(picodollars: u128) -> Option<Microdollars> {
    money(picodollars.saturating_add(TOKENS / 2) / TOKENS)
}

fn money(microdollars: u128) -> Option<Microdollars> {
    i64::try_from(microdollars).ok().map(Microdollars::new)
}
