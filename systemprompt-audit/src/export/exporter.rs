use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use systemprompt_core::database::DbPool;
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, timeout_at};

use super::format::Encoder;
use super::settings::{Destination, SettingsError, SinkSettings};
use super::sink::{FileSink, HttpSink, LocalSink, RemoteSink, StdoutSink, SyslogSink};
use super::stats::{Counters, SinkStats};
use super::worker::{Sink, Stop, Worker};

/// How much longer than its time a sink is waited for.
const GRACE: Duration = Duration::from_millis(500);

/// Runs sinks in the background, each on a thread of its own. Cloning is a reference count.
///
/// Call [`stop`](Self::stop) before the last clone is dropped, so that what is in the log goes out first;
/// what does not goes out after the next start.
#[derive(Debug, Clone)]
pub struct Exporter(Arc<Running>);

#[derive(Debug)]
struct Running {
    sinks: Vec<RunningSink>,
    stop: watch::Sender<Option<Instant>>,
}

#[derive(Debug)]
struct RunningSink {
    id: String,
    counters: Arc<Counters>,
    /// Completes when the thread ends.
    end: Mutex<Option<oneshot::Receiver<()>>>,
}

/// Why sinks cannot be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// A sink cannot be set up.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The system gives no thread.
    #[error("the sink `{id}` gets no thread")]
    Thread {
        /// The sink.
        id: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl Exporter {
    /// Starts sinks that read the logs in `pool`'s database. Its schema must be installed.
    ///
    /// # Errors
    /// [`ExportError`] when a sink cannot be set up; then none is started.
    pub fn start(pool: &DbPool, sinks: Vec<SinkSettings>) -> Result<Self, ExportError> {
        let (stop, stopped) = watch::channel(None);
        let mut ids = HashSet::new();
        let mut ready = Vec::new();
        for settings in sinks {
            settings.check()?;
            if !ids.insert(settings.id.clone()) {
                return Err(SettingsError::Twice { id: settings.id }.into());
            }
            let encoder = encoder(&settings);
            let sink = sink(&settings, &encoder)?;
            let counters = Arc::new(Counters::default());
            let (pool, stop) = (pool.clone(), Stop::new(stopped.clone()));
            ready.push((Worker { settings, encoder, pool, counters, stop }, sink));
        }
        let sinks = ready.into_iter().map(|(worker, sink)| spawn(worker, sink));
        let sinks = sinks.collect::<Result<_, _>>()?;
        Ok(Self(Arc::new(Running { sinks, stop })))
    }

    /// What the sinks have done so far, in the order they were given.
    #[must_use]
    pub fn stats(&self) -> Vec<SinkStats> {
        self.0.sinks.iter().map(|sink| sink.counters.snapshot(&sink.id)).collect()
    }

    /// Ends all sinks, when they have exported what is in the log, at the latest after `wait`. A sink that
    /// is stuck longer than that is left behind with a warning.
    pub async fn stop(&self, wait: Duration) {
        let deadline = Instant::now() + wait;
        self.0.stop.send_replace(Some(deadline));
        for sink in &self.0.sinks {
            let end = sink.end.lock().unwrap_or_else(PoisonError::into_inner).take();
            let Some(end) = end else { continue };
            if timeout_at(deadline + GRACE, end).await.is_err() {
                tracing::warn!(sink = sink.id, "export: the sink did not stop in time");
            }
        }
    }
}

fn encoder(settings: &SinkSettings) -> Encoder {
    let mut encoder = Encoder::new(settings.format, settings.host.as_str());
    if let Some(index) = &settings.splunk_index {
        encoder = encoder.splunk_index(index.as_str());
    }
    match &settings.destination {
        Destination::Http(_) => encoder.for_requests(),
        Destination::Syslog(_) => encoder.for_syslog(),
        Destination::Stdout | Destination::File(_) => encoder,
    }
}

fn sink(settings: &SinkSettings, encoder: &Encoder) -> Result<Sink, SettingsError> {
    Ok(match &settings.destination {
        Destination::Stdout => Sink::Local(LocalSink::Stdout(StdoutSink)),
        Destination::File(file) => Sink::Local(LocalSink::File(FileSink::new(file.clone()))),
        Destination::Http(http) => {
            let sink = HttpSink::new(&settings.id, http, encoder.clone())?;
            Sink::Remote(Box::new(RemoteSink::Http(sink)))
        }
        Destination::Syslog(address) => {
            Sink::Remote(Box::new(RemoteSink::Syslog(SyslogSink::new(address.clone()))))
        }
    })
}

/// Starts the thread of a sink: neither its encoding nor its waiting for the disk takes a turn of the
/// threads that answer requests.
fn spawn(worker: Worker, sink: Sink) -> Result<RunningSink, ExportError> {
    let (id, counters) = (worker.settings.id.clone(), worker.counters.clone());
    let failed = |source| ExportError::Thread { id: worker.settings.id.clone(), source };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let (ended, end) = oneshot::channel();
    thread::Builder::new()
        .name("audit-export".to_owned())
        .spawn(move || {
            runtime.block_on(worker.run(sink));
            // Nobody may be waiting.
            drop(ended);
        })
        .map_err(|source| ExportError::Thread { id: id.clone(), source })?;
    Ok(RunningSink { id, counters, end: Mutex::new(Some(end)) })
}
