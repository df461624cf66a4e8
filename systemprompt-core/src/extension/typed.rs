//! The trait every extension implements, and one per capability.

use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::{ExtensionContext, ExtensionMetadata, ExtensionRouter, Migration, SchemaDefinition};
use crate::contract::{Check, Job, LlmProvider};

/// Any error an extension may give for its own failure.
pub type ExtensionFailure = Box<dyn std::error::Error + Send + Sync>;

/// An extension: its identity, and shorthands for the two things most of them bring.
///
/// Further capabilities are traits of their own, which [`register_extension!`](crate::register_extension)
/// finds by itself.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an extension",
    label = "this type does not implement `Extension`",
    note = "implement `systemprompt::extension::Extension` for it; only `metadata` is required"
)]
pub trait Extension: Send + Sync + 'static {
    /// Its identity.
    fn metadata(&self) -> ExtensionMetadata;

    /// The tables it keeps in the host's database.
    fn schemas(&self) -> Vec<SchemaDefinition> {
        Vec::new()
    }

    /// Its routes, when they need nothing of the host; otherwise see [`ApiExtensionTyped`].
    fn router(&self) -> Option<ExtensionRouter> {
        None
    }
}

/// An extension with tables that change over time.
#[diagnostic::on_unimplemented(
    message = "`{Self}` brings no schema",
    note = "implement `systemprompt::extension::SchemaExtensionTyped` for it"
)]
pub trait SchemaExtensionTyped: Extension {
    /// Its tables, after those of [`Extension::schemas`].
    fn definitions(&self) -> Vec<SchemaDefinition> {
        Vec::new()
    }

    /// What has changed since they were first installed, oldest first.
    fn migrations(&self) -> Vec<Migration>;
}

/// An extension with HTTP routes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` brings no routes",
    note = "implement `systemprompt::extension::ApiExtensionTyped` for it"
)]
pub trait ApiExtensionTyped: Extension {
    /// The path that all its routes lie below, such as `/crm`. It counts, even if the router names
    /// another.
    const BASE_PATH: &'static str;

    /// Makes the routes, relative to [`Self::BASE_PATH`]. Called once per application.
    ///
    /// # Errors
    /// The extension's own; the application does not start.
    fn build_router(&self, context: &ExtensionContext)
    -> Result<ExtensionRouter, ExtensionFailure>;
}

/// [`ApiExtensionTyped`] as an object. Implemented for every type that implements that.
pub trait ApiExtensionTypedDyn: Extension {
    /// [`ApiExtensionTyped::BASE_PATH`].
    fn base_path(&self) -> &'static str;

    /// [`ApiExtensionTyped::build_router`].
    ///
    /// # Errors
    /// The extension's own.
    fn build_router_dyn(
        &self,
        context: &ExtensionContext,
    ) -> Result<ExtensionRouter, ExtensionFailure>;
}

impl<T: ApiExtensionTyped> ApiExtensionTypedDyn for T {
    fn base_path(&self) -> &'static str {
        T::BASE_PATH
    }

    fn build_router_dyn(
        &self,
        context: &ExtensionContext,
    ) -> Result<ExtensionRouter, ExtensionFailure> {
        self.build_router(context)
    }
}

/// An extension with work that runs on a schedule.
#[diagnostic::on_unimplemented(
    message = "`{Self}` brings no jobs",
    note = "implement `systemprompt::extension::JobExtensionTyped` for it"
)]
pub trait JobExtensionTyped: Extension {
    /// Makes the jobs. Called once per application.
    ///
    /// # Errors
    /// The extension's own; the application does not start.
    fn jobs(&self, context: &ExtensionContext) -> Result<Vec<Arc<dyn Job>>, ExtensionFailure>;
}

/// An extension with upstreams for model requests.
#[diagnostic::on_unimplemented(
    message = "`{Self}` brings no model providers",
    note = "implement `systemprompt::extension::ProviderExtensionTyped` for it"
)]
pub trait ProviderExtensionTyped: Extension {
    /// Makes the providers. Called once per application.
    ///
    /// # Errors
    /// The extension's own; the application does not start.
    fn providers(
        &self,
        context: &ExtensionContext,
    ) -> Result<Vec<Arc<dyn LlmProvider>>, ExtensionFailure>;
}

/// An extension with settings in the profile, under `extensions.config.<id>`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no settings",
    note = "implement `systemprompt::extension::ConfigExtensionTyped` for it"
)]
pub trait ConfigExtensionTyped: Extension {
    /// The settings. Their `Default` is what a profile without the section means; put
    /// `#[serde(default)]` on the type so that a part of it may be given as well. A key that the type
    /// does not know is an error.
    type Config: DeserializeOwned + Default + Send + Sync + 'static;

    /// Checks what the type alone cannot.
    ///
    /// # Errors
    /// What is wrong, in words; the application does not start.
    fn validate(&self, config: &Self::Config) -> Result<(), String> {
        let _ = config;
        Ok(())
    }
}

/// An extension with checks of its own. A check may only deny.
#[diagnostic::on_unimplemented(
    message = "`{Self}` brings no checks",
    note = "implement `systemprompt::extension::CheckExtensionTyped` for it"
)]
pub trait CheckExtensionTyped: Extension {
    /// Makes the checks, in the order in which they run. Called once per application.
    ///
    /// # Errors
    /// The extension's own; the application does not start.
    fn checks(&self, context: &ExtensionContext) -> Result<Vec<Arc<dyn Check>>, ExtensionFailure>;
}

/// An extension that knows formats of credentials.
#[diagnostic::on_unimplemented(
    message = "`{Self}` brings no secret rules",
    note = "implement `systemprompt::extension::SecretRuleExtensionTyped` for it"
)]
pub trait SecretRuleExtensionTyped: Extension {
    /// The texts of rule files, which the secret scanner reads beside those that are built in. A text with a
    /// fault keeps the application from starting.
    fn secret_rules(&self) -> Vec<SecretRuleFile>;
}

/// A rule file of the secret scanner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretRuleFile {
    /// What errors call it.
    pub name: String,
    /// Its text, TOML.
    pub text: String,
}
