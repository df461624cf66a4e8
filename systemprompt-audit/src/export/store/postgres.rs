//! Reading the log in PostgreSQL, on connections of its own.

use futures_util::StreamExt as _;
use sha2::{Digest as _, Sha256};
use sqlx::{Connection as _, Executor as _, PgConnection};
use systemprompt_core::clock::Timestamp;
use systemprompt_core::database::PostgresDatabase;

use super::{LogPlace, Row, driver};
use crate::QueryError;
use crate::query::StoredEvent;
use crate::store::postgres::read::decoded;

/// The log in PostgreSQL as one sink reads it.
#[derive(Debug)]
pub(in crate::export) struct Source {
    database: PostgresDatabase,
    sink: String,
    reading: Option<PgConnection>,
    /// Holds the claim, too.
    noting: Option<PgConnection>,
    /// Whether this source is the one that exports to the sink.
    claims: bool,
}

impl Source {
    /// The log in `database`. Connections are made when they are needed.
    pub(super) fn new(database: PostgresDatabase, sink: &str) -> Self {
        Self { database, sink: sink.to_owned(), reading: None, noting: None, claims: false }
    }

    /// Connects for noting, as far as that is possible now.
    pub(super) async fn prepare(&mut self) {
        if let Err(error) = self.noting().await {
            tracing::debug!(%error, "export: no connection for noting yet");
        }
    }

    /// Takes the right to export to the sink, which only one process at a time has, on whatever machine
    /// it runs; `false` while another one has it.
    pub(super) async fn claim(&mut self) -> Result<bool, QueryError> {
        self.claims = true;
        self.noting = None;
        match self.noting().await {
            Ok(_) => Ok(true),
            Err(QueryError::Database(sqlx::Error::Configuration(_))) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// All logs of the database, and how far the sink has come in each.
    pub(super) async fn places(&mut self) -> Result<Vec<LogPlace>, QueryError> {
        if self.claims {
            // Whoever has lost it in between stops here.
            self.noting().await?;
        }
        let sink = self.sink.clone();
        let rows = sqlx::query_as!(
            LogPlace,
            r#"SELECT l.id AS "log_id", l.origin,
                      coalesce((SELECT max(seq) FROM audit_events WHERE log_id = l.id), 0) AS "head!",
                      x.seq AS "noted?"
               FROM audit_logs AS l
               LEFT JOIN audit_exports AS x ON x.log_id = l.id AND x.sink = $1
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
        log: &LogPlace,
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
             WHERE e.log_id = $1 AND e.seq > $2
             ORDER BY e.seq LIMIT $3",
            log.log_id,
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
                    match decoded(row).into_record() {
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
            "INSERT INTO audit_exports AS x (sink, log_id, seq, noted_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (sink, log_id)
             DO UPDATE SET seq = greatest(x.seq, excluded.seq), noted_at = excluded.noted_at",
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

    async fn reading(&mut self) -> Result<&mut PgConnection, QueryError> {
        // It never writes, not by mistake either.
        const READ_ONLY: &str =
            "SET default_transaction_read_only = on; SET statement_timeout = '60s'";
        open(&self.database, &mut self.reading, READ_ONLY).await
    }

    async fn noting(&mut self) -> Result<&mut PgConnection, QueryError> {
        // A place that a crash of the server loses is read again.
        const QUICK: &str = "SET synchronous_commit = off; SET statement_timeout = '2s'";
        let fresh = self.noting.is_none();
        let connection = open(&self.database, &mut self.noting, QUICK).await?;
        if !fresh || !self.claims || claimed(connection, &self.sink).await? {
            return self.noting.as_mut().ok_or_else(|| taken().into());
        }
        self.noting = None;
        Err(taken().into())
    }
}

/// Whether the session of `connection` has the right to export to `sink` now.
async fn claimed(connection: &mut PgConnection, sink: &str) -> Result<bool, sqlx::Error> {
    let digest = Sha256::digest(format!("systemprompt-export\0{sink}").as_bytes());
    let (key, _) = digest.split_first_chunk::<8>().unwrap_or((&[0; 8], &[]));
    let key = i64::from_be_bytes(*key);
    sqlx::query_scalar!(r#"SELECT pg_try_advisory_lock($1) AS "claimed!""#, key)
        .fetch_one(connection)
        .await
}

fn taken() -> sqlx::Error {
    sqlx::Error::Configuration("another process exports to this sink".into())
}

async fn open<'c>(
    database: &PostgresDatabase,
    slot: &'c mut Option<PgConnection>,
    setup: &'static str,
) -> Result<&'c mut PgConnection, QueryError> {
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
