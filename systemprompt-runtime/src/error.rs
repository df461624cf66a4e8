use systemprompt_audit::export::ExportError;
use systemprompt_audit::{OpenError, OriginError};
use systemprompt_core::bootstrap::BootstrapError;
use systemprompt_core::config::ConfigError;
use systemprompt_core::contract::AuditError;
use systemprompt_core::database::{DatabaseError, SchemaError};
use systemprompt_core::encryption::KeyEncryptionError;
use systemprompt_core::extension::ExtensionError;
use systemprompt_custody::CustodyError;
use systemprompt_governance::BuildError;
use systemprompt_governance::secret::ScannerError;
use systemprompt_identity::IdentityError;

/// Why an application does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The profile, or the policy in it, cannot be used; names file, line and column.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The installation cannot be brought up.
    #[error(transparent)]
    Bootstrap(#[from] BootstrapError),
    /// The extensions do not go together.
    #[error(transparent)]
    Extension(#[from] ExtensionError),
    /// The database cannot be opened.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The schemas cannot be installed.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// The audit log cannot be opened.
    #[error(transparent)]
    AuditLog(#[from] OpenError),
    /// The configured name of the audit log is none.
    #[error("`audit.origin`: {0}")]
    Origin(#[from] OriginError),
    /// A sink of the audit log cannot be started.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The audit log cannot be signed as the profile says.
    #[error("the audit log cannot be signed: {0}")]
    Signing(String),
    /// The start could not be recorded.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The secrets in custody cannot be read.
    #[error(transparent)]
    Custody(#[from] CustodyError),
    /// The key that encrypts the secrets in custody is not theirs.
    #[error(
        "the secrets in the database were encrypted by another key than `custody.key` of the profile, or \
         `custody.key` in the data folder; put that key back: {0}"
    )]
    CustodyKey(KeyEncryptionError),
    /// Identities cannot be read.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The secret scanner cannot be built.
    #[error(transparent)]
    Scanner(#[from] ScannerError),
    /// The governor cannot be built.
    #[error(transparent)]
    Governor(#[from] BuildError),
    /// The profile of an installation is gone.
    #[error(
        "there is no profile at `{}` although the database `{}` is there; put the profile back, or move \
         the database away for a new installation",
        path.display(),
        database.display()
    )]
    NoProfile {
        /// Where the profile was.
        path: std::path::PathBuf,
        /// The database of the installation.
        database: std::path::PathBuf,
    },
    /// There is a file where the database would be, and it is not to be touched.
    #[error(
        "`{}` is not a database of systemprompt: {problem}; restore it from a backup, or move it away \
         for a new installation",
        path.display()
    )]
    NotOurs {
        /// The file.
        path: std::path::PathBuf,
        /// Why it is none.
        problem: &'static str,
    },
    /// A file of the installation cannot be made or read.
    #[error("`{}`: {doing}", path.display())]
    File {
        /// The file.
        path: std::path::PathBuf,
        /// What was tried.
        doing: &'static str,
        /// Why it did not work.
        #[source]
        source: std::io::Error,
    },
}
