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
    /// The driver's own error.
    #[error("the database failed")]
    Driver(#[from] sqlx::Error),
}
