//! Events and outcomes on their way to the writer, and the answers on their way back.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Relaxed, Release};
use std::time::Duration;

use async_trait::async_trait;
use systemprompt_core::contract::{
    AuditError, AuditSink, FoundPermit, GrantedCall, PermitLedger, PermitState, SettleError,
};
use systemprompt_core::decision::Outcome;
use systemprompt_core::event::{AuditEvent, EventKind};
use systemprompt_core::id::PermitId;
use systemprompt_core::principal::Principal;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::AuditLog;
use crate::StoreError;
use crate::pending::Pending;
use crate::store::query;
use crate::writer::command::{Append, Command, Reporter, Settlement};

type Appending<'f> = Pin<Box<dyn Future<Output = Result<(), AuditError>> + Send + 'f>>;

/// A log whose callers wait no longer than this keeps nothing back.
const LEAST_TIME: Duration = Duration::from_millis(50);

impl AuditLog {
    // No async function, because an event that needs no key is made ready at once: a future that holds one on
    // its way is kilobytes long, and moved to where it runs.
    fn append_one(&self, event: AuditEvent, later: bool) -> Appending<'_> {
        if self.0.keys.is_some() || event.kind() == EventKind::AiRequestBodies {
            return Box::pin(
                async move { self.write(vec![self.pending(event).await?], later).await },
            );
        }
        let ready = vec![Pending::event(self.0.origin.as_str(), event)];
        Box::pin(self.write(ready, later))
    }

    async fn report(
        &self,
        permit: PermitId,
        principal: &Principal,
        outcome: Outcome,
        later: bool,
    ) -> Result<(), SettleError> {
        let mut reporter = Reporter::from(principal);
        reporter.sealed = self.sealed_report(principal, &outcome).await?;
        let deadline = Instant::now() + self.0.append_timeout;
        let (reply, settled) = oneshot::channel();
        self.send(Command::Settle(Box::new(Settlement {
            permit,
            later: self.may_wait(later),
            reporter: Some(reporter),
            outcome,
            detail: None,
            deadline: Some(deadline),
            reply: Some(reply),
        })))?;
        answer(settled, deadline).await?
    }

    fn may_wait(&self, later: bool) -> bool {
        later && self.0.append_timeout >= LEAST_TIME
    }

    fn send(&self, command: Command) -> Result<(), AuditError> {
        let sent = self.0.commands.try_send(command);
        self.0.bell.ring();
        sent.map_err(|error| match error {
            TrySendError::Full(_) => {
                self.0.counters.refused.fetch_add(1, Relaxed);
                AuditError::QueueFull
            }
            TrySendError::Closed(_) => AuditError::Closed,
        })
    }

    async fn write(&self, events: Vec<Pending>, later: bool) -> Result<(), AuditError> {
        let start = Instant::now();
        let deadline = start + self.0.append_timeout;
        let (reply, mut written) = oneshot::channel();
        let given_up = Arc::new(AtomicBool::new(false));
        let append = Append {
            events,
            later: self.may_wait(later),
            deadline,
            reply,
            given_up: given_up.clone(),
        };
        self.send(Command::Append(append))?;
        let Ok(result) = timeout_at(deadline, &mut written).await else {
            given_up.store(true, Release);
            // From here on the writer cannot answer; what it answered just before still counts.
            written.close();
            return written.try_recv().unwrap_or_else(|_| Err(out_of_time()));
        };
        let result = result.unwrap_or_else(|_| Err(StoreError::Late.into()));
        if !later {
            self.0.counters.took(start.elapsed());
        }
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

pub(super) fn out_of_time() -> AuditError {
    AuditError::Unavailable("the database did not answer in time".to_owned())
}

#[async_trait]
impl AuditSink for AuditLog {
    fn append<'l, 'f>(&'l self, event: AuditEvent) -> Appending<'f>
    where
        'l: 'f,
        Self: 'f,
    {
        self.append_one(event, false)
    }

    fn append_later<'l, 'f>(&'l self, event: AuditEvent) -> Appending<'f>
    where
        'l: 'f,
        Self: 'f,
    {
        self.append_one(event, true)
    }

    async fn append_all(&self, events: Vec<AuditEvent>) -> Result<(), AuditError> {
        if events.is_empty() {
            return Ok(());
        }
        let mut pending = Vec::with_capacity(events.len());
        for event in events {
            pending.push(self.pending(event).await?);
        }
        self.write(pending, false).await
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
        self.report(permit, principal, outcome, false).await
    }

    async fn settle_later(
        &self,
        permit: PermitId,
        principal: &Principal,
        outcome: Outcome,
    ) -> Result<(), SettleError> {
        self.report(permit, principal, outcome, true).await
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
