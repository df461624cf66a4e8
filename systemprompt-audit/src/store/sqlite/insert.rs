//! The bulk insert: the one statement of the writer whose text is not fixed.
//!
//! What makes it fast: plain `?` (numbered ones are looked up by name, which is quadratic), a few fixed
//! numbers of rows so that the prepared statements are found again, and as few texts as possible,
//! because each costs a hand-over to the driver's thread. One statement that holds the whole batch needs
//! no `BEGIN` and `COMMIT`: it is a transaction by itself. `OR ROLLBACK`, because a batch that cannot be
//! written is given up as a whole, and SQLite need not remember how to undo the statement alone.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{Arguments as _, AssertSqlSafe, SqlSafeStr as _, SqlStr};

use super::tree::insert_tiles;
use crate::column::{Column, Value};
use crate::merkle::Tile;
use crate::store::PlacedRow;

/// Up to here there is a statement for every number of rows.
const EXACT: usize = 64;

/// The larger numbers of rows there are statements for.
const LARGE: [usize; 5] = [256, 192, 128, 100, 80];

/// Columns beside those of the event: `log_id`, `seq`, `salt`, `leaf_hash`.
const PLACE_COLUMNS: usize = 4;

/// The bulk insert into one log.
#[derive(Debug)]
pub(crate) struct BulkInsert {
    log_id: i64,
    /// The texts that have been needed so far, by their number of rows and whether they begin a
    /// transaction. All of them together fit in the driver's statement cache.
    texts: HashMap<(usize, bool), SqlStr>,
    names: Names,
}

/// The program's own texts in the form in which the driver shares them instead of copying them.
#[derive(Debug, Default)]
struct Names(Vec<(&'static str, Arc<str>)>);

impl Names {
    fn shared(&mut self, name: &'static str) -> Arc<str> {
        // There are a dozen or two of them; where each lies tells them apart.
        let known = self.0.iter().find(|(known, _)| std::ptr::eq(*known, name));
        if let Some((_, shared)) = known {
            return shared.clone();
        }
        let shared = Arc::from(name);
        self.0.push((name, Arc::clone(&shared)));
        shared
    }
}

impl BulkInsert {
    /// The insert into the log `log_id`.
    pub(crate) fn new(log_id: i64) -> Self {
        Self { log_id, texts: HashMap::new(), names: Names::default() }
    }

    /// Inserts `rows` and `tiles` and commits. Begins the transaction unless it is `open`.
    pub(crate) async fn run(
        &mut self,
        connection: &mut SqliteConnection,
        rows: &[PlacedRow<'_>],
        tiles: &[Tile],
        open: bool,
    ) -> Result<(), sqlx::Error> {
        if !open && tiles.is_empty() && chunk_size(rows.len()) == rows.len() {
            return self.insert(connection, rows, false).await;
        }
        if !open && rows.is_empty() {
            sqlx::query!("BEGIN IMMEDIATE").execute(&mut *connection).await?;
        }
        self.chunks(connection, rows, open).await?;
        insert_tiles(connection, self.log_id, tiles).await?;
        sqlx::query!("COMMIT").execute(connection).await.map(|_| ())
    }

    /// Inserts `rows` and `tiles` in a transaction that is open and stays so.
    pub(crate) async fn extend(
        &mut self,
        connection: &mut SqliteConnection,
        rows: &[PlacedRow<'_>],
        tiles: &[Tile],
    ) -> Result<(), sqlx::Error> {
        self.chunks(connection, rows, true).await?;
        insert_tiles(connection, self.log_id, tiles).await
    }

    async fn chunks(
        &mut self,
        connection: &mut SqliteConnection,
        mut rows: &[PlacedRow<'_>],
        mut open: bool,
    ) -> Result<(), sqlx::Error> {
        while !rows.is_empty() {
            let (chunk, rest) = rows.split_at(chunk_size(rows.len()));
            self.insert(connection, chunk, !open).await?;
            open = true;
            rows = rest;
        }
        Ok(())
    }

    async fn insert(
        &mut self,
        connection: &mut SqliteConnection,
        rows: &[PlacedRow<'_>],
        begin: bool,
    ) -> Result<(), sqlx::Error> {
        let mut arguments = SqliteArguments::default();
        arguments.reserve(rows.len() * (Column::ALL.len() + PLACE_COLUMNS), 0);
        for row in rows {
            bind(self.log_id, &mut self.names, &mut arguments, row).map_err(sqlx::Error::Encode)?;
        }
        let text = self.texts.entry((rows.len(), begin));
        let text = text.or_insert_with(|| text_of(rows.len(), begin)).clone();
        sqlx::query_with(text, arguments).execute(connection).await.map(|_| ())
    }
}

/// How many of `rows` go into the next statement.
fn chunk_size(rows: usize) -> usize {
    LARGE.into_iter().find(|size| *size <= rows).unwrap_or(rows.min(EXACT))
}

fn bind(
    log_id: i64,
    names: &mut Names,
    arguments: &mut SqliteArguments,
    row: &PlacedRow<'_>,
) -> Result<(), sqlx::error::BoxDynError> {
    arguments.add(log_id)?;
    arguments.add(row.seq)?;
    for value in row.row.values() {
        match value {
            Value::Null => arguments.add(None::<i64>)?,
            Value::Integer(integer) => arguments.add(*integer)?,
            Value::Static(name) => arguments.add(names.shared(name))?,
            Value::Text(text) => arguments.add(text.clone())?,
            Value::Id(bytes) => arguments.add(bytes.to_vec())?,
            Value::Digest(bytes) => arguments.add(bytes.to_vec())?,
        }
    }
    arguments.add(row.salt.to_vec())?;
    arguments.add(row.leaf_hash.to_vec())
}

fn text_of(rows: usize, begin: bool) -> SqlStr {
    let begin = if begin { "BEGIN IMMEDIATE;" } else { "" };
    let mut sql = format!("{begin}INSERT OR ROLLBACK INTO audit_events(log_id,seq");
    for column in Column::ALL {
        // Writing to a string does not fail.
        let _ = write!(sql, ",{}", column.name());
    }
    sql.push_str(",salt,leaf_hash)VALUES");
    let row = format!("({})", vec!["?"; Column::ALL.len() + PLACE_COLUMNS].join(","));
    sql.push_str(&vec![row.as_str(); rows].join(","));
    // Nothing in it comes from outside.
    AssertSqlSafe(Arc::<str>::from(sql)).into_sql_str()
}
