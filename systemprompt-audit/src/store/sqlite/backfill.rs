//! What the write-ahead log holds, on its way into the database file.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{self, JoinHandle};

use rusqlite::{Connection, OpenFlags};

use super::failure::meaning_of;
use crate::StoreError;
use crate::priority::step_back;

/// Pages after which it is time again: a commit that has to empty the log itself finds little left to do.
const PAGES: usize = 2_000;

/// Pages that a commit changes whatever is in it: the ends of the table, of its indexes and of the tree.
const PAGES_OF_A_COMMIT: usize = 9;

/// A thread that moves pages from the write-ahead log into the database file while the writer goes on, so
/// that a commit seldom has to. What it has not come to the writer does itself when the log is large.
#[derive(Debug)]
pub(super) struct Backfill {
    thread: Option<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
    written: usize,
}

impl Backfill {
    /// For the database at `path`, which exists.
    pub(super) fn start(path: &Path) -> Result<Self, StoreError> {
        let stop = Arc::<AtomicBool>::default();
        let run = {
            let (path, stop) = (path.to_owned(), stop.clone());
            move || run(&path, &stop)
        };
        let thread = thread::Builder::new().name("audit-backfill".to_owned()).spawn(run);
        let thread = thread.map_err(|error| StoreError::Failed(error.kind().to_string()))?;
        Ok(Self { thread: Some(thread), stop, written: 0 })
    }

    /// Counts a commit of so many events, each of which adds less than half a page.
    pub(super) fn count(&mut self, events: usize) {
        self.written += PAGES_OF_A_COMMIT + events / 2;
        if self.written >= PAGES {
            self.written = 0;
            if let Some(thread) = &self.thread {
                thread.thread().unpark();
            }
        }
    }
}

impl Drop for Backfill {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // It has panicked, or ended as it should.
            drop(thread.join());
        }
    }
}

fn run(path: &Path, stop: &AtomicBool) {
    step_back();
    let mut connection = None;
    loop {
        thread::park();
        if stop.load(Relaxed) {
            return;
        }
        let moved = match &connection {
            Some(connection) => backfill(connection),
            None => open(path).and_then(|opened| backfill(connection.insert(opened))),
        };
        if let Err(error) = moved {
            let error = meaning_of(&error);
            tracing::debug!(%error, "the write-ahead log could not be moved into the database");
            connection = None;
        }
    }
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags)
}

fn backfill(connection: &Connection) -> rusqlite::Result<()> {
    // Waits for nobody (sqlite.org/pragma.html#pragma_wal_checkpoint).
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
}
