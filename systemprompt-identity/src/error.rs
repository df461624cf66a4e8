use systemprompt_core::database::DatabaseError;
use systemprompt_core::id::{DepartmentId, Email, RoleId, TenantId, TokenId, UserId};

/// What can go wrong when identities are kept or set up. Never holds any part of a credential.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// There is a tenant of that id.
    #[error("there is a tenant `{0}` already")]
    DuplicateTenant(TenantId),
    /// There is no tenant of that id.
    #[error("there is no tenant `{0}`")]
    UnknownTenant(TenantId),
    /// There is a user of that id in the tenant.
    #[error("there is a user `{user}` in the tenant `{tenant}` already")]
    DuplicateUser {
        /// The tenant.
        tenant: TenantId,
        /// The user.
        user: UserId,
    },
    /// There is a user with that address in the tenant.
    #[error("there is a user with the address `{0}` already")]
    DuplicateEmail(Email),
    /// There is no user of that id in the tenant.
    #[error("there is no user `{user}` in the tenant `{tenant}`")]
    UnknownUser {
        /// The tenant.
        tenant: TenantId,
        /// The user.
        user: UserId,
    },
    /// There is no such role.
    #[error("there is no role `{0}`; create it first")]
    UnknownRole(RoleId),
    /// There is no such department in the tenant.
    #[error("there is no department `{department}` in the tenant `{tenant}`; create it first")]
    UnknownDepartment {
        /// The tenant.
        tenant: TenantId,
        /// The department.
        department: DepartmentId,
    },
    /// There is no key of that id.
    #[error("there is no key `{0}`")]
    UnknownKey(TokenId),
    /// The key was revoked before.
    #[error("the key `{0}` was revoked before")]
    AlreadyRevoked(TokenId),
    /// A name that is empty, longer than 255 bytes or holds control characters.
    #[error("a name holds 1 to 255 bytes and no control characters")]
    Name,
    /// An expiry that has passed.
    #[error("the expiry lies in the past")]
    ExpiryPassed,
    /// A row that cannot be read back.
    #[error("the table `{table}` holds a row that cannot be read")]
    Corrupt {
        /// The table.
        table: &'static str,
    },
    /// The random number generator of the system failed.
    #[error("the system gives no random numbers")]
    Random,
    /// The settings of an issuer cannot be used.
    #[error("issuer `{issuer}`: {detail}")]
    Issuer {
        /// The issuer.
        issuer: String,
        /// What is wrong.
        detail: String,
    },
    /// The signature library does not verify as it should.
    #[error("the self-check of the signature verification failed ({0})")]
    SelfCheck(&'static str),
    /// The process ends while the store is being read.
    #[error("reading the store was interrupted")]
    Interrupted,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl From<sqlx::Error> for IdentityError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}
