//! The task that keeps the index up.

use std::time::Duration;

use systemprompt_core::database::DbPool;

use super::Indexer;

/// How long after a failure the index is tried again.
const PAUSE: Duration = Duration::from_secs(5);

/// Takes in what is new every `interval`, until the task is ended. Nothing that goes wrong here does
/// more than make searching slower.
pub(crate) async fn run(database: DbPool, interval: Duration) {
    let mut said = false;
    loop {
        let error = match Indexer::open(&database).await {
            Ok(indexer) => follow(indexer, interval, &mut said).await.to_string(),
            Err(error) => error.to_string(),
        };
        if !std::mem::replace(&mut said, true) {
            tracing::warn!(%error, "the search index of the audit log cannot be kept up");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn follow(mut indexer: Indexer, interval: Duration, said: &mut bool) -> sqlx::Error {
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
