use std::fmt;
use std::sync::Arc;

use systemprompt_core::clock::{Clock, Timestamp};
use systemprompt_core::contract::{AuditSink, ChangeSink};
use systemprompt_core::database::DbPool;
use systemprompt_core::encryption::KeyEncryption;
use systemprompt_core::secret::Redact;

use crate::last_use::LastUses;

/// The secrets of a host. Cloning is a reference count.
///
/// It hands values out as the [`SecretStore`](systemprompt_core::contract::SecretStore) of the servers, each
/// for a use that was granted and after the use was recorded. People change what is in it: every change is in
/// one transaction with the event that reports it.
#[derive(Clone)]
pub struct Custody(Arc<Inner>);

struct Inner {
    parts: CustodyParts,
    last_uses: LastUses,
}

/// What a [`Custody`] works with.
#[derive(Clone)]
pub struct CustodyParts {
    /// The database, in which the schema (see [`schema`](crate::schema())) is installed.
    pub database: DbPool,
    /// Who encrypts the data keys.
    pub encryption: Arc<dyn KeyEncryption>,
    /// Where it is recorded that a secret was handed out, or not.
    pub uses: Arc<dyn AuditSink>,
    /// Where changes are recorded.
    pub changes: Arc<dyn ChangeSink>,
    /// What keeps secrets out of what is recorded of a call.
    pub redact: Arc<dyn Redact>,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
}

impl Custody {
    /// The secrets in a database.
    #[must_use]
    pub fn new(parts: CustodyParts) -> Self {
        Self(Arc::new(Inner { parts, last_uses: LastUses::default() }))
    }

    /// What it works with.
    pub(crate) fn parts(&self) -> &CustodyParts {
        &self.0.parts
    }

    /// Which uses were noted.
    pub(crate) fn last_uses(&self) -> &LastUses {
        &self.0.last_uses
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.parts.clock.now()
    }
}

impl fmt::Debug for Custody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Custody").field("database", &self.0.parts.database).finish_non_exhaustive()
    }
}

impl fmt::Debug for CustodyParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CustodyParts").field("database", &self.database).finish_non_exhaustive()
    }
}
