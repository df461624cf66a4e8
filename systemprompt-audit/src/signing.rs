//! How the signing of a log begins.

use std::sync::Arc;

use systemprompt_core::database::DbPool;
use systemprompt_core::event::AuditEvent;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::checkpoint::{
    CheckpointOptions, Checkpointer, Cosigning, Delivery, Head, Heads, Signers, Tended, divergence,
    due, is_cut_off,
};
use crate::merkle::Tree;
use crate::stats::Counters;
use crate::store::{LogTree, StoredCheckpoint, over};
use crate::writer::command::Command;
use crate::{AuditOptions, OpenError, Origin, StoreError};

/// A log that is about to be signed.
pub(crate) struct Signing<'o> {
    options: &'o CheckpointOptions,
    signers: Signers,
    /// Events about keys that the log has to begin with.
    pub(crate) events: Vec<AuditEvent>,
    /// For the writer.
    pub(crate) heads: Option<Heads>,
    announced: watch::Receiver<Option<Head>>,
}

impl<'o> Signing<'o> {
    /// Looks at what has been signed of the log `origin`, whose tree is `tree`. `None` when nobody signs
    /// it, or when it is not what was signed before.
    pub(crate) async fn begin(
        pool: &DbPool,
        options: &'o AuditOptions,
        installation: &str,
        (origin, log_id): (&Origin, i64),
        tree: Option<&Tree>,
    ) -> Result<Option<Self>, OpenError> {
        let Some(checkpoints) = &options.checkpoints else { return Ok(None) };
        let now = options.clock.now();
        let signers = checkpoints.keys.signers(installation)?;
        let mut connection = pool.connect().await?;
        let last: Result<Option<StoredCheckpoint>, _> =
            over!(connection, tree::last_checkpoint(log_id));
        let last = last.map_err(StoreError::from)?;
        let size = tree.map_or(0, Tree::size);
        let mut source = LogTree { connection: connection.driver(), log_id };
        let diverged = match tree {
            None => true,
            Some(_) => divergence(&mut source, (origin, size), last.as_ref(), &checkpoints.places)
                .await?
                .inspect(|other| {
                    let (had, has) = (other.size, size);
                    tracing::error!(%origin, had, has, "the audit log is not the one that was signed before");
                })
                .is_some(),
        };
        // Not left to whoever drops it: the files of a database that was closed may be moved.
        connection.close().await?;
        if diverged {
            tracing::error!(
                %origin,
                "the audit log is not signed any more: run `audit verify`, and give the log that goes on \
                 here another `audit.origin`"
            );
            return Ok(None);
        }
        if is_cut_off(&signers, last.as_ref()) {
            let key = signers.current.verifier();
            tracing::error!(
                %origin, %key,
                "the audit log is signed with a key that the one before has not vouched for: whoever trusts \
                 that one does not trust what is signed from here on. Put `audit.key` back, or give the log \
                 that goes on here another `audit.origin`"
            );
        }
        let events = due(origin, &signers, last.as_ref(), now).map_err(OpenError::Note)?;
        let signed = last.map_or(0, |last| last.size);
        let (heads, announced) = Heads::new(checkpoints.every_events, signed);
        Ok(Some(Self { options: checkpoints, signers, events, heads: Some(heads), announced }))
    }

    /// Starts to sign.
    pub(crate) fn start(
        self,
        pool: &DbPool,
        options: &AuditOptions,
        (origin, log_id, tended): (&Origin, i64, Origin),
        counters: &Arc<Counters>,
        commands: mpsc::WeakSender<Command>,
    ) -> JoinHandle<()> {
        let now = options.clock.now();
        let retired = self.signers.previous.as_ref().is_none_or(|(_, until)| *until <= now);
        let clock = options.clock.clone();
        let cosigning = Cosigning { pool: pool.clone(), clock, places: Vec::new() };
        let witnesses = (self.options.witnesses.as_slice(), cosigning);
        let checkpointer = Checkpointer {
            retired,
            pool: pool.clone(),
            log_id,
            origin: origin.clone(),
            signers: self.signers,
            interval: self.options.interval,
            clock: options.clock.clone(),
            counters: counters.clone(),
            delivery: Delivery::new(&self.options.places, witnesses, counters),
            tended: Tended::new(tended, self.options.places.clone()),
        };
        tokio::spawn(checkpointer.run(self.announced, commands))
    }
}
