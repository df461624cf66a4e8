//! Extensions: what a host compiles into its binary beside the family.
//!
//! An extension implements [`Extension`], says who it is, and registers itself with
//! [`register_extension!`](crate::register_extension). What it can do beyond that is a trait per capability:
//!
//! | trait | brings |
//! |---|---|
//! | [`SchemaExtensionTyped`] | tables and their migrations |
//! | [`ApiExtensionTyped`] | HTTP routes |
//! | [`JobExtensionTyped`] | work on a schedule |
//! | [`ProviderExtensionTyped`] | upstreams for model requests |
//! | [`ConfigExtensionTyped`] | settings in the profile |
//! | [`CheckExtensionTyped`] | checks that may deny a tool call |
//! | [`SecretRuleExtensionTyped`] | formats of credentials for the secret scanner |
//!
//! The macro finds out which of them a type implements. A [`TypedExtensionRegistry`] holds the
//! extensions of one application in one order, after it has checked that they go together.
//! [`ExtensionBuilder`] makes one without anything being linked:
//!
//! ```
//! use systemprompt_core::extension::prelude::*;
//!
//! struct Greeter;
//!
//! impl Extension for Greeter {
//!     fn metadata(&self) -> ExtensionMetadata {
//!         ExtensionMetadata::new("greeter", "1.0.0").requires("systemprompt", "^0.1")
//!     }
//! }
//!
//! let registry = ExtensionBuilder::new().add(extension_entry!(Greeter)).build()?;
//! assert_eq!(registry.extensions()[0].id(), "greeter");
//! # Ok::<(), ExtensionError>(())
//! ```

mod base_path;
mod builder;
mod capability;
pub(crate) mod claims;
mod collect;
mod context;
mod entry;
mod error;
mod identity;
mod metadata;
mod nearest;
mod order;
mod register;
mod registry;
mod router;
mod schema;
mod settings;
mod typed;

pub use base_path::{BasePath, RESERVED_PREFIXES};
pub use builder::ExtensionBuilder;
pub use capability::Capability;
pub use claims::SchemaConflict;
pub use context::{ContextError, ExtensionContext, ExtensionSettings};
pub use entry::{ExtensionEntry, Site, TypedEntry};
pub use error::ExtensionError;
pub use identity::Dependency;
pub use metadata::ExtensionMetadata;
pub use registry::{RegisteredExtension, TypedExtensionRegistry};
pub use router::{ExtensionRouter, MountedRouter};
pub use schema::{Backend, Migration, SchemaDefinition, SchemaOwner};
pub use typed::{
    ApiExtensionTyped, ApiExtensionTypedDyn, CheckExtensionTyped, ConfigExtensionTyped, Extension,
    ExtensionFailure, JobExtensionTyped, ProviderExtensionTyped, SchemaExtensionTyped,
    SecretRuleExtensionTyped, SecretRuleFile,
};

/// Everything that an extension's source needs.
pub mod prelude {
    pub use super::{
        ApiExtensionTyped, CheckExtensionTyped, ConfigExtensionTyped, Extension, ExtensionBuilder,
        ExtensionContext, ExtensionEntry, ExtensionError, ExtensionFailure, ExtensionMetadata,
        ExtensionRouter, JobExtensionTyped, Migration, ProviderExtensionTyped, SchemaDefinition,
        SchemaExtensionTyped, SecretRuleExtensionTyped, SecretRuleFile, TypedExtensionRegistry,
    };
    pub use crate::contract::{
        Check, CheckFailure, CheckVerdict, Job, JobError, LlmAnswer, LlmProvider, LlmRequest,
        Schedule,
    };
    pub use crate::{extension_entry, register_extension};
}

/// What the macros expand to. Not for use by hand; may change at any time.
#[doc(hidden)]
pub mod __private {
    pub use super::entry::{Capabilities, Cast};
    pub use super::register::{Absent, Probe, Registration, entry};
    pub use super::settings::ReadSettings;
    pub use inventory;
}

#[cfg(test)]
mod tests;
