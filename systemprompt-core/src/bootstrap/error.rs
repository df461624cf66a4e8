use std::path::PathBuf;

use crate::config::ConfigError;

/// An installation cannot be brought up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BootstrapError {
    /// The profile cannot be used, or a secret it refers to is not there.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data folder cannot be made.
    #[error("the data folder `{}` cannot be made", folder.display())]
    DataFolder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The folder that the profile names for the database is not there.
    #[error("the folder `{}` of the database does not exist", folder.display())]
    NoFolder {
        /// The folder.
        folder: PathBuf,
    },
    /// The key in the data folder cannot be made or read.
    #[error("the key file `{}` cannot be made", path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The key that signs the audit log is gone, and the log has been signed with it.
    #[error(
        "the key file `{}` is gone, and the audit log in `{}` was signed with it; put it back from a \
         backup. If it is lost for good, give `{}` another name, under which auditors go on to need it, and \
         name another `audit.origin` in the profile: a log with a new key begins there",
        path.display(),
        database,
        public.display()
    )]
    LostKey {
        /// The file of the key.
        path: PathBuf,
        /// The public key that goes with it.
        public: PathBuf,
        /// The database of the log: the path of its file, or its URL without the password.
        database: String,
    },
    /// The key in the data folder is there, but cannot be used.
    #[error("the key file `{}` cannot be used: {problem}", path.display())]
    UnusableKey {
        /// The file.
        path: PathBuf,
        /// Why, without the key.
        problem: String,
    },
}
