use std::sync::Arc;

use systemprompt_core::clock::Timestamp;
use systemprompt_core::database::{DbConnection, DbTransaction};
use systemprompt_core::id::{DepartmentId, TenantId, TokenId, UserId};

use super::record::{KeyRecord, LastUse, UserRecord};
use super::{Directory, TokenName};
use crate::error::IdentityError;
use crate::store::{KeyRow, RevokedRow, UserRow, json_set, on, timestamp};

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
        conn: &mut DbConnection,
        seen: Option<i64>,
    ) -> Result<Option<Self>, IdentityError> {
        let mut tx = conn.begin_snapshot().await?;
        let generation = on!(tx.driver(), generation());
        if seen == Some(generation) {
            tx.rollback().await?;
            return Ok(None);
        }
        let anew = seen.is_none_or(|seen| generation < seen);
        let after = if anew { -1 } else { seen.unwrap_or(-1) };
        let mut unreadable = Vec::new();
        let changes = Self {
            generation,
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
    tx: &mut DbTransaction<'_>,
    after: i64,
    unreadable: &mut Vec<Unreadable>,
) -> Result<Vec<((TenantId, UserId), UserRecord)>, IdentityError> {
    let rows: Vec<UserRow> = on!(tx.driver(), changed_users(after));
    let read = |row: UserRow| {
        let record = row.record();
        record.ok_or(Unreadable { table: "users", tenant: row.tenant_id, id: row.id })
    };
    Ok(readable(rows.into_iter().map(read), unreadable))
}

async fn keys(
    tx: &mut DbTransaction<'_>,
    after: i64,
    unreadable: &mut Vec<Unreadable>,
) -> Result<Vec<KeyRecord>, IdentityError> {
    let rows: Vec<KeyRow> = on!(tx.driver(), changed_keys(after));
    let read = |row: KeyRow| {
        let record = row.record();
        record.ok_or(Unreadable { table: "api_keys", tenant: row.tenant_id, id: row.id })
    };
    Ok(readable(rows.into_iter().map(read), unreadable))
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
    tx: &mut DbTransaction<'_>,
    after: i64,
) -> Result<Vec<(TokenName, Timestamp)>, IdentityError> {
    let rows: Vec<RevokedRow> = on!(tx.driver(), changed_revocations(after));
    Ok(rows
        .into_iter()
        .map(|row| {
            let name = TokenName { issuer: row.issuer.into(), jti: row.jti.into() };
            (name, Timestamp::from_micros(row.until))
        })
        .collect())
}
