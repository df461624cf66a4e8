use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::join_all;

use super::ModelGateway;
use crate::probe;
use crate::upstream::UpstreamHealth;

impl ModelGateway {
    /// How the providers are doing, by name. One that is built in is always well and not listed.
    #[must_use]
    pub fn health(&self) -> BTreeMap<Arc<str>, Vec<UpstreamHealth>> {
        self.0.connections.health()
    }

    /// Whether any provider is to be [probed](Self::probe_providers).
    #[must_use]
    pub fn probes_providers(&self) -> bool {
        self.routes().providers().any(|provider| provider.config().health.is_some())
    }

    /// Asks those providers for their models whose configuration has `health` and that are due: whose breaker has been
    /// open for long enough, or that were not used for a while. Returns how many questions were asked.
    ///
    /// A host calls it every second or so; callers of a provider that is to be probed wait for it, though not for ever.
    pub async fn probe_providers(&self) -> usize {
        let keys = &self.parts().secrets.keys;
        let mut asked = Vec::new();
        for provider in self.routes().providers() {
            let Some(health) = &provider.config().health else { continue };
            for endpoint in provider.endpoints() {
                let client = self.client(provider.name(), endpoint.dialect);
                if let Some(client) = client.filter(|client| probe::is_due(client, health)) {
                    asked.push(probe::watch(client, (provider, endpoint), keys));
                }
            }
        }
        join_all(asked).await.len()
    }
}
