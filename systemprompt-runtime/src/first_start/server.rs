//! The first start on PostgreSQL: what belongs into a database that is there.

use std::sync::Arc;

use systemprompt_core::bootstrap::Config;
use systemprompt_core::clock::Clock;
use systemprompt_core::database::DbPool;
use systemprompt_core::extension::TypedExtensionRegistry;
use systemprompt_identity::{IdentityError, IdentityStore};

use super::seed::seed;
use super::{FirstStart, write_keys};
use crate::check_profile::enabled;
use crate::subject_keys;
use crate::{StartError, installer};

/// Installs the schemas and creates the first identities, unless there are any. Of several replicas
/// that start together one does.
pub(super) async fn first_start(
    config: &Config,
    extensions: &TypedExtensionRegistry,
    clock: Arc<dyn Clock>,
) -> Result<Option<FirstStart>, StartError> {
    let registry = enabled(config.loaded(), extensions.clone())?.registry;
    let database = DbPool::open(&config.database_options()).await?;
    let made = make(config, &database, &installer(&registry)?, clock).await;
    database.close().await;
    made
}

async fn make(
    config: &Config,
    database: &DbPool,
    installer: &systemprompt_core::database::SchemaInstaller,
    clock: Arc<dyn Clock>,
) -> Result<Option<FirstStart>, StartError> {
    let installed = installer.apply(database, &*clock).await?;
    let identities = IdentityStore::new(database.clone(), clock.clone());
    if !identities.tenants().await?.is_empty() {
        return Ok(None);
    }
    let now = clock.now();
    let keys = subject_keys(config)?;
    let mut change = database.begin_write().await?;
    // Replicas that start together wait for each other here.
    let seeded = match seed(&mut change, database, clock, &installed, keys.as_ref()).await {
        Err(StartError::Identity(IdentityError::DuplicateTenant(_))) => return Ok(None),
        seeded => seeded?,
    };
    // Before the commit: keys that nobody knows would be worse than files without an installation,
    // which the next start moves aside.
    let made = write_keys(config, &seeded, now)?;
    change.commit().await?;
    Ok(Some(made))
}
