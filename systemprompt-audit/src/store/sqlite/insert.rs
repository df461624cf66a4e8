//! The bulk insert: the one statement of the writer whose text is not fixed.
//!
//! What makes it fast: plain `?` (numbered ones are looked up by name, which is quadratic), a few fixed
//! numbers of rows so that the prepared statements are found again, and `BEGIN`, `INSERT` and `COMMIT`
//! in one text where possible, because each text costs a hand-over to the driver's thread.

use std::fmt::Write as _;
use std::sync::Arc;

use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{Arguments as _, AssertSqlSafe, SqlSafeStr as _, SqlStr};

use crate::column::{Column, Value};
use crate::store::PlacedRow;

/// Rows in one statement. Every number up to 16 so that small batches need one statement.
const SIZES: [usize; 22] =
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 24, 32, 48, 64, 96, 128];

/// Columns beside those of the event: `log_id`, `seq`, `salt`, `leaf_hash`.
const PLACE_COLUMNS: usize = 4;

/// The texts of the insert, made once.
#[derive(Debug)]
pub(crate) struct BulkInsert {
    log_id: i64,
    texts: Vec<Texts>,
}

#[derive(Debug)]
struct Texts {
    rows: usize,
    /// By whether the text begins the transaction and whether it commits it.
    variants: [[SqlStr; 2]; 2],
}

impl BulkInsert {
    /// The insert into the log `log_id`.
    pub(crate) fn new(log_id: i64) -> Self {
        Self { log_id, texts: SIZES.iter().rev().map(|rows| Texts::new(*rows)).collect() }
    }

    /// Inserts `rows` and commits. Begins the transaction unless it is `open`.
    pub(crate) async fn run(
        &self,
        connection: &mut SqliteConnection,
        rows: &[PlacedRow<'_>],
        open: bool,
    ) -> Result<(), sqlx::Error> {
        self.chunks(connection, rows, open, true).await
    }

    /// Inserts `rows` in a transaction that is open and stays so.
    pub(crate) async fn extend(
        &self,
        connection: &mut SqliteConnection,
        rows: &[PlacedRow<'_>],
    ) -> Result<(), sqlx::Error> {
        self.chunks(connection, rows, true, false).await
    }

    async fn chunks(
        &self,
        connection: &mut SqliteConnection,
        mut rows: &[PlacedRow<'_>],
        mut open: bool,
        commit: bool,
    ) -> Result<(), sqlx::Error> {
        while let Some(texts) =
            self.texts.iter().find(|texts| (1..=rows.len()).contains(&texts.rows))
        {
            let (chunk, rest) = rows.split_at(texts.rows);
            rows = rest;
            let mut arguments = SqliteArguments::default();
            arguments.reserve(texts.rows * (Column::ALL.len() + PLACE_COLUMNS), 0);
            for row in chunk {
                self.bind(&mut arguments, row).map_err(sqlx::Error::Encode)?;
            }
            let text = texts.variant(!open, commit && rest.is_empty());
            sqlx::query_with(text, arguments).execute(&mut *connection).await?;
            open = true;
        }
        Ok(())
    }

    fn bind(
        &self,
        arguments: &mut SqliteArguments,
        row: &PlacedRow<'_>,
    ) -> Result<(), sqlx::error::BoxDynError> {
        arguments.add(self.log_id)?;
        arguments.add(row.seq)?;
        for value in row.row.values() {
            match value {
                Value::Null => arguments.add(None::<i64>)?,
                Value::Integer(integer) => arguments.add(*integer)?,
                Value::Static(text) => arguments.add(*text)?,
                Value::Text(text) => arguments.add(text.clone())?,
                Value::Id(bytes) => arguments.add(bytes.to_vec())?,
                Value::Digest(bytes) => arguments.add(bytes.to_vec())?,
            }
        }
        arguments.add(row.salt.to_vec())?;
        arguments.add(row.leaf_hash.to_vec())
    }
}

impl Texts {
    fn new(rows: usize) -> Self {
        let insert = insert(rows);
        let text = |begins: bool, commits: bool| {
            let begin = if begins { "BEGIN IMMEDIATE;" } else { "" };
            let commit = if commits { ";COMMIT" } else { "" };
            // Nothing in it comes from outside.
            AssertSqlSafe(Arc::<str>::from(format!("{begin}{insert}{commit}"))).into_sql_str()
        };
        let variants =
            [[text(false, false), text(false, true)], [text(true, false), text(true, true)]];
        Self { rows, variants }
    }

    fn variant(&self, begins: bool, commits: bool) -> SqlStr {
        let [[plain, closing], [opening, whole]] = &self.variants;
        match (begins, commits) {
            (false, false) => plain,
            (false, true) => closing,
            (true, false) => opening,
            (true, true) => whole,
        }
        .clone()
    }
}

fn insert(rows: usize) -> String {
    let mut sql = String::from("INSERT INTO audit_events(log_id,seq");
    for column in Column::ALL {
        // Writing to a string does not fail.
        let _ = write!(sql, ",{}", column.name());
    }
    sql.push_str(",salt,leaf_hash)VALUES");
    let row = format!("({})", vec!["?"; Column::ALL.len() + PLACE_COLUMNS].join(","));
    sql.push_str(&vec![row.as_str(); rows].join(","));
    sql
}
