//! `profile.yaml`, what an installation is set to, and the typed stages from the file to a
//! configuration.

#[doc(inline)]
pub use systemprompt_core::bootstrap::{
    BootstrapError, Config, CredentialsBootstrap, ProfileBootstrap, ResolvedSecret, SecretRefError,
    SecretsBootstrap,
};
#[doc(inline)]
pub use systemprompt_core::config::{
    AgeKey, AmountError, AuditSection, CheckpointTarget, Cidr, CidrError, ConfigError,
    CustodySection, DatabaseSection, DatabaseUrl, DatabaseUrlError, Diagnostic, EncryptionSection,
    Environment, ExtensionsSection, IdentitySection, IssuerAudiences, IssuerConfig, JwksSource,
    KeepFor, KeepSize, KeyEncryptionRef, LoadedPolicy, LoadedProfile, LogFormat, LogLevel,
    LoggingSection, Position, Profile, RetentionSection, STARTER_PROFILE, SecretRef,
    SecretsSection, ServerSection, ShadowPolicy, SigningAlgorithm, SourceMap, VaultKey,
    WitnessTarget, json_schema, load, load_policy, parse, parse_policy,
};
