//! What exporting needs of a database.

#[cfg(feature = "postgres")]
mod postgres;
mod source;
#[cfg(feature = "sqlite")]
mod sqlite;

pub(super) use source::Source;
use systemprompt_core::database::DatabaseError;

use crate::{EventRecord, QueryError};

/// A log and how far a sink has come in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LogPlace {
    pub(super) log_id: i64,
    pub(super) origin: String,
    /// The place of the last event.
    pub(super) head: i64,
    /// The place the sink has noted; `None` when it has noted none.
    pub(super) noted: Option<i64>,
}

/// A row of the log.
#[derive(Debug)]
pub(super) enum Row {
    /// An event.
    Event(Box<EventRecord>),
    /// A row that does not hold what the log writes.
    Unreadable {
        /// Its place.
        seq: i64,
    },
}

impl Row {
    pub(super) fn seq(&self) -> i64 {
        match self {
            Self::Event(event) => event.seq,
            Self::Unreadable { seq } => *seq,
        }
    }
}

fn driver(error: DatabaseError) -> QueryError {
    match error {
        DatabaseError::Driver(error) => error.into(),
        other => sqlx::Error::Configuration(Box::new(other)).into(),
    }
}
