//! The queries of verification. They only read.

use std::fmt::Write as _;

use futures_util::TryStreamExt as _;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row as _};
use systemprompt_core::database::{DatabaseOptions, PostgresDatabase};

use super::retention;
use super::text;
use super::tree::{PostgresTree, last_checkpoint};
use crate::StoreError;
use crate::column::{Column, Field};
use crate::retention::PrunedRow;
use crate::scanned_row::{COLUMNS, Holds, ScannedRow, holds};
use crate::schema;
use crate::store::{StoredCheckpoint, place};
use crate::verify::{
    GrantFacts, KeyEvent, LAST_PLACE, LogRow, LogSource, SourceError, StoredTile, Stray,
};

/// A PostgreSQL database that is verified, over one connection.
#[derive(Debug)]
pub(crate) struct PostgresSource {
    connection: PgConnection,
    /// Relations that whoever looks by name finds before those of the log.
    shadows: Vec<String>,
}

impl PostgresSource {
    /// Connects.
    pub(crate) async fn open(options: &DatabaseOptions) -> Result<Self, SourceError> {
        let mut connection = PostgresDatabase::connect_once(options).await?;
        let shadows = prepare(&mut connection).await.map_err(StoreError::from)?;
        let shadows = shadows.ok_or(SourceError::NoLog)?;
        Ok(Self { connection, shadows })
    }
}

/// Sets the session up for reading, and names what stands before the log for whoever looks by name; `None`
/// when there is no audit log.
///
/// Whoever owns the database chooses where names are looked for, and could put functions and operators
/// of their own before those of the server: here those of the server come first.
async fn prepare(connection: &mut PgConnection) -> Result<Option<Vec<String>>, sqlx::Error> {
    let schemas: Vec<String> = sqlx::query_scalar!(
        r#"SELECT pg_catalog.current_schemas(false)::pg_catalog.text[] AS "schemas!""#
    )
    .fetch_one(&mut *connection)
    .await?;
    sqlx::query!(
        r#"SELECT pg_catalog.set_config('search_path', 'pg_catalog', false) AS "path!",
                  pg_catalog.set_config('default_transaction_read_only', 'on', false) AS "only!",
                  pg_catalog.set_config('statement_timeout', '0', false) AS "timeout!",
                  pg_catalog.set_config('row_security', 'off', false) AS "rows!""#
    )
    .fetch_one(&mut *connection)
    .await?;
    let schema = sqlx::query_scalar!(
        r#"SELECT n.nspname::text AS "schema!" FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
           WHERE n.nspname::text = ANY ($1) AND c.relname IN
                 ('audit_events', 'audit_logs', 'audit_tiles', 'audit_checkpoints')
           GROUP BY n.nspname HAVING count(*) = 4
           ORDER BY array_position($1, n.nspname::text) LIMIT 1"#,
        &schemas
    )
    .fetch_optional(&mut *connection)
    .await?;
    let Some(schema) = schema else { return Ok(None) };
    let names: Vec<_> = schema::DEFINITIONS.iter().map(|(name, ..)| (*name).to_owned()).collect();
    let shadows = sqlx::query_scalar!(
        r#"SELECT n.nspname || '.' || c.relname AS "name!"
           FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
           WHERE c.relname::text = ANY ($2) AND n.nspname::text = ANY ($1)
             AND array_position($1, n.nspname::text) < array_position($1, $3)
           ORDER BY 1"#,
        &schemas,
        &names,
        schema
    )
    .fetch_all(&mut *connection)
    .await?;
    sqlx::query_scalar!(
        r#"SELECT set_config('search_path', 'pg_catalog, ' || quote_ident($1::text), false) AS "path!""#,
        schema
    )
    .fetch_one(connection)
    .await?;
    Ok(Some(shadows))
}

impl LogSource for PostgresSource {
    type Tree<'t> = PostgresTree<'t>;

    async fn begin(&mut self) -> Result<(), StoreError> {
        // The first query decides which state of the database all of them see.
        sqlx::query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            .execute(&mut self.connection)
            .await?;
        Ok(())
    }

    async fn end(&mut self) -> Result<(), StoreError> {
        sqlx::query("ROLLBACK").execute(&mut self.connection).await?;
        Ok(())
    }

    async fn table_faults(&mut self) -> Result<Vec<String>, StoreError> {
        let mut faults = super::installed::faults(&mut self.connection).await?;
        faults.extend(super::views::faults(&mut self.connection).await?);
        faults.extend(
            self.shadows
                .iter()
                .map(|name| format!("`{name}` is found by its name before what was installed")),
        );
        Ok(faults)
    }

    async fn logs(&mut self) -> Result<Vec<LogRow>, StoreError> {
        let rows = sqlx::query_as!(
            LogRow,
            r#"SELECT id, origin, size, swept_to,
                      coalesce((SELECT max(seq) FROM audit_events
                                WHERE log_id = l.id AND seq BETWEEN 1 AND $1), 0) AS "last!"
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
               SELECT log_id AS "log_id!", seq AS "seq!", id AS "id!" FROM (
                   SELECT log_id, seq, id FROM audit_events
                   WHERE log_id IN (SELECT id FROM audit_logs) AND seq < 1
                   UNION ALL
                   SELECT log_id, seq, id FROM audit_events
                   WHERE log_id IN (SELECT id FROM audit_logs) AND seq > $1
                   UNION ALL
                   SELECT log_id, seq, id FROM audit_events
                   WHERE log_id IN (SELECT id FROM present WHERE id IS NOT NULL
                                    EXCEPT SELECT id FROM audit_logs)) AS stray
               LIMIT 100"#,
            LAST_PLACE
        )
        .fetch_all(&mut self.connection)
        .await?;
        Ok(rows)
    }

    async fn next(&mut self, log_id: i64, after: i64) -> Result<Option<i64>, StoreError> {
        let next = sqlx::query_scalar!(
            "SELECT min(seq) AS next FROM audit_events WHERE log_id = $1 AND seq > $2",
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
        // Nothing in the text comes from outside.
        let mut rows = sqlx::query(AssertSqlSafe(text_of_scan()))
            .bind(log_id)
            .bind(after)
            .bind(to)
            .fetch(&mut self.connection);
        let mut texts = Texts::default();
        while let Some(row) = rows.try_next().await? {
            let mut values = [Field::Null; COLUMNS];
            texts.read(&row, &mut values)?;
            let (salt, leaf) = (row.try_get(COLUMNS + 1)?, row.try_get(COLUMNS + 2)?);
            each(ScannedRow::new(row.try_get(0)?, &values, salt, leaf));
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
        let rows = sqlx::query!(
            "SELECT idx, root, hashes FROM audit_tiles
             WHERE log_id = $1 AND level = $2 AND idx >= $3 AND idx < $4 ORDER BY idx",
            log_id,
            i64::from(level),
            place(from),
            place(to)
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
             WHERE log_id = $1 AND size > $2 AND size <= $3 ORDER BY size",
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
            r#"SELECT seq, kind, coalesce(detail, '') AS "detail!" FROM audit_events
               WHERE log_id = $1 AND kind IN ('audit_key_added', 'audit_key_retired') ORDER BY seq"#,
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
        let permits: Vec<Vec<u8>> = permits.iter().map(|permit| permit.to_vec()).collect();
        let rows = sqlx::query_as!(
            GrantFacts,
            r#"SELECT wanted.permit AS "permit!",
                      EXISTS (SELECT 1 FROM audit_events AS d
                              WHERE d.id = wanted.permit AND d.kind = 'decision'
                                AND d.decision = 'allow' AND d.permit_id IS NULL) AS "granted!",
                      (SELECT count(*) FROM audit_events AS o
                       WHERE o.permit_id = wanted.permit AND o.kind = 'outcome') AS "outcomes!"
               FROM UNNEST($1::bytea[]) AS wanted (permit)"#,
            &permits
        )
        .fetch_all(&mut self.connection)
        .await?;
        Ok(rows)
    }

    async fn settled(&mut self, permits: &[[u8; 16]]) -> Result<Vec<Vec<u8>>, StoreError> {
        let permits: Vec<_> = permits.iter().map(|permit| permit.to_vec()).collect();
        let settled = sqlx::query_scalar!(
            r#"SELECT o.permit_id AS "permit!" FROM unnest($1::bytea[]) AS wanted (permit)
               JOIN audit_events AS o ON o.permit_id = wanted.permit AND o.kind = 'outcome'"#,
            &permits
        )
        .fetch_all(&mut self.connection)
        .await?;
        Ok(settled)
    }

    async fn find(&mut self, id: &[u8; 16]) -> Result<Option<(i64, i64)>, StoreError> {
        let row = sqlx::query!(
            "SELECT log_id, seq FROM audit_events WHERE id = $1 LIMIT 1",
            id.as_slice()
        )
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

    fn tree(&mut self, log_id: i64) -> PostgresTree<'_> {
        PostgresTree { connection: &mut self.connection, log_id }
    }
}

/// The rows of a log in order, each column in the type that it was installed with.
fn text_of_scan() -> String {
    let mut sql = "SELECT seq".to_owned();
    for column in Column::ALL {
        let of = match holds(*column) {
            Holds::Integer => "bigint",
            Holds::Text => "text",
            Holds::Bytes => "bytea",
        };
        // Writing to a string does not fail.
        let _ = write!(sql, ", {}::{of}", column.name());
    }
    sql.push_str(
        ", salt, leaf_hash FROM audit_events \
         WHERE log_id = $1 AND seq > $2 AND seq <= $3 ORDER BY seq",
    );
    sql
}

/// The texts of one row after the other, as they were before they were stored.
#[derive(Debug, Default)]
struct Texts {
    /// By their columns; none for what the log would have stored in another form, so that it was not
    /// written by it.
    decoded: Vec<(usize, Option<String>)>,
}

impl Texts {
    /// Reads a row into `values`.
    fn read<'r>(
        &'r mut self,
        row: &'r PgRow,
        values: &mut [Field<'r>; COLUMNS],
    ) -> Result<(), sqlx::Error> {
        self.decoded.clear();
        for ((at, value), column) in values.iter_mut().enumerate().zip(Column::ALL) {
            let stored = match holds(*column) {
                Holds::Integer => row.try_get::<Option<i64>, _>(at + 1)?.map(Field::Integer),
                Holds::Bytes => row.try_get::<Option<&[u8]>, _>(at + 1)?.map(Field::Bytes),
                Holds::Text => row.try_get::<Option<&str>, _>(at + 1)?.map(Field::Text),
            };
            if let Some(Field::Text(stored)) = stored
                && text::is_encoded(stored)
            {
                let text = text::decode(stored.to_owned());
                let same = text::encode(&text) == stored;
                self.decoded.push((at, same.then_some(text)));
            }
            *value = stored.unwrap_or(Field::Null);
        }
        for (at, text) in &self.decoded {
            if let Some(value) = values.get_mut(*at) {
                // No leaf is of a text column that holds bytes.
                *value = text.as_deref().map_or(Field::Bytes(&[]), Field::Text);
            }
        }
        Ok(())
    }
}
