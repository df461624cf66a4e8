//! Reading the log in SQLite, on connections of its own: readers of a write-ahead log wait for nobody and
//! nobody waits for them.

use std::ops::ControlFlow;

use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection as _, Executor as _};
use systemprompt_core::clock::Timestamp;
use systemprompt_core::database::SqliteDatabase;

use super::{LogPlace, Row, driver};
use crate::QueryError;
use crate::query::StoredEvent;
use crate::store::sqlite::event_rows::Events;

/// The log in SQLite as one sink reads it.
#[derive(Debug)]
pub(in crate::export) struct Source {
    database: SqliteDatabase,
    sink: String,
    reading: Option<SqliteConnection>,
    events: Option<Events>,
    noting: Option<SqliteConnection>,
}

impl Source {
    /// The log in `database`. Connections are made when they are needed.
    pub(super) fn new(database: SqliteDatabase, sink: &str) -> Self {
        Self { database, sink: sink.to_owned(), reading: None, events: None, noting: None }
    }

    /// Connects for noting, as far as that is possible now: the connection's thread has the priority of
    /// the thread that makes it, and whoever holds the write lock must not be a slow one.
    pub(super) async fn prepare(&mut self) {
        if let Err(error) = self.noting().await {
            tracing::debug!(%error, "export: no connection for noting yet");
        }
    }

    /// The file that the spool is locked by keeps all others away.
    #[expect(clippy::unused_async, reason = "a server has to be asked")]
    pub(super) async fn claim(&mut self) -> Result<bool, QueryError> {
        Ok(true)
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
    #[expect(clippy::unused_async, reason = "a server has to be waited for")]
    pub(super) async fn rows(
        &mut self,
        log: &LogPlace,
        after: i64,
        limit: i64,
        each: &mut (dyn FnMut(Row) -> bool + Send),
    ) -> Result<(), QueryError> {
        let events = match self.events.take() {
            Some(events) => events,
            None => Events::open(self.database.path(), false)?,
        };
        let mut left = limit;
        events.scan(log.log_id, after, i64::MAX, &mut |row| {
            let seq = row.seq();
            let event =
                StoredEvent::of(&log.origin, &row).and_then(|event| event.into_record().ok());
            let row = match event {
                Some(event) => Row::Event(Box::new(event)),
                None => Row::Unreadable { seq },
            };
            left -= 1;
            if each(row) && left > 0 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        // After a failure the next question gets a fresh connection.
        self.events = Some(events);
        Ok(())
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
        self.events = None;
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
