//! The connection that the writer of a log writes with.
//!
//! It is one of `rusqlite`, which runs a statement in the thread that asks for it: nothing is handed to
//! another thread and back, and the events of a batch go one by one through one statement that stays
//! prepared, each value straight from its row. The library below it is the same as `sqlx`'s.

use std::path::Path;
use std::time::Duration;

use rusqlite::types::Null;
use rusqlite::{Connection, OpenFlags, Statement};

use super::failure::meaning_of;
use super::insert::{fields, text};
use crate::StoreError;
use crate::column::Field;
use crate::merkle::Tile;
use crate::store::{PlacedRow, place};

/// Writes one log. The write-ahead log may grow to about 32 MiB before a commit waits until it is moved into
/// the database file; pages that every batch changes are moved once for many batches.
#[derive(Debug)]
pub(super) struct Pen {
    connection: Connection,
    log_id: i64,
    insert: String,
}

impl Pen {
    /// Opens the database at `path`, which exists, to write the log `log_id`.
    pub(super) fn open(
        path: &Path,
        log_id: i64,
        lock_timeout: Duration,
    ) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = Connection::open_with_flags(path, flags).and_then(|connection| {
            connection.busy_timeout(lock_timeout.min(Duration::from_secs(60)))?;
            connection.execute_batch(
                "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA wal_autocheckpoint = 8000",
            )?;
            Ok(connection)
        });
        let connection = opened.map_err(|error| meaning_of(&error))?;
        Ok(Self { connection, log_id, insert: text() })
    }

    /// Writes `rows` and `tiles` in one transaction. `Ok` means durable; after an error nothing of them
    /// is left, unless the database cannot say.
    pub(super) fn write(&self, rows: &[PlacedRow<'_>], tiles: &[Tile]) -> Result<(), StoreError> {
        let written = self.transact(rows, tiles).map_err(|error| meaning_of(&error));
        if written.is_err() && !self.connection.is_autocommit() {
            // It fails when the database has ended the transaction itself, which is as good.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
        written
    }

    fn transact(&self, rows: &[PlacedRow<'_>], tiles: &[Tile]) -> rusqlite::Result<()> {
        self.run("BEGIN IMMEDIATE")?;
        let mut insert = self.connection.prepare_cached(&self.insert)?;
        for row in rows {
            for (at, field) in (1..).zip(fields(self.log_id, row)) {
                bind(&mut insert, at, field)?;
            }
            let written = insert.raw_execute()?;
            if written != 1 {
                // Somebody's trigger has swallowed it.
                return Err(rusqlite::Error::StatementChangedRows(written));
            }
        }
        drop(insert);
        for tile in tiles {
            let mut upsert = self.connection.prepare_cached(
                "INSERT INTO audit_tiles (log_id, level, idx, root, hashes) VALUES (?, ?, ?, ?, ?)
                 ON CONFLICT (log_id, level, idx)
                 DO UPDATE SET root = excluded.root, hashes = excluded.hashes",
            )?;
            let index = place(tile.index);
            upsert.execute((self.log_id, tile.level, index, tile.root, tile.to_bytes()))?;
        }
        self.run("COMMIT")
    }

    fn run(&self, statement: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(statement)?.raw_execute().map(|_| ())
    }
}

fn bind(statement: &mut Statement<'_>, at: usize, field: Field<'_>) -> rusqlite::Result<()> {
    match field {
        Field::Null => statement.raw_bind_parameter(at, Null),
        Field::Integer(integer) => statement.raw_bind_parameter(at, integer),
        Field::Text(text) => statement.raw_bind_parameter(at, text),
        Field::Bytes(bytes) => statement.raw_bind_parameter(at, bytes),
    }
}
