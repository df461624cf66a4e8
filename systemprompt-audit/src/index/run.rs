//! The task that keeps the index up.

use std::time::Duration;

use systemprompt_core::database::DbPool;
use tokio::sync::watch;

use super::Indexer;

/// How long after a failure the index is tried again.
const PAUSE: Duration = Duration::from_secs(5);

/// Takes in what is new every `interval`, until `stop` says so or is gone. Nothing that goes wrong here
/// does more than make searching slower.
pub(crate) async fn run(database: DbPool, interval: Duration, mut stop: watch::Receiver<bool>) {
    let mut said = false;
    loop {
        let error = match Indexer::open(&database).await {
            Ok(mut indexer) => {
                let ended = tokio::select! {
                    error = follow(&mut indexer, interval, &mut said) => Some(error.to_string()),
                    _ = stop.wait_for(|stop| *stop) => None,
                };
                indexer.close().await;
                let Some(error) = ended else { return };
                error
            }
            Err(error) => error.to_string(),
        };
        if !std::mem::replace(&mut said, true) {
            tracing::warn!(%error, "the search index of the audit log cannot be kept up");
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

async fn follow(indexer: &mut Indexer, interval: Duration, said: &mut bool) -> sqlx::Error {
    loop {
        match indexer.catch_up().await {
            Ok(_) => {}
            Err(error) => return error,
        }
        if std::mem::take(said) {
            tracing::info!("the search index of the audit log is kept up again");
        }
        tokio::time::sleep(interval).await;
    }
}
