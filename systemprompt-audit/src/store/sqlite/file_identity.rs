//! Whether the files at the database's path are still those that were opened.

use std::io;
use std::path::{Path, PathBuf};

use crate::StoreError;

/// The database file and its write-ahead log, by device and inode.
///
/// SQLite keeps its files open, so it would go on writing into a file that was moved away or deleted,
/// and nobody would ever find those rows. Where the platform has no inodes, an open file cannot be
/// moved either.
#[derive(Debug, Clone)]
pub(crate) struct FileIdentity {
    database: (PathBuf, Identity),
    wal: (PathBuf, Identity),
}

type Identity = (u64, u64);

impl FileIdentity {
    /// Remembers the files of `database`, which is open and has been written to.
    pub(crate) fn of(database: &Path) -> io::Result<Self> {
        let mut wal = database.as_os_str().to_owned();
        wal.push("-wal");
        let remember = |path: PathBuf| identity(&path).map(|identity| (path, identity));
        Ok(Self { database: remember(database.to_owned())?, wal: remember(wal.into())? })
    }

    /// Compares.
    pub(crate) fn verify(&self) -> Result<(), StoreError> {
        for (path, opened) in [&self.database, &self.wal] {
            if identity(path).ok().as_ref() != Some(opened) {
                return Err(StoreError::Moved);
            }
        }
        Ok(())
    }
}

#[cfg(unix)]
fn identity(path: &Path) -> io::Result<Identity> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = std::fs::metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(path: &Path) -> io::Result<Identity> {
    std::fs::metadata(path).map(|_| (0, 0))
}
