use ::http::HeaderName;
use systemprompt_core::config::ProviderKey;
use systemprompt_core::contract::{SecretStoreError, SecretUse, Sink};
use systemprompt_core::id::{ServerName, TenantId};
use systemprompt_core::secret::Secret;
use url::Url;

use super::{Caller, ModelGateway};
use crate::canonical::{ErrorKind, ModelError};
use crate::preset::{Endpoint, KeyHeader, Provider};
use crate::upstream::Credential;

impl ModelGateway {
    /// The key of a provider for one request: found at the start, or opened in custody, where that is
    /// recorded. `None` for a provider that takes none.
    pub(super) async fn credential(
        &self,
        caller: &Caller,
        provider: &Provider,
        endpoint: &Endpoint,
    ) -> Result<Option<Credential>, ModelError> {
        let header = provider.key_header(endpoint.dialect);
        match &provider.config().key {
            None => Ok(None),
            Some(ProviderKey::Ref(_)) => match self.parts().secrets.keys.get(&**provider.name()) {
                Some(key) => put(&header, Secret::new(key.expose().clone())).map(Some),
                None => Err(unusable(provider, "it was not found at the start")),
            },
            Some(ProviderKey::Custody(secret)) => {
                let server = ServerName::parse(provider.name())
                    .map_err(|error| unusable(provider, &error.to_string()))?;
                let host = host(&endpoint.base_url)
                    .ok_or_else(|| unusable(provider, "its address has no host"))?;
                let open = |tenant: TenantId| {
                    let (server, host, header) =
                        (server.clone(), host.clone(), header.name().to_owned());
                    async move {
                        let usage = SecretUse {
                            tenant: &tenant,
                            name: secret.name(),
                            version: secret.version(),
                            server: &server,
                            sink: Sink::Header { host: &host, header: &header },
                            call: None,
                        };
                        self.parts().custody.open(usage).await
                    }
                };
                let own = open(caller.principal.tenant().clone()).await;
                let opened = own.map_err(|error| refused(provider, &error))?;
                put(&header, opened.value).map(Some)
            }
        }
    }
}

fn put(header: &KeyHeader, key: Secret<String>) -> Result<Credential, ModelError> {
    match header {
        KeyHeader::Bearer => Ok(Credential::bearer(&key)),
        KeyHeader::Plain(name) => {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| {
                ModelError::new(ErrorKind::Api, "the header for the provider's key is no header")
            })?;
            Ok(Credential::header(name, key))
        }
    }
}

/// The host of an address as it is connected to, with the port when it is not the one of the scheme.
fn host(base: &str) -> Option<String> {
    let url = Url::parse(base).ok()?;
    let host = url.host_str()?.to_ascii_lowercase();
    Some(url.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}")))
}

fn refused(provider: &Provider, error: &SecretStoreError) -> ModelError {
    tracing::warn!(
        provider = &**provider.name(),
        "the key of the provider is not available: {error}"
    );
    unusable(provider, "custody does not hand it out")
}

fn unusable(provider: &Provider, why: &str) -> ModelError {
    let message = format!("the key of the provider `{}` cannot be used: {why}", provider.name());
    ModelError::new(ErrorKind::BadGateway, message).with_code("provider_key")
}
