use std::path::PathBuf;

/// What can go wrong with the database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// A URL that is none of `sqlite://<path>`.
    #[error("`{url}` is not a database URL; expected `sqlite://<path>`")]
    Url {
        /// The URL, without its user info.
        url: String,
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

fn listed(files: &[PathBuf]) -> String {
    let names: Vec<_> = files.iter().map(|file| format!("`{}`", file.display())).collect();
    names.join(", ")
}
