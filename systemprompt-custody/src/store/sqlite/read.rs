//! The queries that read secrets.

use sqlx::SqliteConnection;

use crate::store::{GrantKey, GrantRow, SecretRow, TaggedRow, UseRow, VersionRow, WrappedRow};

/// What a use finds; `None` when there is no such secret. Without a version, the newest that is not retired.
pub(crate) async fn of_use(
    conn: &mut SqliteConnection,
    key: GrantKey<'_>,
    version: Option<i64>,
) -> Result<Option<UseRow>, sqlx::Error> {
    sqlx::query_as!(
        UseRow,
        r#"SELECT s.revoked_at,
                  g.id AS "grant_id?", g.created_at AS "granted_at?", g.created_by AS "granted_by?",
                  t.tag AS "tag?",
                  v.version AS "version?", v.alg AS "alg?", v.wrapped_dek, v.nonce, v.ciphertext
           FROM secrets AS s
           LEFT JOIN secret_versions AS v
             ON v.tenant_id = s.tenant_id AND v.name = s.name AND v.state = 'active'
            AND v.version = COALESCE(
                    ?7,
                    (SELECT MAX(n.version) FROM secret_versions AS n
                     WHERE n.tenant_id = s.tenant_id AND n.name = s.name AND n.state = 'active'))
           LEFT JOIN secret_grants AS g
             ON g.tenant_id = s.tenant_id AND g.name = s.name AND g.server = ?3 AND g.sink = ?4
            AND g.target IS ?5 AND g.field = ?6 AND g.revoked_at IS NULL
           LEFT JOIN secret_grant_tags AS t ON t.grant_id = g.id AND t.version = v.version
           WHERE s.tenant_id = ?1 AND s.name = ?2"#,
        key.tenant,
        key.name,
        key.server,
        key.sink,
        key.target,
        key.field,
        version
    )
    .fetch_optional(conn)
    .await
}

/// When a secret was revoked, if it was; `None` when there is no such secret.
pub(crate) async fn revoked_at(
    conn: &mut SqliteConnection,
    tenant: &str,
    name: &str,
) -> Result<Option<Option<i64>>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT s.revoked_at FROM secrets AS s WHERE s.tenant_id = ?1 AND s.name = ?2",
        tenant,
        name
    )
    .fetch_optional(conn)
    .await
}

/// Whether a secret is granted as a header of anything.
pub(crate) async fn is_header(
    conn: &mut SqliteConnection,
    tenant: &str,
    name: &str,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM secret_grants AS g
                          WHERE g.tenant_id = ?1 AND g.name = ?2 AND g.sink = 'header'
                            AND g.revoked_at IS NULL) AS "found!: bool""#,
        tenant,
        name
    )
    .fetch_one(conn)
    .await
}

pub(crate) async fn active_versions(
    conn: &mut SqliteConnection,
    tenant: &str,
    name: &str,
) -> Result<Vec<i64>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT v.version FROM secret_versions AS v
         WHERE v.tenant_id = ?1 AND v.name = ?2 AND v.state = 'active' ORDER BY v.version",
        tenant,
        name
    )
    .fetch_all(conn)
    .await
}

pub(crate) async fn secrets(
    conn: &mut SqliteConnection,
    tenant: Option<&str>,
) -> Result<Vec<SecretRow>, sqlx::Error> {
    sqlx::query_as!(
        SecretRow,
        r#"SELECT s.tenant_id, s.name, s.description, s.created_at, s.created_by, s.revoked_at,
                  u.used_at AS "last_used_at?"
           FROM secrets AS s
           -- A name that was taken again has not been used before.
           LEFT JOIN secret_last_uses AS u
             ON u.tenant_id = s.tenant_id AND u.name = s.name AND u.used_at >= s.created_at
           WHERE ?1 IS NULL OR s.tenant_id = ?1 ORDER BY s.tenant_id, s.name"#,
        tenant
    )
    .fetch_all(conn)
    .await
}

pub(crate) async fn versions(
    conn: &mut SqliteConnection,
    tenant: Option<&str>,
) -> Result<Vec<VersionRow>, sqlx::Error> {
    sqlx::query_as!(
        VersionRow,
        "SELECT s.tenant_id, s.name, s.version, s.created_at, s.created_by, s.retired_at
         FROM secret_versions AS s WHERE ?1 IS NULL OR s.tenant_id = ?1
         ORDER BY s.tenant_id, s.name, s.version",
        tenant
    )
    .fetch_all(conn)
    .await
}

/// The grants that are in force.
pub(crate) async fn grants(
    conn: &mut SqliteConnection,
    tenant: Option<&str>,
) -> Result<Vec<GrantRow>, sqlx::Error> {
    sqlx::query_as!(
        GrantRow,
        "SELECT s.tenant_id, s.name, s.server, s.sink, s.target, s.field, s.created_at, s.created_by
         FROM secret_grants AS s WHERE (?1 IS NULL OR s.tenant_id = ?1) AND s.revoked_at IS NULL
         ORDER BY s.tenant_id, s.name, s.server, s.created_at, s.id",
        tenant
    )
    .fetch_all(conn)
    .await
}

/// The grants of a secret that are in force, each with what shows that it covers a version.
pub(crate) async fn tagged(
    conn: &mut SqliteConnection,
    (tenant, name): (&str, &str),
    version: i64,
) -> Result<Vec<TaggedRow>, sqlx::Error> {
    sqlx::query_as!(
        TaggedRow,
        r#"SELECT g.id, g.server, g.sink, g.target, g.field, g.created_at, g.created_by,
                  t.tag AS "tag?"
           FROM secret_grants AS g
           LEFT JOIN secret_grant_tags AS t ON t.grant_id = g.id AND t.version = ?3
           WHERE g.tenant_id = ?1 AND g.name = ?2 AND g.revoked_at IS NULL ORDER BY g.id"#,
        tenant,
        name,
        version
    )
    .fetch_all(conn)
    .await
}

/// The data keys of the versions of a secret that are not retired, oldest first.
pub(crate) async fn wrapped_of(
    conn: &mut SqliteConnection,
    (tenant, name): (&str, &str),
) -> Result<Vec<WrappedRow>, sqlx::Error> {
    sqlx::query_as!(
        WrappedRow,
        r#"SELECT v.tenant_id, v.name, v.version, v.wrapped_dek AS "wrapped_dek!"
           FROM secret_versions AS v
           WHERE v.tenant_id = ?1 AND v.name = ?2 AND v.wrapped_dek IS NOT NULL
           ORDER BY v.version"#,
        tenant,
        name
    )
    .fetch_all(conn)
    .await
}

/// The data keys of the versions after one, at most `limit`.
pub(crate) async fn wrapped_after(
    conn: &mut SqliteConnection,
    (tenant, name, version): (&str, &str, i64),
    limit: i64,
) -> Result<Vec<WrappedRow>, sqlx::Error> {
    sqlx::query_as!(
        WrappedRow,
        r#"SELECT v.tenant_id, v.name, v.version, v.wrapped_dek AS "wrapped_dek!"
           FROM secret_versions AS v
           WHERE v.wrapped_dek IS NOT NULL AND (v.tenant_id, v.name, v.version) > (?1, ?2, ?3)
           ORDER BY v.tenant_id, v.name, v.version LIMIT ?4"#,
        tenant,
        name,
        version,
        limit
    )
    .fetch_all(conn)
    .await
}

/// The data key that was made last.
pub(crate) async fn newest_wrapped(
    conn: &mut SqliteConnection,
) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT v.wrapped_dek AS "wrapped_dek!" FROM secret_versions AS v
           WHERE v.wrapped_dek IS NOT NULL ORDER BY v.created_at DESC LIMIT 1"#
    )
    .fetch_optional(conn)
    .await
}
