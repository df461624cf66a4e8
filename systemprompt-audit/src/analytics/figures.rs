use std::collections::BTreeMap;

use serde::Serialize;
use systemprompt_core::money::Microdollars;

use crate::QueryError;

/// The sums of one group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// Calls of tools.
    pub calls: Calls,
    /// How they ended.
    pub outcomes: Outcomes,
    /// How long those that ended as a success, a failure or a timeout took; `None` without any.
    pub latency: Option<Latency>,
    /// Denials by the code of their reason.
    pub denials: BTreeMap<String, u64>,
    /// Requests to models.
    pub requests: Requests,
    /// What the requests cost.
    pub cost_microdollars: Microdollars,
    /// How often each duration in milliseconds was seen.
    #[serde(skip)]
    pub(super) durations: BTreeMap<u64, u64>,
}

/// Calls of tools by their verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Calls {
    /// Allowed.
    pub allowed: u64,
    /// Denied.
    pub denied: u64,
    /// Waiting for approval.
    pub pending: u64,
}

/// Calls of tools by their end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Outcomes {
    /// It worked.
    pub success: u64,
    /// It did not.
    pub failed: u64,
    /// It took too long.
    pub timeout: u64,
    /// Nobody reported on it.
    pub abandoned: u64,
}

/// Percentiles by nearest rank, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Latency {
    /// Half took no longer.
    pub p50_ms: u64,
    /// 95 of 100 took no longer.
    pub p95_ms: u64,
    /// 99 of 100 took no longer.
    pub p99_ms: u64,
    /// None took longer.
    pub max_ms: u64,
}

/// Requests to models.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Requests {
    /// All of them.
    pub total: u64,
    /// Those that did not end as a success.
    pub failed: u64,
    /// Those to a model without a price, whose cost is missing in the sum.
    pub unpriced: u64,
    /// Milliseconds they took, together.
    pub latency_ms: u64,
    /// Tokens read anew.
    pub input_tokens: u64,
    /// Tokens read from a provider's cache.
    pub cached_input_tokens: u64,
    /// Tokens written to a provider's cache.
    pub cache_write_tokens: u64,
    /// Tokens of answers.
    pub output_tokens: u64,
}

impl Calls {
    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.allowed.saturating_add(self.denied).saturating_add(self.pending)
    }
}

impl Requests {
    /// Milliseconds that one took on average; `None` without any.
    #[must_use]
    pub fn mean_latency_ms(&self) -> Option<u64> {
        self.latency_ms.checked_div(self.total)
    }
}

impl Figures {
    /// Adds what `other` counts.
    pub(super) fn add(&mut self, other: &Self) -> Result<(), QueryError> {
        let (calls, outcomes, requests) = (other.calls, other.outcomes, other.requests);
        for (sum, more) in [
            (&mut self.calls.allowed, calls.allowed),
            (&mut self.calls.denied, calls.denied),
            (&mut self.calls.pending, calls.pending),
            (&mut self.outcomes.success, outcomes.success),
            (&mut self.outcomes.failed, outcomes.failed),
            (&mut self.outcomes.timeout, outcomes.timeout),
            (&mut self.outcomes.abandoned, outcomes.abandoned),
            (&mut self.requests.total, requests.total),
            (&mut self.requests.failed, requests.failed),
            (&mut self.requests.unpriced, requests.unpriced),
            (&mut self.requests.latency_ms, requests.latency_ms),
            (&mut self.requests.input_tokens, requests.input_tokens),
            (&mut self.requests.cached_input_tokens, requests.cached_input_tokens),
            (&mut self.requests.cache_write_tokens, requests.cache_write_tokens),
            (&mut self.requests.output_tokens, requests.output_tokens),
        ] {
            *sum = sum.checked_add(more).ok_or(QueryError::Overflow)?;
        }
        let cost = self.cost_microdollars.checked_add(other.cost_microdollars);
        self.cost_microdollars = cost.ok_or(QueryError::Overflow)?;
        for (code, more) in &other.denials {
            let sum = self.denials.entry(code.clone()).or_default();
            *sum = sum.checked_add(*more).ok_or(QueryError::Overflow)?;
        }
        for (duration, more) in &other.durations {
            let sum = self.durations.entry(*duration).or_default();
            *sum = sum.checked_add(*more).ok_or(QueryError::Overflow)?;
        }
        Ok(())
    }

    /// Works the percentiles out.
    pub(super) fn finish(&mut self) {
        let count: u64 = self.durations.values().sum();
        let rank = |percent: u64| {
            let wanted = (u128::from(count) * u128::from(percent)).div_ceil(100);
            let mut seen = 0_u128;
            let reached = self.durations.iter().find(|(_, more)| {
                seen += u128::from(**more);
                seen >= wanted
            });
            reached.map_or(0, |(duration, _)| *duration)
        };
        self.latency = (count > 0).then(|| Latency {
            p50_ms: rank(50),
            p95_ms: rank(95),
            p99_ms: rank(99),
            max_ms: rank(100),
        });
    }
}
