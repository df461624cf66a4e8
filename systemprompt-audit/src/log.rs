use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Relaxed, Release};
use std::time::Duration;

use async_trait::async_trait;
use systemprompt_core::clock::Clock;
use systemprompt_core::contract::{
    AuditError, AuditSink, FoundPermit, GrantedCall, PermitLedger, PermitState, SettleError,
};
use systemprompt_core::database::{DbPool, Driver};
use systemprompt_core::decision::Outcome;
use systemprompt_core::event::AuditEvent;
use systemprompt_core::id::PermitId;
use systemprompt_core::principal::Principal;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use crate::open_permit::OpenPermit;
use crate::pending::Pending;
use crate::stats::{AuditStats, Counters};
use crate::store::{Opened, Store, query};
use crate::sweep::Sweep;
use crate::writer::Writer;
use crate::writer::command::{Append, Command, Settlement};
use crate::{AuditOptions, OpenError, Origin, StoreError};

/// The audit log of one writer: events go in and are durable when the call returns.
///
/// Cloning is a reference count. Drop every clone, or [`close`](Self::close) it, to end the writer.
#[derive(Clone)]
pub struct AuditLog(Arc<Shared>);

struct Shared {
    commands: mpsc::Sender<Command>,
    counters: Arc<Counters>,
    origin: Origin,
    installation: String,
    clock: Arc<dyn Clock>,
    append_timeout: Duration,
    pool: DbPool,
    sweep: Sweep,
    sweeper: Option<JoinHandle<()>>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(sweeper) = &self.sweeper {
            sweeper.abort();
        }
    }
}

impl AuditLog {
    /// Opens a log and takes the sole right to write it: on SQLite a lease file beside the database, on
    /// PostgreSQL an advisory lock that the writer's own connection holds. The schema must be installed.
    ///
    /// Must be called in a tokio runtime, on which the writer runs.
    ///
    /// # Errors
    /// [`OpenError`] when another writer holds the lease, or the database cannot be opened or written.
    pub async fn open(pool: &DbPool, options: AuditOptions) -> Result<Self, OpenError> {
        let now = options.clock.now();
        match pool.driver() {
            #[cfg(feature = "sqlite")]
            Driver::Sqlite(database) => {
                let opened = crate::store::sqlite::open(database, &options, now).await?;
                Ok(Self::start(opened, pool, options))
            }
            #[cfg(feature = "postgres")]
            Driver::Postgres(database) => {
                let opened = crate::store::postgres::open(database, &options, now).await?;
                Ok(Self::start(opened, pool, options))
            }
            other => Err(other.unsupported().into()),
        }
    }

    /// Starts the writer and the sweep.
    fn start(opened: Opened<impl Store>, pool: &DbPool, options: AuditOptions) -> Self {
        let Opened { store, origin, installation, log_id, tail } = opened;
        let counters = Arc::new(Counters::new(tail));
        let (commands, receiver) = mpsc::channel(options.queue.max(1));
        let writer = Writer {
            store,
            origin: origin.clone(),
            clock: options.clock.clone(),
            counters: counters.clone(),
            max_batch: options.max_batch.max(1),
            tail: Some(tail),
            doubtful: false,
            disowned: Vec::new(),
        };
        tokio::spawn(writer.run(receiver));
        let sweep = Sweep {
            pool: pool.clone(),
            commands: commands.downgrade(),
            clock: options.clock.clone(),
            log_id,
            installation: installation.clone(),
        };
        let sweeper = (!options.sweep_interval.is_zero())
            .then(|| tokio::spawn(sweep.clone().run(options.sweep_interval)));
        Self(Arc::new(Shared {
            commands,
            counters,
            origin,
            installation,
            clock: options.clock,
            append_timeout: options.append_timeout,
            pool: pool.clone(),
            sweep,
            sweeper,
        }))
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
        let newest = query!(self.0.pool, permits::newest(log_id, now, limit));
        newest.map_err(|error| StoreError::from(error).into())
    }

    /// Records every permit that has expired without an outcome as abandoned, and says how many.
    /// Happens by itself in the background.
    ///
    /// # Errors
    /// [`AuditError`] when the log cannot be read or written.
    pub async fn sweep(&self) -> Result<u64, AuditError> {
        self.0.sweep.once().await
    }

    /// Writes what is waiting, ends the writer and releases the lease. Later appends fail.
    pub async fn close(&self) {
        if let Some(sweeper) = &self.0.sweeper {
            sweeper.abort();
        }
        let (reply, done) = oneshot::channel();
        if self.0.commands.send(Command::Close(reply)).await.is_err() {
            return;
        }
        // An error means that the writer is gone already.
        drop(done.await);
    }

    fn send(&self, command: Command) -> Result<(), AuditError> {
        self.0.commands.try_send(command).map_err(|error| match error {
            TrySendError::Full(_) => {
                self.0.counters.refused.fetch_add(1, Relaxed);
                AuditError::QueueFull
            }
            TrySendError::Closed(_) => AuditError::Closed,
        })
    }

    async fn write(&self, events: Vec<Pending>) -> Result<(), AuditError> {
        let start = Instant::now();
        let deadline = start + self.0.append_timeout;
        let (reply, mut written) = oneshot::channel();
        let given_up = Arc::new(AtomicBool::new(false));
        let append = Append { events, deadline, reply, given_up: given_up.clone() };
        self.send(Command::Append(append))?;
        let Ok(result) = timeout_at(deadline, &mut written).await else {
            given_up.store(true, Release);
            // From here on the writer cannot answer; what it answered just before still counts.
            written.close();
            return written.try_recv().unwrap_or_else(|_| Err(out_of_time()));
        };
        let result = result.unwrap_or_else(|_| Err(StoreError::Late.into()));
        self.0.counters.took(start.elapsed());
        result
    }
}

async fn answer<T>(reply: oneshot::Receiver<T>, deadline: Instant) -> Result<T, AuditError> {
    match timeout_at(deadline, reply).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(_)) => Err(StoreError::Late.into()),
        Err(_) => Err(out_of_time()),
    }
}

fn out_of_time() -> AuditError {
    AuditError::Unavailable("the database did not answer in time".to_owned())
}

#[async_trait]
impl AuditSink for AuditLog {
    async fn append(&self, event: AuditEvent) -> Result<(), AuditError> {
        self.write(vec![Pending::event(self.0.origin.as_str(), event)]).await
    }

    async fn append_all(&self, events: Vec<AuditEvent>) -> Result<(), AuditError> {
        if events.is_empty() {
            return Ok(());
        }
        let origin = self.0.origin.as_str();
        self.write(events.into_iter().map(|event| Pending::event(origin, event)).collect()).await
    }
}

#[async_trait]
impl PermitLedger for AuditLog {
    async fn settle(
        &self,
        permit: PermitId,
        principal: &Principal,
        outcome: Outcome,
    ) -> Result<(), SettleError> {
        let deadline = Instant::now() + self.0.append_timeout;
        let (reply, settled) = oneshot::channel();
        self.send(Command::Settle(Box::new(Settlement {
            permit,
            reporter: Some(principal.into()),
            outcome,
            detail: None,
            deadline: Some(deadline),
            reply: Some(reply),
        })))?;
        answer(settled, deadline).await?
    }

    fn abandon(&self, permit: PermitId) {
        // What does not fit in the queue is found by the sweep.
        drop(self.send(Command::Settle(Box::new(Settlement::abandoned(permit, None)))));
    }

    async fn state(&self, permit: PermitId) -> Result<PermitState, AuditError> {
        let state = query!(self.0.pool, permits::state(permit));
        state.map_err(|error| StoreError::from(error).into())
    }

    async fn find(&self, call: GrantedCall<'_>) -> Result<Option<FoundPermit>, AuditError> {
        let found = query!(self.0.pool, permits::find(call));
        found.map_err(|error| StoreError::from(error).into())
    }
}

impl fmt::Debug for AuditLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditLog").field("origin", &self.0.origin).finish_non_exhaustive()
    }
}
