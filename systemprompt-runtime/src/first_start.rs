//! The first start of an installation: data folder, database, first users and keys, starter profile.
//!
//! There is no half-made installation: a database file is made under another name and takes its own as
//! the very last step, and a server commits as the very last step. Whatever a crash leaves behind, the
//! next start finds no installation, and begins anew.

#![cfg_attr(
    not(any(feature = "sqlite", feature = "postgres")),
    allow(unused, reason = "without a backend nothing can be made")
)]

#[cfg(feature = "sqlite")]
mod file;
mod private_file;
mod seed;
#[cfg(feature = "postgres")]
mod server;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use systemprompt_core::bootstrap::Config;
use systemprompt_core::clock::{Clock, Timestamp};
use systemprompt_core::config::{DatabaseUrl, STARTER_PROFILE};
#[allow(unused_imports, reason = "with every backend nothing is unsupported")]
use systemprompt_core::database::DatabaseError;
use systemprompt_core::extension::TypedExtensionRegistry;
use systemprompt_identity::Seeded;

use crate::StartError;

use private_file::{failed, make_folder, write_private};

/// What a first start has made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstStart {
    /// The file with the administrator's key, the token alone.
    pub admin_key: PathBuf,
    /// The file with the plain user's key, the token alone.
    pub user_key: PathBuf,
    /// Key files and checkpoints of an earlier installation that were moved aside, under their new names.
    pub moved_aside: Vec<PathBuf>,
}

/// The profile in the data folder `folder`. Both are made where they are missing: the folder for its
/// owner alone, the profile with the starter policy. A profile that is there is kept; one that is gone
/// from an installation is not replaced, because it may have allowed less.
///
/// # Errors
/// [`StartError::NoProfile`] when there is a database and no profile, [`StartError::File`] when they
/// cannot be made.
pub fn starter_profile(folder: &Path) -> Result<PathBuf, StartError> {
    make_folder(folder)?;
    let path = folder.join("profile.yaml");
    if path.exists() {
        return Ok(path);
    }
    let database = DatabaseUrl::default().within(folder);
    if let Some(database) = database.path().filter(|database| database.exists()) {
        return Err(StartError::NoProfile { path, database: database.to_owned() });
    }
    write_private(&path, STARTER_PROFILE.as_bytes())?;
    Ok(path)
}

/// Makes the database that `config` names, or what belongs into it on a server, with a tenant, an
/// administrator and a plain user, and writes their keys into the data folder. `None` when there is a
/// database already. Key files without a database are moved aside, never overwritten.
///
/// # Errors
/// [`StartError`] with what is in the way, such as what another database has left at its path, or a
/// file there that is no database of ours; the next start begins anew.
pub async fn first_start(
    config: &Config,
    extensions: &TypedExtensionRegistry,
    clock: Arc<dyn Clock>,
) -> Result<Option<FirstStart>, StartError> {
    match config.profile().database.url.path() {
        #[cfg(feature = "sqlite")]
        Some(path) => file::first_start(config, extensions, clock, path).await,
        #[cfg(feature = "postgres")]
        None => server::first_start(config, extensions, clock).await,
        #[allow(unreachable_patterns, reason = "with every backend there is no other")]
        _ => Err(DatabaseError::unsupported(config.profile().database.url.backend()).into()),
    }
}

/// Writes the keys of the first identities into the data folder; what lies there is moved aside.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
fn write_keys(config: &Config, seeded: &Seeded, now: Timestamp) -> Result<FirstStart, StartError> {
    let folder = config.data_folder();
    let (admin_key, user_key) = (folder.join("admin.key"), folder.join("user.key"));
    let mut moved_aside = Vec::new();
    // Checkpoints of another database would make this one look as if it had lost its log.
    for path in [&admin_key, &user_key, &folder.join("checkpoints.log")] {
        moved_aside.extend(move_aside(path, now)?);
    }
    let made = FirstStart { admin_key, user_key, moved_aside };
    write_private(&made.admin_key, seeded.admin.key.token.expose().as_bytes())?;
    write_private(&made.user_key, seeded.user.key.token.expose().as_bytes())?;
    Ok(made)
}

/// Gives a file that is at `path` another name, and says so.
fn move_aside(path: &Path, now: Timestamp) -> Result<Option<PathBuf>, StartError> {
    if !path.exists() {
        return Ok(None);
    }
    let stamp = now.as_micros();
    let free = (stamp..).map(|stamp| with_suffix(path, &format!(".old-{stamp}")));
    let Some(aside) = free.into_iter().find(|aside| !aside.exists()) else { return Ok(None) };
    fs::rename(path, &aside).map_err(failed(path, "it cannot be moved aside"))?;
    let (from, to) = (path.display(), aside.display());
    tracing::warn!("`{from}` belongs to no database here; it was moved to `{to}`");
    Ok(Some(aside))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
