use std::fmt;
use std::path::Path;
use std::sync::Arc;

use systemprompt_core::bootstrap::{
    BootstrapError, Config, CredentialsBootstrap, ProfileBootstrap, SecretsBootstrap,
};
use systemprompt_core::clock::{Clock, SystemClock};
use systemprompt_core::config::Environment;
use systemprompt_core::contract::{Check, LlmProvider, RateStore};
use systemprompt_core::encryption::KeyEncryption;
use systemprompt_core::extension::{ExtensionError, TypedExtensionRegistry};

use super::{App, AppContext, assemble};
use crate::StartError;
use crate::first_start::{first_start, starter_profile};

/// Collects the parts of an [`App`].
///
/// The stage says whether there is a configuration yet; only with one can the application be started.
#[must_use]
pub struct AppBuilder<Stage = Unconfigured> {
    parts: Parts,
    stage: Stage,
}

/// Stage of an [`AppBuilder`] without a configuration.
#[derive(Debug, Clone, Copy)]
pub struct Unconfigured(());

/// Stage of an [`AppBuilder`] that can be started.
#[derive(Debug)]
pub struct Configured(Config);

/// What the host brings, beside the configuration.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) extensions: Option<TypedExtensionRegistry>,
    pub(super) required: Vec<String>,
    pub(super) checks: Vec<Arc<dyn Check>>,
    pub(super) providers: Vec<Arc<dyn LlmProvider>>,
    pub(super) rates: Option<Arc<dyn RateStore>>,
    pub(super) clock: Option<Arc<dyn Clock>>,
    pub(super) key_encryption: Option<Arc<dyn KeyEncryption>>,
    pub(super) custody_encryption: Option<Arc<dyn KeyEncryption>>,
}

impl AppBuilder {
    /// A builder without a configuration.
    pub fn new() -> Self {
        Self { parts: Parts::default(), stage: Unconfigured(()) }
    }

    /// Reads the profile in the file `path`, with the variables of this process, through every stage of
    /// bootstrap.
    ///
    /// # Errors
    /// [`BootstrapError`] with everything that is wrong with it.
    pub fn profile(self, path: impl AsRef<Path>) -> Result<AppBuilder<Configured>, BootstrapError> {
        let profile = ProfileBootstrap::load(path, Environment::from_process())?;
        let secrets = SecretsBootstrap::resolve(profile)?;
        let credentials = CredentialsBootstrap::prepare(secrets)?;
        Ok(self.config(Config::validate(credentials)?))
    }

    /// Uses the installation in the folder `data`, and makes one where there is none: the starter
    /// profile, the database, an administrator and a plain user with their keys in `admin.key` and
    /// `user.key`.
    ///
    /// # Errors
    /// [`StartError`] with what is in the way.
    pub async fn installation(
        self,
        data: impl AsRef<Path>,
    ) -> Result<AppBuilder<Configured>, StartError> {
        let data = data.as_ref();
        let profile = ProfileBootstrap::load(starter_profile(data)?, Environment::from_process())?
            .with_data_folder(data);
        let secrets = SecretsBootstrap::resolve(profile)?;
        let config = Config::validate(CredentialsBootstrap::prepare(secrets)?)?;
        let clock = self.parts.clock.clone().unwrap_or_else(SystemClock::shared);
        first_start(&config, &self.registry()?, clock).await?;
        Ok(self.config(config))
    }

    /// Takes a configuration.
    pub fn config(self, config: Config) -> AppBuilder<Configured> {
        AppBuilder { parts: self.parts, stage: Configured(config) }
    }
}

impl Default for AppBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl<Stage> AppBuilder<Stage> {
    /// Uses these extensions instead of those linked into the binary.
    pub fn extensions(mut self, registry: TypedExtensionRegistry) -> Self {
        self.parts.extensions = Some(registry);
        self
    }

    /// Refuses to start without the extensions of these ids: a crate that nothing names is not linked,
    /// and would be missing without a word.
    pub fn require<I>(mut self, ids: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.parts.required.extend(ids.into_iter().map(Into::into));
        self
    }

    /// Adds a host check beside those of the extensions.
    pub fn check(mut self, check: Arc<dyn Check>) -> Self {
        self.parts.checks.push(check);
        self
    }

    /// Adds models of the host's own beside those of the extensions. A provider of kind `extension` in the profile
    /// says that they are asked, and its routes for which models.
    pub fn provider(mut self, provider: Arc<dyn LlmProvider>) -> Self {
        self.parts.providers.push(provider);
        self
    }

    /// Where limits keep their state; in memory unless set.
    pub fn rate_store(mut self, store: Arc<dyn RateStore>) -> Self {
        self.parts.rates = Some(store);
        self
    }

    /// Encrypts what the audit log says about persons, by a key of the host's own, such as one in the KMS of
    /// its cloud, instead of the one that the profile names.
    pub fn key_encryption(mut self, encryption: Arc<dyn KeyEncryption>) -> Self {
        self.parts.key_encryption = Some(encryption);
        self
    }

    /// Encrypts the data keys of the secrets in custody by a key of the host's own, instead of the one that
    /// the profile names.
    pub fn custody_encryption(mut self, encryption: Arc<dyn KeyEncryption>) -> Self {
        self.parts.custody_encryption = Some(encryption);
        self
    }

    /// The host's own key for the secrets in custody, if it has set one.
    #[must_use]
    pub fn own_custody_encryption(&self) -> Option<&Arc<dyn KeyEncryption>> {
        self.parts.custody_encryption.as_ref()
    }

    /// Where time comes from; the system's clock unless set.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.parts.clock = Some(clock);
        self
    }
}

impl<Stage> AppBuilder<Stage> {
    /// The extensions the application will have, before the profile turns any off: those that were set,
    /// or else those linked into the binary.
    ///
    /// # Errors
    /// [`ExtensionError`] when they do not go together, or a required one is missing.
    pub fn registry(&self) -> Result<TypedExtensionRegistry, ExtensionError> {
        let registry = match &self.parts.extensions {
            Some(registry) => registry.clone(),
            None => TypedExtensionRegistry::discover()?,
        };
        registry.require(&self.parts.required)?;
        Ok(registry)
    }
}

impl AppBuilder<Configured> {
    /// The configuration.
    #[must_use]
    pub fn configured(&self) -> &Config {
        &self.stage.0
    }

    /// Starts the application: opens the database and the audit log, loads identities and the policy,
    /// starts jobs and the watch over the profile, and records that it has started. Needs a running
    /// tokio runtime.
    ///
    /// # Errors
    /// [`StartError`] with what is in the way. Nothing half-started is left running.
    pub async fn start(self) -> Result<App, StartError> {
        let extensions = self.registry()?;
        let clock = self.parts.clock.clone().unwrap_or_else(SystemClock::shared);
        let context = AppContext::open(self.stage.0, extensions, clock).await?;
        assemble(context, self.parts).await
    }
}

impl<Stage> fmt::Debug for AppBuilder<Stage> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppBuilder").field("required", &self.parts.required).finish_non_exhaustive()
    }
}
