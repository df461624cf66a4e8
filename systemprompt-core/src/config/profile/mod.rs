//! The profile and its sections.

mod audit;
mod custody;
mod database;
mod encryption;
mod export;
mod extensions;
mod identity;
mod logging;
mod models;
mod retention;
mod secrets;
mod server;
mod shadow;

use serde::{Deserialize, Serialize};

pub use audit::{AuditSection, CheckpointTarget, WitnessTarget};
pub use custody::CustodySection;
pub use database::DatabaseSection;
pub use encryption::{AgeKey, EncryptionSection, KeyEncryptionRef, VaultKey};
pub use export::{
    ExportFormat, ExportSection, ExportStart, FileTarget, HttpTarget, SinkConfig, SinkTarget,
    StdoutTarget, SyslogTarget, SyslogTlsTarget,
};
pub use extensions::ExtensionsSection;
pub use identity::{IdentitySection, IssuerAudiences, IssuerConfig, JwksSource, SigningAlgorithm};
pub use logging::{LogFormat, LogLevel, LoggingSection};
pub use models::{
    BudgetKey, CacheShare, LossPolicy, ModelBudget, ModelCache, ModelPattern, ModelRoute,
    ModelTarget, ModelsFault, ModelsSection, PatternFault, ProviderBreaker, ProviderConfig,
    ProviderHealth, ProviderKey, ProviderKind, ProviderRetries, ProviderTimeouts, ProviderTls,
    ProviderUsage, RecordBodies, RouteCondition, RouteMatch, SplitTarget, UnpricedModels,
};
pub use retention::{AmountError, KeepFor, KeepSize, RetentionSection};
pub use secrets::{SecretRef, SecretsSection};
pub use server::ServerSection;
pub use shadow::ShadowPolicy;

use crate::id::ProfileName;
use crate::injection::InjectionSettings;
use crate::policy::PolicyDocument;

/// The settings of one installation, as `profile.yaml` states them. Relative paths are relative to
/// the profile's folder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The profile's name; it appears in logs and in the audit log. The only key without a default,
    /// so that an empty or cut-off file is never mistaken for a profile.
    pub profile: ProfileName,
    /// The HTTP server.
    #[serde(default)]
    pub server: ServerSection,
    /// The database.
    #[serde(default)]
    pub database: DatabaseSection,
    /// The audit log.
    #[serde(default)]
    pub audit: AuditSection,
    /// Where the audit log goes besides the database.
    #[serde(default)]
    pub export: ExportSection,
    /// The secrets that are kept for the servers, encrypted in the database.
    #[serde(default)]
    pub custody: CustodySection,
    /// Which secrets go where, and how requests and programs with them are run.
    #[serde(default)]
    pub injection: InjectionSettings,
    /// Secrets the servers themselves need, by reference.
    #[serde(default)]
    pub secrets: SecretsSection,
    /// Who may come in: keys, tokens and their issuers.
    #[serde(default)]
    pub identity: IdentitySection,
    /// The policy every tool call is held against. Without rules nothing is allowed.
    #[serde(default)]
    pub governance: PolicyDocument,
    /// Policies that are asked beside the one in force and never answer, 8 at most. What they would have
    /// decided differently is recorded with the decision and counted.
    #[serde(default)]
    pub shadow: Vec<ShadowPolicy>,
    /// Providers of models, and which requests go to which. Without routes no model is reached.
    #[serde(default)]
    pub models: ModelsSection,
    /// Extensions compiled into the host.
    #[serde(default)]
    pub extensions: ExtensionsSection,
    /// The log the process writes to its standard error.
    #[serde(default)]
    pub logging: LoggingSection,
}

impl Profile {
    /// A profile of this name with every default.
    #[must_use]
    pub fn new(profile: ProfileName) -> Self {
        Self {
            profile,
            server: ServerSection::default(),
            database: DatabaseSection::default(),
            audit: AuditSection::default(),
            export: ExportSection::default(),
            custody: CustodySection::default(),
            injection: InjectionSettings::default(),
            secrets: SecretsSection::default(),
            identity: IdentitySection::default(),
            governance: PolicyDocument::default(),
            shadow: Vec::new(),
            models: ModelsSection::default(),
            extensions: ExtensionsSection::default(),
            logging: LoggingSection::default(),
        }
    }
}
