//! What a command works on: the configuration, the database, and the log the command line writes.

use std::path::Path;
use std::sync::Arc;

use systemprompt_core::bootstrap::{
    Config, CredentialsBootstrap, ProfileBootstrap, SecretsBootstrap,
};
use systemprompt_core::clock::{Clock, SystemClock};
use systemprompt_core::config::Environment;
use systemprompt_core::database::{DatabaseOptions, DbPool, SchemaInstaller, StepState};
use systemprompt_core::extension::{SchemaOwner, TypedExtensionRegistry};
use systemprompt_identity::IdentityStore;

use crate::failure::{Failure, FailureKind};

/// A configuration and an open database.
pub(crate) struct Session {
    pub(crate) config: Config,
    pub(crate) database: DbPool,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Session {
    /// Opens the database that the profile names; its schema must be installed.
    pub(crate) async fn open(
        profile: &Path,
        registry: &TypedExtensionRegistry,
    ) -> Result<Self, Failure> {
        let session = Self::connect(profile, false).await?;
        let steps = installer(registry)?.status(&session.database).await.map_err(Failure::database)?;
        if steps.iter().any(|step| step.state == StepState::Pending) {
            return Err(Failure::new(
                FailureKind::Database,
                "the database lacks schemas; run `systemprompt db migrate` first",
            ));
        }
        Ok(session)
    }

    /// Opens the database whatever is in it; makes an empty one when `create` says so.
    pub(crate) async fn connect(profile: &Path, create: bool) -> Result<Self, Failure> {
        let config = config(profile)?;
        let section = &config.profile().database;
        let mut options = DatabaseOptions::new(section.url.to_string()).create(create);
        options.max_connections = 2;
        options.busy_timeout = std::time::Duration::from_secs(5);
        let database = DbPool::open(&options).await.map_err(Failure::database)?;
        Ok(Self { config, database, clock: SystemClock::shared() })
    }

    pub(crate) fn identities(&self) -> IdentityStore {
        IdentityStore::new(self.database.clone(), self.clock.clone())
    }
}

/// The configuration in `profile`, through every stage.
pub(crate) fn config(profile: &Path) -> Result<Config, Failure> {
    let stage = ProfileBootstrap::load(profile, Environment::from_process());
    let secrets = SecretsBootstrap::resolve(stage.map_err(Failure::config)?);
    let credentials = CredentialsBootstrap::prepare(secrets.map_err(Failure::config)?);
    Config::validate(credentials.map_err(Failure::config)?).map_err(Failure::config)
}

/// Installs what the family and `registry` keep in the database.
pub(crate) fn installer(registry: &TypedExtensionRegistry) -> Result<SchemaInstaller, Failure> {
    let mut owners: Vec<SchemaOwner> =
        vec![systemprompt_audit::schema(), systemprompt_identity::schema()];
    owners.extend(registry.schema_owners());
    SchemaInstaller::new(&owners).map_err(Failure::config)
}
