use std::sync::Arc;

/// What the tokens of one model cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceRow {
    /// Whose price it is: a vendor such as `anthropic`, or a provider by its name in the configuration.
    pub provider: Arc<str>,
    /// The model, as the vendor names it.
    pub model: Arc<str>,
    /// The rates of requests below all tiers.
    pub rates: Rates,
    /// Rates of longer prompts, the shortest first.
    pub tiers: Vec<PriceTier>,
    /// Hours at which everything costs more.
    pub peak: Option<Peak>,
    /// Most tokens of prompt and answer, where it is known.
    pub context: Option<u64>,
    /// Most tokens of an answer, where it is known.
    pub max_output: Option<u64>,
}

/// What a million tokens of each kind cost, in microdollars.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rates {
    /// Read anew.
    pub input: u64,
    /// Of the answer, the reasoning included.
    pub output: u64,
    /// Read from the provider's cache; as input when absent.
    pub cache_read: Option<u64>,
    /// Written to the cache; as input when absent.
    pub cache_write: Option<u64>,
    /// Written to the cache for an hour; as any other writing when absent.
    pub cache_write_1h: Option<u64>,
}

/// Rates that hold from a length of prompt on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PriceTier {
    /// They hold for prompts of more tokens than this, cached ones counted, and then for every token of
    /// the request.
    pub above_input_tokens: u64,
    /// The rates.
    pub rates: Rates,
}

/// Hours at which everything costs a multiple.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peak {
    /// How many times as much.
    pub multiplier: u32,
    /// The hours of the day in UTC, each from the first to before the second.
    pub hours_utc: Vec<(u32, u32)>,
}

impl Rates {
    /// The rate of what is read from the cache.
    #[must_use]
    pub fn cache_read(&self) -> u64 {
        self.cache_read.unwrap_or(self.input)
    }

    /// The rate of what is written to the cache for five minutes.
    #[must_use]
    pub fn cache_write(&self) -> u64 {
        self.cache_write.unwrap_or(self.input)
    }

    /// The rate of what is written to the cache for an hour.
    #[must_use]
    pub fn cache_write_1h(&self) -> u64 {
        self.cache_write_1h.unwrap_or_else(|| self.cache_write())
    }

    /// The highest rate a token of a prompt can have.
    #[must_use]
    pub fn dearest_input(&self) -> u64 {
        self.input.max(self.cache_read()).max(self.cache_write()).max(self.cache_write_1h())
    }
}

impl Peak {
    /// How many times as much a request costs at a moment, in seconds since 1970.
    #[must_use]
    pub fn multiplier_at(&self, unix_s: i64) -> u32 {
        let hour = u32::try_from(unix_s.rem_euclid(86_400) / 3600).unwrap_or_default();
        let within = self.hours_utc.iter().any(|(from, to)| (*from..*to).contains(&hour));
        if within { self.multiplier } else { 1 }
    }
}

impl PriceRow {
    /// A row of what costs nothing.
    #[must_use]
    pub fn free(provider: &str, model: &str) -> Self {
        Self {
            provider: provider.into(),
            model: model.into(),
            rates: Rates::default(),
            tiers: Vec::new(),
            peak: None,
            context: None,
            max_output: None,
        }
    }

    /// The rates of a request whose prompt has so many tokens, cached ones counted.
    #[must_use]
    pub fn rates_for(&self, prompt_tokens: u64) -> &Rates {
        let reached = self.tiers.iter().rev().find(|tier| tier.above_input_tokens < prompt_tokens);
        reached.map_or(&self.rates, |tier| &tier.rates)
    }
}
