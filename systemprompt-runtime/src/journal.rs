use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use systemprompt_audit::{AuditLog, AuditReader, ReadScope};
use systemprompt_core::contract::{AuditError, AuditSink as _};
use systemprompt_core::event::AuditEvent;

/// Time between two attempts to write what the log did not take.
const RETRY: Duration = Duration::from_millis(500);

/// Events that must reach the audit log, each exactly once and in their order, although it may not
/// take them at first. Cloning is a reference count.
#[derive(Clone)]
pub(crate) struct Journal(Arc<Inner>);

struct Inner {
    audit: AuditLog,
    reader: AuditReader,
    waiting: Mutex<VecDeque<Waiting>>,
    /// Held while something is being written.
    writing: tokio::sync::Mutex<()>,
    retrying: AtomicBool,
}

#[derive(Clone)]
struct Waiting {
    event: AuditEvent,
    /// Whether the log was asked before; an attempt that failed may have been written all the same.
    tried: bool,
}

impl Journal {
    pub(crate) fn new(audit: AuditLog, reader: AuditReader) -> Self {
        Self(Arc::new(Inner {
            audit,
            reader,
            waiting: Mutex::default(),
            writing: tokio::sync::Mutex::default(),
            retrying: AtomicBool::new(false),
        }))
    }

    /// Writes `event` after all that wait, now or as soon as the log takes it.
    pub(crate) async fn record(&self, event: AuditEvent) {
        self.0.waiting.lock().push_back(Waiting { event, tried: false });
        if let Err(error) = self.write().await {
            tracing::error!(%error, "a reload is not recorded yet");
            if !self.0.retrying.swap(true, Ordering::AcqRel) {
                let journal = self.clone();
                tokio::spawn(async move { journal.retry().await });
            }
        }
    }

    /// Writes all that wait.
    ///
    /// # Errors
    /// [`AuditError`] when the log did not take one of them; it and those after it wait on.
    pub(crate) async fn write(&self) -> Result<(), AuditError> {
        let inner = &*self.0;
        let _one_at_a_time = inner.writing.lock().await;
        loop {
            let Some(next) = inner.next() else { return Ok(()) };
            if !(next.tried && inner.is_written(&next.event).await?) {
                inner.audit.append(next.event).await?;
            }
            inner.waiting.lock().pop_front();
        }
    }

    async fn retry(&self) {
        loop {
            tokio::time::sleep(RETRY).await;
            let result = self.write().await;
            if matches!(result, Err(AuditError::Closed)) {
                return;
            }
            // Under the lock, so that whatever is added later finds nobody and begins anew.
            let waiting = self.0.waiting.lock();
            if waiting.is_empty() {
                self.0.retrying.store(false, Ordering::Release);
                return;
            }
        }
    }
}

impl Inner {
    /// The first one that waits, marked as tried.
    fn next(&self) -> Option<Waiting> {
        let mut waiting = self.waiting.lock();
        let first = waiting.front_mut()?;
        let next = first.clone();
        first.tried = true;
        Some(next)
    }

    /// Whether an earlier attempt has come through after all. The events here are alone in their
    /// traces.
    async fn is_written(&self, event: &AuditEvent) -> Result<bool, AuditError> {
        let trace = self.reader.trace(&ReadScope::All, event.trace_id).await;
        trace
            .map(|trace| trace.is_some())
            .map_err(|error| AuditError::Unavailable(error.to_string()))
    }
}
