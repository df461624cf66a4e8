//! Reading many whole events one after the other.
//!
//! Over a connection of `rusqlite`, which lends each value of a row where SQLite has it: `sqlx` would copy
//! forty of them for each row and hand them to another thread.

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use super::failure::meaning_of;
use crate::StoreError;
use crate::column::{Column, Field};
use crate::scanned_row::{COLUMNS, ScannedRow};

/// The events of a database, which is never written to.
#[derive(Debug)]
pub(crate) struct Events {
    connection: Connection,
    select: String,
}

impl Events {
    /// Opens the database at `path`, which exists; one that nobody has open, without locks.
    pub(crate) fn open(path: &Path, alone: bool) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_URI
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(uri(path, alone), flags);
        let connection = connection.map_err(|error| meaning_of(&error))?;
        Ok(Self { connection, select: select() })
    }

    /// From here on all is read as it is at one moment, at which `question` has this answer.
    pub(super) fn begin(&self, question: &str) -> Result<String, StoreError> {
        let begin = || {
            self.connection.execute_batch("BEGIN")?;
            self.connection.query_row(question, (), |row| row.get(0))
        };
        begin().map_err(|error| meaning_of(&error))
    }

    /// Ends what [`begin`](Self::begin) began.
    pub(super) fn end(&self) -> Result<(), StoreError> {
        if self.connection.is_autocommit() {
            return Ok(());
        }
        self.connection.execute_batch("ROLLBACK").map_err(|error| meaning_of(&error))
    }

    /// Hands each of the rows after `after` up to `to` to `each`, in order, until it has enough.
    pub(crate) fn scan(
        &self,
        log_id: i64,
        after: i64,
        to: i64,
        each: &mut dyn FnMut(ScannedRow<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let mut scan = || {
            let mut select = self.connection.prepare_cached(&self.select)?;
            let mut rows = select.query((log_id, after, to))?;
            while let Some(row) = rows.next()? {
                let mut values = [Field::Null; COLUMNS];
                for (at, value) in (1..).zip(&mut values) {
                    *value = field(row.get_ref(at)?);
                }
                let (salt, leaf) = (row.get_ref(COLUMNS + 1)?, row.get_ref(COLUMNS + 2)?);
                let [salt, leaf] = [salt, leaf].map(|value| value.as_bytes().unwrap_or_default());
                if each(ScannedRow::new(row.get(0)?, &values, salt, leaf)).is_break() {
                    break;
                }
            }
            Ok(())
        };
        scan().map_err(|error| meaning_of(&error))
    }
}

fn field(value: ValueRef<'_>) -> Field<'_> {
    match value {
        ValueRef::Null => Field::Null,
        ValueRef::Integer(integer) => Field::Integer(integer),
        // What is no text is not what the log has written.
        ValueRef::Text(text) => str::from_utf8(text).map_or(Field::Bytes(text), Field::Text),
        ValueRef::Blob(bytes) => Field::Bytes(bytes),
        // No column is of this kind.
        ValueRef::Real(_) => Field::Bytes(&[]),
    }
}

/// Names every column of an event, in order.
fn select() -> String {
    let mut sql = "SELECT seq".to_owned();
    for column in Column::ALL {
        // Writing to a string does not fail.
        let _ = write!(sql, ",{}", column.name());
    }
    sql.push_str(
        ",salt,leaf_hash FROM audit_events WHERE log_id=? AND seq>? AND seq<=? ORDER BY seq",
    );
    sql
}

/// The name of a file the way SQLite wants it when more is to be said of it (sqlite.org/uri.html).
fn uri(path: &Path, immutable: bool) -> String {
    let mut uri = "file:".to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'~' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {
                uri.push(char::from(*byte));
            }
            // Writing to a string does not fail.
            byte => drop(write!(uri, "%{byte:02X}")),
        }
    }
    if immutable {
        uri.push_str("?immutable=1");
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_named_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a b?c#d%41&e=\u{e9}.db");
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
        for immutable in [false, true] {
            let opened = Events::open(&path, immutable).unwrap();
            let count = opened.begin("SELECT CAST(count(*) AS TEXT) FROM sqlite_master").unwrap();
            assert_eq!(count, "1");
            assert!(opened.connection.execute_batch("CREATE TABLE u (a)").is_err());
            opened.end().unwrap();
        }
    }

    #[test]
    fn a_value_is_lent_as_what_it_is() {
        assert_eq!(field(ValueRef::Text(b"a")), Field::Text("a"));
        assert_eq!(field(ValueRef::Text(b"\xff")), Field::Bytes(b"\xff"));
        assert_eq!(field(ValueRef::Real(1.0)), Field::Bytes(b""));
        assert_eq!(field(ValueRef::Integer(1)), Field::Integer(1));
        assert_eq!(field(ValueRef::Blob(b"a")), Field::Bytes(b"a"));
    }
}
