use std::time::Duration;

use systemprompt_core::database::DbPool;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// For how long an answer holds.
const FRESH: Duration = Duration::from_millis(250);

/// Asks whether the database answers, one asker at a time and not more often than anybody needs to
/// know: readiness is asked for without a credential.
#[derive(Debug, Default)]
pub(crate) struct Probe(Mutex<Option<(Instant, bool)>>);

impl Probe {
    /// Whether `database` answers.
    pub(crate) async fn answers(&self, database: &DbPool) -> bool {
        let mut last = self.0.lock().await;
        match *last {
            Some((at, answered)) if at.elapsed() < FRESH => answered,
            _ => {
                let ping = tokio::time::timeout(Duration::from_secs(1), database.ping()).await;
                let answered = matches!(ping, Ok(Ok(())));
                *last = Some((Instant::now(), answered));
                answered
            }
        }
    }
}
