use std::sync::Arc;
use std::time::Duration;

use systemprompt_core::clock::{Clock, SystemClock};

use crate::Origin;
use crate::checkpoint::CheckpointOptions;
use crate::subject::SubjectKeys;

/// How an audit log is opened.
#[derive(Clone)]
pub struct AuditOptions {
    /// The name of the log. Unless said otherwise it is `server@<installation>`; of several replicas on
    /// one PostgreSQL each takes the first name that is free: `server-2@..`, `server-3@..`.
    pub origin: Option<Origin>,
    /// Most events that may wait for the writer. One more is refused at once.
    pub queue: usize,
    /// Most events in one transaction.
    pub max_batch: usize,
    /// How long the writer waits for another process's write lock.
    pub lock_timeout: Duration,
    /// How long an append may take before it fails. An event that its transaction does not hold by then is
    /// not written; of one that is written later, the permit is spent.
    pub append_timeout: Duration,
    /// How often expired permits are looked for; zero turns the sweep off.
    pub sweep_interval: Duration,
    /// How long the search index may be behind the log when nothing else slows it; zero turns it off.
    /// Without it searching is slower and finds the same.
    pub index_interval: Duration,
    /// How the log is signed; not at all without.
    pub checkpoints: Option<CheckpointOptions>,
    /// The keys that what events say about persons is encrypted with; in clear without.
    pub keys: Option<SubjectKeys>,
    /// Whether the Merkle tree is kept. Without it nothing can be proven; it is there to be measured.
    pub merkle: bool,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

impl Default for AuditOptions {
    fn default() -> Self {
        Self {
            origin: None,
            queue: 4096,
            max_batch: 256,
            lock_timeout: Duration::from_millis(500),
            append_timeout: Duration::from_secs(5),
            sweep_interval: Duration::from_secs(5),
            index_interval: Duration::from_millis(500),
            checkpoints: None,
            keys: None,
            merkle: true,
            clock: SystemClock::shared(),
        }
    }
}

impl std::fmt::Debug for AuditOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuditOptions")
            .field("origin", &self.origin)
            .field("queue", &self.queue)
            .field("max_batch", &self.max_batch)
            .field("checkpoints", &self.checkpoints)
            .finish_non_exhaustive()
    }
}
