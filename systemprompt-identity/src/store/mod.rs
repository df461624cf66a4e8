//! Where identities are kept: tenants, users, roles, departments, API keys, revoked tokens.
//!
//! Every change takes the caller's connection, so that it can share one `BEGIN IMMEDIATE` transaction
//! with the audit event that reports it, and counts the generation up that other processes watch.

mod generation;
mod key;
mod read;
mod revocation;
mod row;
mod seed;
mod tenant;
mod user;

use std::sync::Arc;

pub use key::{IssuedKey, KeyInfo, NewKey};
pub use revocation::TokenRevocation;
pub use seed::{SeedUser, Seeded};
pub use tenant::TenantInfo;
pub use user::{NewUser, UserInfo};

pub(crate) use row::{json, json_set, timestamp};

use systemprompt_core::clock::Clock;
use systemprompt_core::database::DbPool;

use crate::error::IdentityError;

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
