use std::time::Duration;

use serde_json::json;
use systemprompt_core::contract::AuditSink as _;
use systemprompt_core::event::{AuditEvent, EventKind};
use tokio::sync::OnceCell;

use super::App;

/// Makes the end happen once, however often it is asked for.
#[derive(Debug, Default)]
pub(super) struct Shutdown(OnceCell<()>);

impl App {
    /// Ends the application in an orderly way: stops jobs and the watch over the profile, writes what
    /// is waiting, records the end, exports what the sinks take in time, and releases the audit log and the database. A second call waits
    /// for the first.
    pub async fn shutdown(&self) {
        self.0.shutdown.0.get_or_init(|| self.close()).await;
    }

    async fn close(&self) {
        let inner = &self.0;
        inner.streams.close();
        if let Some(watch) = &inner.watch {
            watch.stop();
        }
        inner.jobs.stop(inner.context.config.profile().server.shutdown_timeout_ms).await;
        let wait_ms = inner.context.config.profile().server.shutdown_timeout_ms;
        let wait = Duration::from_millis(wait_ms);
        if tokio::time::timeout(wait, inner.models.settled()).await.is_err() {
            tracing::warn!("requests to models are under way still; they are not recorded");
        }
        inner.gate.close().await;
        if let Err(error) = inner.verifier.close().await {
            tracing::warn!(%error, "the last uses of keys were not written");
        }
        inner.reloader.write_events().await;
        let stats = inner.audit.stats();
        let event = AuditEvent::system(
            inner.context.clock.now(),
            EventKind::ServerStopped,
            json!({ "events": stats.events }),
        );
        if let Err(error) = inner.audit.append(event).await {
            tracing::error!(%error, "the stop was not recorded");
        }
        inner.audit.close().await;
        inner.exporter.stop(wait).await;
        inner.context.database.close().await;
    }
}
