use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use systemprompt_core::config::{ModelPattern, nearest};
use systemprompt_providers::price::{Peak, PriceRow, PriceTable, Rates};

use super::routes;
use crate::args::PricesArgs;
use crate::failure::Failure;
use crate::output::Output;

/// A row for people: whose model, from which length of prompt on, and what a million tokens cost.
type Line = [String; 9];

pub(super) fn list(args: &PricesArgs, profile: &Path, output: Output) -> Result<(), Failure> {
    // Without a profile there are the prices that are built in.
    let table = profile.exists().then(|| routes(profile)).transpose()?;
    let embedded = PriceTable::embedded();
    let prices = table.as_ref().map_or(&embedded, |table| table.prices());
    let pattern = args.model.as_deref().map(str::parse::<ModelPattern>).transpose();
    let pattern = pattern.map_err(|error| Failure::usage(error.to_string()))?;
    let own = args.provider.as_deref().and_then(|name| table.as_ref()?.provider(name));
    let rows: Vec<&PriceRow> = match (&args.provider, own) {
        (Some(_), Some(provider)) => provider.priced_models(prices).collect(),
        (Some(vendor), None) => of_vendor(vendor, prices)?,
        (None, _) => {
            prices.providers().flat_map(|each| prices.rows_of(each)).map(|row| &**row).collect()
        }
    };
    let fits = |row: &&PriceRow| pattern.as_ref().is_none_or(|fits| fits.matches(&row.model));
    let rows: BTreeMap<_, _> =
        rows.into_iter().filter(fits).map(|row| ((&row.provider, &row.model), row)).collect();
    if output.is_json() {
        let models: Vec<Value> = rows.values().map(|row| item(row)).collect();
        return output.value(&json!({
            "version": prices.version(),
            "unit": "microdollars per million tokens",
            "models": models,
        }));
    }
    let lines: Vec<Line> = rows.values().flat_map(|row| lines(row)).collect();
    let columns = [
        "provider",
        "model",
        "prompts above",
        "input",
        "output",
        "cache read",
        "cache write",
        "cache write 1h",
        "peak",
    ];
    output.rows(&columns, &lines, |line| line.to_vec())?;
    output.text(&format!("\ndollars per million tokens; prices {}\n", prices.version()))
}

fn of_vendor<'t>(vendor: &str, prices: &'t PriceTable) -> Result<Vec<&'t PriceRow>, Failure> {
    let rows: Vec<_> = prices.rows_of(vendor).map(|row| &**row).collect();
    if rows.is_empty() {
        let meant = nearest(vendor, prices.providers());
        let meant = meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
        return Err(Failure::not_found(format!("there are no prices of `{vendor}`{meant}")));
    }
    Ok(rows)
}

/// The rates below all tiers, and one line for each tier.
fn lines(row: &PriceRow) -> Vec<Line> {
    let peak = row.peak.as_ref().map(hours).unwrap_or_default();
    let line = |above: String, rates: &Rates| {
        let cached = |rate: Option<u64>| rate.map(dollars).unwrap_or_default();
        [
            row.provider.to_string(),
            row.model.to_string(),
            above,
            dollars(rates.input),
            dollars(rates.output),
            cached(rates.cache_read),
            cached(rates.cache_write),
            cached(rates.cache_write_1h),
            peak.clone(),
        ]
    };
    let first = line(String::new(), &row.rates);
    let tiers = row.tiers.iter().map(|tier| line(tier.above_input_tokens.to_string(), &tier.rates));
    std::iter::once(first).chain(tiers).collect()
}

/// `2x at 9-18 UTC`.
fn hours(peak: &Peak) -> String {
    let hours = peak.hours_utc.iter().map(|(from, to)| format!("{from}-{to}"));
    format!("{}x at {} UTC", peak.multiplier, hours.collect::<Vec<_>>().join(", "))
}

fn item(row: &PriceRow) -> Value {
    let tiers = row.tiers.iter().map(|tier| {
        let mut tier_item = rates(&tier.rates);
        put(&mut tier_item, "above_input_tokens", json!(tier.above_input_tokens));
        tier_item
    });
    let mut item = rates(&row.rates);
    put(&mut item, "provider", json!(&*row.provider));
    put(&mut item, "model", json!(&*row.model));
    put(&mut item, "tiers", tiers.collect());
    put(&mut item, "context", json!(row.context));
    put(&mut item, "max_output", json!(row.max_output));
    let peak = row.peak.as_ref();
    let peak =
        peak.map(|peak| json!({ "multiplier": peak.multiplier, "hours_utc": peak.hours_utc }));
    put(&mut item, "peak", json!(peak));
    item
}

fn rates(rates: &Rates) -> Value {
    json!({
        "input": rates.input,
        "output": rates.output,
        "cache_read": rates.cache_read,
        "cache_write": rates.cache_write,
        "cache_write_1h": rates.cache_write_1h,
    })
}

fn put(item: &mut Value, key: &str, value: Value) {
    if let Some(members) = item.as_object_mut() {
        members.insert(key.to_owned(), value);
    }
}

/// Microdollars as dollars: two decimals, and more where there are more.
fn dollars(microdollars: u64) -> String {
    let (whole, part) = (microdollars / 1_000_000, microdollars % 1_000_000);
    let digits = format!("{part:06}");
    let kept = digits.trim_end_matches('0').len().max(2);
    format!("{whole}.{}", digits.get(..kept).unwrap_or(&digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        for (microdollars, shown) in [
            (0, "0.00"),
            (5_000_000, "5.00"),
            (25_000, "0.025"),
            (1, "0.000001"),
            (12_500_000, "12.50"),
        ] {
            assert_eq!(dollars(microdollars), shown);
        }
    }

    #[test]
    fn every_tier_has_a_line() {
        let prices = PriceTable::embedded();
        let rows: Vec<_> = prices.providers().flat_map(|each| prices.rows_of(each)).collect();
        let tiered = rows.iter().find(|row| !row.tiers.is_empty()).unwrap();
        let lines = lines(tiered);
        assert_eq!(lines.len(), tiered.tiers.len() + 1);
        assert_eq!(lines[0][2], "");
        assert_eq!(lines[1][2], tiered.tiers[0].above_input_tokens.to_string());
        assert_eq!(lines[1][3], dollars(tiered.tiers[0].rates.input));
    }
}
