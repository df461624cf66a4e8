use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use systemprompt_core::clock::Clock;
use systemprompt_core::config::ProviderConfig;
use systemprompt_core::secret::Secret;

use crate::canonical::Dialect;
use crate::preset::{Endpoint, Provider};
use crate::route::RouteTable;
use crate::upstream::{
    BreakerSettings, RetrySettings, SettingsError, UpstreamClient, UpstreamHealth, UpstreamSettings,
};

/// What providers refer to in variables and files, by the names of the providers.
#[derive(Clone, Default)]
pub struct ProviderSecrets {
    /// Their keys.
    pub keys: BTreeMap<String, Arc<Secret<String>>>,
    /// Authorities to trust beside those of the machine, in PEM.
    pub roots: BTreeMap<String, String>,
    /// Certificate and private key to show, both in PEM.
    pub identities: BTreeMap<String, Arc<Secret<String>>>,
    /// Proxies, with their credentials.
    pub proxies: BTreeMap<String, Arc<Secret<String>>>,
}

/// A provider cannot be connected to as it is configured.
#[derive(Debug, thiserror::Error)]
#[error("provider `{provider}`: {source}")]
pub struct GatewayError {
    /// The provider, by its name.
    pub provider: String,
    /// What is wrong.
    #[source]
    pub source: SettingsError,
}

/// The clients of all providers, one for each dialect that a provider is spoken to in.
pub(super) struct Connections(BTreeMap<Arc<str>, Vec<(Dialect, UpstreamClient)>>);

impl Connections {
    pub(super) fn open(
        routes: &RouteTable,
        secrets: &ProviderSecrets,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, GatewayError> {
        let mut all = BTreeMap::new();
        for provider in routes.providers().filter(|provider| !provider.is_echo()) {
            let mut clients: Vec<(Dialect, UpstreamClient)> = Vec::new();
            for endpoint in provider.endpoints() {
                let settings = settings(provider, endpoint, secrets);
                let client =
                    UpstreamClient::with_clock(provider.name().clone(), settings, clock.clone());
                let client = client.map_err(|source| GatewayError {
                    provider: provider.name().to_string(),
                    source,
                })?;
                clients.push((endpoint.dialect, client));
            }
            all.insert(provider.name().clone(), clients);
        }
        Ok(Self(all))
    }

    pub(super) fn client(&self, provider: &str, dialect: Dialect) -> Option<&UpstreamClient> {
        let clients = self.0.get(provider)?;
        clients.iter().find(|(spoken, _)| *spoken == dialect).map(|(_, client)| client)
    }

    pub(super) fn health(&self) -> BTreeMap<Arc<str>, Vec<UpstreamHealth>> {
        let healths = |clients: &Vec<(Dialect, UpstreamClient)>| {
            clients.iter().map(|(_, client)| client.health()).collect()
        };
        self.0.iter().map(|(name, clients)| (name.clone(), healths(clients))).collect()
    }
}

fn settings(
    provider: &Provider,
    endpoint: &Endpoint,
    secrets: &ProviderSecrets,
) -> UpstreamSettings {
    let ProviderConfig { timeouts, retries, breaker, .. } = provider.config();
    let (name, default) = (&**provider.name(), UpstreamSettings::default());
    let plain_proxy = provider.config().proxy.as_ref();
    let plain_proxy = plain_proxy.map(|url| Arc::new(Secret::new(url.as_ref().to_owned())));
    UpstreamSettings {
        base_url: endpoint.base_url.to_string(),
        connect_timeout: Duration::from_millis(timeouts.connect_ms),
        first_byte_timeout: Duration::from_millis(timeouts.first_byte_ms),
        idle_timeout: Duration::from_millis(timeouts.idle_ms),
        total_timeout: Duration::from_millis(timeouts.total_ms),
        retries: RetrySettings {
            attempts: retries.attempts,
            base: Duration::from_millis(retries.base_ms),
            max: Duration::from_millis(retries.max_ms),
            ..default.retries
        },
        breaker: BreakerSettings {
            failures_in_a_row: breaker.failures,
            open_for: Duration::from_millis(breaker.open_ms),
            ..default.breaker
        },
        max_concurrent: provider.config().max_concurrent,
        extra_roots: secrets.roots.get(name).cloned(),
        client_identity: secrets.identities.get(name).cloned(),
        proxy: secrets.proxies.get(name).cloned().or(plain_proxy),
        private_addresses: provider.config().private_addresses,
        ..default
    }
}
