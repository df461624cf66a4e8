//! The file of a database, before the database opens it.

use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;

use crate::database::DatabaseError;

/// What the database keeps beside its file while it is open, and after it was killed.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Makes sure that nothing of another database lies where one is to be made at `path`: its log would be
/// replayed into the new one. With a database in place there is nothing to refuse.
///
/// # Errors
/// [`DatabaseError::Leftover`] naming what is there.
pub fn refuse_leftovers(path: &Path) -> Result<(), DatabaseError> {
    // Looked for before the database itself: one that is made meanwhile has its own.
    let files: Vec<PathBuf> =
        BESIDE.iter().map(|suffix| beside(path, suffix)).filter(|file| file.exists()).collect();
    if files.is_empty() || path.exists() {
        return Ok(());
    }
    Err(DatabaseError::Leftover { path: path.to_owned(), files })
}

/// Whether the database at `path` is one of ours: whether anything was ever installed in it. An empty
/// file is not.
///
/// # Errors
/// [`DatabaseError`] when it cannot be read.
pub async fn is_installed(path: &Path) -> Result<bool, DatabaseError> {
    let connect = SqliteConnectOptions::new().filename(path).create_if_missing(false);
    let mut connection = connect.connect().await?;
    let found: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM sqlite_master
                        WHERE type = 'table' AND name = 'systemprompt_schema')",
    )
    .fetch_one(&mut connection)
    .await?;
    sqlx::Connection::close(connection).await?;
    Ok(found)
}

/// Makes an empty file for its owner alone, in a folder that exists. One that is there is left as it
/// is. The database gives its other files the same mode.
pub(super) fn create_if_missing(path: &Path) -> Result<(), DatabaseError> {
    refuse_leftovers(path)?;
    if path.exists() {
        return Ok(());
    }
    if let Some(folder) = path.parent().filter(|folder| *folder.as_os_str() != *OsStr::new(""))
        && !folder.is_dir()
    {
        return Err(DatabaseError::NoFolder { folder: folder.to_owned() });
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        // Another process was faster.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(source) => Err(DatabaseError::Create { path: path.to_owned(), source }),
        Ok(_) => Ok(()),
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::database::{DatabaseOptions, DbPool};

    fn options(path: &Path) -> DatabaseOptions {
        DatabaseOptions::new(format!("sqlite://{}", path.display())).create(true)
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_new_database_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new.db");
        let database = DbPool::open(&options(&path)).await.unwrap();
        sqlx::raw_sql("CREATE TABLE t (a)").execute(database.sqlite().unwrap()).await.unwrap();
        for file in [path.clone(), beside(&path, "-wal"), beside(&path, "-shm")] {
            let mode = fs::metadata(&file).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{}", file.display());
        }
        database.close().await;
    }

    #[tokio::test]
    async fn nothing_is_made_beside_what_another_database_left() {
        for suffix in BESIDE {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("new.db");
            fs::write(beside(&path, suffix), "old").unwrap();
            let error = DbPool::open(&options(&path)).await.unwrap_err();
            assert!(matches!(&error, DatabaseError::Leftover { .. }), "{error}");
            assert!(error.to_string().contains(&format!("new.db{suffix}`")), "{error}");
            assert!(!path.exists());
            assert_eq!(fs::read(beside(&path, suffix)).unwrap(), b"old");
        }
    }

    #[tokio::test]
    async fn a_missing_folder_is_not_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("typo/new.db");
        let error = DbPool::open(&options(&path)).await.unwrap_err();
        assert!(matches!(&error, DatabaseError::NoFolder { .. }), "{error}");
        assert!(!folder.path().join("typo").exists());
    }

    #[tokio::test]
    async fn only_what_was_installed_is_ours() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("some.db");
        let database = DbPool::open(&options(&path)).await.unwrap();
        assert!(!is_installed(&path).await.unwrap());
        sqlx::raw_sql("CREATE TABLE t (a)").execute(database.sqlite().unwrap()).await.unwrap();
        assert!(!is_installed(&path).await.unwrap());
        sqlx::raw_sql("CREATE TABLE systemprompt_schema (a)")
            .execute(database.sqlite().unwrap())
            .await
            .unwrap();
        assert!(is_installed(&path).await.unwrap());
    }
}
