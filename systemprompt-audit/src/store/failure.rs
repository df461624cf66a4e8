//! What an error of the driver means for the log.

use sqlx::error::DatabaseError;

use crate::StoreError;

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::from(&error)
    }
}

impl From<systemprompt_core::database::DatabaseError> for StoreError {
    fn from(error: systemprompt_core::database::DatabaseError) -> Self {
        match error {
            systemprompt_core::database::DatabaseError::Driver(error) => Self::from(&error),
            other => Self::Failed(other.to_string()),
        }
    }
}

impl From<&sqlx::Error> for StoreError {
    /// What `error` means, without its text: that could hold a value.
    fn from(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(database) => meaning(&**database),
            _ => Self::Failed(kind(error).to_owned()),
        }
    }
}

fn meaning(error: &dyn DatabaseError) -> StoreError {
    let code = error.code();
    let code = code.as_deref().unwrap_or_default();
    #[cfg(feature = "sqlite")]
    if error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
        return super::sqlite::meaning(code.parse().unwrap_or_default());
    }
    #[cfg(feature = "postgres")]
    if error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some() {
        return super::postgres::meaning(code);
    }
    StoreError::Failed(format!("code {code}"))
}

fn kind(error: &sqlx::Error) -> &'static str {
    match error {
        sqlx::Error::Io(_) => "input or output",
        sqlx::Error::Tls(_) => "the connection cannot be encrypted",
        sqlx::Error::WorkerCrashed => "the connection ended",
        sqlx::Error::PoolTimedOut => "no connection in time",
        sqlx::Error::PoolClosed => "the pool is closed",
        sqlx::Error::RowNotFound => "a row is missing",
        _ => "the driver",
    }
}

/// Whether the connection is of no more use.
pub(crate) fn is_broken(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(database) => {
            // A server that goes down says so before it does (PostgreSQL, appendix A).
            let code = database.code();
            code.is_some_and(|code| {
                code.len() == 5 && (code.starts_with("57P") || code.starts_with("08"))
            })
        }
        sqlx::Error::RowNotFound | sqlx::Error::Encode(_) => false,
        _ => true,
    }
}
