//! Where the programs of PostgreSQL are.

use std::path::{Path, PathBuf};

/// The folder with `initdb` and `postgres`.
///
/// # Panics
/// When there is none, with what to install.
pub(crate) fn folder() -> PathBuf {
    let named = std::env::var_os("SYSTEMPROMPT_PG_BIN").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut packaged: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .collect();
    // The newest version first.
    packaged.sort();
    packaged.reverse();
    let folders = named.into_iter().chain(std::env::split_paths(&path)).chain(packaged);
    folders.into_iter().find(|folder| is_complete(folder)).unwrap_or_else(|| {
        panic!(
            "these tests need PostgreSQL 13 or newer: install it (Debian: `apt-get install \
             postgresql`), name the folder with `initdb` and `postgres` in SYSTEMPROMPT_PG_BIN, or a \
             running server in DATABASE_URL"
        )
    })
}

fn is_complete(folder: &Path) -> bool {
    ["initdb", "postgres"].iter().all(|program| folder.join(program).is_file())
}
