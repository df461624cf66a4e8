//! The queries of verification. They only read.

use std::ops::ControlFlow;
use std::path::Path;

use serde_json::Value as Json;
use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use tokio::task::yield_now;

use super::event_rows::Events;
use super::retention;
use super::tree::{SqliteTree, last_checkpoint};
use crate::StoreError;
use crate::retention::PrunedRow;
use crate::scanned_row::ScannedRow;
use crate::store::{StoredCheckpoint, place};
use crate::verify::{
    GrantFacts, KeyEvent, LAST_PLACE, LogRow, LogSource, SourceError, StoredTile, Stray,
};

/// Places that are read before other tasks get their turn.
const WINDOW: i64 = 256;

/// How often reading begins anew because what is there was changed meanwhile.
const TRIES: u32 = 50;

/// The first place of each log, in one text.
macro_rules! first_places {
    ($use:ident) => {
        $use!(
            "SELECT coalesce(group_concat(id || ':' || coalesce(
                        (SELECT min(seq) FROM audit_events WHERE log_id = l.id), 0)), '')
             FROM (SELECT id FROM audit_logs ORDER BY id) AS l"
        )
    };
}
macro_rules! text {
    ($text:literal) => {
        $text
    };
}
macro_rules! checked {
    ($text:literal) => {
        sqlx::query_scalar!($text)
    };
}

/// A SQLite database that is verified: one connection for its events and one for everything else.
#[derive(Debug)]
pub(crate) struct SqliteSource {
    connection: SqliteConnection,
    events: Events,
}

impl SqliteSource {
    /// Opens the database at `path`, which exists.
    pub(crate) async fn open(path: &Path) -> Result<Self, SourceError> {
        let mut wal = path.as_os_str().to_owned();
        wal.push("-wal");
        // Without the log of a writer nobody writes; nothing has to be made beside the file to read it.
        let alone = !Path::new(&wal).exists();
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(false)
            .read_only(true)
            .immutable(alone);
        let mut connection = options.connect().await.map_err(StoreError::from)?;
        if Self::has_log(&mut connection).await.map_err(StoreError::from)? {
            Ok(Self { connection, events: Events::open(path, alone)? })
        } else {
            Err(SourceError::NoLog)
        }
    }

    async fn has_log(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
        sqlx::query_scalar!(
            r#"SELECT count(*) = 4 AS "there!: bool" FROM sqlite_master WHERE type = 'table'
               AND name IN ('audit_events', 'audit_logs', 'audit_tiles', 'audit_checkpoints')"#
        )
        .fetch_one(connection)
        .await
    }
}

impl LogSource for SqliteSource {
    type Tree<'t> = SqliteTree<'t>;

    async fn begin(&mut self) -> Result<(), StoreError> {
        // The first query of a connection decides which state of the database all of it sees. The events are
        // read as they are a moment later than the rest, which knows up to where to read: what was appended
        // in between is not asked for. Only what was taken away must not be missed.
        for _ in 0..TRIES {
            sqlx::query("BEGIN").execute(&mut self.connection).await?;
            let places = first_places!(checked).fetch_one(&mut self.connection).await?;
            if self.events.begin(first_places!(text))? == places {
                return Ok(());
            }
            self.end().await?;
        }
        Err(StoreError::Failed("events are being removed all the time".to_owned()))
    }

    async fn end(&mut self) -> Result<(), StoreError> {
        self.events.end()?;
        sqlx::query("ROLLBACK").execute(&mut self.connection).await?;
        Ok(())
    }

    async fn table_faults(&mut self) -> Result<Vec<String>, StoreError> {
        Ok(super::installed::faults(&mut self.connection).await?)
    }

    async fn logs(&mut self) -> Result<Vec<LogRow>, StoreError> {
        let rows = sqlx::query_as!(
            LogRow,
            r#"SELECT id AS "id!: i64", origin, size, swept_to,
                      coalesce((SELECT max(seq) FROM audit_events
                                WHERE log_id = l.id AND seq BETWEEN 1 AND ?), 0) AS "last!: i64"
               FROM audit_logs AS l ORDER BY id"#,
            LAST_PLACE
        )
        .fetch_all(&mut self.connection)
        .await?;
        Ok(rows)
    }

    async fn strays(&mut self) -> Result<Vec<Stray>, StoreError> {
        // Steps from log to log over the index of places instead of reading all of it.
        let rows = sqlx::query_as!(
            Stray,
            r#"WITH RECURSIVE present(id) AS (
                   SELECT min(log_id) FROM audit_events
                   UNION ALL
                   SELECT (SELECT min(log_id) FROM audit_events WHERE log_id > present.id)
                   FROM present WHERE present.id IS NOT NULL)
               SELECT log_id AS "log_id!: i64", seq AS "seq!: i64", id AS "id!: Vec<u8>" FROM (
                   SELECT log_id, seq, id FROM audit_events
                   WHERE log_id IN (SELECT id FROM audit_logs) AND seq < 1
                   UNION ALL
                   SELECT log_id, seq, id FROM audit_events
                   WHERE log_id IN (SELECT id FROM audit_logs) AND seq > ?
                   UNION ALL
                   SELECT log_id, seq, id FROM audit_events
                   WHERE log_id IN (SELECT id FROM present WHERE id NOT IN (SELECT id FROM audit_logs)))
               LIMIT 100"#,
            LAST_PLACE
        )
        .fetch_all(&mut self.connection)
        .await?;
        Ok(rows)
    }

    async fn next(&mut self, log_id: i64, after: i64) -> Result<Option<i64>, StoreError> {
        let next = sqlx::query_scalar!(
            r#"SELECT min(seq) AS "next: i64" FROM audit_events WHERE log_id = ? AND seq > ?"#,
            log_id,
            after
        )
        .fetch_one(&mut self.connection)
        .await?;
        Ok(next)
    }

    async fn scan(
        &mut self,
        log_id: i64,
        after: i64,
        to: i64,
        each: &mut (dyn FnMut(ScannedRow<'_>) + Send),
    ) -> Result<(), StoreError> {
        let mut after = after;
        while after < to {
            let end = to.min(after.saturating_add(WINDOW));
            self.events.scan(log_id, after, end, &mut |row| {
                each(row);
                ControlFlow::Continue(())
            })?;
            after = end;
            yield_now().await;
        }
        Ok(())
    }

    async fn tiles(
        &mut self,
        log_id: i64,
        level: u8,
        from: u64,
        to: u64,
    ) -> Result<Vec<StoredTile>, StoreError> {
        let (from, to) = (place(from), place(to));
        let rows = sqlx::query!(
            r#"SELECT idx, root, hashes FROM audit_tiles
               WHERE log_id = ? AND level = ? AND idx >= ? AND idx < ? ORDER BY idx"#,
            log_id,
            level,
            from,
            to
        )
        .fetch_all(&mut self.connection)
        .await?;
        let tile = rows.into_iter().map(|row| StoredTile::read(row.idx, row.root, &row.hashes));
        Ok(tile.collect())
    }

    async fn checkpoints(
        &mut self,
        log_id: i64,
        after: i64,
        to: i64,
    ) -> Result<Vec<Result<StoredCheckpoint, i64>>, StoreError> {
        let rows = sqlx::query!(
            "SELECT size, root, note, created_at FROM audit_checkpoints
             WHERE log_id = ? AND size > ? AND size <= ? ORDER BY size",
            log_id,
            after,
            to
        )
        .fetch_all(&mut self.connection)
        .await?;
        let stored = rows.into_iter().map(|row| {
            let size = row.size;
            StoredCheckpoint::read(size, row.root, row.note, row.created_at).ok_or(size)
        });
        Ok(stored.collect())
    }

    async fn key_events(&mut self, log_id: i64) -> Result<Vec<KeyEvent>, StoreError> {
        let rows = sqlx::query_as!(
            KeyEvent,
            r#"SELECT seq, kind, coalesce(detail, '') AS "detail!: String" FROM audit_events
               WHERE log_id = ? AND kind IN ('audit_key_added', 'audit_key_retired') ORDER BY seq"#,
            log_id
        )
        .fetch_all(&mut self.connection)
        .await?;
        Ok(rows)
    }

    async fn pruned(&mut self, log_id: i64) -> Result<Option<PrunedRow>, StoreError> {
        Ok(retention::pruned(&mut self.connection, log_id).await?)
    }

    async fn grants(&mut self, permits: &[[u8; 16]]) -> Result<Vec<GrantFacts>, StoreError> {
        if permits.is_empty() {
            return Ok(Vec::new());
        }
        let permits = Json::from_iter(permits.iter().map(hex::encode)).to_string();
        // One answer for all of them: handing over a row costs more than finding it.
        let facts = sqlx::query_scalar!(
            r#"SELECT json_group_array(json_array(
                   wanted.value,
                   EXISTS (SELECT 1 FROM audit_events AS d
                           WHERE d.id = unhex(wanted.value) AND d.kind = 'decision'
                             AND d.decision = 'allow' AND d.permit_id IS NULL),
                   (SELECT count(*) FROM audit_events AS o
                    WHERE o.permit_id = unhex(wanted.value) AND o.kind = 'outcome'))) AS "facts!: String"
               FROM json_each(?) AS wanted"#,
            permits
        )
        .fetch_one(&mut self.connection)
        .await?;
        let facts: Vec<(String, u8, i64)> = serde_json::from_str(&facts)
            .map_err(|_| StoreError::Failed("an answer cannot be read".to_owned()))?;
        let known = |(permit, granted, outcomes): (String, u8, i64)| {
            let permit = hex::decode(permit).ok()?;
            Some(GrantFacts { permit, granted: granted == 1, outcomes })
        };
        Ok(facts.into_iter().filter_map(known).collect())
    }

    async fn settled(&mut self, permits: &[[u8; 16]]) -> Result<Vec<Vec<u8>>, StoreError> {
        let permits = Json::from_iter(permits.iter().map(hex::encode)).to_string();
        let settled = sqlx::query_scalar!(
            r#"SELECT o.permit_id AS "permit!: Vec<u8>" FROM json_each(?) AS wanted
               CROSS JOIN audit_events AS o
                   ON o.permit_id = unhex(wanted.value) AND o.kind = 'outcome'"#,
            permits
        )
        .fetch_all(&mut self.connection)
        .await?;
        Ok(settled)
    }

    async fn find(&mut self, id: &[u8; 16]) -> Result<Option<(i64, i64)>, StoreError> {
        let id = id.as_slice();
        let row = sqlx::query!("SELECT log_id, seq FROM audit_events WHERE id = ? LIMIT 1", id)
            .fetch_optional(&mut self.connection)
            .await?;
        Ok(row.map(|row| (row.log_id, row.seq)))
    }

    async fn last_checkpoint(
        &mut self,
        log_id: i64,
    ) -> Result<Option<StoredCheckpoint>, StoreError> {
        Ok(last_checkpoint(&mut self.connection, log_id).await?)
    }

    fn tree(&mut self, log_id: i64) -> SqliteTree<'_> {
        SqliteTree { connection: &mut self.connection, log_id }
    }
}
