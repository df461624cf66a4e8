use crate::event::TokenUsage;

/// The tokens of one request. The kinds do not overlap but for `reasoning`, which is a part of `output`:
/// what went in is `input + cache_read + cache_write_5m + cache_write_1h`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Read anew.
    pub input: u64,
    /// Read from the provider's cache.
    pub cache_read: u64,
    /// Written to the cache for five minutes, or for as long as the provider has it.
    pub cache_write_5m: u64,
    /// Written to the cache for an hour.
    pub cache_write_1h: u64,
    /// Of the answer, with the reasoning.
    pub output: u64,
    /// Of the reasoning alone, where it is told.
    pub reasoning: Option<u64>,
}

impl Usage {
    /// All that went in.
    #[must_use]
    pub const fn prompt(&self) -> u64 {
        self.input
            .saturating_add(self.cache_read)
            .saturating_add(self.cache_write_5m)
            .saturating_add(self.cache_write_1h)
    }

    /// Takes over what `update` says. A number that is said replaces the one before; it is never added
    /// to it, for streams repeat their totals.
    pub fn apply(&mut self, update: &UsageUpdate) {
        let set = |to: &mut u64, value: Option<u64>| {
            if let Some(value) = value {
                *to = value;
            }
        };
        set(&mut self.input, update.input);
        set(&mut self.cache_read, update.cache_read);
        set(&mut self.cache_write_5m, update.cache_write_5m);
        set(&mut self.cache_write_1h, update.cache_write_1h);
        set(&mut self.output, update.output);
        if update.reasoning.is_some() {
            self.reasoning = update.reasoning;
        }
    }
}

impl From<Usage> for TokenUsage {
    fn from(usage: Usage) -> Self {
        Self {
            input: usage.input,
            cached_input: usage.cache_read,
            cache_write: usage.cache_write_5m.saturating_add(usage.cache_write_1h),
            output: usage.output,
        }
    }
}

/// What a frame of a stream says of the usage so far; what it does not say stays as it was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UsageUpdate {
    /// As in [`Usage::input`].
    pub input: Option<u64>,
    /// As in [`Usage::cache_read`].
    pub cache_read: Option<u64>,
    /// As in [`Usage::cache_write_5m`].
    pub cache_write_5m: Option<u64>,
    /// As in [`Usage::cache_write_1h`].
    pub cache_write_1h: Option<u64>,
    /// As in [`Usage::output`].
    pub output: Option<u64>,
    /// As in [`Usage::reasoning`].
    pub reasoning: Option<u64>,
}

impl From<Usage> for UsageUpdate {
    fn from(usage: Usage) -> Self {
        Self {
            input: Some(usage.input),
            cache_read: Some(usage.cache_read),
            cache_write_5m: Some(usage.cache_write_5m),
            cache_write_1h: Some(usage.cache_write_1h),
            output: Some(usage.output),
            reasoning: usage.reasoning,
        }
    }
}
