use std::sync::Arc;
use std::time::Duration;

use systemprompt_core::clock::Timestamp;
use systemprompt_core::database::{Backend, DbConnection, DbPool};
use systemprompt_core::event::AuditEvent;

use super::{CheckpointPlace, CheckpointRecord, Signers, divergence, due, is_cut_off};
use crate::note::Checkpoint;
use crate::store::{LogTree, StoredCheckpoint, over};
use crate::tree_source::load_root;
use crate::{Origin, StoreError, append_in};

/// How long a log is left to a replica with another key that has signed it last.
const OTHERS: Duration = Duration::from_secs(600);

/// A log whose writers come and go, and that is signed as it is found in the database.
pub(crate) struct Tended {
    origin: Origin,
    places: Vec<Arc<dyn CheckpointPlace>>,
    diverged: bool,
}

impl Tended {
    pub(crate) fn new(origin: Origin, places: Vec<Arc<dyn CheckpointPlace>>) -> Self {
        Self { origin, places, diverged: false }
    }

    /// Signs what has come since the last checkpoint; `None` when there is nothing, or when the log is
    /// not the one that was signed before.
    pub(crate) async fn sign(
        &mut self,
        pool: &DbPool,
        signers: &Signers,
        now: Timestamp,
    ) -> Result<Option<CheckpointRecord>, StoreError> {
        // A connection of its own that is closed here: one that is on its way back to the pool would still
        // be closing when the database is closed, and keep its files from being put in order.
        let mut connection = pool.connect().await?;
        let signed = self.sign_over(&mut connection, signers, now).await;
        connection.close().await?;
        signed
    }

    async fn sign_over(
        &mut self,
        connection: &mut DbConnection,
        signers: &Signers,
        now: Timestamp,
    ) -> Result<Option<CheckpointRecord>, StoreError> {
        let Some(log_id) = over!(connection, log::find(&self.origin))? else {
            return Ok(None);
        };
        let tail = over!(connection, log::tail(log_id))?;
        let mut size = u64::try_from(tail).unwrap_or_default();
        let last = over!(connection, tree::last_checkpoint(log_id))?;
        let last: Option<StoredCheckpoint> = last;
        let events =
            due(&self.origin, signers, last.as_ref(), now).map_err(|error| failed(&error))?;
        let signed = last.as_ref().map_or(0, |last| last.size);
        if self.diverged || size == 0 || (size == signed && events.is_empty()) {
            return Ok(None);
        }
        if connection.backend() != Backend::Sqlite && is_others(signers, last.as_ref(), size, now) {
            return Ok(None);
        }
        let mut tree = LogTree { connection: connection.driver(), log_id };
        if divergence(&mut tree, (&self.origin, size), last.as_ref(), &self.places).await?.is_some()
        {
            return Ok(self.diverged());
        }
        if !events.is_empty() {
            say(connection, events).await?;
            let tail = over!(connection, log::tail(log_id))?;
            size = u64::try_from(tail).unwrap_or_default();
        }
        let mut tree = LogTree { connection: connection.driver(), log_id };
        let Some(root) = load_root(&mut tree, size).await? else { return Ok(self.diverged()) };
        let checkpoint = Checkpoint { origin: self.origin.to_string(), size, root };
        let note = checkpoint.sign(&signers.at(now)).map_err(|error| failed(&error))?;
        let text = note.to_string();
        let stored = StoredCheckpoint { size, root, note: text, created_at: now };
        over!(connection, tree::insert_checkpoint(log_id, &stored))?;
        let key = signers.current.verifier().clone();
        Ok(Some(CheckpointRecord { at: now, checkpoint, note, key }))
    }

    fn diverged(&mut self) -> Option<CheckpointRecord> {
        self.diverged = true;
        let origin = &self.origin;
        tracing::error!(%origin, "the log is not what was signed before; it is not signed any more");
        None
    }
}

/// Whether another replica, with another key, signs the log: two keys must not take turns.
fn is_others(
    signers: &Signers,
    last: Option<&StoredCheckpoint>,
    size: u64,
    now: Timestamp,
) -> bool {
    let Some(signed) = last.filter(|_| is_cut_off(signers, last)) else { return false };
    size == signed.size || now < signed.created_at.after(OTHERS)
}

/// Appends events about keys to the log. Another process may do so at the same time, which puts its own
/// before or after them.
async fn say(connection: &mut DbConnection, events: Vec<AuditEvent>) -> Result<(), StoreError> {
    let mut transaction = connection.begin_write().await?;
    append_in(&mut transaction, events).await.map_err(|error| failed(&error))?;
    Ok(transaction.commit().await?)
}

fn failed(error: &dyn std::fmt::Display) -> StoreError {
    StoreError::Failed(error.to_string())
}
