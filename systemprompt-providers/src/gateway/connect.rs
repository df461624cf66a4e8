use std::collections::BTreeMap;
use std::sync::Arc;

use systemprompt_core::clock::Clock;
use systemprompt_core::llm::Dialect;
use systemprompt_core::secret::Secret;

use crate::preset::{Endpoint, Provider};
use crate::route::RouteTable;
use crate::upstream::{SettingsError, UpstreamClient, UpstreamHealth, UpstreamSettings};

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

impl ProviderSecrets {
    /// How a provider is connected to: what the configuration says, and what it refers to.
    pub(crate) fn settings(&self, provider: &Provider, endpoint: &Endpoint) -> UpstreamSettings {
        let name = &**provider.name();
        let said = UpstreamSettings::of(provider.config(), &endpoint.base_url);
        UpstreamSettings {
            extra_roots: self.roots.get(name).cloned(),
            client_identity: self.identities.get(name).cloned(),
            proxy: self.proxies.get(name).cloned().or(said.proxy),
            ..said
        }
    }
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
                let settings = secrets.settings(provider, endpoint);
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
