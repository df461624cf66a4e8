//! The one thread, or task, that writes a log.
//!
//! It takes whatever is waiting, writes it in one transaction, and answers when that is durable. A
//! batch that cannot be written is denied as a whole; the writer goes on trying with the next one, and
//! by itself twice a second, so that the log recovers without a restart.

mod bell;
pub(crate) mod command;
pub(crate) mod extent;
mod gathering;
mod grants;
mod settle;
mod transact;
mod work;

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed};
use std::time::Duration;

use systemprompt_core::clock::Clock;
use systemprompt_core::contract::SettleError;
use systemprompt_core::decision::OutcomeStatus;
use systemprompt_core::id::PermitId;
use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout, timeout_at};

pub(crate) use self::bell::Bell;
use self::command::{Append, Command, Settlement};
use self::extent::Extent;
pub(crate) use self::gathering::Gathering;
pub(crate) use self::grants::Grants;
use self::work::{Results, Work};
use crate::checkpoint::Heads;
#[cfg(feature = "sqlite")]
use crate::index::Feed;
use crate::pending::Pending;
use crate::stats::Counters;
use crate::store::Store;
use crate::{Origin, StoreError};

/// How often a log that cannot write tries by itself.
const PROBE_INTERVAL: Duration = Duration::from_millis(500);

/// How long what nobody waits for may wait for something that goes with it.
const SLACK: Duration = Duration::from_millis(2);

/// Most permits to be disowned that are remembered; the sweep finds others when they have expired.
const MOST_DISOWNED: usize = 65_536;

pub(crate) struct Writer<S> {
    pub(crate) store: S,
    pub(crate) origin: Origin,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) max_batch: usize,
    /// How far the log has come.
    pub(crate) extent: Extent,
    /// Whether `extent` may be behind the store.
    pub(crate) behind: bool,
    /// The last event of a batch of which it is not known whether it was written.
    pub(crate) in_doubt: Option<(i64, [u8; 16])>,
    /// Events of the writer's own that go into the next transaction.
    pub(crate) own: Vec<Pending>,
    /// Where the size and root of the log go, to be signed.
    pub(crate) heads: Option<Heads>,
    /// Whether the last attempt failed in a way that may have left its rows in the log.
    pub(crate) doubtful: bool,
    /// Permits that may stand in the log although their calls were answered deny.
    pub(crate) disowned: Vec<PermitId>,
    pub(crate) gathering: Gathering,
    /// `None` where users stand in the log under pseudonyms, which only the log can tell the owners of.
    pub(crate) grants: Option<Grants>,
    /// Where the search index is told what is durable.
    #[cfg(feature = "sqlite")]
    pub(crate) feed: Option<Feed>,
}

impl<S: Store> Writer<S> {
    /// Starts the writer: in a thread of its own where the store keeps it waiting, else as a task. Whoever
    /// sends an event rings the `bell` afterwards.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub(crate) fn start(
        mut self,
        commands: mpsc::Receiver<Command>,
        bell: Arc<Bell>,
    ) -> Result<(), StoreError> {
        if !S::BLOCKS {
            tokio::spawn(self.run(commands));
            return Ok(());
        }
        let failed = |error: &io::Error| StoreError::Failed(error.kind().to_string());
        let (started, start) = std::sync::mpsc::channel();
        // The runtime belongs to the thread: a caller in another one could not even drop it.
        let write = move || match Builder::new_current_thread().enable_time().build() {
            Ok(runtime) => {
                drop(started.send(Ok(())));
                self.gathering = Gathering::alone(bell);
                runtime.block_on(self.run(commands));
            }
            Err(error) => drop(started.send(Err(error))),
        };
        let thread = std::thread::Builder::new().name("audit-writer".to_owned()).spawn(write);
        thread.map_err(|error| failed(&error))?;
        match start.recv() {
            Ok(Err(error)) => Err(failed(&error)),
            _ => Ok(()),
        }
    }

    /// Writes until the log is closed or nobody can send any more.
    async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut inbox = Vec::with_capacity(self.max_batch);
        let mut closing = Vec::new();
        loop {
            self.gathering.gather(&mut commands, &mut inbox, self.max_batch).await;
            let received = if !inbox.is_empty() {
                inbox.len()
            } else if self.counters.healthy.load(Relaxed) {
                commands.recv_many(&mut inbox, self.max_batch).await
            } else if let Ok(received) =
                timeout(PROBE_INTERVAL, commands.recv_many(&mut inbox, self.max_batch)).await
            {
                received
            } else {
                self.probe().await;
                self.disown().await;
                continue;
            };
            if received == 0 {
                break;
            }
            join(&mut commands, &mut inbox, self.max_batch).await;
            let (batch, start) = (inbox.len(), Instant::now());
            self.write(inbox.drain(..), &mut closing).await;
            self.gathering.learn(batch + commands.len(), start.elapsed());
            self.disown().await;
            if !closing.is_empty() {
                // What was sent before is still received.
                commands.close();
            }
        }
        self.finish().await;
        for reply in closing {
            // Whoever asked may be gone.
            let _ = reply.send(());
        }
    }

    async fn finish(mut self) {
        self.disown().await;
        if !self.behind
            && let Err(error) = self.note(self.extent.tail).await
        {
            tracing::warn!(origin = %self.origin, %error, "the audit log could not note its size");
        }
        self.announce();
        self.store.close().await;
    }

    async fn write(
        &mut self,
        commands: impl Iterator<Item = Command>,
        closing: &mut Vec<oneshot::Sender<()>>,
    ) {
        let now = Instant::now();
        let (mut appends, mut settlements) = (Vec::new(), Vec::new());
        for command in commands {
            match command {
                // Too late: the caller has denied. Dropping the reply says so if it has not.
                Command::Append(append) if append.deadline <= now => self.fail(1),
                Command::Settle(settlement)
                    if settlement.deadline.is_some_and(|deadline| deadline <= now) =>
                {
                    self.fail(1);
                }
                Command::Append(append) => appends.push(append),
                Command::Settle(settlement) => settlements.push(*settlement),
                Command::Announce => self.announce(),
                Command::Close(reply) => closing.push(reply),
            }
        }
        let work =
            Work { appends: appends.iter().collect(), settlements: settlements.iter().collect() };
        let results = match self.attempt_again(&work).await {
            // One bad row must not cost the others their answer.
            Err(StoreError::Refused) if work.len() > 1 || !work.settlements.is_empty() => {
                self.attempt_each(&work).await
            }
            result => self.shared(&work, result),
        };
        self.answer(appends, settlements, results);
    }

    /// Spends the permits of calls that were denied although their events are in the log. Those it
    /// cannot spend it keeps until the log writes again; those that are not in the log do no harm.
    async fn disown(&mut self) {
        if self.disowned.is_empty() || !self.counters.healthy.load(Relaxed) {
            return;
        }
        let permits = std::mem::take(&mut self.disowned);
        let settlements: Vec<_> = permits.iter().copied().map(Settlement::disowned).collect();
        let work = Work { appends: Vec::new(), settlements: settlements.iter().collect() };
        match self.attempt_again(&work).await {
            Ok(written) => {
                let spent = written.settlements.iter().filter(|verdict| verdict.is_ok()).count();
                self.counters.abandoned.fetch_add(spent as u64, Relaxed);
            }
            // They expire, and the sweep finds them.
            Err(StoreError::Refused) => {}
            Err(_) => self.disowned = permits,
        }
    }

    fn remember(&mut self, events: &[Pending]) {
        let room = MOST_DISOWNED.saturating_sub(self.disowned.len());
        let permits = events.iter().filter_map(Pending::granted);
        self.disowned.extend(permits.take(room));
    }

    /// Writes `work`; judges its settlements again when one was refused, which another replica's has overtaken
    /// and which the log knows by then.
    async fn attempt_again(&mut self, work: &Work<'_>) -> Result<Results, StoreError> {
        match self.attempt(work).await {
            Err(StoreError::Refused) if !work.settlements.is_empty() => self.attempt(work).await,
            result => result,
        }
    }

    async fn attempt_each(&mut self, work: &Work<'_>) -> Results {
        let mut results = Results { appends: Vec::new(), settlements: Vec::new() };
        for part in work.parts() {
            let result = self.attempt_again(&part).await;
            let result = self.shared(&part, result);
            results.appends.extend(result.appends);
            results.settlements.extend(result.settlements);
        }
        results
    }

    /// The answers to `work` after an attempt.
    fn shared(&mut self, work: &Work<'_>, result: Result<Results, StoreError>) -> Results {
        let error = match result {
            Ok(results) => return results,
            Err(error) => error,
        };
        if self.doubtful {
            for append in &work.appends {
                self.remember(&append.events);
            }
        }
        Results::failed(work, error)
    }

    fn announce_when_due(&mut self) {
        if let (Some(heads), Some(tree)) = (&mut self.heads, &self.extent.tree) {
            heads.announce_when_due(tree);
        }
    }

    fn announce(&mut self) {
        if let (Some(heads), Some(tree)) = (&mut self.heads, &self.extent.tree) {
            heads.announce(tree);
        }
    }

    fn answer(&mut self, appends: Vec<Append>, settlements: Vec<Settlement>, results: Results) {
        // A reply that cannot be delivered has a caller that is gone.
        for (append, result) in appends.into_iter().zip(results.appends) {
            let written = result.is_ok();
            if !written {
                self.fail(1);
            }
            let Append { events, reply, given_up, .. } = append;
            if reply.send(result).is_err() && written && given_up.load(Acquire) {
                self.remember(&events);
            }
        }
        for (settlement, result) in settlements.into_iter().zip(results.settlements) {
            match &result {
                Ok(()) if settlement.outcome.status == OutcomeStatus::Abandoned => {
                    self.counters.abandoned.fetch_add(1, Relaxed);
                }
                Err(SettleError::Audit(_)) => self.fail(1),
                _ => {}
            }
            if let Some(reply) = settlement.reply {
                drop(reply.send(result));
            }
        }
    }

    async fn probe(&mut self) {
        let result = match self.store.tail().await {
            Ok(tail) => self.note(tail).await,
            Err(error) => Err(error),
        };
        match result {
            Ok(()) => self.well(),
            Err(_) => self.store.abort().await,
        }
    }

    async fn note(&mut self, size: i64) -> Result<(), StoreError> {
        self.store.verify()?;
        self.store.note(size).await?;
        self.store.verify()
    }

    fn fail(&self, events: u64) {
        self.counters.failed.fetch_add(events, Relaxed);
    }

    fn unhealthy(&self, error: &StoreError) {
        if self.counters.healthy.swap(false, Relaxed) {
            tracing::error!(origin = %self.origin, %error, "the audit log cannot write: calls are denied");
        }
    }

    fn well(&self) {
        if !self.counters.healthy.swap(true, Relaxed) {
            tracing::info!(origin = %self.origin, "the audit log writes again");
        }
    }
}

/// Keeps back what nobody waits for, for a moment: a commit is saved when something comes that has to be written.
async fn join(commands: &mut mpsc::Receiver<Command>, inbox: &mut Vec<Command>, most: usize) {
    let end = Instant::now() + SLACK;
    while inbox.len() < most && inbox.iter().all(Command::may_wait) {
        let room = most - inbox.len();
        if !matches!(timeout_at(end, commands.recv_many(inbox, room)).await, Ok(1..)) {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
