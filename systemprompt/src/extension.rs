//! Extensions: what you compile into your binary beside the family.
//!
//! ```rust,standalone_crate
//! use systemprompt::extension::prelude::*;
//! struct MyExtension;
//! impl Extension for MyExtension {
//!     fn metadata(&self) -> ExtensionMetadata { ExtensionMetadata::new("my-extension", env!("CARGO_PKG_VERSION")) }
//!     fn schemas(&self) -> Vec<SchemaDefinition> { vec![SchemaDefinition::new("my_extension", include_str!("../schema/001_init.sql"))] }
//!     fn router(&self) -> Option<ExtensionRouter> { None }
//! }
//! register_extension!(MyExtension);
//! ```
//!
//! That is all: a binary that this is linked into starts with the extension. Whatever else it can do is
//! a trait per capability, which [`register_extension!`] finds by itself:
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
//! A [`TypedExtensionRegistry`] holds the extensions of one application in one order, after it has
//! checked that they go together. An [`ExtensionBuilder`] makes one of extensions that are named
//! instead of linked.
//!
//! ```standalone_crate
//! use systemprompt::extension::prelude::*;
//! # struct MyExtension;
//! # impl Extension for MyExtension {
//! #     fn metadata(&self) -> ExtensionMetadata { ExtensionMetadata::new("my-extension", "1.0.0") }
//! # }
//! # register_extension!(MyExtension);
//!
//! # fn main() -> Result<(), ExtensionError> {
//! let registry = TypedExtensionRegistry::discover()?;
//! registry.require(["my-extension"])?;
//! for extension in &registry {
//!     println!("{} {} from {}", extension.id(), extension.version(), extension.site());
//! }
//! # assert_eq!(registry.extensions().len(), 1);
//! # Ok(())
//! # }
//! ```

/// Everything that an extension's source needs.
pub mod prelude {
    #[doc(no_inline)]
    pub use systemprompt_core::contract::{
        Check, CheckFailure, CheckVerdict, Job, JobError, LlmAnswer, LlmProvider, LlmRequest,
        Schedule,
    };
    #[doc(no_inline)]
    pub use systemprompt_core::extension::{
        ApiExtensionTyped, CheckExtensionTyped, ConfigExtensionTyped, Extension, ExtensionBuilder,
        ExtensionContext, ExtensionEntry, ExtensionError, ExtensionFailure, ExtensionMetadata,
        ExtensionRouter, JobExtensionTyped, Migration, ProviderExtensionTyped, SchemaDefinition,
        SchemaExtensionTyped, SecretRuleExtensionTyped, SecretRuleFile, TypedExtensionRegistry,
    };
    #[doc(no_inline)]
    pub use systemprompt_core::{extension_entry, register_extension};
}

#[doc(inline)]
pub use systemprompt_core::extension::{
    ApiExtensionTyped, ApiExtensionTypedDyn, Backend, BasePath, Capability, CheckExtensionTyped,
    ConfigExtensionTyped, ContextError, Dependency, Extension, ExtensionBuilder, ExtensionContext,
    ExtensionEntry, ExtensionError, ExtensionFailure, ExtensionMetadata, ExtensionRouter,
    ExtensionSettings, JobExtensionTyped, Migration, MountedRouter, ProviderExtensionTyped,
    RESERVED_PREFIXES, RegisteredExtension, SchemaConflict, SchemaDefinition, SchemaExtensionTyped,
    SchemaOwner, SecretRuleExtensionTyped, SecretRuleFile, Site, TypedEntry,
    TypedExtensionRegistry,
};
#[doc(inline)]
pub use systemprompt_core::{extension_entry, register_extension};
