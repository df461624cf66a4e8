use async_trait::async_trait;
use systemprompt_core::contract::{AuditError, AuditSink, ChangeSink};
use systemprompt_core::database::{DatabaseError, DbPool, DbTransaction};
use systemprompt_core::event::AuditEvent;

use crate::subject::SubjectKeys;
use crate::{StoreError, append_sealed_in};

/// The command line's log as something to hand on: events of changes go into the transaction of the change,
/// as with [`append_sealed_in`], others into one of their own. Cloning is a reference count.
///
/// A server may use it beside the log it writes itself, for changes that people make through it.
#[derive(Debug, Clone)]
pub struct ChangeLog {
    pool: DbPool,
    keys: Option<SubjectKeys>,
}

impl ChangeLog {
    /// The log in `pool`, whose events are encrypted with `keys`, if there are any.
    #[must_use]
    pub fn new(pool: DbPool, keys: Option<SubjectKeys>) -> Self {
        Self { pool, keys }
    }
}

#[async_trait]
impl ChangeSink for ChangeLog {
    async fn prepare(&self, events: &[AuditEvent]) -> Result<(), AuditError> {
        match &self.keys {
            Some(keys) => keys.prepare(&self.pool, events).await,
            None => Ok(()),
        }
    }

    async fn append_in(
        &self,
        change: &mut DbTransaction<'_>,
        events: Vec<AuditEvent>,
    ) -> Result<(), AuditError> {
        append_sealed_in(change, self.keys.as_ref(), events).await
    }
}

#[async_trait]
impl AuditSink for ChangeLog {
    async fn append(&self, event: AuditEvent) -> Result<(), AuditError> {
        self.append_all(vec![event]).await
    }

    async fn append_all(&self, events: Vec<AuditEvent>) -> Result<(), AuditError> {
        let failed = |error: DatabaseError| AuditError::from(StoreError::from(error));
        self.prepare(&events).await?;
        let mut change = self.pool.begin_write().await.map_err(failed)?;
        self.append_in(&mut change, events).await?;
        change.commit().await.map_err(failed)
    }
}
