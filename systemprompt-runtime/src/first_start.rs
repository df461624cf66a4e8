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
use systemprompt_core::clock::{Clock, Timestamp};
use systemprompt_core::config::{DatabaseUrl, STARTER_PROFILE};
use systemprompt_core::database::{DatabaseOptions, DbPool, is_installed, refuse_leftovers};
use systemprompt_core::extension::TypedExtensionRegistry;

use crate::check_profile::enabled;
use crate::{StartError, installer};

use private_file::{failed, make_folder, sync_folder, write_private};

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
    if database.path().exists() {
        return Err(StartError::NoProfile { path, database: database.path().to_owned() });
    }
    write_private(&path, STARTER_PROFILE.as_bytes())?;
    Ok(path)
}

/// Makes the database that `config` names, with a tenant, an administrator and a plain user, and writes
/// their keys into the data folder. `None` when there is a database already. Key files without a
/// database are moved aside, never overwritten.
///
/// # Errors
/// [`StartError`] with what is in the way, such as what another database has left at its path, or a
/// file there that is no database of ours; the next start begins anew.
pub async fn first_start(
    config: &Config,
    extensions: &TypedExtensionRegistry,
    clock: Arc<dyn Clock>,
) -> Result<Option<FirstStart>, StartError> {
    let path = config.profile().database.url.path().to_owned();
    if is_there(&path).await? {
        return Ok(None);
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        make_folder(folder)?;
    }
    let lock_path = with_suffix(&path, ".first-start.lock");
    let lock = lock(lock_path.clone()).await?;
    // Whoever held the lock before may have made it.
    if is_there(&path).await? {
        return Ok(None);
    }
    let made = make(config, extensions, clock, &path).await?;
    // With the database in place nobody waits for the lock any more.
    let _ = fs::remove_file(lock_path);
    drop(lock);
    Ok(Some(made))
}

/// Whether there is a database of ours at `path`. Nothing is made in the place of anything else.
async fn is_there(path: &Path) -> Result<bool, StartError> {
    refuse_leftovers(path)?;
    let Ok(file) = fs::metadata(path) else { return Ok(false) };
    let problem = match file.len() {
        0 => "the file is empty",
        _ if is_installed(path).await? => return Ok(true),
        _ => "nothing of ours is installed in it",
    };
    Err(StartError::NotOurs { path: path.to_owned(), problem })
}

async fn make(
    config: &Config,
    extensions: &TypedExtensionRegistry,
    clock: Arc<dyn Clock>,
    path: &Path,
) -> Result<FirstStart, StartError> {
    let registry = enabled(config.loaded(), extensions.clone())?.registry;
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
    let installed = installer(&registry)?.apply(&database, &*clock).await?;
    let now = clock.now();
    let seeded = seed::seed(&database, clock, &installed).await?;
    // Closing the last connection writes everything into the one file.
    database.close().await;

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

    let cannot = "it cannot be written";
    File::open(&draft).and_then(|file| file.sync_all()).map_err(failed(&draft, cannot))?;
    fs::rename(&draft, path).map_err(failed(path, cannot))?;
    sync_folder(path)?;
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
