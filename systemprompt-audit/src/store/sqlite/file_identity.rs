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

/// Asks for nothing but the inode. Since Linux 6.13 a file system gives the next write a time of its own when it was
/// asked for the time of the last one; then every commit would change the inode of the write-ahead log, and where
/// the file system has no journal, every sync would write that as well.
#[cfg(target_os = "linux")]
fn identity(path: &Path) -> io::Result<Identity> {
    use rustix::fs::{AtFlags, CWD, StatxFlags, makedev, statx};
    match statx(CWD, path, AtFlags::empty(), StatxFlags::INO) {
        Ok(found) => Ok((makedev(found.stx_dev_major, found.stx_dev_minor), found.stx_ino)),
        // A kernel older than 4.11, or a sandbox that does not know the call.
        Err(rustix::io::Errno::NOSYS) => identity_of_all(path),
        Err(error) => Err(error.into()),
    }
}

#[cfg(all(unix, not(target_os = "linux")))]
fn identity(path: &Path) -> io::Result<Identity> {
    identity_of_all(path)
}

#[cfg(unix)]
fn identity_of_all(path: &Path) -> io::Result<Identity> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = std::fs::metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(path: &Path) -> io::Result<Identity> {
    std::fs::metadata(path).map(|_| (0, 0))
}
