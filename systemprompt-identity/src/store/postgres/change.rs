//! The queries that change identities.

use sqlx::PgConnection;
use systemprompt_core::id::TokenId;

use crate::store::row::{NewKeyRow, NewRevocationRow, NewUserRow};

/// Counts the generation up and returns the new one.
pub(crate) async fn next_generation(conn: &mut PgConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        "UPDATE identity_generation SET value = identity_generation.value + 1 WHERE id = 1 RETURNING value"
    )
    .fetch_one(conn)
    .await
}

pub(crate) async fn insert_tenant(
    conn: &mut PgConnection,
    id: &str,
    name: &str,
    now: i64,
) -> Result<u64, sqlx::Error> {
    let inserted = sqlx::query!(
        "INSERT INTO tenants (id, name, created_at) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING",
        id,
        name,
        now
    )
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected())
}

pub(crate) async fn ensure_role(
    conn: &mut PgConnection,
    id: &str,
    now: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO roles (id, created_at) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING",
        id,
        now
    )
    .execute(conn)
    .await
    .map(|_| ())
}

pub(crate) async fn ensure_department(
    conn: &mut PgConnection,
    tenant: &str,
    id: &str,
    now: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO departments (tenant_id, id, created_at) VALUES ($1, $2, $3)
         ON CONFLICT (tenant_id, id) DO NOTHING",
        tenant,
        id,
        now
    )
    .execute(conn)
    .await
    .map(|_| ())
}

pub(crate) async fn insert_user(
    conn: &mut PgConnection,
    row: &NewUserRow<'_>,
) -> Result<u64, sqlx::Error> {
    let inserted = sqlx::query!(
        "INSERT INTO users (tenant_id, id, email, roles, department_id, created_at, generation)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (tenant_id, id) DO NOTHING",
        row.tenant,
        row.user,
        row.email,
        row.roles,
        row.department,
        row.now,
        row.generation
    )
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected())
}

pub(crate) async fn set_user_disabled(
    conn: &mut PgConnection,
    tenant: &str,
    id: &str,
    disabled_at: Option<i64>,
    generation: i64,
) -> Result<u64, sqlx::Error> {
    let updated = sqlx::query!(
        "UPDATE users SET disabled_at = $3, generation = $4 WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
        disabled_at,
        generation
    )
    .execute(conn)
    .await?;
    Ok(updated.rows_affected())
}

pub(crate) async fn insert_key(
    conn: &mut PgConnection,
    row: &NewKeyRow<'_>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO api_keys (id, tenant_id, user_id, name, secret_sha256, scopes, audiences,
                               created_at, expires_at, generation)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        row.id,
        row.tenant,
        row.user,
        row.name,
        row.secret_sha256,
        row.scopes,
        row.audiences,
        row.now,
        row.expires_at,
        row.generation
    )
    .execute(conn)
    .await
    .map(|_| ())
}

pub(crate) async fn revoke_key(
    conn: &mut PgConnection,
    id: &str,
    now: i64,
    generation: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE api_keys SET revoked_at = $2, generation = $3 WHERE id = $1",
        id,
        now,
        generation
    )
    .execute(conn)
    .await
    .map(|_| ())
}

pub(crate) async fn revoke_token(
    conn: &mut PgConnection,
    row: &NewRevocationRow<'_>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO revoked_tokens (issuer, jti, revoked_at, until, generation)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (issuer, jti)
         DO UPDATE SET until = greatest(revoked_tokens.until, excluded.until),
                       generation = excluded.generation",
        row.issuer,
        row.jti,
        row.now,
        row.until,
        row.generation
    )
    .execute(conn)
    .await
    .map(|_| ())
}

pub(crate) async fn forget_revocations(
    conn: &mut PgConnection,
    before: i64,
) -> Result<u64, sqlx::Error> {
    let deleted =
        sqlx::query!("DELETE FROM revoked_tokens WHERE until < $1", before).execute(conn).await?;
    Ok(deleted.rows_affected())
}

/// Notes when keys were last used. Locks them in one order, so that replicas never wait for each
/// other.
pub(crate) async fn note_uses(
    conn: &mut PgConnection,
    uses: &[(TokenId, i64)],
) -> Result<(), sqlx::Error> {
    let (ids, instants): (Vec<_>, Vec<_>) =
        uses.iter().map(|(id, at)| (id.as_str().to_owned(), *at)).unzip();
    sqlx::query!(
        "WITH locked AS (
             SELECT id FROM api_keys WHERE id = ANY ($1::text[]) ORDER BY id FOR NO KEY UPDATE
         )
         UPDATE api_keys SET last_used_at = used.at
         FROM locked JOIN UNNEST($1::text[], $2::bigint[]) AS used (id, at) ON used.id = locked.id
         WHERE api_keys.id = locked.id
           AND (api_keys.last_used_at IS NULL OR api_keys.last_used_at < used.at)",
        &ids,
        &instants
    )
    .execute(conn)
    .await
    .map(|_| ())
}
