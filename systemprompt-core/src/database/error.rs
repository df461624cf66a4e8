use std::path::PathBuf;

use super::Backend;

/// What can go wrong with the database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// A URL of neither backend.
    #[error(
        "`{url}` is not a database URL; expected `sqlite://<path>` or \
         `postgres://<user>@<host>/<database>`"
    )]
    Url {
        /// The URL, without its user info and parameters.
        url: String,
    },
    /// A URL that begins with `postgres://` and goes on wrongly. It may hold a password, so it is not
    /// repeated.
    #[error("the database URL is not `postgres://<user>@<host>:<port>/<database>?<parameters>`")]
    PostgresUrl,
    /// The program was built without the backend.
    #[error("this program was built without the feature `{}`", backend.as_str())]
    Unsupported {
        /// The backend.
        backend: Backend,
    },
    /// A database that cannot hold every text.
    #[error("the encoding of the database is {encoding}; it must be UTF8")]
    Encoding {
        /// The encoding.
        encoding: String,
    },
    /// The file does not exist and may not be created.
    #[error("there is no database at `{}`", path.display())]
    Missing {
        /// The path.
        path: PathBuf,
    },
    /// The folder of the file does not exist; it is never made here.
    #[error("the folder `{}` of the database does not exist", folder.display())]
    NoFolder {
        /// The folder.
        folder: PathBuf,
    },
    /// Files of another database lie where a new one would be made, and would be taken for its own.
    #[error(
        "there is no database at `{}`, but {} of one is left; put the database back, or move what is \
         left away",
        path.display(),
        listed(files)
    )]
    Leftover {
        /// The path of the database.
        path: PathBuf,
        /// What is left.
        files: Vec<PathBuf>,
    },
    /// The file cannot be made.
    #[error("the database `{}` cannot be made", path.display())]
    Create {
        /// The path.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The driver's own error.
    #[error("the database failed")]
    Driver(#[from] sqlx::Error),
}

impl DatabaseError {
    /// The error of code that has no queries for `backend`.
    #[must_use]
    pub fn unsupported(backend: Backend) -> Self {
        Self::Unsupported { backend }
    }
}

fn listed(files: &[PathBuf]) -> String {
    let names: Vec<_> = files.iter().map(|file| format!("`{}`", file.display())).collect();
    names.join(", ")
}
