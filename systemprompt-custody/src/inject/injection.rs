use std::fmt;
use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use parking_lot::Mutex;
use systemprompt_core::call::ToolCall;
use systemprompt_core::contract::{SecretStore, SecretStoreError, SecretUse, Sink};
use systemprompt_core::id::{SecretName, ServerName, TenantId};
use systemprompt_core::secret::Secret;
use url::Url;
use zeroize::Zeroizing;

use super::bindings::ServerSinks;
use super::placeholder::Part;
use super::{Bindings, EchoFilter, InjectError, InjectedArguments, NamedSecret, echo};

/// Longest value that is injected, in bytes: more than servers take in a header, and enough for a private
/// key or the key file of a cloud account.
const MAX_BYTES: usize = 16 * 1024;

/// The secrets of one call or of one start of a server.
///
/// Each is opened when its place is filled and not before, so that the store records what was in fact
/// used. [`filter`](Self::filter) knows all that were opened.
pub struct Injection {
    store: Arc<dyn SecretStore>,
    bindings: Bindings,
    tenant: TenantId,
    server: ServerName,
    call: Option<ToolCall>,
    opened: Mutex<Vec<(NamedSecret, Arc<Secret<String>>)>>,
}

/// A header with its secrets in place.
pub(super) struct FilledHeader {
    pub(super) name: HeaderName,
    pub(super) value: HeaderValue,
}

/// A variable with its secrets in place.
pub(super) struct FilledVariable {
    pub(super) name: String,
    pub(super) value: Zeroizing<String>,
}

impl Injection {
    pub(super) fn new(
        store: Arc<dyn SecretStore>,
        bindings: Bindings,
        tenant: TenantId,
        server: ServerName,
        call: Option<ToolCall>,
    ) -> Self {
        Self { store, bindings, tenant, server, call, opened: Mutex::default() }
    }

    /// The server that gets the secrets.
    #[must_use]
    pub fn server(&self) -> &ServerName {
        &self.server
    }

    /// The call they are opened for, if any. Its arguments hold placeholders.
    #[must_use]
    pub fn call(&self) -> Option<&ToolCall> {
        self.call.as_ref()
    }

    /// A filter for everything that was opened so far.
    #[must_use]
    pub fn filter(&self) -> EchoFilter {
        let opened = self.opened.lock();
        EchoFilter::new(opened.iter().map(|(name, value)| (name, &**value)))
    }

    /// The arguments of the call with the secrets in place that are declared for them.
    ///
    /// Everything but those placeholders stays as it was sent, to the byte.
    ///
    /// # Errors
    /// [`InjectError`] when a placeholder cannot be read, stands where none is declared, or is refused.
    pub async fn arguments(&self) -> Result<InjectedArguments, InjectError> {
        let call = self.call.as_ref().ok_or(InjectError::NoCall)?;
        let slots = self.sinks().map(|sinks| sinks.arguments.as_slice()).unwrap_or_default();
        let places = InjectedArguments::places(call, slots)?;
        let mut filled = Vec::with_capacity(places.len());
        for place in places {
            let tool = call.tool().name().as_str();
            let sink = Sink::Argument { tool, argument: &place.pointer };
            filled.push((place.index, self.fill(&place.parts, sink).await?));
        }
        Ok(InjectedArguments::new(call.arguments(), &filled))
    }

    /// The secrets that headers to the host of `url` are made of.
    pub(super) fn header_secrets(&self, url: &Url) -> Vec<SecretName> {
        let sinks = self.sinks().into_iter().flat_map(|sinks| &sinks.headers);
        let bound = sinks.filter(|sink| sink.host.covers(url));
        bound.flat_map(|sink| secrets(&sink.parts)).map(|secret| secret.name().clone()).collect()
    }

    /// The declared headers to the host of `url`; with `only`, those that hold no other secrets.
    pub(super) async fn headers(
        &self,
        url: &Url,
        only: Option<&[SecretName]>,
    ) -> Result<Vec<FilledHeader>, InjectError> {
        let mut filled = Vec::new();
        for sink in self.sinks().into_iter().flat_map(|sinks| &sinks.headers) {
            let allowed =
                |secret: &NamedSecret| only.is_none_or(|only| only.contains(secret.name()));
            if !sink.host.covers(url) || !secrets(&sink.parts).all(allowed) {
                continue;
            }
            let host = sink.host.as_connected(url);
            let place = Sink::Header { host: &host, header: sink.name.as_str() };
            let text = self.fill(&sink.parts, place).await?;
            let mut value = HeaderValue::from_str(&text)
                .map_err(|_| InjectError::Character { place: place.to_string() })?;
            value.set_sensitive(true);
            filled.push(FilledHeader { name: sink.name.clone(), value });
        }
        Ok(filled)
    }

    /// The declared variables of the server's process.
    pub(super) async fn variables(&self) -> Result<Vec<FilledVariable>, InjectError> {
        let mut filled = Vec::new();
        for sink in self.sinks().into_iter().flat_map(|sinks| &sinks.variables) {
            let place = Sink::Env { variable: &sink.name };
            let value = self.fill(&sink.parts, place).await?;
            if value.contains('\0') {
                return Err(InjectError::Character { place: place.to_string() });
            }
            filled.push(FilledVariable { name: sink.name.clone(), value });
        }
        Ok(filled)
    }

    fn sinks(&self) -> Option<&ServerSinks> {
        self.bindings.of(&self.server)
    }

    /// The whole text, or an error: no place is ever filled in part.
    async fn fill(&self, parts: &[Part], sink: Sink<'_>) -> Result<Zeroizing<String>, InjectError> {
        let mut values = Vec::new();
        for secret in secrets(parts) {
            values.push(self.open(secret, sink).await?);
        }
        let fixed = parts.iter().map(|part| match part {
            Part::Text(text) => text.len(),
            Part::Secret(_) => 0,
        });
        let length = fixed.sum::<usize>() + values.iter().map(|v| v.expose().len()).sum::<usize>();
        let mut text = Zeroizing::new(String::with_capacity(length));
        let mut values = values.iter();
        for part in parts {
            match part {
                Part::Text(fixed) => text.push_str(fixed),
                Part::Secret(_) => text.extend(values.next().map(|value| value.expose().as_str())),
            }
        }
        Ok(text)
    }

    async fn open(
        &self,
        secret: &NamedSecret,
        sink: Sink<'_>,
    ) -> Result<Arc<Secret<String>>, InjectError> {
        let usage = SecretUse {
            tenant: &self.tenant,
            name: secret.name(),
            version: secret.version(),
            server: &self.server,
            sink,
            call: self.call.as_ref(),
        };
        let refused = |source| InjectError::Refused {
            secret: secret.to_string(),
            place: sink.to_string(),
            source: Box::new(source),
        };
        let opened = self.store.open(usage).await.map_err(refused)?;
        let asked = secret.version().is_none_or(|version| version == opened.version);
        if opened.name != *secret.name() || !asked {
            return Err(refused(SecretStoreError::Unavailable(
                "it gave another secret".to_owned(),
            )));
        }
        let value = opened.value.expose();
        if echo::significant(value) < echo::MIN_BYTES {
            return Err(InjectError::TooShort { secret: secret.to_string(), min: echo::MIN_BYTES });
        }
        if value.len() > MAX_BYTES {
            return Err(InjectError::TooLong { secret: secret.to_string(), max: MAX_BYTES });
        }
        let value = Arc::new(opened.value);
        self.opened.lock().push((secret.clone(), value.clone()));
        Ok(value)
    }
}

fn secrets(parts: &[Part]) -> impl Iterator<Item = &NamedSecret> {
    parts.iter().filter_map(|part| match part {
        Part::Secret(secret) => Some(secret),
        Part::Text(_) => None,
    })
}

impl fmt::Debug for Injection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Injection")
            .field("server", &self.server)
            .field("opened", &self.opened.lock().len())
            .finish_non_exhaustive()
    }
}
