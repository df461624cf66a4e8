//! What the thread of one sink does.

mod deliver;
mod flight;
mod local;
mod remote;
mod stop;

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use systemprompt_core::database::DbPool;

pub(super) use stop::Stop;

use super::backoff::Backoff;
use super::format::Encoder;
use super::settings::SinkSettings;
use super::sink::{LocalSink, RemoteSink};
use super::spool::{make_folder, private};
use super::stats::{Counters, Places};
use super::store::Source;
use super::tail::Tail;
use crate::priority::step_back;

/// How often a sink's place is noted.
const NOTE_EVERY: Duration = Duration::from_secs(1);
/// How often a sink that another process serves is looked at.
const STAND_BY: Duration = Duration::from_secs(1);

/// Where the batches of a worker go.
pub(super) enum Sink {
    Local(LocalSink),
    Remote(Box<RemoteSink>),
}

/// Serves one sink.
pub(super) struct Worker {
    pub(super) settings: SinkSettings,
    pub(super) encoder: Encoder,
    pub(super) pool: DbPool,
    pub(super) counters: Arc<Counters>,
    pub(super) stop: Stop,
}

impl Worker {
    /// Serves the sink until it is told to stop.
    pub(super) async fn run(self, sink: Sink) {
        let Some(_lock) = self.lock().await else { return };
        match sink {
            Sink::Local(sink) => local::run(&self, sink).await,
            Sink::Remote(sink) => remote::run(&self, *sink).await,
        }
    }

    /// Waits until no other process serves this sink.
    async fn lock(&self) -> Option<File> {
        let path = self.settings.folder.join("lock");
        let mut said = false;
        loop {
            match take_lock(&path) {
                Ok(Some(lock)) => return Some(lock),
                Ok(None) if said => {}
                Ok(None) => {
                    said = true;
                    tracing::info!(sink = self.id(), "another process exports to this sink");
                }
                Err(error) => self.failed("the folder of the sink cannot be used", &error),
            }
            if !self.stop.sleep(STAND_BY).await {
                return None;
            }
        }
    }

    /// Waits until no process on another machine exports to the sink; `false` when it is to stop.
    async fn claim(&self, source: &mut Source) -> bool {
        let mut said = false;
        loop {
            match source.claim().await {
                Ok(true) => return true,
                Ok(false) if said => {}
                Ok(false) => {
                    said = true;
                    tracing::info!(sink = self.id(), "another process exports to this sink");
                }
                Err(error) => self.failed("the log cannot be read", &error),
            }
            if !self.stop.sleep(STAND_BY).await {
                source.close().await;
                return false;
            }
        }
    }

    fn id(&self) -> &str {
        &self.settings.id
    }

    fn backoff(&self) -> Backoff {
        Backoff::new(self.settings.backoff_first, self.settings.backoff_longest)
    }

    /// The end of the log that this sink reads, from where it has come to.
    async fn tail(&self, spooled: impl Fn(&Places) -> Places) -> Option<Tail> {
        let (events, bytes) = self.settings.format.request_limits();
        let mut source = Source::new(self.pool.clone(), self.id());
        source.prepare().await;
        step_back();
        if !self.claim(&mut source).await {
            return None;
        }
        let mut tail = Tail::new(
            source,
            self.encoder.clone(),
            self.settings.start_at,
            (self.settings.batch_events.clamp(1, events), bytes),
            self.counters.clone(),
        );
        let mut backoff = self.backoff();
        loop {
            let begun = match tail.noted().await {
                Ok(noted) => tail.begin(&spooled(&noted)).await,
                Err(error) => Err(error),
            };
            match begun {
                Ok(()) => return Some(tail),
                Err(error) => self.failed("the log cannot be read", &error),
            }
            if !self.stop.sleep(backoff.next(None)).await {
                return None;
            }
        }
    }

    /// Counts a failure, and says so when it is the first after a success.
    fn failed(&self, doing: &str, problem: &dyn std::fmt::Display) {
        self.counters.failures.fetch_add(1, Relaxed);
        let sink = self.id();
        if self.counters.healthy.swap(false, Relaxed) {
            tracing::warn!(sink, %problem, "export: {doing}");
        } else {
            tracing::debug!(sink, %problem, "export: {doing}");
        }
    }

    fn succeeded(&self) {
        if !self.counters.healthy.swap(true, Relaxed) {
            tracing::info!(sink = self.id(), "export: it works again");
        }
    }

    fn arrived(&self, events: usize) {
        self.counters.events.fetch_add(events as u64, Relaxed);
    }
}

/// The lock, unless another process holds it.
fn take_lock(path: &Path) -> io::Result<Option<File>> {
    if let Some(folder) = path.parent() {
        make_folder(folder)?;
    }
    let file = private(OpenOptions::new().write(true).create(true).truncate(false), path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(std::fs::TryLockError::WouldBlock) => Ok(None),
        Err(std::fs::TryLockError::Error(error)) => Err(error),
    }
}
