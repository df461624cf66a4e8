//! The queries that change secrets.

use sqlx::SqliteConnection;

use crate::store::{GrantFacts, GrantKey, NewVersionRow, WrappedRow};

/// Adds a secret, or takes the name of one that was revoked: its new version. `None` when there is one of
/// that name.
pub(crate) async fn add_secret(
    conn: &mut SqliteConnection,
    (tenant, name): (&str, &str),
    description: &str,
    now: i64,
    by: &str,
) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"INSERT INTO secrets AS s
             (tenant_id, name, description, last_version, created_at, created_by)
           VALUES (?1, ?2, ?3, 1, ?4, ?5)
           ON CONFLICT (tenant_id, name) DO UPDATE
             SET description = excluded.description, last_version = s.last_version + 1,
                 created_at = excluded.created_at, created_by = excluded.created_by, revoked_at = NULL
             WHERE s.revoked_at IS NOT NULL
           RETURNING last_version"#,
        tenant,
        name,
        description,
        now,
        by
    )
    .fetch_optional(conn)
    .await
}

/// Counts the versions of a secret up and returns the new one; `None` when there is no such secret, or it
/// was revoked.
pub(crate) async fn next_version(
    conn: &mut SqliteConnection,
    tenant: &str,
    name: &str,
) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar!(
        "UPDATE secrets SET last_version = last_version + 1
         WHERE tenant_id = ?1 AND name = ?2 AND revoked_at IS NULL RETURNING last_version",
        tenant,
        name
    )
    .fetch_optional(conn)
    .await
}

/// Keeps a secret as it is until the transaction ends, so that what is found out about it stays true;
/// `false` when there is no such secret, or it was revoked.
pub(crate) async fn hold(
    conn: &mut SqliteConnection,
    tenant: &str,
    name: &str,
) -> Result<bool, sqlx::Error> {
    let held = sqlx::query!(
        "UPDATE secrets SET last_version = last_version
         WHERE tenant_id = ?1 AND name = ?2 AND revoked_at IS NULL",
        tenant,
        name
    )
    .execute(conn)
    .await?;
    Ok(held.rows_affected() == 1)
}

pub(crate) async fn add_version(
    conn: &mut SqliteConnection,
    row: &NewVersionRow<'_>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO secret_versions
           (tenant_id, name, version, state, alg, wrapped_dek, nonce, ciphertext, created_at, created_by)
         VALUES (?1, ?2, ?3, 'active', ?4, ?5, ?6, ?7, ?8, ?9)",
        row.tenant,
        row.name,
        row.version,
        row.alg,
        row.wrapped_dek,
        row.nonce,
        row.ciphertext,
        row.now,
        row.by
    )
    .execute(conn)
    .await
    .map(|_| ())
}

/// Deletes what was encrypted of one version, or of all of a secret's, and says how many there were.
pub(crate) async fn retire(
    conn: &mut SqliteConnection,
    (tenant, name): (&str, &str),
    version: Option<i64>,
    now: i64,
) -> Result<u64, sqlx::Error> {
    let retired = sqlx::query!(
        "UPDATE secret_versions SET state = 'retired', retired_at = ?4, wrapped_dek = NULL,
                                    nonce = NULL, ciphertext = NULL
         WHERE tenant_id = ?1 AND name = ?2 AND version = COALESCE(?3, version) AND state = 'active'",
        tenant,
        name,
        version,
        now
    )
    .execute(conn)
    .await?;
    Ok(retired.rows_affected())
}

/// Marks a secret as revoked; `false` when there is none, or it was before.
pub(crate) async fn revoke_secret(
    conn: &mut SqliteConnection,
    (tenant, name): (&str, &str),
    now: i64,
) -> Result<bool, sqlx::Error> {
    let revoked = sqlx::query!(
        "UPDATE secrets SET revoked_at = ?3
         WHERE tenant_id = ?1 AND name = ?2 AND revoked_at IS NULL",
        tenant,
        name,
        now
    )
    .execute(conn)
    .await?;
    Ok(revoked.rows_affected() == 1)
}

/// Adds a grant; `false` when there is one.
pub(crate) async fn add_grant(
    conn: &mut SqliteConnection,
    row: &GrantFacts<'_>,
) -> Result<bool, sqlx::Error> {
    let GrantKey { tenant, name, server, sink, target, field } = row.key;
    let added = sqlx::query!(
        "INSERT INTO secret_grants
           (id, tenant_id, name, server, sink, target, field, created_at, created_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING",
        row.id,
        tenant,
        name,
        server,
        sink,
        target,
        field,
        row.created_at,
        row.created_by
    )
    .execute(conn)
    .await?;
    Ok(added.rows_affected() == 1)
}

/// Keeps what shows that a grant covers a version.
pub(crate) async fn add_tag(
    conn: &mut SqliteConnection,
    grant: &str,
    version: i64,
    tag: &[u8],
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO secret_grant_tags (grant_id, version, tag) VALUES (?1, ?2, ?3)",
        grant,
        version,
        tag
    )
    .execute(conn)
    .await
    .map(|_| ())
}

/// Deletes what showed that grants of a secret were made here: those that are not in force any more.
pub(crate) async fn delete_tags(
    conn: &mut SqliteConnection,
    (tenant, name): (&str, &str),
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "DELETE FROM secret_grant_tags WHERE grant_id IN
           (SELECT g.id FROM secret_grants AS g
            WHERE g.tenant_id = ?1 AND g.name = ?2 AND g.revoked_at IS NOT NULL)",
        tenant,
        name
    )
    .execute(conn)
    .await
    .map(|_| ())
}

/// Revokes a grant; `false` when there is none.
pub(crate) async fn revoke_grant(
    conn: &mut SqliteConnection,
    key: GrantKey<'_>,
    now: i64,
) -> Result<bool, sqlx::Error> {
    let revoked = sqlx::query!(
        "UPDATE secret_grants SET revoked_at = ?7
         WHERE tenant_id = ?1 AND name = ?2 AND server = ?3 AND sink = ?4
           AND target IS ?5 AND field = ?6 AND revoked_at IS NULL",
        key.tenant,
        key.name,
        key.server,
        key.sink,
        key.target,
        key.field,
        now
    )
    .execute(conn)
    .await?;
    Ok(revoked.rows_affected() == 1)
}

/// Revokes all grants of a secret, and says how many there were.
pub(crate) async fn revoke_grants(
    conn: &mut SqliteConnection,
    (tenant, name): (&str, &str),
    now: i64,
) -> Result<u64, sqlx::Error> {
    let revoked = sqlx::query!(
        "UPDATE secret_grants SET revoked_at = ?3
         WHERE tenant_id = ?1 AND name = ?2 AND revoked_at IS NULL",
        tenant,
        name,
        now
    )
    .execute(conn)
    .await?;
    Ok(revoked.rows_affected())
}

/// Replaces a data key by itself, encrypted anew; `false` when it is not what it was.
pub(crate) async fn rewrap(
    conn: &mut SqliteConnection,
    row: &WrappedRow,
    wrapped: &str,
) -> Result<bool, sqlx::Error> {
    let rewrapped = sqlx::query!(
        "UPDATE secret_versions SET wrapped_dek = ?5
         WHERE tenant_id = ?1 AND name = ?2 AND version = ?3 AND wrapped_dek = ?4",
        row.tenant_id,
        row.name,
        row.version,
        row.wrapped_dek,
        wrapped
    )
    .execute(conn)
    .await?;
    Ok(rewrapped.rows_affected() == 1)
}

/// Notes when a secret was used.
pub(crate) async fn note_use(
    conn: &mut SqliteConnection,
    (tenant, name): (&str, &str),
    now: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO secret_last_uses AS u (tenant_id, name, used_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (tenant_id, name) DO UPDATE SET used_at = excluded.used_at
           WHERE excluded.used_at > u.used_at",
        tenant,
        name,
        now
    )
    .execute(conn)
    .await
    .map(|_| ())
}
