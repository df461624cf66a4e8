//! Connections that read, within limits.

use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, Postgres};
use systemprompt_core::database::PostgresDatabase;
use tokio::sync::OwnedSemaphorePermit;

use crate::QueryError;
use crate::query::Share;

/// The SQLSTATE of a statement that was cancelled (PostgreSQL documentation, appendix A).
const CANCELED: &str = "57014";

/// A connection that reads. Dropping it before [`finish`](Self::finish) closes it; the server ends
/// the query at the latest when its time is over.
#[derive(Debug)]
pub(crate) struct Reading {
    connection: PoolConnection<Postgres>,
    slot: Option<OwnedSemaphorePermit>,
    finished: bool,
}

impl Reading {
    /// A connection for one query, when it is the query's turn; without a share there are no limits.
    pub(crate) async fn begin(
        database: &PostgresDatabase,
        share: Option<&Share>,
    ) -> Result<Self, QueryError> {
        let Some(share) = share else {
            return Self::within(database, None, 0).await;
        };
        let time = i64::try_from(share.time().as_millis().max(1)).unwrap_or(i64::MAX);
        let start = async { Self::within(database, Some(share.slot().await?), time).await };
        share.in_time(start).await
    }

    async fn within(
        database: &PostgresDatabase,
        slot: Option<OwnedSemaphorePermit>,
        time_ms: i64,
    ) -> Result<Self, QueryError> {
        let connection = database.pool().acquire().await?;
        let mut reading = Self { connection, slot, finished: false };
        sqlx::query!("BEGIN READ ONLY").execute(&mut *reading.connection).await?;
        sqlx::query!(
            r#"SELECT set_config('statement_timeout', $1, true) AS "set!""#,
            time_ms.to_string()
        )
        .fetch_one(&mut *reading.connection)
        .await?;
        Ok(reading)
    }

    /// What to read with.
    pub(crate) fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    /// Gives the connection back and says what became of the query.
    pub(crate) async fn finish<T>(
        mut self,
        result: Result<T, sqlx::Error>,
    ) -> Result<T, QueryError> {
        // A connection that cannot even do this is not given back.
        self.finished = sqlx::query!("ROLLBACK WORK").execute(&mut *self.connection).await.is_ok();
        result.map_err(|error| {
            let code = error.as_database_error().and_then(|error| error.code());
            match code.as_deref() {
                Some(CANCELED) if self.slot.is_some() => QueryError::TooSlow,
                _ => error.into(),
            }
        })
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        if !self.finished {
            self.connection.close_on_drop();
        }
    }
}
