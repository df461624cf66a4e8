//! The persons whose events are encrypted.

use serde_json::Value as Json;
use sqlx::SqliteConnection;

use crate::subject::{Person, SubjectRow};

/// The subject of a person, if there is one.
pub(crate) async fn of_person(
    connection: &mut SqliteConnection,
    person: &Person,
) -> Result<Option<SubjectRow>, sqlx::Error> {
    let (tenant, user, department) = (&*person.tenant, &*person.user, &*person.department);
    sqlx::query_as!(
        SubjectRow,
        "SELECT pseudonym, tenant_id, user_id, department, wrapped_key FROM audit_subjects
         WHERE user_id = ? AND tenant_id = ? AND department = ?",
        user,
        tenant,
        department
    )
    .fetch_optional(connection)
    .await
}

/// The subjects with these pseudonyms.
pub(crate) async fn by_pseudonym(
    connection: &mut SqliteConnection,
    pseudonyms: &[String],
) -> Result<Vec<SubjectRow>, sqlx::Error> {
    let pseudonyms = Json::from(pseudonyms).to_string();
    sqlx::query_as!(
        SubjectRow,
        "SELECT s.pseudonym, s.tenant_id, s.user_id, s.department, s.wrapped_key
         FROM json_each(?) AS wanted
         CROSS JOIN audit_subjects AS s ON s.pseudonym = wanted.value",
        pseudonyms
    )
    .fetch_all(connection)
    .await
}

/// The subjects of a user, of one tenant or of all, whatever the department.
pub(crate) async fn of_user(
    connection: &mut SqliteConnection,
    user: &str,
    tenant: Option<&str>,
) -> Result<Vec<SubjectRow>, sqlx::Error> {
    sqlx::query_as!(
        SubjectRow,
        "SELECT pseudonym, tenant_id, user_id, department, wrapped_key FROM audit_subjects
         WHERE user_id = ? AND (? IS NULL OR tenant_id = ?)",
        user,
        tenant,
        tenant
    )
    .fetch_all(connection)
    .await
}

/// The next subjects after a pseudonym, in their order.
pub(crate) async fn after(
    connection: &mut SqliteConnection,
    pseudonym: &str,
    limit: i64,
) -> Result<Vec<SubjectRow>, sqlx::Error> {
    sqlx::query_as!(
        SubjectRow,
        "SELECT pseudonym, tenant_id, user_id, department, wrapped_key FROM audit_subjects
         WHERE pseudonym > ? ORDER BY pseudonym LIMIT ?",
        pseudonym,
        limit
    )
    .fetch_all(connection)
    .await
}

/// Adds a subject, unless the person has one.
pub(crate) async fn add(
    connection: &mut SqliteConnection,
    row: &SubjectRow,
    now: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO audit_subjects (pseudonym, tenant_id, user_id, department, wrapped_key, created_at)
         VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        row.pseudonym,
        row.tenant_id,
        row.user_id,
        row.department,
        row.wrapped_key,
        now
    )
    .execute(connection)
    .await
    .map(|_| ())
}

/// Replaces the wrapped key of a subject, if it is still the one that was read.
pub(crate) async fn rewrap(
    connection: &mut SqliteConnection,
    row: &SubjectRow,
    wrapped: &str,
) -> Result<u64, sqlx::Error> {
    sqlx::query!(
        "UPDATE audit_subjects SET wrapped_key = ? WHERE pseudonym = ? AND wrapped_key = ?",
        wrapped,
        row.pseudonym,
        row.wrapped_key
    )
    .execute(connection)
    .await
    .map(|done| done.rows_affected())
}

/// Deletes a subject and notes that it was erased.
pub(crate) async fn erase(
    connection: &mut SqliteConnection,
    pseudonym: &str,
    now: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query!("DELETE FROM audit_subjects WHERE pseudonym = ?", pseudonym)
        .execute(&mut *connection)
        .await?;
    sqlx::query!("INSERT INTO audit_erasures (pseudonym, erased_at) VALUES (?, ?)", pseudonym, now)
        .execute(connection)
        .await
        .map(|_| ())
}

/// How many subjects have been erased.
pub(crate) async fn erasures(connection: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(r#"SELECT count(*) AS "n!: i64" FROM audit_erasures"#)
        .fetch_one(connection)
        .await
}

/// How many events name a user in clear.
pub(crate) async fn in_clear(
    connection: &mut SqliteConnection,
    user: &str,
    tenant: Option<&str>,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT count(*) AS "n!: i64" FROM audit_events
           WHERE user_id = ? AND kind IS NOT NULL AND (? IS NULL OR tenant_id = ?)"#,
        user,
        tenant,
        tenant
    )
    .fetch_one(connection)
    .await
}

/// What is deleted from here on is overwritten in the file, not just given up.
pub(crate) async fn overwrite_deleted(
    connection: &mut SqliteConnection,
) -> Result<(), sqlx::Error> {
    sqlx::raw_sql("PRAGMA secure_delete = ON").execute(connection).await.map(|_| ())
}

/// Takes what was deleted out of the files; says whether that was possible.
///
/// Where pages were split or merged, SQLite leaves copies of rows in their free parts, which overwriting a
/// row does not reach. So all rows are written anew, and the pages that had them are overwritten as a whole;
/// then the write-ahead log is moved into the database file and emptied.
pub(crate) async fn remove_traces(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    use sqlx::{Connection as _, Row as _};
    let mut change = connection.begin_with("BEGIN IMMEDIATE").await?;
    sqlx::raw_sql(
        "CREATE TABLE audit_subjects_kept AS SELECT * FROM audit_subjects;
         DELETE FROM audit_subjects;
         INSERT INTO audit_subjects SELECT * FROM audit_subjects_kept;
         DROP TABLE audit_subjects_kept",
    )
    .execute(&mut *change)
    .await?;
    change.commit().await?;
    let row = sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(connection).await?;
    Ok(row.try_get::<i64, _>(0)? == 0)
}
