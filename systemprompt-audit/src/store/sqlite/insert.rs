//! The insert of an event: the one statement of the log whose text is not fixed, because it names every
//! column.

use std::fmt::Write as _;
use std::sync::Arc;

use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{Arguments as _, AssertSqlSafe, SqlSafeStr as _};

use super::tree::insert_tiles;
use crate::column::{Column, Field};
use crate::merkle::Tile;
use crate::store::PlacedRow;

/// Inserts `rows` and `tiles` of the log `log_id` in a transaction that is open and stays so.
pub(crate) async fn extend(
    connection: &mut SqliteConnection,
    log_id: i64,
    rows: &[PlacedRow<'_>],
    tiles: &[Tile],
) -> Result<(), sqlx::Error> {
    // Nothing in it comes from outside.
    let text = AssertSqlSafe(Arc::<str>::from(text())).into_sql_str();
    for row in rows {
        let mut arguments = SqliteArguments::default();
        for field in fields(log_id, row) {
            match field {
                Field::Null => arguments.add(None::<i64>),
                Field::Integer(integer) => arguments.add(integer),
                Field::Text(text) => arguments.add(text.to_owned()),
                Field::Bytes(bytes) => arguments.add(bytes.to_vec()),
            }
            .map_err(sqlx::Error::Encode)?;
        }
        let written = sqlx::query_with(text.clone(), arguments).execute(&mut *connection).await?;
        if written.rows_affected() != 1 {
            // Somebody's trigger has swallowed it.
            return Err(sqlx::Error::RowNotFound);
        }
    }
    insert_tiles(connection, log_id, tiles).await
}

/// The text of the insert of one event, with a `?` for each of its [`fields`].
pub(super) fn text() -> String {
    let mut sql = "INSERT INTO audit_events(log_id,seq".to_owned();
    for column in Column::ALL {
        // Writing to a string does not fail.
        let _ = write!(sql, ",{}", column.name());
    }
    sql.push_str(",salt,leaf_hash)VALUES(?,?");
    sql.push_str(&",?".repeat(Column::ALL.len() + 2));
    sql.push(')');
    sql
}

/// What the insert of `row` into the log `log_id` is given, in order.
pub(super) fn fields<'r>(log_id: i64, row: &'r PlacedRow<'_>) -> impl Iterator<Item = Field<'r>> {
    [Field::Integer(log_id), Field::Integer(row.seq)]
        .into_iter()
        .chain(row.row.values().iter().map(Field::from))
        .chain([Field::Bytes(&row.salt), Field::Bytes(&row.leaf_hash)])
}
