//! `profile.yaml`: what an installation is set to.
//!
//! [`Profile`] is the document as plain values, with every default filled in. Unknown keys are
//! refused everywhere, keys carry their unit, and secrets appear as a [`SecretRef`] only.

mod cidr;
mod database_url;
mod diagnostic;
mod environment;
mod hide;
mod load;
mod nearest;
mod policy_file;
mod profile;
mod resolve;
mod schema;
mod show;
mod source_map;
mod starter;
mod validate;
mod yaml;

pub use cidr::{Cidr, CidrError};
pub use database_url::{DatabaseUrl, DatabaseUrlError};
pub use diagnostic::{ConfigError, Diagnostic, Position};
pub use environment::Environment;
pub use load::{LoadedProfile, load, parse};
pub use nearest::nearest;
pub use policy_file::{LoadedPolicy, load_policy, parse_policy};
pub use profile::{
    AgeKey, AmountError, AuditSection, BudgetKey, CacheShare, CheckpointTarget, CustodySection,
    DatabaseSection, EncryptionSection, ExportFormat, ExportSection, ExportStart,
    ExtensionsSection, FileTarget, HttpTarget, IdentitySection, IssuerAudiences, IssuerConfig,
    JwksSource, KeepFor, KeepSize, KeyEncryptionRef, LogFormat, LogLevel, LoggingSection,
    LossPolicy, ModelBudget, ModelCache, ModelPattern, ModelRoute, ModelTarget, ModelsFault,
    ModelsSection, PatternFault, Profile, ProviderBreaker, ProviderConfig, ProviderHealth,
    ProviderKey, ProviderKind, ProviderRetries, ProviderTimeouts, ProviderTls, ProviderUsage,
    RecordBodies, RetentionSection, RouteCondition, RouteMatch, SecretRef, SecretsSection,
    ServerSection, ShadowPolicy, SigningAlgorithm, SinkConfig, SinkTarget, SplitTarget,
    StdoutTarget, SyslogTarget, SyslogTlsTarget, UnpricedModels, VaultKey, WitnessTarget,
};
pub use schema::json_schema;
pub use source_map::SourceMap;
pub use starter::STARTER_PROFILE;

#[cfg(test)]
mod tests;
