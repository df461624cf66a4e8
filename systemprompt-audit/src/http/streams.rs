use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use systemprompt_core::id::{TenantId, UserId};
use systemprompt_core::principal::Principal;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::{AuditReader, LogHeads, QueryError};

/// For how long the ends of the logs hold for other streams.
const FRESH: Duration = Duration::from_millis(100);

/// How streams of the log are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamLimits {
    /// Most streams of one user, whatever the credential.
    pub per_user: usize,
    /// Most streams at once.
    pub total: usize,
    /// How often a stream looks for new events.
    pub poll: Duration,
    /// How often the credential of a stream is verified again.
    pub verify: Duration,
    /// How long a stream says nothing at most.
    pub heartbeat: Duration,
}

impl Default for StreamLimits {
    /// 8 streams of a user, 512 together; a look every 200 ms, the credential every 400 ms, a heartbeat
    /// after 15 s.
    fn default() -> Self {
        Self {
            per_user: 8,
            total: 512,
            poll: Duration::from_millis(200),
            verify: Duration::from_millis(400),
            heartbeat: Duration::from_secs(15),
        }
    }
}

/// The streams of the log that are open. Cloning is a reference count.
///
/// [`close`](Self::close) ends them; a server that waits for running requests to finish must call it
/// when it begins to wait.
#[derive(Debug, Clone)]
pub struct AuditStreams(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limits: StreamLimits,
    open: Mutex<HashMap<User, usize>>,
    closing: watch::Sender<bool>,
    /// What one stream has seen of the logs a moment ago.
    heads: tokio::sync::Mutex<Option<(Instant, Arc<LogHeads>)>>,
}

type User = (TenantId, UserId);

/// Why a stream was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoStream {
    /// The user has as many as a user may have.
    User(usize),
    /// There are as many as there may be.
    Total,
    /// The server is shutting down.
    Closing,
}

impl AuditStreams {
    /// No streams yet, to be served within `limits`.
    #[must_use]
    pub fn new(limits: StreamLimits) -> Self {
        Self(Arc::new(Inner {
            limits,
            open: Mutex::default(),
            closing: watch::Sender::new(false),
            heads: tokio::sync::Mutex::default(),
        }))
    }

    /// How many are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.0.counts().values().sum()
    }

    /// Ends every stream, now and from now on.
    pub fn close(&self) {
        self.0.closing.send_replace(true);
    }

    pub(super) fn limits(&self) -> &StreamLimits {
        &self.0.limits
    }

    /// A place for a stream of `principal`; it is free again when the guard is dropped.
    pub(super) fn enter(&self, principal: &Principal) -> Result<OpenStream, NoStream> {
        if self.is_closing() {
            return Err(NoStream::Closing);
        }
        let mut counts = self.0.counts();
        if counts.values().sum::<usize>() >= self.0.limits.total {
            return Err(NoStream::Total);
        }
        let user = (principal.tenant().clone(), principal.user().clone());
        let count = counts.entry(user.clone()).or_insert(0);
        if *count >= self.0.limits.per_user {
            return Err(NoStream::User(self.0.limits.per_user));
        }
        *count += 1;
        drop(counts);
        Ok(OpenStream { streams: self.clone(), user, closing: self.0.closing.subscribe() })
    }

    pub(super) fn is_closing(&self) -> bool {
        *self.0.closing.borrow()
    }

    /// The ends of the logs, at most a moment old.
    pub(super) async fn heads(&self, reader: &AuditReader) -> Result<Arc<LogHeads>, QueryError> {
        let mut last = self.0.heads.lock().await;
        if let Some((at, heads)) = &*last
            && at.elapsed() < FRESH
        {
            return Ok(heads.clone());
        }
        let heads = Arc::new(reader.heads().await?);
        *last = Some((Instant::now(), heads.clone()));
        Ok(heads)
    }
}

impl Default for AuditStreams {
    fn default() -> Self {
        Self::new(StreamLimits::default())
    }
}

impl Inner {
    fn counts(&self) -> MutexGuard<'_, HashMap<User, usize>> {
        // Nothing panics with the lock held; and a count would still be a count.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of one stream.
#[derive(Debug)]
pub(super) struct OpenStream {
    streams: AuditStreams,
    user: User,
    closing: watch::Receiver<bool>,
}

impl OpenStream {
    pub(super) fn streams(&self) -> &AuditStreams {
        &self.streams
    }

    /// Waits, at most for `pause`, for the end of all streams.
    pub(super) async fn pause(&mut self, pause: Duration) {
        let closing = self.closing.wait_for(|closing| *closing);
        // Either is a reason to look again.
        drop(tokio::time::timeout(pause, closing).await);
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let mut counts = self.streams.0.counts();
        if let Some(count) = counts.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.user);
            }
        }
    }
}
