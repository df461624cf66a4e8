use systemprompt_core::llm::{ErrorKind, ModelError};

use super::{Caller, ModelGateway};
use crate::preset::{Endpoint, Provider};
use crate::provider_key::{self, KeyFault, KeySource};
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
        let unusable = |fault: KeyFault| unusable(provider, &fault);
        let parts = self.parts();
        let custody = (&*parts.custody, caller.principal.tenant());
        let source = KeySource { keys: &parts.secrets.keys, custody: Some(custody) };
        let Some(key) = source.key(provider, endpoint).await.map_err(unusable)? else {
            return Ok(None);
        };
        let header = provider.key_header(endpoint.dialect);
        provider_key::sent(&header, key).map(Some).map_err(unusable)
    }
}

fn unusable(provider: &Provider, fault: &KeyFault) -> ModelError {
    let name = provider.name();
    let why = match fault {
        // What is in custody, and who may use it, is not the caller's to know.
        KeyFault::Refused(error) => {
            tracing::warn!(provider = &**name, "the key of the provider is not available: {error}");
            "custody does not hand it out".to_owned()
        }
        fault => fault.to_string(),
    };
    let message = format!("the key of the provider `{name}` cannot be used: {why}");
    ModelError::new(ErrorKind::BadGateway, message).with_code("provider_key")
}
