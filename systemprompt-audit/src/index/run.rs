//! The task that keeps the index up.

use std::time::Duration;

use systemprompt_core::database::SqliteDatabase;
use tokio::runtime::Builder;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use super::{Feed, Indexer};
use crate::priority::step_back;

/// How long after a failure the index is tried again.
const PAUSE: Duration = Duration::from_secs(5);

/// Keeps the index up on a thread of its own that takes what decisions leave of the processor; under
/// load it falls behind and catches up afterwards. The task ends with it.
pub(crate) fn start(
    database: SqliteDatabase,
    feed: (i64, Feed),
    interval: Duration,
    stop: watch::Receiver<bool>,
) -> JoinHandle<()> {
    let (ended, end) = oneshot::channel::<()>();
    let thread = std::thread::Builder::new().name("audit-index".to_owned()).spawn(move || {
        step_back();
        match Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime.block_on(run(database, feed, interval, stop)),
            Err(error) => tracing::warn!(%error, "the search index cannot be kept up"),
        }
        drop(ended);
    });
    if let Err(error) = thread {
        tracing::warn!(%error, "the search index cannot be kept up");
    }
    tokio::spawn(async move { drop(end.await) })
}

/// Takes in what is new every `interval`, until `stop` says so or is gone. Nothing that goes wrong here
/// does more than make searching slower.
async fn run(
    database: SqliteDatabase,
    feed: (i64, Feed),
    interval: Duration,
    mut stop: watch::Receiver<bool>,
) {
    let mut said = false;
    loop {
        let error = match Indexer::open(&database, Some(feed.clone())).await {
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
