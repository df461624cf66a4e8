use std::fmt;
use std::sync::Arc;

use systemprompt_core::bootstrap::Config;
use systemprompt_core::clock::Clock;
use systemprompt_core::database::{DbPool, SchemaInstaller, SchemaOwner, SchemaStep};
use systemprompt_core::extension::{ExtensionSettings, TypedExtensionRegistry};
use systemprompt_identity::IdentityStore;

use crate::StartError;
use crate::check_profile::enabled;
use crate::enabled::Enabled;

/// The last stage of bootstrap: a configuration, the extensions that go with it, and an open database
/// that holds everything they keep in it. The application is assembled from it.
pub struct AppContext {
    pub(super) config: Arc<Config>,
    pub(super) registry: TypedExtensionRegistry,
    pub(super) settings: ExtensionSettings,
    pub(super) database: DbPool,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) installed: Vec<SchemaStep>,
}

impl AppContext {
    /// Leaves out the extensions the profile disables, reads the settings of the others, opens the
    /// database (making it when it is missing) and installs what is not installed yet.
    ///
    /// # Errors
    /// [`StartError`] when the extensions do not go with the profile, a key set it names is not there,
    /// or the database cannot be used.
    pub async fn open(
        config: Config,
        extensions: TypedExtensionRegistry,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StartError> {
        let profile = config.profile();
        let Enabled { registry, settings } = enabled(config.loaded(), extensions)?;
        if let Some(path) = profile.database.url.path().filter(|path| !path.exists()) {
            let path = path.display();
            tracing::warn!("there is no database at `{path}`; a new one without users is made");
        }
        let database = DbPool::open(&config.database_options().create(true)).await?;
        let installed = installer(&registry)?.apply(&database, &*clock).await?;
        Ok(Self { config: Arc::new(config), registry, settings, database, clock, installed })
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The extensions.
    #[must_use]
    pub fn extensions(&self) -> &TypedExtensionRegistry {
        &self.registry
    }

    /// The database.
    #[must_use]
    pub fn database(&self) -> &DbPool {
        &self.database
    }

    /// What time it is.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Who may come in.
    #[must_use]
    pub fn identities(&self) -> IdentityStore {
        IdentityStore::new(self.database.clone(), self.clock.clone())
    }
}

impl fmt::Debug for AppContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppContext")
            .field("config", &self.config)
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}

/// Installs what the family and `registry` keep in the database.
///
/// # Errors
/// [`StartError`] when the schemas do not go together.
pub fn installer(registry: &TypedExtensionRegistry) -> Result<SchemaInstaller, StartError> {
    let mut owners: Vec<SchemaOwner> = vec![
        systemprompt_audit::schema(),
        systemprompt_identity::schema(),
        systemprompt_custody::schema(),
        systemprompt_providers::schema(),
    ];
    owners.extend(registry.schema_owners());
    Ok(SchemaInstaller::new(&owners)?)
}
