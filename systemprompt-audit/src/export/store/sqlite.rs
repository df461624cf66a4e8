//! Reading the log in SQLite, on connections of its own: readers of a write-ahead log wait for nobody and
//! nobody waits for them.

use futures_util::StreamExt as _;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection as _, Executor as _};
use systemprompt_core::clock::Timestamp;
use systemprompt_core::database::SqliteDatabase;

use super::{LogPlace, Row, driver};
use crate::QueryError;
use crate::query::StoredEvent;

/// The log in SQLite as one sink reads it.
#[derive(Debug)]
pub(in crate::export) struct Source {
    database: SqliteDatabase,
    sink: String,
    reading: Option<SqliteConnection>,
    noting: Option<SqliteConnection>,
}

impl Source {
    /// The log in `database`. Connections are made when they are needed.
    pub(super) fn new(database: SqliteDatabase, sink: &str) -> Self {
        Self { database, sink: sink.to_owned(), reading: None, noting: None }
    }

    /// Connects for noting, as far as that is possible now: the connection's thread has the priority of
    /// the thread that makes it, and whoever holds the write lock must not be a slow one.
    pub(super) async fn prepare(&mut self) {
        if let Err(error) = self.noting().await {
            tracing::debug!(%error, "export: no connection for noting yet");
        }
    }

    /// All logs of the database, and how far the sink has come in each.
    pub(super) async fn places(&mut self) -> Result<Vec<LogPlace>, QueryError> {
        let sink = self.sink.clone();
        let rows = sqlx::query_as!(
            LogPlace,
            r#"SELECT l.id AS "log_id!: i64", l.origin,
                      coalesce((SELECT max(seq) FROM audit_events WHERE log_id = l.id), 0)
                          AS "head!: i64",
                      x.seq AS "noted?: i64"
               FROM audit_logs AS l
               LEFT JOIN audit_exports AS x ON x.log_id = l.id AND x.sink = ?
               ORDER BY l.id"#,
            sink
        )
        .fetch_all(self.reading().await?)
        .await;
        self.read(rows)
    }

    /// Gives the rows of a log after a place to `each`, in order, until there are none, `limit` have
    /// come, or `each` has enough.
    pub(super) async fn rows(
        &mut self,
        log_id: i64,
        after: i64,
        limit: i64,
        each: &mut (dyn FnMut(Row) -> bool + Send),
    ) -> Result<(), QueryError> {
        let connection = self.reading().await?;
        let mut rows = sqlx::query_as!(
            StoredEvent,
            "SELECT l.origin, e.seq, e.id, e.kind, e.occurred_at, e.trace_id, e.call_id, e.session_id,
                    e.context_id, e.task_id, e.tenant_id, e.user_id, e.department, e.credential_id,
                    e.actor_chain, e.agent_id, e.plugin_id, e.door, e.user_agent, e.client_addr,
                    e.server, e.tool, e.arguments_digest, e.arguments_bytes, e.call_digest,
                    e.decision, e.reason_code, e.reason, e.reason_data, e.evaluation,
                    e.policy_version, e.duration_us, e.permit_id, e.expires_at, e.status,
                    e.duration_ms, e.result_bytes, e.result_digest, e.error, e.detail, e.leaf_hash
             FROM audit_events AS e JOIN audit_logs AS l ON l.id = e.log_id
             WHERE e.log_id = ? AND e.seq > ?
             ORDER BY e.seq LIMIT ?",
            log_id,
            after,
            limit
        )
        .fetch(connection);
        let mut failed = None;
        let mut last = after;
        while let Some(row) = rows.next().await {
            let row = match row {
                Ok(row) => {
                    let seq = row.seq;
                    match row.into_record() {
                        Ok(event) => Row::Event(Box::new(event)),
                        Err(_) => Row::Unreadable { seq },
                    }
                }
                // It does not even say its place, but places have no gaps.
                Err(sqlx::Error::ColumnDecode { .. }) => Row::Unreadable { seq: last + 1 },
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            };
            last = row.seq();
            if !each(row) {
                break;
            }
        }
        drop(rows);
        self.read(failed.map_or(Ok(()), Err))
    }

    /// Notes that everything of a log up to `seq` has arrived. Never goes back.
    pub(super) async fn note(
        &mut self,
        log_id: i64,
        seq: i64,
        now: Timestamp,
    ) -> Result<(), QueryError> {
        let (sink, noted_at) = (self.sink.clone(), now.as_micros());
        let result = sqlx::query!(
            "INSERT INTO audit_exports (sink, log_id, seq, noted_at) VALUES (?, ?, ?, ?)
             ON CONFLICT DO UPDATE SET seq = max(seq, excluded.seq), noted_at = excluded.noted_at",
            sink,
            log_id,
            seq,
            noted_at
        )
        .execute(self.noting().await?)
        .await;
        if result.is_err() {
            self.noting = None;
        }
        result.map(|_| ()).map_err(Into::into)
    }

    /// Closes the connections.
    pub(super) async fn close(&mut self) {
        for connection in [self.reading.take(), self.noting.take()].into_iter().flatten() {
            if let Err(error) = connection.close().await {
                tracing::debug!(%error, "a connection of the export did not close cleanly");
            }
        }
    }

    /// After a failure the next query gets a fresh connection.
    fn read<T>(&mut self, result: Result<T, sqlx::Error>) -> Result<T, QueryError> {
        if result.is_err() {
            self.reading = None;
        }
        result.map_err(Into::into)
    }

    async fn reading(&mut self) -> Result<&mut SqliteConnection, QueryError> {
        // It never writes, not by mistake either.
        open(&self.database, &mut self.reading, "PRAGMA query_only = ON").await
    }

    async fn noting(&mut self) -> Result<&mut SqliteConnection, QueryError> {
        // A place that a power cut loses is read again; no commit of ours waits for the disk while it
        // holds the lock that decisions need.
        const QUICK: &str = "PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 2000";
        open(&self.database, &mut self.noting, QUICK).await
    }
}

async fn open<'c>(
    database: &SqliteDatabase,
    slot: &'c mut Option<SqliteConnection>,
    setup: &'static str,
) -> Result<&'c mut SqliteConnection, QueryError> {
    let connection = match slot.take() {
        Some(connection) => connection,
        None => {
            let mut connection = database.connect().await.map_err(driver)?;
            connection.execute(sqlx::raw_sql(setup)).await?;
            connection
        }
    };
    Ok(slot.insert(connection))
}
