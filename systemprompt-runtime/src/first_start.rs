//! The first start of an installation: data folder, database, first users and keys, starter profile.
//!
//! There is no half-made installation: the database is made under another name and takes its own as
//! the very last step. Whatever a crash leaves behind, the next start finds no database, and begins
//! anew.

mod private_file;
mod seed;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use systemprompt_core::bootstrap::Config;
use systemprompt_core::clock::Clock;
use systemprompt_core::config::{DatabaseUrl, STARTER_PROFILE};
use systemprompt_core::database::{DatabaseOptions, DbPool};
use systemprompt_core::extension::TypedExtensionRegistry;

use crate::{StartError, installer};

use private_file::{failed, make_folder, sync_folder, write_private};

/// What a first start has made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstStart {
    /// The file with the administrator's key, the token alone.
    pub admin_key: PathBuf,
    /// The file with the plain user's key, the token alone.
    pub user_key: PathBuf,
}

/// The profile in the data folder `folder`. Both are made where they are missing: the folder for its
/// owner alone, the profile with the starter policy. A profile that is there is kept.
///
/// # Errors
/// [`StartError::File`] when they cannot be made.
pub fn starter_profile(folder: &Path) -> Result<PathBuf, StartError> {
    make_folder(folder)?;
    let path = folder.join("profile.yaml");
    if !path.exists() {
        write_private(&path, STARTER_PROFILE.as_bytes())?;
    }
    Ok(path)
}

/// Makes the database that `config` names, with a tenant, an administrator and a plain user, and writes
/// their keys into the data folder. `None` when there is a database already.
///
/// # Errors
/// [`StartError`] with what is in the way; the next start begins anew.
pub async fn first_start(
    config: &Config,
    extensions: &TypedExtensionRegistry,
    clock: Arc<dyn Clock>,
) -> Result<Option<FirstStart>, StartError> {
    let path = config.profile().database.url.path().to_owned();
    if path.exists() {
        return Ok(None);
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        make_folder(folder)?;
    }
    let lock_path = with_suffix(&path, ".first-start.lock");
    let lock = lock(lock_path.clone()).await?;
    // Whoever held the lock before may have made it.
    if path.exists() {
        return Ok(None);
    }
    let made = make(config, extensions, clock, &path).await?;
    // With the database in place nobody waits for the lock any more.
    let _ = fs::remove_file(lock_path);
    drop(lock);
    Ok(Some(made))
}

async fn make(
    config: &Config,
    extensions: &TypedExtensionRegistry,
    clock: Arc<dyn Clock>,
    path: &Path,
) -> Result<FirstStart, StartError> {
    let draft = with_suffix(path, ".first-start");
    for leftover in ["", "-wal", "-shm"].map(|suffix| with_suffix(&draft, suffix)) {
        if leftover.exists() {
            fs::remove_file(&leftover).map_err(failed(&leftover, "it cannot be removed"))?;
        }
    }
    // Made by us, it is for its owner alone; the database's other files take its mode.
    write_private(&draft, b"")?;
    let options = DatabaseOptions::new(DatabaseUrl::sqlite(&draft).to_string());
    let database = DbPool::open(&options).await?;
    let registry = extensions.clone().disable(&config.profile().extensions.disabled)?;
    let installed = installer(&registry)?.apply(&database, &*clock).await?;
    let seeded = seed::seed(&database, clock, &installed).await?;
    // Closing the last connection writes everything into the one file.
    database.close().await;

    let folder = config.data_folder();
    let made =
        FirstStart { admin_key: folder.join("admin.key"), user_key: folder.join("user.key") };
    write_private(&made.admin_key, seeded.admin.key.token.expose().as_bytes())?;
    write_private(&made.user_key, seeded.user.key.token.expose().as_bytes())?;

    let cannot = "it cannot be written";
    File::open(&draft).and_then(|file| file.sync_all()).map_err(failed(&draft, cannot))?;
    fs::rename(&draft, path).map_err(failed(path, cannot))?;
    sync_folder(path)?;
    Ok(made)
}

async fn lock(path: PathBuf) -> Result<File, StartError> {
    let taking = path.clone();
    let taken = tokio::task::spawn_blocking(move || {
        let file = File::options().create(true).truncate(false).write(true).open(taking)?;
        file.lock()?;
        Ok(file)
    });
    let taken = taken.await.unwrap_or_else(|error| Err(std::io::Error::other(error)));
    taken.map_err(failed(&path, "it cannot be locked"))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
