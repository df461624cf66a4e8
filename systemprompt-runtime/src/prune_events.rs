use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use systemprompt_audit::AuditLog;
use systemprompt_audit::retention::{Retention, prune};
use systemprompt_core::clock::Clock;
use systemprompt_core::contract::{Job, JobError, Schedule};
use systemprompt_core::database::DbPool;

/// How often events are looked for that have been kept long enough.
const EVERY: Duration = Duration::from_secs(60);

/// Removes events that have been kept long enough.
pub(crate) struct PruneEvents {
    pub(crate) database: DbPool,
    pub(crate) log: AuditLog,
    pub(crate) retention: Retention,
    pub(crate) clock: Arc<dyn Clock>,
}

#[async_trait]
impl Job for PruneEvents {
    fn name(&self) -> &str {
        "prune_audit_events"
    }

    fn schedule(&self) -> Schedule {
        Schedule::Every(EVERY)
    }

    async fn run(&self) -> Result<(), JobError> {
        let Self { database, log, retention, clock } = self;
        let pruned = prune(database, Some(log), retention, "audit.retention", clock.now()).await;
        for pruned in pruned.map_err(|error| JobError(error.to_string()))? {
            let (origin, up_to, events) = (pruned.origin, pruned.up_to, pruned.events);
            tracing::info!(origin, up_to, events, "events of the audit log were pruned");
        }
        Ok(())
    }
}
