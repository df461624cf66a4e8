use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, Ordering};

use systemprompt_core::clock::Timestamp;
use systemprompt_core::id::{Audience, DepartmentId, RoleId, Scope, TenantId, TokenId, UserId};

const MINUTE_MICROS: i64 = 60_000_000;

/// A user.
pub(crate) struct UserRecord {
    pub(crate) roles: BTreeSet<RoleId>,
    pub(crate) department: Option<DepartmentId>,
    pub(crate) disabled: bool,
}

/// An API key.
pub(crate) struct KeyRecord {
    pub(crate) id: TokenId,
    pub(crate) tenant: TenantId,
    pub(crate) user: UserId,
    pub(crate) secret_sha256: [u8; 32],
    pub(crate) scopes: BTreeSet<Scope>,
    pub(crate) audiences: Option<BTreeSet<Audience>>,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) revoked: bool,
    pub(crate) used: LastUse,
}

/// When a key was last noted as used, in microseconds since the epoch.
pub(crate) struct LastUse(AtomicI64);

impl LastUse {
    pub(crate) fn new(micros: Option<i64>) -> Self {
        Self(AtomicI64::new(micros.unwrap_or(i64::MIN)))
    }

    /// Notes a use; true once a minute at most, when it is worth writing down.
    pub(crate) fn note(&self, now: Timestamp) -> bool {
        let last = self.0.load(Ordering::Relaxed);
        now.as_micros().saturating_sub(last) >= MINUTE_MICROS
            && self
                .0
                .compare_exchange(last, now.as_micros(), Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    /// Keeps the later one of this use and `other`.
    pub(super) fn keep(&self, other: &Self) {
        self.0.fetch_max(other.0.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}
