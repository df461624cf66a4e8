//! Where identities are kept: tenants, users, roles, departments, API keys, revoked tokens.
//!
//! Every change takes the caller's transaction, so that it is shared with the audit event that reports
//! it, and counts the generation up that other processes watch. The queries stand in `sqlite` and
//! `postgres`, under the same names.

mod key;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
mod read;
mod revocation;
mod row;
mod seed;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;
mod tenant;
mod user;

use std::sync::Arc;

pub use key::{IssuedKey, KeyInfo, NewKey};
pub use revocation::TokenRevocation;
pub use seed::{SeedUser, Seeded};
pub use tenant::TenantInfo;
pub use user::{NewUser, UserInfo};

pub(crate) use row::{KeyRow, RevokedRow, UserRow, json, json_set, timestamp};

use systemprompt_core::clock::Clock;
use systemprompt_core::database::DbPool;

use crate::error::IdentityError;

/// Runs a query of the backend to which `$driver`, a
/// [`ConnectionMut`](systemprompt_core::database::ConnectionMut), is connected.
macro_rules! on {
    ($driver:expr, $function:ident($($argument:expr),*)) => {
        match $driver {
            #[cfg(feature = "sqlite")]
            systemprompt_core::database::ConnectionMut::Sqlite(connection) => {
                crate::store::sqlite::$function(connection $(, $argument)*).await?
            }
            #[cfg(feature = "postgres")]
            systemprompt_core::database::ConnectionMut::Postgres(connection) => {
                crate::store::postgres::$function(connection $(, $argument)*).await?
            }
            other => return Err(other.unsupported().into()),
        }
    };
}
pub(crate) use on;

/// The identities of a host. Cloning is a reference count.
#[derive(Clone)]
pub struct IdentityStore {
    db: DbPool,
    clock: Arc<dyn Clock>,
}

impl IdentityStore {
    /// The store in `db`, whose schema (see [`crate::schema`]) is installed.
    #[must_use]
    pub fn new(db: DbPool, clock: Arc<dyn Clock>) -> Self {
        Self { db, clock }
    }

    /// The database.
    #[must_use]
    pub fn db(&self) -> &DbPool {
        &self.db
    }

    /// Where the store's time comes from.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    fn now_micros(&self) -> i64 {
        self.clock.now().as_micros()
    }
}

impl std::fmt::Debug for IdentityStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IdentityStore").field("db", &self.db).finish_non_exhaustive()
    }
}

/// Checks a name that a person gave.
fn check_name(name: &str) -> Result<(), IdentityError> {
    let fine = (1..=255).contains(&name.len()) && !name.chars().any(char::is_control);
    fine.then_some(()).ok_or(IdentityError::Name)
}
