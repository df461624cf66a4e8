use std::sync::Arc;

use sqlx::{Connection as _, SqliteConnection};
use systemprompt_core::clock::Timestamp;
use systemprompt_core::id::{DepartmentId, TenantId, TokenId, UserId};

use super::record::{KeyRecord, LastUse, UserRecord};
use super::{Directory, TokenName};
use crate::error::IdentityError;
use crate::store::{json_set, timestamp};

/// The rows that changed after one generation, up to another, read in one snapshot.
pub(super) struct Changes {
    /// The generation that the rows bring a directory to.
    pub(super) generation: i64,
    /// Whether the store went back in time (a restored backup), so that everything is loaded anew.
    anew: bool,
    users: Vec<((TenantId, UserId), UserRecord)>,
    keys: Vec<KeyRecord>,
    revoked: Vec<(TokenName, Timestamp)>,
    /// Rows that cannot be read. They count as absent, so that what they name is refused.
    unreadable: Vec<Unreadable>,
}

/// A row that cannot be read, as its table and its key name it.
struct Unreadable {
    table: &'static str,
    tenant: String,
    id: String,
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
        let mut unreadable = Vec::new();
        let changes = Self {
            generation: row.value,
            anew,
            users: users(&mut tx, after, &mut unreadable).await?,
            keys: keys(&mut tx, after, &mut unreadable).await?,
            revoked: revoked(&mut tx, after).await?,
            unreadable,
        };
        tx.rollback().await?;
        Ok(Some(changes))
    }

    /// Says which rows cannot be read.
    pub(super) fn report_unreadable(&self) {
        for Unreadable { table, tenant, id } in &self.unreadable {
            tracing::error!(table, ?tenant, ?id, "a row cannot be read and counts as absent");
        }
    }
}

impl Directory {
    /// Takes over what changed.
    pub(super) fn apply(&mut self, changes: Changes) {
        if changes.anew {
            *self = Self::default();
        }
        for Unreadable { table, tenant, id } in changes.unreadable {
            self.forget(table, &tenant, &id);
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

    /// What was known of a row before it became unreadable does not hold any more.
    fn forget(&mut self, table: &str, tenant: &str, id: &str) {
        if table == "api_keys" {
            self.keys.remove(id);
        } else if let (Ok(tenant), Ok(user)) = (TenantId::parse(tenant), UserId::parse(id)) {
            self.users.remove(&(tenant, user));
        }
    }
}

async fn users(
    conn: &mut SqliteConnection,
    after: i64,
    unreadable: &mut Vec<Unreadable>,
) -> Result<Vec<((TenantId, UserId), UserRecord)>, IdentityError> {
    let rows = sqlx::query_as!(
        UserRow,
        "SELECT tenant_id, id, roles, department_id, disabled_at FROM users WHERE generation > ?1",
        after
    )
    .fetch_all(conn)
    .await?;
    let read = |row: UserRow| {
        let record = row.record();
        record.ok_or(Unreadable { table: "users", tenant: row.tenant_id, id: row.id })
    };
    Ok(readable(rows.into_iter().map(read), unreadable))
}

async fn keys(
    conn: &mut SqliteConnection,
    after: i64,
    unreadable: &mut Vec<Unreadable>,
) -> Result<Vec<KeyRecord>, IdentityError> {
    let rows = sqlx::query_as!(
        KeyRow,
        "SELECT id, tenant_id, user_id, secret_sha256, scopes, audiences, expires_at, last_used_at,
                revoked_at FROM api_keys WHERE generation > ?1",
        after
    )
    .fetch_all(conn)
    .await?;
    let read = |row: KeyRow| {
        let record = row.record();
        record.ok_or(Unreadable { table: "api_keys", tenant: row.tenant_id, id: row.id })
    };
    Ok(readable(rows.into_iter().map(read), unreadable))
}

struct UserRow {
    tenant_id: String,
    id: String,
    roles: String,
    department_id: Option<String>,
    disabled_at: Option<i64>,
}

impl UserRow {
    /// `None` when it cannot be read.
    fn record(&self) -> Option<((TenantId, UserId), UserRecord)> {
        let id = (TenantId::parse(&self.tenant_id).ok()?, UserId::parse(&self.id).ok()?);
        let department = self.department_id.as_deref().map(DepartmentId::parse);
        let record = UserRecord {
            roles: json_set("users", &self.roles).ok()?,
            department: department.transpose().ok()?,
            disabled: self.disabled_at.is_some(),
        };
        Some((id, record))
    }
}

struct KeyRow {
    id: String,
    tenant_id: String,
    user_id: String,
    secret_sha256: Vec<u8>,
    scopes: String,
    audiences: Option<String>,
    expires_at: Option<i64>,
    last_used_at: Option<i64>,
    revoked_at: Option<i64>,
}

impl KeyRow {
    /// `None` when it cannot be read.
    fn record(&self) -> Option<KeyRecord> {
        let audiences = self.audiences.as_deref().map(|text| json_set("api_keys", text));
        Some(KeyRecord {
            id: TokenId::parse(&self.id).ok()?,
            tenant: TenantId::parse(&self.tenant_id).ok()?,
            user: UserId::parse(&self.user_id).ok()?,
            secret_sha256: self.secret_sha256.as_slice().try_into().ok()?,
            scopes: json_set("api_keys", &self.scopes).ok()?,
            audiences: audiences.transpose().ok()?,
            expires_at: timestamp(self.expires_at),
            revoked: self.revoked_at.is_some(),
            used: LastUse::new(self.last_used_at),
        })
    }
}

/// What could be read; the rest is put aside.
fn readable<T>(
    rows: impl Iterator<Item = Result<T, Unreadable>>,
    unreadable: &mut Vec<Unreadable>,
) -> Vec<T> {
    rows.filter_map(|row| row.map_err(|row| unreadable.push(row)).ok()).collect()
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
