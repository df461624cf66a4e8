//! The first start on SQLite: a database file.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use systemprompt_core::bootstrap::Config;
use systemprompt_core::clock::Clock;
use systemprompt_core::config::DatabaseUrl;
use systemprompt_core::database::{DatabaseOptions, DbPool, is_installed, refuse_leftovers};
use systemprompt_core::extension::TypedExtensionRegistry;

use super::private_file::{failed, make_folder, sync_folder, write_private};
use super::seed::seed;
use super::{FirstStart, with_suffix, write_keys};
use crate::check_profile::enabled;
use crate::subject_keys;
use crate::{StartError, installer};

/// Makes the database at `path`, unless there is one.
pub(super) async fn first_start(
    config: &Config,
    extensions: &TypedExtensionRegistry,
    clock: Arc<dyn Clock>,
    path: &Path,
) -> Result<Option<FirstStart>, StartError> {
    if is_there(path).await? {
        return Ok(None);
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        make_folder(folder)?;
    }
    let lock_path = with_suffix(path, ".first-start.lock");
    let lock = lock(lock_path.clone()).await?;
    // Whoever held the lock before may have made it.
    if is_there(path).await? {
        return Ok(None);
    }
    let made = make(config, extensions, clock, path).await?;
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
    let keys = subject_keys(config)?;
    let mut change = database.begin_write().await?;
    let seeded = seed(&mut change, &database, clock, &installed, keys.as_ref()).await?;
    change.commit().await?;
    // Closing the last connection writes everything into the one file.
    database.close().await;

    let made = write_keys(config, &seeded, now)?;

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
