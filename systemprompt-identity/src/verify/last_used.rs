use std::collections::HashMap;

use parking_lot::Mutex;
use systemprompt_core::clock::Timestamp;
use systemprompt_core::database::DbPool;
use systemprompt_core::id::TokenId;

use super::background::Background;
use crate::error::IdentityError;
use crate::store::on;

/// Most uses that wait to be written down; more are forgotten, they only inform people.
const MAX_WAITING: usize = 100_000;
/// Most uses that are written in one transaction, so that it holds the write lock briefly.
const MAX_AT_ONCE: usize = 500;

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
        let taken: Vec<_> = std::mem::take(&mut *self.waiting.lock()).into_iter().collect();
        let mut left = taken.as_slice();
        while !left.is_empty() {
            let (part, rest) = left.split_at(left.len().min(MAX_AT_ONCE));
            if let Err(error) = write(db, part).await {
                let mut waiting = self.waiting.lock();
                for (key, at) in left {
                    waiting.entry(key.clone()).or_insert(*at);
                }
                return Err(error);
            }
            left = rest;
            // Others write too.
            tokio::task::yield_now().await;
        }
        Ok(())
    }
}

async fn write(db: &DbPool, uses: &[(TokenId, i64)]) -> Result<(), IdentityError> {
    let mut tx = db.begin_write().await?;
    on!(tx.driver(), note_uses(uses));
    Ok(tx.commit().await?)
}
