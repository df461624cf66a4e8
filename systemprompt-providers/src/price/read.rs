use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Peak, PriceFault, PriceFileError, PriceRow, PriceTier, Rates};

/// What a file of prices says.
pub(super) struct PriceFile {
    pub(super) as_of: Option<String>,
    pub(super) rows: Vec<PriceRow>,
}

/// Most microdollars per million tokens: a dollar a token.
const MOST: u64 = 1_000_000_000_000;

/// Most tokens of a context or an answer, and the highest edge of a tier.
const MOST_TOKENS: u64 = 1_000_000_000_000;

const TOP: [&str; 5] = ["as_of", "models", "note", "sources", "unit"];

const ROW: [&str; 12] = [
    "cache_read",
    "cache_write",
    "cache_write_1h",
    "context",
    "input",
    "max_output",
    "model",
    "output",
    "peak",
    "provider",
    "source",
    "tiers",
];

const TIER: [&str; 6] =
    ["above_input_tokens", "cache_read", "cache_write", "cache_write_1h", "input", "output"];

const PEAK: [&str; 2] = ["hours_utc", "multiplier"];

/// Reads a file of prices.
pub(super) fn file(text: &str) -> Result<PriceFile, PriceFileError> {
    let mut faults = Faults::default();
    let whole = |problem: String| PriceFileError {
        faults: vec![PriceFault { path: String::new(), model: None, problem }],
    };
    let value: Value =
        serde_json::from_str(text).map_err(|error| whole(format!("is no JSON: {error}")))?;
    let Value::Object(top) = &value else { return Err(whole("must be an object".to_owned())) };
    let top = Fields { fields: top, path: String::new() };
    top.only(&TOP, &mut faults);
    let as_of = top.fields.contains_key("as_of").then(|| top.text("as_of", &mut faults));
    let Some(Value::Array(models)) = top.fields.get("models") else {
        faults.add("models", "must be a list of rows");
        return Err(faults.into());
    };
    let mut rows = Vec::new();
    let mut seen = BTreeMap::new();
    for (index, model) in models.iter().enumerate() {
        let path = format!("models[{index}]");
        let Value::Object(fields) = model else {
            faults.add(path, "must be an object");
            continue;
        };
        faults.model = fields.get("model").and_then(Value::as_str).map(str::to_owned);
        let row = row(&Fields { fields, path: path.clone() }, &mut faults);
        let key = (row.provider.clone(), row.model.to_ascii_lowercase());
        if let Some(first) = seen.insert(key, index) {
            faults.add(path, format!("has the provider and the model of models[{first}]"));
        }
        rows.push(row);
        faults.model = None;
    }
    if faults.found.is_empty() {
        Ok(PriceFile { as_of: as_of.flatten(), rows })
    } else {
        Err(faults.into())
    }
}

fn row(fields: &Fields<'_>, faults: &mut Faults) -> PriceRow {
    fields.only(&ROW, faults);
    let provider = fields.text("provider", faults).unwrap_or_default();
    let model = fields.text("model", faults).unwrap_or_default();
    let mut tiers: Vec<PriceTier> = Vec::new();
    for (index, tier) in fields.list("tiers", faults).iter().enumerate() {
        let Some(tier) = fields.below("tiers", index, tier, faults) else { continue };
        tier.only(&TIER, faults);
        let above = tier.number("above_input_tokens", MOST_TOKENS, faults).unwrap_or_default();
        if tiers.last().is_some_and(|last| last.above_input_tokens >= above) {
            faults.add(tier.at("above_input_tokens"), "must be more than that of the tier before");
        }
        tiers.push(PriceTier { above_input_tokens: above, rates: rates(&tier, faults) });
    }
    PriceRow {
        provider: provider.into(),
        model: model.into(),
        rates: rates(fields, faults),
        tiers,
        peak: peak(fields, faults),
        context: fields.optional("context", MOST_TOKENS, faults),
        max_output: fields.optional("max_output", MOST_TOKENS, faults),
    }
}

fn rates(fields: &Fields<'_>, faults: &mut Faults) -> Rates {
    Rates {
        input: fields.number("input", MOST, faults).unwrap_or_default(),
        output: fields.number("output", MOST, faults).unwrap_or_default(),
        cache_read: fields.optional("cache_read", MOST, faults),
        cache_write: fields.optional("cache_write", MOST, faults),
        cache_write_1h: fields.optional("cache_write_1h", MOST, faults),
    }
}

fn peak(fields: &Fields<'_>, faults: &mut Faults) -> Option<Peak> {
    let peak = fields.fields.get("peak").filter(|peak| !peak.is_null())?;
    let Value::Object(inner) = peak else {
        faults.add(fields.at("peak"), "must be an object");
        return None;
    };
    let peak = Fields { fields: inner, path: fields.at("peak") };
    peak.only(&PEAK, faults);
    let multiplier = peak.number("multiplier", 1000, faults)?;
    let mut hours_utc = Vec::new();
    for (index, hours) in peak.list("hours_utc", faults).iter().enumerate() {
        match serde_json::from_value::<(u32, u32)>(hours.clone()) {
            Ok((from, to)) if from < to && to <= 24 => hours_utc.push((from, to)),
            _ => {
                let problem = "must be two hours of a day, the first before the second";
                faults.add(format!("{}.hours_utc[{index}]", peak.path), problem);
            }
        }
    }
    // Not below one, so that what is reserved is never less than what is billed.
    let multiplier = u32::try_from(multiplier).unwrap_or(1).max(1);
    Some(Peak { multiplier, hours_utc })
}

#[derive(Default)]
struct Faults {
    found: Vec<PriceFault>,
    model: Option<String>,
}

impl Faults {
    /// Most faults that are reported.
    const MOST: usize = 100;

    fn add(&mut self, path: impl Into<String>, problem: impl Into<String>) {
        if self.found.len() < Self::MOST {
            let (path, problem) = (path.into(), problem.into());
            self.found.push(PriceFault { path, model: self.model.clone(), problem });
        }
    }
}

impl From<Faults> for PriceFileError {
    fn from(faults: Faults) -> Self {
        Self { faults: faults.found }
    }
}

/// The fields of an object, and where it is.
struct Fields<'f> {
    fields: &'f Map<String, Value>,
    path: String,
}

impl<'f> Fields<'f> {
    fn at(&self, field: &str) -> String {
        let joint = if self.path.is_empty() { "" } else { "." };
        format!("{}{joint}{field}", self.path)
    }

    /// Refuses fields that are not known.
    fn only(&self, known: &[&str], faults: &mut Faults) {
        for field in self.fields.keys().filter(|field| !known.contains(&field.as_str())) {
            let problem = format!("unknown field; known are `{}`", known.join("`, `"));
            faults.add(self.at(field), problem);
        }
    }

    fn text(&self, field: &str, faults: &mut Faults) -> Option<String> {
        match self.fields.get(field) {
            Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
            Some(_) => {
                faults.add(self.at(field), "must be a text that is not empty");
                None
            }
            None => {
                faults.add(self.at(field), "is missing");
                None
            }
        }
    }

    fn number(&self, field: &str, most: u64, faults: &mut Faults) -> Option<u64> {
        let Some(value) = self.fields.get(field) else {
            faults.add(self.at(field), "is missing");
            return None;
        };
        let number = value.as_u64().filter(|number| *number <= most);
        if number.is_none() {
            let shown: String = value.to_string().chars().take(40).collect();
            let problem = format!("must be a whole number from 0 to {most}, not `{shown}`");
            faults.add(self.at(field), problem);
        }
        number
    }

    fn optional(&self, field: &str, most: u64, faults: &mut Faults) -> Option<u64> {
        match self.fields.get(field) {
            None | Some(Value::Null) => None,
            Some(_) => self.number(field, most, faults),
        }
    }

    fn list(&self, field: &str, faults: &mut Faults) -> &'f [Value] {
        match self.fields.get(field) {
            None | Some(Value::Null) => &[],
            Some(Value::Array(items)) => items,
            Some(_) => {
                faults.add(self.at(field), "must be a list");
                &[]
            }
        }
    }

    fn below(
        &self,
        field: &str,
        index: usize,
        value: &'f Value,
        faults: &mut Faults,
    ) -> Option<Fields<'f>> {
        let path = format!("{}[{index}]", self.at(field));
        if let Value::Object(fields) = value {
            return Some(Fields { fields, path });
        }
        faults.add(path, "must be an object");
        None
    }
}
