//! The one task that writes a log.
//!
//! It takes whatever is waiting, writes it in one transaction, and answers when that is durable. A
//! batch that cannot be written is denied as a whole; the writer goes on trying with the next one, and
//! by itself twice a second, so that the log recovers without a restart.

pub(crate) mod command;
mod settle;

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use systemprompt_core::clock::Clock;
use systemprompt_core::contract::{AuditError, SettleError};
use systemprompt_core::decision::OutcomeStatus;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout};

use self::command::{Append, Command, Settlement};
use crate::lease::Lease;
use crate::stats::Counters;
use crate::store::{PlacedRow, Store};
use crate::{Origin, StoreError};

/// How often a log that cannot write tries by itself.
const PROBE_INTERVAL: Duration = Duration::from_millis(500);

pub(crate) struct Writer<S> {
    pub(crate) store: S,
    pub(crate) origin: Origin,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) max_batch: usize,
    pub(crate) lease: Lease,
    /// The place of the last event; `None` when the store has to be asked.
    pub(crate) tail: Option<i64>,
}

impl<S: Store> Writer<S> {
    /// Writes until the log is closed or nobody can send any more.
    pub(crate) async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut inbox = Vec::with_capacity(self.max_batch);
        let mut closing = Vec::new();
        loop {
            let receive = commands.recv_many(&mut inbox, self.max_batch);
            let received = if self.counters.healthy.load(Relaxed) {
                receive.await
            } else if let Ok(received) = timeout(PROBE_INTERVAL, receive).await {
                received
            } else {
                self.probe().await;
                continue;
            };
            if received == 0 {
                break;
            }
            self.write(inbox.drain(..), &mut closing).await;
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
        if let Some(tail) = self.tail
            && let Err(error) = self.note(tail).await
        {
            tracing::warn!(origin = %self.origin, %error, "the audit log could not note its size");
        }
        self.store.close().await;
        drop(self.lease);
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
                Command::Close(reply) => closing.push(reply),
            }
        }
        let work =
            Work { appends: appends.iter().collect(), settlements: settlements.iter().collect() };
        let result = self.attempt(&work).await;
        let results = match result {
            // One bad row must not cost the others their answer.
            Err(StoreError::Refused) if work.len() > 1 => self.attempt_each(&work).await,
            result => Results::shared(&work, result),
        };
        self.answer(appends, settlements, results);
    }

    async fn attempt_each(&mut self, work: &Work<'_>) -> Results {
        let mut results = Results { appends: Vec::new(), settlements: Vec::new() };
        for part in work.parts() {
            let result = self.attempt(&part).await;
            let result = Results::shared(&part, result);
            results.appends.extend(result.appends);
            results.settlements.extend(result.settlements);
        }
        results
    }

    /// Writes `work` in one transaction. `Ok` holds the verdicts on its settlements.
    async fn attempt(&mut self, work: &Work<'_>) -> Result<Verdicts, StoreError> {
        if work.len() == 0 {
            return Ok(Vec::new());
        }
        let result = self.transact(work).await;
        if result.is_err() {
            self.store.abort().await;
            self.tail = None;
        }
        match &result {
            Err(StoreError::Refused) => {}
            Err(error) => self.unhealthy(error),
            Ok(_) => self.well(),
        }
        result
    }

    async fn transact(&mut self, work: &Work<'_>) -> Result<Verdicts, StoreError> {
        self.store.verify()?;
        let mut seq = match self.tail {
            Some(tail) => tail,
            None => self.store.tail().await?,
        };
        let judgement = self.judge(work).await?;
        let events = work.appends.iter().flat_map(|append| &append.events);
        let rows: Vec<_> = events
            .chain(&judgement.rows)
            .map(|event| {
                seq += 1;
                event.place(seq)
            })
            .collect();
        if rows.is_empty() {
            self.store.abort().await;
        } else {
            self.commit(&rows).await?;
            self.counters.committed(rows.len(), seq);
        }
        self.tail = Some(seq);
        // Rows in a file that nobody will find do not count as written.
        self.store.verify()?;
        Ok(judgement.verdicts)
    }

    async fn judge(&mut self, work: &Work<'_>) -> Result<settle::Judgement, StoreError> {
        if work.settlements.is_empty() {
            return Ok(settle::Judgement { verdicts: Vec::new(), rows: Vec::new() });
        }
        let permits: Vec<_> =
            work.settlements.iter().map(|settlement| *settlement.permit.as_bytes()).collect();
        let granted = self.store.begin_with(&permits).await?;
        Ok(settle::judge(&work.settlements, &granted, self.origin.as_str(), self.clock.now()))
    }

    /// Commits; where the store cannot say whether it did, finds out.
    async fn commit(&mut self, rows: &[PlacedRow<'_>]) -> Result<(), StoreError> {
        let Err(error) = self.store.commit(rows).await else { return Ok(()) };
        self.store.abort().await;
        let Some((seq, id)) = rows.last().and_then(|row| row.row.id().map(|id| (row.seq, id)))
        else {
            return Err(error);
        };
        match self.store.holds(seq, id).await {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(error),
        }
    }

    fn answer(&self, appends: Vec<Append>, settlements: Vec<Settlement>, results: Results) {
        // A reply that cannot be delivered has a caller that is gone.
        for (append, result) in appends.into_iter().zip(results.appends) {
            if result.is_err() {
                self.fail(1);
            }
            drop(append.reply.send(result));
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

type Verdicts = Vec<Result<(), SettleError>>;

/// What goes into one transaction.
struct Work<'w> {
    appends: Vec<&'w Append>,
    settlements: Vec<&'w Settlement>,
}

impl<'w> Work<'w> {
    fn len(&self) -> usize {
        self.appends.len() + self.settlements.len()
    }

    /// Each command as work of its own, in the same order.
    fn parts(&self) -> impl Iterator<Item = Work<'w>> {
        let append = |append: &&'w Append| Work { appends: vec![*append], settlements: Vec::new() };
        let settle = |settlement: &&'w Settlement| Work {
            appends: Vec::new(),
            settlements: vec![*settlement],
        };
        let parts: Vec<_> =
            self.appends.iter().map(append).chain(self.settlements.iter().map(settle)).collect();
        parts.into_iter()
    }
}

/// The answers to the commands of a batch, in their order.
struct Results {
    appends: Vec<Result<(), AuditError>>,
    settlements: Verdicts,
}

impl Results {
    fn shared(work: &Work<'_>, result: Result<Verdicts, StoreError>) -> Self {
        match result {
            Ok(settlements) => Self { appends: vec![Ok(()); work.appends.len()], settlements },
            Err(error) => {
                let error = AuditError::from(error);
                let settlements = work.settlements.iter();
                Self {
                    appends: vec![Err(error.clone()); work.appends.len()],
                    settlements: settlements.map(|_| Err(error.clone().into())).collect(),
                }
            }
        }
    }
}
