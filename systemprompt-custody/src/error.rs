use systemprompt_core::contract::AuditError;
use systemprompt_core::database::DatabaseError;
use systemprompt_core::encryption::KeyEncryptionError;
use systemprompt_core::id::{SecretName, TenantId};

use crate::place::PlaceError;
use crate::value::ValueError;

/// Why something was not done with what is in custody. Never holds any part of a value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CustodyError {
    /// There is no secret of that name.
    #[error("there is no secret `{name}` of the tenant `{tenant}`")]
    Unknown {
        /// The tenant.
        tenant: TenantId,
        /// The secret.
        name: SecretName,
    },
    /// There is a secret of that name.
    #[error("there is a secret `{name}` already; a new value is a rotation")]
    Exists {
        /// The secret.
        name: SecretName,
    },
    /// The secret was revoked before.
    #[error("the secret `{name}` was revoked")]
    Revoked {
        /// The secret.
        name: SecretName,
    },
    /// There is no such version, or it was retired before.
    #[error("there is no version {version} of the secret `{name}` to be had")]
    UnknownVersion {
        /// The secret.
        name: SecretName,
        /// The version.
        version: u32,
    },
    /// The last version that is left.
    #[error("version {version} is the last one of the secret `{name}`; revoke the secret instead")]
    LastVersion {
        /// The secret.
        name: SecretName,
        /// The version.
        version: u32,
    },
    /// The secret is granted there already.
    #[error("the secret `{name}` is granted there already")]
    AlreadyGranted {
        /// The secret.
        name: SecretName,
    },
    /// The secret is not granted there.
    #[error("the secret `{name}` is not granted there")]
    NotGranted {
        /// The secret.
        name: SecretName,
    },
    /// Somebody else gave the secret new versions all the while.
    #[error("the secret `{name}` keeps changing; try again")]
    Changing {
        /// The secret.
        name: SecretName,
    },
    /// The value cannot be kept, or not be put where it is granted to.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// There is no such place.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// A description that is longer than 1,000 bytes or holds control characters.
    #[error("a description holds at most 1000 bytes and no control characters")]
    Description,
    /// A name of whoever does it that is empty, too long or holds control characters.
    #[error("who does it is named with 1 to 255 bytes and no control characters")]
    Actor,
    /// The key encryption key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyEncryptionError),
    /// What was encrypted is not what is stored: it was changed, or belongs to another secret.
    #[error("version {version} of the secret `{name}` was changed in the database, or moved there")]
    Damaged {
        /// The secret.
        name: SecretName,
        /// The version.
        version: u32,
    },
    /// Encryption failed; it does so for want of memory alone.
    #[error("the value cannot be encrypted")]
    Encryption,
    /// A row that cannot be read back.
    #[error("the table `{table}` holds a row that cannot be read")]
    Corrupt {
        /// The table.
        table: &'static str,
    },
    /// The change could not be recorded, and was not made.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl From<sqlx::Error> for CustodyError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}
