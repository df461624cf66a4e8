use std::sync::Arc;

use sqlx::{Connection as _, SqliteConnection};
use systemprompt_core::clock::Timestamp;
use systemprompt_core::id::{DepartmentId, TenantId, TokenId, UserId};

use super::record::{KeyRecord, LastUse, UserRecord};
use super::{Directory, TokenName};
use crate::error::IdentityError;
use crate::store::{json_set, timestamp};

const USERS: IdentityError = IdentityError::Corrupt { table: "users" };
const KEYS: IdentityError = IdentityError::Corrupt { table: "api_keys" };

/// The rows that changed after one generation, up to another, read in one snapshot.
pub(super) struct Changes {
    /// The generation that the rows bring a directory to.
    pub(super) generation: i64,
    /// Whether the store went back in time (a restored backup), so that everything is loaded anew.
    anew: bool,
    users: Vec<((TenantId, UserId), UserRecord)>,
    keys: Vec<KeyRecord>,
    revoked: Vec<(TokenName, Timestamp)>,
}

impl Changes {
    /// Reads what changed after the generation `seen`; `None` when nothing did.
    pub(super) async fn read(
        conn: &mut SqliteConnection,
        seen: Option<i64>,
    ) -> Result<Option<Self>, IdentityError> {
        let mut tx = conn.begin().await?;
        let row = sqlx::query!("SELECT value FROM identity_generation WHERE id = 1")
            .fetch_one(&mut *tx)
            .await?;
        if seen == Some(row.value) {
            return Ok(None);
        }
        let anew = seen.is_none_or(|seen| row.value < seen);
        let after = if anew { -1 } else { seen.unwrap_or(-1) };
        let changes = Self {
            generation: row.value,
            anew,
            users: users(&mut tx, after).await?,
            keys: keys(&mut tx, after).await?,
            revoked: revoked(&mut tx, after).await?,
        };
        tx.rollback().await?;
        Ok(Some(changes))
    }
}

impl Directory {
    /// Takes over what changed.
    pub(super) fn apply(&mut self, changes: Changes) {
        if changes.anew {
            *self = Self::default();
        }
        self.users.extend(changes.users.into_iter().map(|(id, user)| (id, Arc::new(user))));
        for key in changes.keys {
            if let Some(before) = self.keys.get(key.id.as_str()) {
                key.used.keep(&before.used);
            }
            self.keys.insert(key.id.as_str().into(), Arc::new(key));
        }
        self.revoked.extend(changes.revoked);
    }
}

async fn users(
    conn: &mut SqliteConnection,
    after: i64,
) -> Result<Vec<((TenantId, UserId), UserRecord)>, IdentityError> {
    let rows = sqlx::query!(
        "SELECT tenant_id, id, roles, department_id, disabled_at FROM users WHERE generation > ?1",
        after
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let tenant = TenantId::parse(&row.tenant_id).map_err(|_| USERS)?;
            let user = UserId::parse(&row.id).map_err(|_| USERS)?;
            let department = row.department_id.as_deref().map(DepartmentId::parse).transpose();
            let record = UserRecord {
                roles: json_set("users", &row.roles)?,
                department: department.map_err(|_| USERS)?,
                disabled: row.disabled_at.is_some(),
            };
            Ok(((tenant, user), record))
        })
        .collect()
}

async fn keys(conn: &mut SqliteConnection, after: i64) -> Result<Vec<KeyRecord>, IdentityError> {
    let rows = sqlx::query!(
        "SELECT id, tenant_id, user_id, secret_sha256, scopes, audiences, expires_at, last_used_at,
                revoked_at FROM api_keys WHERE generation > ?1",
        after
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let audiences = row.audiences.as_deref().map(|text| json_set("api_keys", text));
            Ok(KeyRecord {
                id: TokenId::parse(&row.id).map_err(|_| KEYS)?,
                tenant: TenantId::parse(&row.tenant_id).map_err(|_| KEYS)?,
                user: UserId::parse(&row.user_id).map_err(|_| KEYS)?,
                secret_sha256: row.secret_sha256.try_into().map_err(|_| KEYS)?,
                scopes: json_set("api_keys", &row.scopes)?,
                audiences: audiences.transpose()?,
                expires_at: timestamp(row.expires_at),
                revoked: row.revoked_at.is_some(),
                used: LastUse::new(row.last_used_at),
            })
        })
        .collect()
}

async fn revoked(
    conn: &mut SqliteConnection,
    after: i64,
) -> Result<Vec<(TokenName, Timestamp)>, IdentityError> {
    let rows =
        sqlx::query!("SELECT issuer, jti, until FROM revoked_tokens WHERE generation > ?1", after)
            .fetch_all(conn)
            .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let name = TokenName { issuer: row.issuer.into(), jti: row.jti.into() };
            (name, Timestamp::from_micros(row.until))
        })
        .collect())
}
