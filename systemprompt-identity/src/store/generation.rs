use sqlx::SqliteConnection;

use crate::error::IdentityError;

/// Counts the generation up and returns the new one, which goes into the rows that change with it.
///
/// Runs first in the caller's (nested) transaction, which has the write lock from then on.
pub(super) async fn next(conn: &mut SqliteConnection) -> Result<i64, IdentityError> {
    let row = sqlx::query!(
        "UPDATE identity_generation SET value = value + 1 WHERE id = 1 RETURNING value"
    )
    .fetch_one(conn)
    .await?;
    Ok(row.value)
}
