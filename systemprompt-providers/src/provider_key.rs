//! The key of a provider: where it is found, and how it is sent.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::HeaderName;
use systemprompt_core::config::ProviderKey;
use systemprompt_core::contract::{SecretStore, SecretStoreError, SecretUse, Sink};
use systemprompt_core::id::{IdError, ServerName, TenantId};
use systemprompt_core::secret::Secret;
use url::Url;

use crate::preset::{Endpoint, KeyHeader, Provider};
use crate::upstream::Credential;

/// Where keys are found.
#[derive(Clone, Copy)]
pub(crate) struct KeySource<'k> {
    /// Those that were found at the start, by the names of the providers.
    pub(crate) keys: &'k BTreeMap<String, Arc<Secret<String>>>,
    /// Those in custody, where each use is recorded, and whose they are.
    pub(crate) custody: Option<(&'k dyn SecretStore, &'k TenantId)>,
}

/// Why the key of a provider cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyFault {
    #[error("it was not found at the start")]
    NotFound,
    #[error("it is in custody, which is not open here")]
    CustodyClosed,
    #[error(transparent)]
    Name(IdError),
    #[error("the address has no host")]
    NoHost,
    #[error(transparent)]
    Refused(SecretStoreError),
    #[error("the header for it is no header")]
    NoHeader,
}

impl KeySource<'_> {
    /// The key of a provider; `None` for one that takes none.
    pub(crate) async fn key(
        self,
        provider: &Provider,
        endpoint: &Endpoint,
    ) -> Result<Option<Secret<String>>, KeyFault> {
        let secret = match &provider.config().key {
            None => return Ok(None),
            Some(ProviderKey::Ref(_)) => {
                let key = self.keys.get(&**provider.name()).ok_or(KeyFault::NotFound)?;
                return Ok(Some(Secret::new(key.expose().clone())));
            }
            Some(ProviderKey::Custody(secret)) => secret,
        };
        let (custody, tenant) = self.custody.ok_or(KeyFault::CustodyClosed)?;
        let server = ServerName::parse(provider.name()).map_err(KeyFault::Name)?;
        let host = host(&endpoint.base_url).ok_or(KeyFault::NoHost)?;
        let header = provider.key_header(endpoint.dialect);
        let usage = SecretUse {
            tenant,
            name: secret.name(),
            version: secret.version(),
            server: &server,
            sink: Sink::Header { host: &host, header: header.name() },
            call: None,
        };
        let opened = custody.open(usage).await.map_err(KeyFault::Refused)?;
        Ok(Some(opened.value))
    }
}

/// The key as it is sent.
pub(crate) fn sent(header: &KeyHeader, key: Secret<String>) -> Result<Credential, KeyFault> {
    match header {
        KeyHeader::Bearer => Ok(Credential::bearer(&key)),
        KeyHeader::Plain(name) => {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| KeyFault::NoHeader)?;
            Ok(Credential::header(name, key))
        }
    }
}

/// The host as it is connected to, with the port when it is not the one of the scheme.
fn host(base: &str) -> Option<String> {
    let url = Url::parse(base).ok()?;
    let host = url.host_str()?.to_ascii_lowercase();
    Some(url.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}")))
}
