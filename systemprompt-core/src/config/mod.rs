//! `profile.yaml`: what an installation is set to.
//!
//! [`Profile`] is the document as plain values, with every default filled in. Unknown keys are
//! refused everywhere, keys carry their unit, and secrets appear as a [`SecretRef`] only.

mod cidr;
mod database_url;
mod profile;

pub use cidr::{Cidr, CidrError};
pub use database_url::{DatabaseUrl, DatabaseUrlError};
pub use profile::{
    AuditSection, DatabaseSection, ExtensionsSection, IdentitySection, IssuerAudiences,
    IssuerConfig, JwksSource, LogFormat, LogLevel, LoggingSection, Profile, SecretRef,
    SecretsSection, ServerSection, SigningAlgorithm,
};
