use std::any::{Any, TypeId, type_name};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::ConfigExtensionTyped;

type Value = Arc<dyn Any + Send + Sync>;

/// What an extension is given when its routes, jobs, providers and checks are made: its settings, and
/// what the host shares (a database pool, a clock, whatever it likes). Cloning is cheap.
#[derive(Clone, Default)]
pub struct ExtensionContext {
    settings: ExtensionSettings,
    shared: HashMap<TypeId, Value>,
}

impl ExtensionContext {
    /// A context with the settings that
    /// [`TypedExtensionRegistry::configure`](super::TypedExtensionRegistry::configure) has read.
    #[must_use]
    pub fn new(settings: ExtensionSettings) -> Self {
        Self { settings, shared: HashMap::new() }
    }

    /// Shares `value`, found again by its type. A second value of the same type replaces the first.
    #[must_use]
    pub fn with<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        self.shared.insert(TypeId::of::<T>(), Arc::new(value));
        self
    }

    /// What the host shares of this type.
    ///
    /// # Errors
    /// [`ContextError`] when it shares none.
    pub fn get<T: Send + Sync + 'static>(&self) -> Result<&T, ContextError> {
        self.shared
            .get(&TypeId::of::<T>())
            .and_then(|value| value.downcast_ref())
            .ok_or(ContextError::NotShared { wanted: type_name::<T>() })
    }

    /// The settings of the extension `E`.
    ///
    /// # Errors
    /// [`ContextError`] when the profile's settings were never read for it.
    pub fn config<E: ConfigExtensionTyped>(&self) -> Result<&E::Config, ContextError> {
        self.settings.of::<E>().ok_or(ContextError::NotConfigured { extension: type_name::<E>() })
    }
}

impl fmt::Debug for ExtensionContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExtensionContext").finish_non_exhaustive()
    }
}

/// The settings of all extensions, each in its own type.
#[derive(Clone, Default)]
pub struct ExtensionSettings(pub(super) HashMap<TypeId, Value>);

impl ExtensionSettings {
    /// The settings of the extension `E`, if it is registered.
    #[must_use]
    pub fn of<E: ConfigExtensionTyped>(&self) -> Option<&E::Config> {
        self.0.get(&TypeId::of::<E>()).and_then(|value| value.downcast_ref())
    }
}

impl fmt::Debug for ExtensionSettings {
    // Settings may hold what nobody should read in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExtensionSettings").field("extensions", &self.0.len()).finish()
    }
}

/// The context does not hold what an extension asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContextError {
    /// The host shares no value of the type.
    #[error("the host shares no `{wanted}` with its extensions")]
    NotShared {
        /// The type.
        wanted: &'static str,
    },
    /// The settings of the extension were not read.
    #[error("the settings of `{extension}` were not read from the profile")]
    NotConfigured {
        /// The extension's type.
        extension: &'static str,
    },
}
