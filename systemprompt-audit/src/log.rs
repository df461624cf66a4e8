mod sealing;
mod sink;

use std::fmt;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use systemprompt_core::clock::Clock;
use systemprompt_core::contract::AuditError;
#[cfg(feature = "sqlite")]
use systemprompt_core::database::Backend;
use systemprompt_core::database::{DbPool, Driver};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use self::sealing::notice_erasures;
use crate::note::VerifierKey;
use crate::open_permit::{OpenPermit, OpenPermitRow};
use crate::pending::Pending;
use crate::signing::Signing;
use crate::stats::{AuditStats, Counters};
use crate::store::{Opened, Store, query};
use crate::subject::{SubjectKeys, reveal_permits};
use crate::sweep::Sweep;
use crate::writer::command::{Append, Command};
use crate::writer::extent::Extent;
use crate::writer::{Bell, Gathering, Grants, Writer};
use crate::{AuditOptions, OpenError, Origin, QueryError, StoreError};

/// The audit log of one writer: events go in and are durable when the call returns.
///
/// Cloning is a reference count. Drop every clone, or [`close`](Self::close) it, to end the writer.
#[derive(Clone)]
pub struct AuditLog(Arc<Shared>);

struct Shared {
    commands: mpsc::Sender<Command>,
    bell: Arc<Bell>,
    counters: Arc<Counters>,
    origin: Origin,
    installation: String,
    clock: Arc<dyn Clock>,
    append_timeout: Duration,
    pool: DbPool,
    sweep: Sweep,
    /// What goes on in the background, until the log is closed.
    sweeping: Mutex<Option<JoinHandle<()>>>,
    indexing: Mutex<Option<JoinHandle<()>>>,
    /// Says `true`, or is gone, when the index is not kept up any more.
    stop: watch::Sender<bool>,
    /// Who signs, until the log is closed.
    checkpointer: Mutex<Option<JoinHandle<()>>>,
    verifier: Option<VerifierKey>,
    keys: Option<SubjectKeys>,
    /// What notices erasures, until the log is closed.
    noticing: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        // The index ends by itself, and closes its file.
        for task in [taken(&self.sweeping), taken(&self.noticing)].into_iter().flatten() {
            task.abort();
        }
    }
}

impl Shared {
    /// Ends what goes on in the background, and waits until it holds no connection any more.
    async fn rest(&self) {
        self.stop.send_replace(true);
        let ended = [taken(&self.sweeping), taken(&self.noticing)];
        ended.iter().flatten().for_each(JoinHandle::abort);
        for task in ended.into_iter().chain([taken(&self.indexing)]).flatten() {
            // An error means that it was ended in the middle, or before.
            drop(task.await);
        }
    }
}

fn taken(task: &Mutex<Option<JoinHandle<()>>>) -> Option<JoinHandle<()>> {
    task.lock().unwrap_or_else(PoisonError::into_inner).take()
}

impl AuditLog {
    /// Opens a log and takes the sole right to write it: on SQLite a lease file beside the database, on
    /// PostgreSQL an advisory lock that the writer's own connection holds. The schema must be installed.
    ///
    /// Must be called in a tokio runtime, for what goes on in the background. The writer of a log on SQLite
    /// has a thread of its own.
    ///
    /// # Errors
    /// [`OpenError`] when another writer holds the lease, or the database cannot be opened or written.
    pub async fn open(pool: &DbPool, options: AuditOptions) -> Result<Self, OpenError> {
        let now = options.clock.now();
        match pool.driver() {
            #[cfg(feature = "sqlite")]
            Driver::Sqlite(database) => {
                let opened = crate::store::sqlite::open(database, &options, now).await?;
                Self::start(opened, pool, options).await
            }
            #[cfg(feature = "postgres")]
            Driver::Postgres(database) => {
                let opened = crate::store::postgres::open(database, &options, now).await?;
                Self::start(opened, pool, options).await
            }
            other => Err(other.unsupported().into()),
        }
    }

    /// Starts the writer and what goes on in the background.
    async fn start(
        opened: Opened<impl Store>,
        pool: &DbPool,
        options: AuditOptions,
    ) -> Result<Self, OpenError> {
        let Opened { mut store, origin, installation, log_id } = opened;
        let mut extent = Extent::load(&mut store, options.merkle).await?;
        if !extent.tiles.is_empty() {
            store.commit(&[], &extent.tiles).await?;
            extent.tiles.clear();
        }
        let counters = Arc::new(Counters::new(extent.tail));
        let (name, tree) = ((&origin, log_id), extent.tree.as_ref());
        let mut signing = Signing::begin(pool, &options, &installation, name, tree).await?;
        if options.checkpoints.is_some() && signing.is_none() {
            counters.diverged.store(true, Relaxed);
        }
        let (commands, receiver) = mpsc::channel(options.queue.max(1));
        #[cfg(feature = "sqlite")]
        let feed = (pool.backend() == Backend::Sqlite && !options.index_interval.is_zero())
            .then(crate::index::Feed::default);
        let writer = Writer {
            store,
            #[cfg(feature = "sqlite")]
            feed: feed.clone(),
            origin: origin.clone(),
            clock: options.clock.clone(),
            counters: counters.clone(),
            max_batch: options.max_batch.max(1),
            extent,
            behind: false,
            in_doubt: None,
            own: Vec::new(),
            heads: signing.as_mut().and_then(|signing| signing.heads.take()),
            doubtful: false,
            disowned: Vec::new(),
            gathering: Gathering::among_others(),
            grants: options.keys.is_none().then(Grants::new),
        };
        let bell = Arc::new(Bell::default());
        writer.start(receiver, bell.clone())?;
        let verifier = match &options.checkpoints {
            Some(checkpoints) => Some(checkpoints.keys.verifier(&installation)?),
            None => None,
        };
        let cli = Origin::cli(&installation);
        if let Some(signing) = &mut signing {
            for event in std::mem::take(&mut signing.events) {
                // One that is lost is written at the next start.
                Append::alone(Pending::event(origin.as_str(), event), &commands).await;
            }
        }
        let checkpointer = signing.map(|signing| {
            let names = (&origin, log_id, cli.clone());
            signing.start(pool, &options, names, &counters, commands.downgrade())
        });
        // What an earlier run has left unsigned is signed now.
        drop(commands.try_send(Command::Announce));
        let sweep = Sweep {
            pool: pool.clone(),
            commands: commands.downgrade(),
            clock: options.clock.clone(),
            log_id,
            installation: installation.clone(),
        };
        let sweeping = (!options.sweep_interval.is_zero())
            .then(|| tokio::spawn(sweep.clone().run(options.sweep_interval)));
        let noticing = options
            .keys
            .clone()
            .map(|keys| tokio::spawn(notice_erasures(keys, pool.clone(), commands.downgrade())));
        let (stop, stopped) = watch::channel(false);
        let indexing = match pool.driver() {
            #[cfg(feature = "sqlite")]
            Driver::Sqlite(database) => feed.map(|feed| {
                let interval = options.index_interval;
                crate::index::start(database.clone(), (log_id, feed), interval, stopped)
            }),
            // The server's own indexes do the same.
            _ => {
                drop(stopped);
                None
            }
        };
        Ok(Self(Arc::new(Shared {
            commands,
            bell,
            counters,
            origin,
            installation,
            clock: options.clock,
            append_timeout: options.append_timeout,
            pool: pool.clone(),
            sweep,
            sweeping: Mutex::new(sweeping),
            indexing: Mutex::new(indexing),
            stop,
            checkpointer: Mutex::new(checkpointer),
            verifier,
            noticing: Mutex::new(noticing),
            keys: options.keys,
        })))
    }

    /// The name of the log.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.0.origin
    }

    /// The id of the installation the database belongs to.
    #[must_use]
    pub fn installation(&self) -> &str {
        &self.0.installation
    }

    /// The public key that checks what is signed of the log; `None` when it is not signed.
    #[must_use]
    pub fn verifier_key(&self) -> Option<&VerifierKey> {
        self.0.verifier.as_ref()
    }

    /// Whether the last attempt to write succeeded. A log that cannot write tries by itself.
    #[must_use]
    pub fn healthy(&self) -> bool {
        self.0.counters.healthy.load(Relaxed) && !self.0.commands.is_closed()
    }

    /// What the log has done so far.
    #[must_use]
    pub fn stats(&self) -> AuditStats {
        let commands = &self.0.commands;
        self.0.counters.snapshot(commands.max_capacity().saturating_sub(commands.capacity()))
    }

    /// Up to `limit` permits that are neither settled nor expired, newest first, so that a governor
    /// recognises repeats after a restart. Looks at the newest part of the log only.
    ///
    /// # Errors
    /// [`AuditError`] when the log cannot be read.
    pub async fn open_permits(&self, limit: u32) -> Result<Vec<OpenPermit>, AuditError> {
        let (log_id, now) = (self.0.sweep.log_id, self.0.clock.now());
        let newest: Result<Vec<OpenPermitRow>, _> =
            query!(self.0.pool, permits::newest(log_id, now, limit));
        let newest = newest.map_err(StoreError::from)?;
        let Shared { pool, keys, origin, .. } = &*self.0;
        let revealed = reveal_permits(pool, keys.as_ref(), origin.as_str(), newest).await;
        let revealed = revealed.map_err(|error| StoreError::Failed(error.to_string()))?;
        Ok(revealed.into_iter().filter_map(OpenPermitRow::permit).collect())
    }

    /// The keys that what events say about persons is encrypted with.
    #[must_use]
    pub fn keys(&self) -> Option<&SubjectKeys> {
        self.0.keys.as_ref()
    }

    /// Takes what has been written into the search index, also from logs that nobody has open, and says
    /// how many events. Happens by itself in the background. PostgreSQL keeps its indexes up itself: there
    /// this does nothing.
    ///
    /// # Errors
    /// [`QueryError`] when the log cannot be read, or the index not written.
    pub async fn index(&self) -> Result<u64, QueryError> {
        match self.0.pool.driver() {
            #[cfg(feature = "sqlite")]
            Driver::Sqlite(database) => {
                let opened = crate::index::Indexer::open(database, None).await;
                let mut indexer = opened.map_err(QueryError::Index)?;
                let taken = indexer.catch_up().await;
                indexer.close().await;
                Ok(taken?)
            }
            _ => Ok(0),
        }
    }

    /// Records every permit that has expired without an outcome as abandoned, and says how many.
    /// Happens by itself in the background.
    ///
    /// # Errors
    /// [`AuditError`] when the log cannot be read or written.
    pub async fn sweep(&self) -> Result<u64, AuditError> {
        self.0.sweep.once().await
    }

    /// Writes what is waiting, ends the writer, releases the lease and signs the end of the log. Later
    /// appends fail.
    pub async fn close(&self) {
        self.0.rest().await;
        let (reply, done) = oneshot::channel();
        if self.0.commands.send(Command::Close(reply)).await.is_ok() {
            // An error means that the writer is gone already.
            drop(done.await);
        }
        if let Some(checkpointer) = taken(&self.0.checkpointer) {
            // It ends with the writer; an error means that it is gone already.
            drop(checkpointer.await);
        }
    }
}

impl fmt::Debug for AuditLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditLog").field("origin", &self.0.origin).finish_non_exhaustive()
    }
}
