use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use super::settings::ReadSettings;
use super::{
    ApiExtensionTyped, ApiExtensionTypedDyn, CheckExtensionTyped, ConfigExtensionTyped, Extension,
    JobExtensionTyped, ProviderExtensionTyped, SchemaExtensionTyped, SecretRuleExtensionTyped,
};

/// Where an extension was registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Site {
    pub(super) crate_name: &'static str,
    pub(super) file: &'static str,
    pub(super) line: u32,
}

impl Site {
    /// A place in a crate.
    #[must_use]
    pub fn new(crate_name: &'static str, file: &'static str, line: u32) -> Self {
        Self { crate_name, file, line }
    }

    /// The crate's name.
    #[must_use]
    pub fn crate_name(&self) -> &'static str {
        self.crate_name
    }

    /// The file, as its compiler was given it.
    #[must_use]
    pub fn file(&self) -> &'static str {
        self.file
    }

    /// The line, from 1.
    #[must_use]
    pub fn line(&self) -> u32 {
        self.line
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}:{})", self.crate_name, self.file, self.line)
    }
}

/// An extension with what it can do, ready for a registry. Made by
/// [`extension_entry!`](crate::extension_entry), which finds all its capabilities, or from a
/// [`TypedEntry`], which names them.
#[derive(Clone)]
pub struct ExtensionEntry {
    pub(super) site: Site,
    pub(super) extension: Arc<dyn Extension>,
    pub(super) schema: Option<Arc<dyn SchemaExtensionTyped>>,
    pub(super) api: Option<Arc<dyn ApiExtensionTypedDyn>>,
    pub(super) jobs: Option<Arc<dyn JobExtensionTyped>>,
    pub(super) providers: Option<Arc<dyn ProviderExtensionTyped>>,
    pub(super) settings: Option<Arc<dyn ReadSettings>>,
    pub(super) checks: Option<Arc<dyn CheckExtensionTyped>>,
    pub(super) secret_rules: Option<Arc<dyn SecretRuleExtensionTyped>>,
}

impl ExtensionEntry {
    /// Begins an entry without capabilities beyond [`Extension`] itself.
    #[track_caller]
    pub fn of<T: Extension>(extension: T) -> TypedEntry<T> {
        let at = Location::caller();
        let crate_name = std::any::type_name::<T>().split("::").next().unwrap_or_default();
        TypedEntry {
            site: Site::new(crate_name, at.file(), at.line()),
            extension: Arc::new(extension),
            capabilities: Capabilities::none(),
        }
    }
}

impl fmt::Debug for ExtensionEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExtensionEntry").field("site", &self.site).finish_non_exhaustive()
    }
}

/// The cast of an extension of type `T` to a capability, if it has it.
#[doc(hidden)]
pub type Cast<T, C> = Option<fn(Arc<T>) -> Arc<C>>;

/// What an extension of type `T` can do: for each capability the cast to it, where it has it.
#[doc(hidden)]
pub struct Capabilities<T> {
    pub schema: Cast<T, dyn SchemaExtensionTyped>,
    pub api: Cast<T, dyn ApiExtensionTypedDyn>,
    pub jobs: Cast<T, dyn JobExtensionTyped>,
    pub providers: Cast<T, dyn ProviderExtensionTyped>,
    pub settings: Cast<T, dyn ReadSettings>,
    pub checks: Cast<T, dyn CheckExtensionTyped>,
    pub secret_rules: Cast<T, dyn SecretRuleExtensionTyped>,
}

impl<T> Capabilities<T> {
    const fn none() -> Self {
        Self {
            schema: None,
            api: None,
            jobs: None,
            providers: None,
            settings: None,
            checks: None,
            secret_rules: None,
        }
    }
}

/// An extension whose capabilities are named one by one.
pub struct TypedEntry<T> {
    pub(super) site: Site,
    pub(super) extension: Arc<T>,
    pub(super) capabilities: Capabilities<T>,
}

impl<T: Extension> TypedEntry<T> {
    /// It has tables with migrations.
    #[must_use]
    pub fn with_schema(mut self) -> Self
    where
        T: SchemaExtensionTyped,
    {
        self.capabilities.schema = Some(|extension| extension);
        self
    }

    /// It has routes.
    #[must_use]
    pub fn with_api(mut self) -> Self
    where
        T: ApiExtensionTyped,
    {
        self.capabilities.api = Some(|extension| extension);
        self
    }

    /// It has jobs.
    #[must_use]
    pub fn with_jobs(mut self) -> Self
    where
        T: JobExtensionTyped,
    {
        self.capabilities.jobs = Some(|extension| extension);
        self
    }

    /// It has model providers.
    #[must_use]
    pub fn with_providers(mut self) -> Self
    where
        T: ProviderExtensionTyped,
    {
        self.capabilities.providers = Some(|extension| extension);
        self
    }

    /// It has settings.
    #[must_use]
    pub fn with_config(mut self) -> Self
    where
        T: ConfigExtensionTyped,
    {
        self.capabilities.settings = Some(|extension| extension);
        self
    }

    /// It has checks.
    #[must_use]
    pub fn with_checks(mut self) -> Self
    where
        T: CheckExtensionTyped,
    {
        self.capabilities.checks = Some(|extension| extension);
        self
    }

    /// It knows formats of credentials.
    #[must_use]
    pub fn with_secret_rules(mut self) -> Self
    where
        T: SecretRuleExtensionTyped,
    {
        self.capabilities.secret_rules = Some(|extension| extension);
        self
    }
}

impl<T> fmt::Debug for TypedEntry<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TypedEntry").field("site", &self.site).finish_non_exhaustive()
    }
}

impl<T: Extension> From<TypedEntry<T>> for ExtensionEntry {
    fn from(entry: TypedEntry<T>) -> Self {
        let TypedEntry { site, extension, capabilities } = entry;
        Self {
            site,
            schema: capabilities.schema.map(|cast| cast(Arc::clone(&extension))),
            api: capabilities.api.map(|cast| cast(Arc::clone(&extension))),
            jobs: capabilities.jobs.map(|cast| cast(Arc::clone(&extension))),
            providers: capabilities.providers.map(|cast| cast(Arc::clone(&extension))),
            settings: capabilities.settings.map(|cast| cast(Arc::clone(&extension))),
            checks: capabilities.checks.map(|cast| cast(Arc::clone(&extension))),
            secret_rules: capabilities.secret_rules.map(|cast| cast(Arc::clone(&extension))),
            extension,
        }
    }
}
