use std::collections::BTreeMap;
use std::sync::Arc;

use systemprompt_core::clock::Clock;
use systemprompt_core::config::{ProviderKind, nearest};
use systemprompt_core::contract::LlmProvider;
use systemprompt_core::llm::Dialect;
use systemprompt_core::secret::Secret;

use crate::echo::EchoProvider;
use crate::preset::{Endpoint, Provider};
use crate::route::RouteTable;
use crate::upstream::{InProcess, SettingsError, UpstreamClient, UpstreamHealth, UpstreamSettings};

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
    pub source: ConnectFault,
}

/// Why a provider cannot be connected to.
#[derive(Debug, thiserror::Error)]
pub enum ConnectFault {
    /// A setting cannot be meant.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// No extension brings a provider of that name.
    #[error(
        "no extension brings a provider of this name{}",
        nearest.as_ref().map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
    )]
    NoExtension {
        /// The nearest name of one that an extension brings.
        nearest: Option<String>,
    },
}

impl ConnectFault {
    /// No extension brings a provider called `name`, but these.
    pub fn no_extension<'n>(name: &str, brought: impl Iterator<Item = &'n str>) -> Self {
        Self::NoExtension { nearest: nearest(name, brought).map(str::to_owned) }
    }
}

/// What all providers are asked over.
pub(super) struct Connections(BTreeMap<Arc<str>, Connected>);

/// What a provider is asked over.
enum Connected {
    /// One client for each dialect that it is spoken to in.
    Over(Vec<(Dialect, UpstreamClient)>),
    InProcess(InProcess),
    /// The one that is built in: always well.
    BuiltIn(InProcess),
}

impl Connections {
    pub(super) fn open(
        routes: &RouteTable,
        secrets: &ProviderSecrets,
        extensions: &[Arc<dyn LlmProvider>],
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, GatewayError> {
        let mut all = BTreeMap::new();
        for provider in routes.providers() {
            let connected = connect(provider, secrets, extensions, clock);
            let connected = connected
                .map_err(|source| GatewayError { provider: provider.name().to_string(), source })?;
            all.insert(provider.name().clone(), connected);
        }
        Ok(Self(all))
    }

    pub(super) fn client(&self, provider: &str, dialect: Dialect) -> Option<&UpstreamClient> {
        let Some(Connected::Over(clients)) = self.0.get(provider) else { return None };
        clients.iter().find(|(spoken, _)| *spoken == dialect).map(|(_, client)| client)
    }

    pub(super) fn in_process(&self, provider: &str) -> Option<&InProcess> {
        match self.0.get(provider)? {
            Connected::InProcess(own) | Connected::BuiltIn(own) => Some(own),
            Connected::Over(_) => None,
        }
    }

    pub(super) fn health(&self) -> BTreeMap<Arc<str>, Vec<UpstreamHealth>> {
        let health = |connected: &Connected| match connected {
            Connected::Over(clients) => {
                Some(clients.iter().map(|(_, client)| client.health()).collect())
            }
            Connected::InProcess(own) => Some(vec![own.health()]),
            Connected::BuiltIn(_) => None,
        };
        self.0.iter().filter_map(|(name, each)| Some((name.clone(), health(each)?))).collect()
    }
}

fn connect(
    provider: &Provider,
    secrets: &ProviderSecrets,
    extensions: &[Arc<dyn LlmProvider>],
    clock: &Arc<dyn Clock>,
) -> Result<Connected, ConnectFault> {
    let name = provider.name();
    let in_process = |own: Arc<dyn LlmProvider>| {
        let settings = UpstreamSettings::of(provider.config(), "");
        InProcess::new(name.clone(), own, settings, clock.clone())
    };
    match provider.config().kind {
        ProviderKind::Echo => Ok(Connected::BuiltIn(in_process(Arc::new(EchoProvider)))),
        ProviderKind::ByExtension => {
            let own = extensions.iter().find(|own| own.name() == &**name).ok_or_else(|| {
                ConnectFault::no_extension(name, extensions.iter().map(|own| own.name()))
            })?;
            Ok(Connected::InProcess(in_process(own.clone())))
        }
        _ => {
            let mut clients = Vec::new();
            for endpoint in provider.endpoints() {
                let settings = secrets.settings(provider, endpoint);
                let client = UpstreamClient::with_clock(name.clone(), settings, clock.clone())?;
                clients.push((endpoint.dialect, client));
            }
            Ok(Connected::Over(clients))
        }
    }
}
