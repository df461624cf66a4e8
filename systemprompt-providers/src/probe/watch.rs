use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use systemprompt_core::config::ProviderHealth;
use systemprompt_core::secret::Secret;

use super::MOST_BYTES;
use super::question::models;
use crate::preset::{Endpoint, Provider};
use crate::provider_key::{self, KeySource};
use crate::upstream::{BreakerState, UpstreamClient};

/// The longest that a list of models takes of a provider that is well.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a probe may be late before callers find out themselves.
const LATE: Duration = Duration::from_secs(5);

/// How long callers are held off, after the breaker could be closed again, for a probe to do that.
pub(crate) fn longest_pause(health: &ProviderHealth) -> Duration {
    interval(health) + PATIENCE + LATE
}

fn interval(health: &ProviderHealth) -> Duration {
    Duration::from_secs(health.interval_s)
}

/// Whether a provider is to be asked how it is.
pub(crate) fn is_due(client: &UpstreamClient, health: &ProviderHealth) -> bool {
    if client.unused_for().is_some_and(|unused| unused < interval(health)) {
        return false;
    }
    let now = client.health();
    match now.state {
        BreakerState::HalfOpen => true,
        BreakerState::Open { .. } => false,
        BreakerState::Closed => health.idle && now.in_flight == 0 && now.queued == 0,
    }
}

/// Asks a provider for its models, so that its breaker learns how it is. A key in custody belongs to a tenant, and
/// nobody's is used: a refusal says as well that the provider works.
pub(crate) async fn watch(
    client: &UpstreamClient,
    (provider, endpoint): (&Provider, &Endpoint),
    keys: &BTreeMap<String, Arc<Secret<String>>>,
) {
    let mut call = models(provider, endpoint.dialect);
    provider.put_headers(&mut call.headers);
    let key = KeySource { keys, custody: None }.key(provider, endpoint).await.ok().flatten();
    let header = provider.key_header(endpoint.dialect);
    call.credential = key.and_then(|key| provider_key::sent(&header, key).ok());
    let answer = client.probe(call, PATIENCE).await;
    let (name, dialect) = (&**provider.name(), endpoint.dialect.as_str());
    match answer {
        Ok(answer) => {
            let status = answer.status.as_u16();
            // The breaker hears of what becomes of the body.
            let whole = answer.collect(MOST_BYTES).await.is_ok();
            tracing::debug!(provider = name, dialect, status, whole, "a provider was probed");
        }
        Err(error) => tracing::debug!(provider = name, dialect, "a provider was probed: {error}"),
    }
}
