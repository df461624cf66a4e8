use http::HeaderName;
use systemprompt_core::config::ProviderKey;
use systemprompt_core::contract::{SecretUse, Sink};
use systemprompt_core::id::ServerName;
use systemprompt_core::injection::NamedSecret;
use systemprompt_core::secret::Secret;
use url::Url;

use super::Probe;
use crate::canonical::{ErrorKind, ModelError};
use crate::preset::{Endpoint, KeyHeader, Provider};
use crate::upstream::Credential;

/// The key of a provider; `None` for one that takes none.
pub(super) async fn key(
    probe: &Probe<'_>,
    provider: &Provider,
    endpoint: &Endpoint,
) -> Result<Option<Secret<String>>, ModelError> {
    match &provider.config().key {
        None => Ok(None),
        Some(ProviderKey::Ref(_)) => {
            let key = probe.secrets.keys.get(&**provider.name());
            let key = key.ok_or_else(|| unusable("it was not found"))?;
            Ok(Some(Secret::new(key.expose().clone())))
        }
        Some(ProviderKey::Custody(secret)) => {
            opened(probe, provider, endpoint, secret).await.map(Some)
        }
    }
}

/// The key as it is sent.
pub(super) fn sent(header: &KeyHeader, key: &Secret<String>) -> Result<Credential, ModelError> {
    match header {
        KeyHeader::Bearer => Ok(Credential::bearer(key)),
        KeyHeader::Plain(name) => {
            let name = HeaderName::from_bytes(name.as_bytes());
            let name = name.map_err(|_| unusable("the header for it is no header"))?;
            Ok(Credential::header(name, Secret::new(key.expose().clone())))
        }
    }
}

/// A key in custody, for the use that the gateway has for it as well.
async fn opened(
    probe: &Probe<'_>,
    provider: &Provider,
    endpoint: &Endpoint,
    secret: &NamedSecret,
) -> Result<Secret<String>, ModelError> {
    let Some((custody, tenant)) = probe.custody else {
        return Err(unusable("it is in custody, which is not open here"));
    };
    let server = ServerName::parse(provider.name());
    let server = server.map_err(|error| unusable(&error.to_string()))?;
    let host = host(&endpoint.base_url).ok_or_else(|| unusable("the address has no host"))?;
    let header = provider.key_header(endpoint.dialect);
    let usage = SecretUse {
        tenant,
        name: secret.name(),
        version: secret.version(),
        server: &server,
        sink: Sink::Header { host: &host, header: header.name() },
        call: None,
    };
    let opened = custody.open(usage).await;
    opened.map(|opened| opened.value).map_err(|error| unusable(&error.to_string()))
}

/// The host as it is connected to, with the port when it is not the one of the scheme.
fn host(base: &str) -> Option<String> {
    let url = Url::parse(base).ok()?;
    let host = url.host_str()?.to_ascii_lowercase();
    Some(url.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}")))
}

fn unusable(why: &str) -> ModelError {
    ModelError::new(ErrorKind::BadGateway, format!("the key cannot be used: {why}"))
        .with_code("provider_key")
}
