use async_trait::async_trait;

use super::AuditError;
use crate::database::DbTransaction;
use crate::event::AuditEvent;

/// Where the events of changes to the database go: into the transaction of the change, so that there is
/// neither without the other. Object-safe.
#[async_trait]
pub trait ChangeSink: Send + Sync + 'static {
    /// Makes ready what appending `events`, or events about the same, needs from elsewhere, so that nothing
    /// is waited for while the transaction holds its locks.
    ///
    /// # Errors
    /// [`AuditError`] when that cannot be had; the change would fail.
    async fn prepare(&self, events: &[AuditEvent]) -> Result<(), AuditError> {
        let _ = events;
        Ok(())
    }

    /// Appends `events` in the transaction `change`, which was begun for writing. They are durable when it
    /// has committed.
    ///
    /// # Errors
    /// [`AuditError`] when they could not be written; the caller must roll back.
    async fn append_in(
        &self,
        change: &mut DbTransaction<'_>,
        events: Vec<AuditEvent>,
    ) -> Result<(), AuditError>;
}
