//! What of the log's work has to do with encryption.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use systemprompt_core::contract::AuditError;
use systemprompt_core::database::DbPool;
use systemprompt_core::decision::Outcome;
use systemprompt_core::event::{AuditEvent, EventKind};
use systemprompt_core::principal::Principal;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::sink::out_of_time;
use super::{AuditLog, Shared};
use crate::pending::Pending;
use crate::subject::{DataKey, Person, SubjectKeys};
use crate::writer::command::{Command, SealedReport};

/// How often erasures are looked for.
const NOTICED_EVERY: Duration = Duration::from_millis(250);

/// Why bodies are refused.
const BODIES_IN_CLEAR: &str = "bodies of requests to models are never stored in clear, and no key is there to encrypt them with";

impl AuditLog {
    /// An event that is ready but for its place, its person encrypted where keys were given.
    pub(super) async fn pending(&self, event: AuditEvent) -> Result<Pending, AuditError> {
        let Shared { keys, origin, .. } = &*self.0;
        let person = Person::of(&event);
        let (Some(keys), Some(person)) = (keys, person) else {
            if event.kind() == EventKind::AiRequestBodies {
                return Err(AuditError::Unavailable(BODIES_IN_CLEAR.to_owned()));
            }
            return Ok(Pending::event(origin.as_str(), event));
        };
        let key = self.key(keys, &person).await?;
        Pending::sealed(origin.as_str(), event, &key).ok_or_else(not_encrypted)
    }

    async fn key(&self, keys: &SubjectKeys, person: &Person) -> Result<Arc<DataKey>, AuditError> {
        let deadline = Instant::now() + self.0.append_timeout;
        let found = timeout_at(deadline, keys.of(&self.0.pool, person, self.0.clock.now())).await;
        found.unwrap_or_else(|_| Err(out_of_time())).inspect_err(|_| {
            self.0.counters.failed.fetch_add(1, Relaxed);
        })
    }

    /// What a report of `principal` says about it, encrypted where keys were given.
    pub(super) async fn sealed_report(
        &self,
        principal: &Principal,
        outcome: &Outcome,
    ) -> Result<Option<SealedReport>, AuditError> {
        let Shared { keys, origin, .. } = &*self.0;
        let Some(keys) = keys else { return Ok(None) };
        let key = self.key(keys, &principal.into()).await?;
        let sealed = SealedReport::new(origin.as_str(), principal, outcome, &key);
        sealed.map(Some).ok_or_else(not_encrypted)
    }
}

/// Lets go of the keys of those who are erased, also by other processes.
pub(super) async fn notice_erasures(
    keys: SubjectKeys,
    pool: DbPool,
    commands: mpsc::WeakSender<Command>,
) {
    while commands.strong_count() > 0 {
        // A database that cannot be read says nothing new; what is in memory goes on.
        if let Err(error) = keys.forget_erased(&pool).await {
            tracing::debug!(%error, "erasures cannot be read");
        }
        tokio::time::sleep(NOTICED_EVERY).await;
    }
}

fn not_encrypted() -> AuditError {
    AuditError::Unavailable("the event could not be encrypted".to_owned())
}
