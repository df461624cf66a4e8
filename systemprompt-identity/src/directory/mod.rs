//! What authentication knows of the store, in memory: users, keys and revoked tokens.
//!
//! It is brought up to date by asking for the rows that changed since the generation it has seen, so
//! that no request waits for the database and a flood of bad credentials never reaches it.

mod live;
mod load;
mod record;

use std::collections::HashMap;
use std::sync::Arc;

pub(crate) use live::LiveDirectory;
pub(crate) use record::{KeyRecord, UserRecord};

use systemprompt_core::clock::Timestamp;
use systemprompt_core::id::{TenantId, UserId};

/// The rows that authentication needs.
#[derive(Default)]
struct Directory {
    users: HashMap<(TenantId, UserId), Arc<UserRecord>>,
    keys: HashMap<Box<str>, Arc<KeyRecord>>,
    revoked: HashMap<TokenName, Timestamp>,
}

/// A token: its issuer (empty for any) and its `jti`.
#[derive(PartialEq, Eq, Hash)]
struct TokenName {
    issuer: Box<str>,
    jti: Box<str>,
}

impl Directory {
    fn user(&self, tenant: &TenantId, user: &UserId) -> Option<Arc<UserRecord>> {
        self.users.get(&(tenant.clone(), user.clone())).cloned()
    }

    fn key(&self, id: &str) -> Option<Arc<KeyRecord>> {
        self.keys.get(id).cloned()
    }

    /// Whether a token was revoked, for its issuer or for all.
    fn is_revoked(&self, issuer: &str, jti: &str) -> bool {
        !self.revoked.is_empty()
            && ["", issuer].into_iter().any(|issuer| {
                let name = TokenName { issuer: issuer.into(), jti: jti.into() };
                self.revoked.contains_key(&name)
            })
    }

    /// Forgets revocations of tokens that expired more than a day before `now`.
    fn forget_expired(&mut self, now: Timestamp) {
        let before = now.before(std::time::Duration::from_secs(86_400));
        self.revoked.retain(|_, until| *until >= before);
    }
}
