//! The queries that read identities.

use sqlx::PgConnection;

use crate::store::row::{KeyRow, ListedKeyRow, ListedUserRow, RevokedRow, TenantRow, UserRow};

pub(crate) async fn has_tenant(conn: &mut PgConnection, tenant: &str) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM tenants WHERE id = $1) AS "found!""#,
        tenant
    )
    .fetch_one(conn)
    .await
}

pub(crate) async fn has_role(conn: &mut PgConnection, role: &str) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(r#"SELECT EXISTS (SELECT 1 FROM roles WHERE id = $1) AS "found!""#, role)
        .fetch_one(conn)
        .await
}

pub(crate) async fn has_department(
    conn: &mut PgConnection,
    tenant: &str,
    department: &str,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM departments WHERE tenant_id = $1 AND id = $2) AS "found!""#,
        tenant,
        department
    )
    .fetch_one(conn)
    .await
}

pub(crate) async fn has_user(
    conn: &mut PgConnection,
    tenant: &str,
    user: &str,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM users WHERE tenant_id = $1 AND id = $2) AS "found!""#,
        tenant,
        user
    )
    .fetch_one(conn)
    .await
}

pub(crate) async fn has_email(
    conn: &mut PgConnection,
    tenant: &str,
    email: &str,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM users WHERE tenant_id = $1 AND email = $2) AS "found!""#,
        tenant,
        email
    )
    .fetch_one(conn)
    .await
}

/// When a key was revoked, if it was; `None` when there is no such key.
pub(crate) async fn key_revoked_at(
    conn: &mut PgConnection,
    id: &str,
) -> Result<Option<Option<i64>>, sqlx::Error> {
    sqlx::query_scalar!("SELECT revoked_at FROM api_keys WHERE id = $1", id)
        .fetch_optional(conn)
        .await
}

pub(crate) async fn tenants(conn: &mut PgConnection) -> Result<Vec<TenantRow>, sqlx::Error> {
    sqlx::query_as!(TenantRow, "SELECT id, name, created_at FROM tenants ORDER BY tenants.id")
        .fetch_all(conn)
        .await
}

pub(crate) async fn users(
    conn: &mut PgConnection,
    tenant: Option<&str>,
) -> Result<Vec<ListedUserRow>, sqlx::Error> {
    sqlx::query_as!(
        ListedUserRow,
        "SELECT tenant_id, id, email, roles, department_id, created_at, disabled_at FROM users
         WHERE $1::text IS NULL OR tenant_id = $1 ORDER BY tenant_id, id",
        tenant
    )
    .fetch_all(conn)
    .await
}

pub(crate) async fn keys(
    conn: &mut PgConnection,
    tenant: Option<&str>,
    user: Option<&str>,
) -> Result<Vec<ListedKeyRow>, sqlx::Error> {
    sqlx::query_as!(
        ListedKeyRow,
        "SELECT id, tenant_id, user_id, name, scopes, audiences, created_at, expires_at,
                last_used_at, revoked_at FROM api_keys
         WHERE ($1::text IS NULL OR tenant_id = $1) AND ($2::text IS NULL OR user_id = $2)
         ORDER BY created_at DESC, id",
        tenant,
        user
    )
    .fetch_all(conn)
    .await
}

/// The generation that the store is at.
pub(crate) async fn generation(conn: &mut PgConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!("SELECT g.value FROM identity_generation AS g WHERE g.id = 1")
        .fetch_one(conn)
        .await
}

pub(crate) async fn changed_users(
    conn: &mut PgConnection,
    after: i64,
) -> Result<Vec<UserRow>, sqlx::Error> {
    sqlx::query_as!(
        UserRow,
        "SELECT tenant_id, id, roles, department_id, disabled_at FROM users WHERE generation > $1",
        after
    )
    .fetch_all(conn)
    .await
}

pub(crate) async fn changed_keys(
    conn: &mut PgConnection,
    after: i64,
) -> Result<Vec<KeyRow>, sqlx::Error> {
    sqlx::query_as!(
        KeyRow,
        "SELECT id, tenant_id, user_id, secret_sha256, scopes, audiences, expires_at, last_used_at,
                revoked_at FROM api_keys WHERE generation > $1",
        after
    )
    .fetch_all(conn)
    .await
}

pub(crate) async fn changed_revocations(
    conn: &mut PgConnection,
    after: i64,
) -> Result<Vec<RevokedRow>, sqlx::Error> {
    sqlx::query_as!(
        RevokedRow,
        "SELECT issuer, jti, until FROM revoked_tokens WHERE generation > $1",
        after
    )
    .fetch_all(conn)
    .await
}
