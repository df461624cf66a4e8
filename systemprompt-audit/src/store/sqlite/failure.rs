//! What an error of the driver means for the log.

use crate::StoreError;

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::from(&error)
    }
}

impl From<&sqlx::Error> for StoreError {
    /// What `error` means, without its text: that could hold a value.
    fn from(error: &sqlx::Error) -> Self {
        meaning(error)
    }
}

fn meaning(error: &sqlx::Error) -> StoreError {
    let sqlx::Error::Database(database) = error else {
        return StoreError::Failed(kind(error).to_owned());
    };
    let code = database.code();
    let code = code.as_deref().and_then(|code| code.parse::<u32>().ok()).unwrap_or_default();
    // The low byte is the primary result code (sqlite.org/rescode.html).
    match code & 0xff {
        5 | 6 => StoreError::Locked,
        13 => StoreError::Full,
        18..=20 => StoreError::Refused,
        _ => StoreError::Failed(format!("SQLite code {code}")),
    }
}

/// Whether the connection is of no more use.
pub(crate) fn is_broken(error: &sqlx::Error) -> bool {
    !matches!(error, sqlx::Error::Database(_) | sqlx::Error::RowNotFound | sqlx::Error::Encode(_))
}

fn kind(error: &sqlx::Error) -> &'static str {
    match error {
        sqlx::Error::Io(_) => "input or output",
        sqlx::Error::WorkerCrashed => "the connection ended",
        sqlx::Error::PoolTimedOut => "no connection in time",
        sqlx::Error::PoolClosed => "the pool is closed",
        sqlx::Error::RowNotFound => "a row is missing",
        _ => "the driver",
    }
}
