use std::sync::Arc;
use std::time::Duration;

use systemprompt_core::config::ProviderConfig;
use systemprompt_core::secret::Secret;

use super::{BreakerSettings, RetrySettings, UpstreamSettings};
use crate::probe;

impl UpstreamSettings {
    /// What a profile says of a provider that is spoken to at `base_url`. What it refers to in variables and
    /// files is left to add.
    #[must_use]
    pub fn of(config: &ProviderConfig, base_url: &str) -> Self {
        let (default, millis) = (Self::default(), Duration::from_millis);
        let ProviderConfig { timeouts, retries, breaker, proxy, .. } = config;
        Self {
            base_url: base_url.to_owned(),
            connect_timeout: millis(timeouts.connect_ms),
            first_byte_timeout: millis(timeouts.first_byte_ms),
            idle_timeout: millis(timeouts.idle_ms),
            total_timeout: millis(timeouts.total_ms),
            retries: RetrySettings {
                attempts: retries.attempts,
                base: millis(retries.base_ms),
                max: millis(retries.max_ms),
                ..default.retries
            },
            breaker: BreakerSettings {
                failures_in_a_row: breaker.failures,
                open_for: millis(breaker.open_ms),
                probed: config.health.as_ref().map(probe::longest_pause),
                ..default.breaker
            },
            max_concurrent: config.max_concurrent,
            proxy: proxy.as_ref().map(|url| Arc::new(Secret::new(url.as_ref().to_owned()))),
            private_addresses: config.private_addresses,
            ..default
        }
    }
}
