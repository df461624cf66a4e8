//! `profile.yaml`: what an installation is set to.

#[doc(inline)]
pub use systemprompt_core::config::{
    AuditSection, Cidr, CidrError, DatabaseSection, DatabaseUrl, DatabaseUrlError,
    ExtensionsSection, IdentitySection, IssuerAudiences, IssuerConfig, JwksSource, LogFormat,
    LogLevel, LoggingSection, Profile, SecretRef, SecretsSection, ServerSection, SigningAlgorithm,
};
