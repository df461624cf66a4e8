use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use systemprompt_core::clock::Clock;
use systemprompt_core::database::DbPool;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::tended::Tended;
use super::{CheckpointRecord, Delivery, Head, Signers, key_retired};
use crate::note::Checkpoint;
use crate::pending::Pending;
use crate::stats::Counters;
use crate::store::{StoredCheckpoint, over};
use crate::writer::command::{Append, Command};
use crate::{Origin, StoreError};

/// How long the outside places may take for the last checkpoints.
const LAST: Duration = Duration::from_secs(3);

/// Signs a log as its writer announces it.
pub(crate) struct Checkpointer {
    pub(crate) pool: DbPool,
    pub(crate) log_id: i64,
    pub(crate) origin: Origin,
    pub(crate) signers: Signers,
    /// Whether the key before the current one has ended, if there was one.
    pub(crate) retired: bool,
    pub(crate) interval: Duration,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) delivery: Delivery,
    /// The log of the command line, which has nobody of its own to sign it.
    pub(crate) tended: Tended,
}

impl Checkpointer {
    /// Signs until the writer has ended.
    pub(crate) async fn run(
        mut self,
        mut heads: watch::Receiver<Option<Head>>,
        commands: mpsc::WeakSender<Command>,
    ) {
        self.tend().await;
        let mut next = Instant::now() + self.interval;
        // A head that could not be stored yet.
        let mut waiting = None;
        loop {
            let changed = tokio::select! {
                changed = heads.changed() => Some(changed),
                () = sleep_until(next) => None,
            };
            match changed {
                Some(Err(_)) => break,
                Some(Ok(())) => {
                    let head = *heads.borrow_and_update();
                    waiting = head.or(waiting);
                }
                None => {
                    next = Instant::now() + self.interval;
                    if let Some(commands) = commands.upgrade() {
                        self.retire(&commands).await;
                        // A full queue announces itself.
                        drop(commands.try_send(Command::Announce));
                    }
                    self.tend().await;
                }
            }
            if let Some(head) = waiting.take() {
                next = Instant::now() + self.interval;
                if let Err(error) = self.sign(head).await {
                    self.failed(&error);
                    waiting = Some(head);
                }
            }
        }
        if let Some(head) = waiting
            && let Err(error) = self.sign(head).await
        {
            self.failed(&error);
        }
        self.tend().await;
        self.delivery.close(LAST).await;
    }

    async fn sign(&self, head: Head) -> Result<(), StoreError> {
        let checkpoint =
            Checkpoint { origin: self.origin.to_string(), size: head.size, root: head.root };
        let at = self.clock.now();
        let note = checkpoint
            .sign(&self.signers.at(at))
            .map_err(|error| StoreError::Failed(error.to_string()))?;
        let key = self.signers.current.verifier().clone();
        let record = CheckpointRecord { at, checkpoint, note, key };
        let stored = StoredCheckpoint {
            size: head.size,
            root: head.root,
            note: record.note.to_string(),
            created_at: at,
        };
        // What is outside is worth more than what is inside, and does not wait for it.
        self.delivery.send(&record);
        let mut connection = self.pool.connect().await?;
        let inserted = over!(connection, tree::insert_checkpoint(self.log_id, &stored));
        connection.close().await?;
        inserted?;
        self.counters.checkpoints.fetch_add(1, Relaxed);
        self.counters.checkpointed.fetch_max(head.size, Relaxed);
        Ok(())
    }

    /// Lets the key before the current one end when its time is over.
    async fn retire(&mut self, commands: &mpsc::Sender<Command>) {
        let now = self.clock.now();
        let Some((previous, until)) = &self.signers.previous else { return };
        if self.retired || *until > now {
            return;
        }
        let event = Pending::event(self.origin.as_str(), key_retired(previous.verifier(), now));
        self.retired = Append::alone(event, commands).await;
    }

    async fn tend(&mut self) {
        match self.tended.sign(&self.pool, &self.signers, self.clock.now()).await {
            Ok(Some(record)) => self.delivery.send(&record),
            Ok(None) => {}
            Err(error) => self.failed(&error),
        }
    }

    fn failed(&self, error: &StoreError) {
        self.counters.checkpoint_failures.fetch_add(1, Relaxed);
        tracing::warn!(origin = %self.origin, %error, "a checkpoint could not be stored");
    }
}
