use std::collections::HashMap;

use parking_lot::Mutex;
use systemprompt_core::clock::Timestamp;
use systemprompt_core::database::DbPool;
use systemprompt_core::id::TokenId;

use super::background::Background;
use crate::error::IdentityError;

/// Most uses that wait to be written down; more are forgotten, they only inform people.
const MAX_WAITING: usize = 100_000;

/// Uses of keys that wait to be written down, away from the path of a request.
#[derive(Default)]
pub(super) struct LastUsed {
    waiting: Mutex<HashMap<TokenId, i64>>,
    /// Held while something is being written.
    writing: tokio::sync::Mutex<()>,
}

impl LastUsed {
    pub(super) fn note(&self, key: &TokenId, at: Timestamp) {
        let mut waiting = self.waiting.lock();
        if waiting.len() < MAX_WAITING {
            waiting.insert(key.clone(), at.as_micros());
        }
    }

    /// Writes down what waits. What could not be written waits on.
    pub(super) async fn write(&self, db: &DbPool) -> Result<(), IdentityError> {
        let _writing = self.writing.lock().await;
        self.write_waiting(db).await
    }

    /// Stops the tasks, but not in the middle of writing, and writes what is left.
    pub(super) async fn close(
        &self,
        tasks: Vec<Background>,
        db: &DbPool,
    ) -> Result<(), IdentityError> {
        let _writing = self.writing.lock().await;
        drop(tasks);
        self.write_waiting(db).await
    }

    async fn write_waiting(&self, db: &DbPool) -> Result<(), IdentityError> {
        let taken = std::mem::take(&mut *self.waiting.lock());
        if taken.is_empty() {
            return Ok(());
        }
        let result = write(db, &taken).await;
        if result.is_err() {
            let mut waiting = self.waiting.lock();
            for (key, at) in taken {
                waiting.entry(key).or_insert(at);
            }
        }
        result
    }
}

async fn write(db: &DbPool, uses: &HashMap<TokenId, i64>) -> Result<(), IdentityError> {
    let mut tx = db.begin_write().await?;
    for (key, at) in uses {
        let id = key.as_str();
        sqlx::query!(
            "UPDATE api_keys SET last_used_at = ?2
             WHERE id = ?1 AND (last_used_at IS NULL OR last_used_at < ?2)",
            id,
            at
        )
        .execute(&mut *tx)
        .await?;
    }
    Ok(tx.commit().await?)
}
