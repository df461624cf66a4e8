use systemprompt_core::clock::Timestamp;
use systemprompt_core::id::{DepartmentId, Email, TenantId, TokenId, UserId};

use super::row::{ListedKeyRow, ListedUserRow, TenantRow};
use super::{IdentityStore, KeyInfo, TenantInfo, UserInfo, json_set, on, timestamp};
use crate::error::IdentityError;

const USERS: IdentityError = IdentityError::Corrupt { table: "users" };
const KEYS: IdentityError = IdentityError::Corrupt { table: "api_keys" };

impl IdentityStore {
    /// All tenants, by id.
    ///
    /// # Errors
    /// A failing database.
    pub async fn tenants(&self) -> Result<Vec<TenantInfo>, IdentityError> {
        let mut reading = self.db.begin().await?;
        let rows: Vec<TenantRow> = on!(reading.driver(), tenants());
        rows.into_iter()
            .map(|row| {
                Ok(TenantInfo {
                    tenant: TenantId::parse(&row.id)
                        .map_err(|_| IdentityError::Corrupt { table: "tenants" })?,
                    name: row.name,
                    created_at: Timestamp::from_micros(row.created_at),
                })
            })
            .collect()
    }

    /// All users, by tenant and id; of one tenant if one is named.
    ///
    /// # Errors
    /// A failing database.
    pub async fn users(&self, tenant: Option<&TenantId>) -> Result<Vec<UserInfo>, IdentityError> {
        let mut reading = self.db.begin().await?;
        let rows: Vec<ListedUserRow> = on!(reading.driver(), users(tenant.map(TenantId::as_str)));
        rows.into_iter()
            .map(|row| {
                Ok(UserInfo {
                    tenant: TenantId::parse(&row.tenant_id).map_err(|_| USERS)?,
                    user: UserId::parse(&row.id).map_err(|_| USERS)?,
                    email: row.email.as_deref().map(Email::parse).transpose().map_err(|_| USERS)?,
                    roles: json_set("users", &row.roles)?,
                    department: row
                        .department_id
                        .as_deref()
                        .map(DepartmentId::parse)
                        .transpose()
                        .map_err(|_| USERS)?,
                    created_at: Timestamp::from_micros(row.created_at),
                    disabled_at: timestamp(row.disabled_at),
                })
            })
            .collect()
    }

    /// All keys, newest first; of one tenant or user if one is named. Revoked and expired ones too.
    ///
    /// # Errors
    /// A failing database.
    pub async fn keys(
        &self,
        tenant: Option<&TenantId>,
        user: Option<&UserId>,
    ) -> Result<Vec<KeyInfo>, IdentityError> {
        let (tenant, user) = (tenant.map(TenantId::as_str), user.map(UserId::as_str));
        let mut reading = self.db.begin().await?;
        let rows: Vec<ListedKeyRow> = on!(reading.driver(), keys(tenant, user));
        rows.into_iter()
            .map(|row| {
                Ok(KeyInfo {
                    id: TokenId::parse(&row.id).map_err(|_| KEYS)?,
                    tenant: TenantId::parse(&row.tenant_id).map_err(|_| KEYS)?,
                    user: UserId::parse(&row.user_id).map_err(|_| KEYS)?,
                    name: row.name,
                    scopes: json_set("api_keys", &row.scopes)?,
                    audiences: row
                        .audiences
                        .as_deref()
                        .map(|text| json_set("api_keys", text))
                        .transpose()?,
                    created_at: Timestamp::from_micros(row.created_at),
                    expires_at: timestamp(row.expires_at),
                    last_used_at: timestamp(row.last_used_at),
                    revoked_at: timestamp(row.revoked_at),
                })
            })
            .collect()
    }
}
