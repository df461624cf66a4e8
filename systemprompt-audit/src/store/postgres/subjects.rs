//! The persons whose events are encrypted.

use sqlx::PgConnection;

use crate::subject::{Person, SubjectRow};

/// The subject of a person, if there is one.
pub(crate) async fn of_person(
    connection: &mut PgConnection,
    person: &Person,
) -> Result<Option<SubjectRow>, sqlx::Error> {
    let (tenant, user, department) = (&*person.tenant, &*person.user, &*person.department);
    sqlx::query_as!(
        SubjectRow,
        "SELECT pseudonym, tenant_id, user_id, department, wrapped_key FROM audit_subjects
         WHERE user_id = $1 AND tenant_id = $2 AND department = $3",
        user,
        tenant,
        department
    )
    .fetch_optional(connection)
    .await
}

/// The subjects with these pseudonyms.
pub(crate) async fn by_pseudonym(
    connection: &mut PgConnection,
    pseudonyms: &[String],
) -> Result<Vec<SubjectRow>, sqlx::Error> {
    sqlx::query_as!(
        SubjectRow,
        "SELECT s.pseudonym, s.tenant_id, s.user_id, s.department, s.wrapped_key
         FROM audit_subjects AS s WHERE s.pseudonym = ANY($1)",
        pseudonyms
    )
    .fetch_all(connection)
    .await
}

/// The subjects of a user, of one tenant or of all, whatever the department.
pub(crate) async fn of_user(
    connection: &mut PgConnection,
    user: &str,
    tenant: Option<&str>,
) -> Result<Vec<SubjectRow>, sqlx::Error> {
    sqlx::query_as!(
        SubjectRow,
        "SELECT pseudonym, tenant_id, user_id, department, wrapped_key FROM audit_subjects
         WHERE user_id = $1 AND ($2::text IS NULL OR tenant_id = $2)",
        user,
        tenant
    )
    .fetch_all(connection)
    .await
}

/// The next subjects after a pseudonym, in their order.
pub(crate) async fn after(
    connection: &mut PgConnection,
    pseudonym: &str,
    limit: i64,
) -> Result<Vec<SubjectRow>, sqlx::Error> {
    sqlx::query_as!(
        SubjectRow,
        "SELECT pseudonym, tenant_id, user_id, department, wrapped_key FROM audit_subjects
         WHERE pseudonym > $1 ORDER BY pseudonym LIMIT $2",
        pseudonym,
        limit
    )
    .fetch_all(connection)
    .await
}

/// Adds a subject, unless the person has one.
pub(crate) async fn add(
    connection: &mut PgConnection,
    row: &SubjectRow,
    now: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO audit_subjects (pseudonym, tenant_id, user_id, department, wrapped_key, created_at)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
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
    connection: &mut PgConnection,
    row: &SubjectRow,
    wrapped: &str,
) -> Result<u64, sqlx::Error> {
    sqlx::query!(
        "UPDATE audit_subjects SET wrapped_key = $1 WHERE pseudonym = $2 AND wrapped_key = $3",
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
    connection: &mut PgConnection,
    pseudonym: &str,
    now: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query!("DELETE FROM audit_subjects WHERE pseudonym = $1", pseudonym)
        .execute(&mut *connection)
        .await?;
    sqlx::query!(
        "INSERT INTO audit_erasures (pseudonym, erased_at) VALUES ($1, $2)",
        pseudonym,
        now
    )
    .execute(connection)
    .await
    .map(|_| ())
}

/// How many subjects have been erased.
pub(crate) async fn erasures(connection: &mut PgConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(r#"SELECT count(*) AS "n!" FROM audit_erasures"#)
        .fetch_one(connection)
        .await
}

/// How many events name a user in clear.
pub(crate) async fn in_clear(
    connection: &mut PgConnection,
    user: &str,
    tenant: Option<&str>,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT count(*) AS "n!" FROM audit_events
           WHERE user_id = $1 AND ($2::text IS NULL OR tenant_id = $2)"#,
        user,
        tenant
    )
    .fetch_one(connection)
    .await
}

/// Nothing is to be set: what was deleted is removed as a whole, by [`remove_traces`].
pub(crate) async fn overwrite_deleted(_: &mut PgConnection) -> Result<(), sqlx::Error> {
    Ok(())
}

/// Takes what was deleted out of the table's files; says whether that was possible.
///
/// A `VACUUM` gives the place of a row up and leaves its bytes there, and keeps rows that an old snapshot
/// can see. So the table is written anew, and the files that it had are removed. The write-ahead log is
/// the server's own.
pub(crate) async fn remove_traces(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    // Whoever reads all of the database, such as a backup, is not waited for: others wait behind us.
    sqlx::raw_sql(
        "BEGIN;
         SET LOCAL lock_timeout = '2s';
         ALTER TABLE audit_subjects ALTER COLUMN wrapped_key TYPE TEXT USING wrapped_key || '';
         COMMIT",
    )
    .execute(connection)
    .await
    .map(|_| true)
}
