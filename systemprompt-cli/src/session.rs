//! What a command works on: the configuration, the database, and the log the command line writes.

use std::path::Path;
use std::sync::Arc;

use systemprompt_audit::AuditReader;
use systemprompt_audit::subject::SubjectKeys;
use systemprompt_core::bootstrap::{
    Config, CredentialsBootstrap, ProfileBootstrap, SecretsBootstrap,
};
use systemprompt_core::clock::{Clock, SystemClock};
use systemprompt_core::config::Environment;
use systemprompt_core::database::{DatabaseError, DbPool, SchemaInstaller};
use systemprompt_core::event::{AuditEvent, EventKind};
use systemprompt_core::extension::TypedExtensionRegistry;
use systemprompt_identity::IdentityStore;

use crate::failure::{Failure, FailureKind};

/// A configuration and an open database.
pub(crate) struct Session {
    pub(crate) config: Config,
    pub(crate) database: DbPool,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) registry: TypedExtensionRegistry,
}

impl Session {
    /// Opens the database that the profile names; its schema must be installed.
    pub(crate) async fn open(
        profile: &Path,
        linked: TypedExtensionRegistry,
    ) -> Result<Self, Failure> {
        let session = Self::connect(profile, linked, false).await?;
        // What was installed with another text is said first: nothing can be installed on top of it.
        let pending = session.installer()?.plan(&session.database).await;
        if !pending.map_err(Failure::database)?.is_empty() {
            return Err(Failure::new(
                FailureKind::Database,
                "the database lacks schemas; run `systemprompt db migrate` first",
            ));
        }
        Ok(session)
    }

    /// Opens the database whatever is in it; makes an empty one when `create` says so.
    pub(crate) async fn connect(
        profile: &Path,
        linked: TypedExtensionRegistry,
        create: bool,
    ) -> Result<Self, Failure> {
        let config = match create {
            true => config(profile)?,
            false => config_of_database(profile)?,
        };
        let registry = enabled(&config, linked)?;
        let mut options = config.database_options().create(create);
        options.max_connections = 2;
        options.busy_timeout = std::time::Duration::from_secs(5);
        let database = DbPool::open(&options).await.map_err(Failure::database)?;
        Ok(Self { config, database, clock: SystemClock::shared(), registry })
    }

    /// Installs what the family and the extensions keep in the database.
    pub(crate) fn installer(&self) -> Result<SchemaInstaller, Failure> {
        systemprompt_runtime::installer(&self.registry).map_err(Failure::config)
    }

    /// The keys that the audit log encrypts persons with.
    pub(crate) fn subject_keys(&self) -> Result<Option<SubjectKeys>, Failure> {
        systemprompt_runtime::subject_keys(&self.config).map_err(Failure::config)
    }

    /// The keys, with that ready which an event with these details is encrypted with.
    pub(crate) async fn ready_keys(
        &self,
        kind: EventKind,
        about: &serde_json::Value,
    ) -> Result<Option<SubjectKeys>, Failure> {
        let keys = self.subject_keys()?;
        if let Some(keys) = &keys {
            let event = AuditEvent::system(self.clock.now(), kind, about.clone());
            keys.prepare(&self.database, &[event]).await.map_err(Failure::database)?;
        }
        Ok(keys)
    }

    /// Reads the audit log, decrypted where the profile has the key.
    pub(crate) fn reader(&self) -> Result<AuditReader, Failure> {
        Ok(AuditReader::new(self.database.clone()).with_keys(self.subject_keys()?))
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

/// The configuration in `profile`, whose database is there: without one, nothing is made beside it.
fn config_of_database(profile: &Path) -> Result<Config, Failure> {
    let stage = ProfileBootstrap::load(profile, Environment::from_process());
    let stage = stage.map_err(Failure::config)?;
    if let Some(path) = stage.profile().database.url.path().filter(|path| !path.exists()) {
        return Err(Failure::database(DatabaseError::Missing { path: path.to_owned() }));
    }
    config(profile)
}

/// The extensions of `linked` that the configuration leaves on.
pub(crate) fn enabled(
    config: &Config,
    linked: TypedExtensionRegistry,
) -> Result<TypedExtensionRegistry, Failure> {
    linked.disable(&config.profile().extensions.disabled).map_err(Failure::config)
}
