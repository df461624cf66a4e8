use std::path::PathBuf;

use systemprompt_core::contract::AuditError;
use systemprompt_core::database::DatabaseError;

use crate::Origin;
use crate::note::{KeyError, NoteError};

/// Why an audit log could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process, or another log in this one, writes under the same origin.
    #[error("the audit log `{origin}` is already being written by {holder}")]
    Held {
        /// The origin.
        origin: Origin,
        /// Who holds the lease, as far as it says so itself.
        holder: String,
    },
    /// The lease file cannot be used.
    #[error("the lease file `{}` cannot be used", path.display())]
    Lease {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The key that signs the log cannot have its name.
    #[error("the log cannot be signed: {0}")]
    Key(#[from] KeyError),
    /// The name of the log cannot be signed.
    #[error("the log cannot be signed: {0}")]
    Note(#[source] NoteError),
    /// The database cannot be opened.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The log cannot be read or written.
    #[error("the audit log cannot be opened: {0}")]
    Store(#[from] StoreError),
}

/// Why the audit log could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// As many queries as may run at once are running.
    #[error("too many queries are being answered")]
    Busy,
    /// The query was interrupted because it took longer than it may.
    #[error("the query took too long")]
    TooSlow,
    /// The database failed.
    #[error("the audit log cannot be read")]
    Database(#[source] sqlx::Error),
    /// The store failed.
    #[error("the audit log cannot be read")]
    Store(#[from] StoreError),
    /// A sum is larger than a number can be.
    #[error("a sum does not fit in 64 bits")]
    Overflow,
    /// The file of the search index cannot be opened.
    #[error("the search index cannot be opened")]
    Index(#[source] DatabaseError),
    /// A row does not hold what the log writes.
    #[error("event {seq} of the log `{origin}` has no proper `{column}`")]
    Corrupt {
        /// The log.
        origin: String,
        /// The event.
        seq: i64,
        /// The column.
        column: &'static str,
    },
}

impl From<sqlx::Error> for QueryError {
    fn from(source: sqlx::Error) -> Self {
        Self::Database(source)
    }
}

/// Why a store did not do its work. Never holds a value of a row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process holds the write lock.
    #[error("the database is locked")]
    Locked,
    /// No room for more.
    #[error("the disk is full")]
    Full,
    /// The file at the database's path is not the one that was opened.
    #[error("the database file was moved or replaced")]
    Moved,
    /// The rows break a rule of the table; the store itself is well.
    #[error("the rows were refused by the table")]
    Refused,
    /// The caller's time was over before the event was in a transaction.
    #[error("the event was not written in time")]
    Late,
    /// Anything else, by the driver's code.
    #[error("the database failed ({0})")]
    Failed(String),
}

impl From<StoreError> for AuditError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.to_string())
    }
}
