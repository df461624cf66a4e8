//! What the writer tells the index.

use std::sync::{Arc, Mutex, PoisonError};

use super::Entry;

/// Most events that wait for the index; what comes then it reads from the log.
const MOST: usize = 32_768;

/// Events on their way from the writer of a log to its index, so that nobody has to read them again.
/// Cloning is a reference count.
#[derive(Debug, Clone, Default)]
pub(crate) struct Feed(Arc<Mutex<Vec<Entry>>>);

impl Feed {
    /// Adds events that are durable, in order.
    pub(crate) fn push(&self, entries: impl Iterator<Item = Entry>) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = MOST.saturating_sub(waiting.len());
        waiting.extend(entries.take(room));
    }

    /// Exchanges what is waiting for what `told` held. Whoever asks again and again with the same list
    /// leaves the writer the room of the last time, so that it seldom has to ask for memory.
    pub(super) fn take(&self, told: &mut Vec<Entry>) {
        told.clear();
        std::mem::swap(told, &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
