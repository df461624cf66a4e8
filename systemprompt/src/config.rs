//! `profile.yaml`, what an installation is set to, and the typed stages from the file to a
//! configuration.

#[doc(inline)]
pub use systemprompt_core::bootstrap::{
    BootstrapError, Config, CredentialsBootstrap, ProfileBootstrap, ResolvedSecret, SecretRefError,
    SecretsBootstrap,
};
#[doc(inline)]
pub use systemprompt_core::config::{
    AgeKey, AmountError, AuditSection, BudgetKey, CacheShare, CheckpointTarget, Cidr, CidrError,
    ConfigError, CustodySection, DatabaseSection, DatabaseUrl, DatabaseUrlError, Diagnostic,
    EncryptionSection, Environment, ExportFormat, ExportSection, ExportStart, ExtensionsSection,
    FileTarget, HttpTarget, IdentitySection, IssuerAudiences, IssuerConfig, JwksSource, KeepFor,
    KeepSize, KeyEncryptionRef, LoadedPolicy, LoadedProfile, LogFormat, LogLevel, LoggingSection,
    LossPolicy, ModelBudget, ModelCache, ModelPattern, ModelRoute, ModelTarget, ModelsFault,
    ModelsSection, PatternFault, Position, Profile, ProviderBreaker, ProviderConfig,
    ProviderHealth, ProviderKey, ProviderKind, ProviderRetries, ProviderTimeouts, ProviderTls,
    ProviderUsage, RecordBodies, RetentionSection, RouteCondition, RouteMatch, STARTER_PROFILE,
    SecretRef, SecretsSection, ServerSection, ShadowPolicy, SigningAlgorithm, SinkConfig,
    SinkTarget, SourceMap, SplitTarget, StdoutTarget, SyslogTarget, SyslogTlsTarget,
    UnpricedModels, VaultKey, WitnessTarget, json_schema, load, load_policy, parse, parse_policy,
};
