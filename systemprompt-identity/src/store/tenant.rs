use sqlx::{Connection as _, SqliteConnection};
use systemprompt_core::clock::Timestamp;
use systemprompt_core::id::{DepartmentId, RoleId, TenantId};

use super::{IdentityStore, check_name, generation};
use crate::error::IdentityError;

/// A tenant as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantInfo {
    /// The tenant.
    pub tenant: TenantId,
    /// Its name for people.
    pub name: String,
    /// When it was created.
    pub created_at: Timestamp,
}

impl IdentityStore {
    /// Creates a tenant.
    ///
    /// # Errors
    /// [`IdentityError::DuplicateTenant`], a bad name, or a failing database.
    pub async fn create_tenant(
        &self,
        conn: &mut SqliteConnection,
        tenant: &TenantId,
        name: &str,
    ) -> Result<(), IdentityError> {
        check_name(name)?;
        let mut tx = conn.begin().await?;
        generation::next(&mut tx).await?;
        let (id, now) = (tenant.as_str(), self.now_micros());
        let inserted = sqlx::query!(
            "INSERT INTO tenants (id, name, created_at) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO NOTHING",
            id,
            name,
            now
        )
        .execute(&mut *tx)
        .await?;
        if inserted.rows_affected() == 0 {
            return Err(IdentityError::DuplicateTenant(tenant.clone()));
        }
        Ok(tx.commit().await?)
    }

    /// Makes a role known; nothing happens when it is known already.
    ///
    /// # Errors
    /// A failing database.
    pub async fn ensure_role(
        &self,
        conn: &mut SqliteConnection,
        role: &RoleId,
    ) -> Result<(), IdentityError> {
        let (id, now) = (role.as_str(), self.now_micros());
        sqlx::query!(
            "INSERT INTO roles (id, created_at) VALUES (?1, ?2) ON CONFLICT (id) DO NOTHING",
            id,
            now
        )
        .execute(conn)
        .await?;
        Ok(())
    }

    /// Makes a department of a tenant known; nothing happens when it is known already.
    ///
    /// # Errors
    /// [`IdentityError::UnknownTenant`] or a failing database.
    pub async fn ensure_department(
        &self,
        conn: &mut SqliteConnection,
        tenant: &TenantId,
        department: &DepartmentId,
    ) -> Result<(), IdentityError> {
        self.require_tenant(conn, tenant).await?;
        let (tenant, id, now) = (tenant.as_str(), department.as_str(), self.now_micros());
        sqlx::query!(
            "INSERT INTO departments (tenant_id, id, created_at) VALUES (?1, ?2, ?3)
             ON CONFLICT (tenant_id, id) DO NOTHING",
            tenant,
            id,
            now
        )
        .execute(conn)
        .await?;
        Ok(())
    }

    pub(super) async fn require_tenant(
        &self,
        conn: &mut SqliteConnection,
        tenant: &TenantId,
    ) -> Result<(), IdentityError> {
        let id = tenant.as_str();
        let found = sqlx::query!(r#"SELECT 1 AS "found!: i64" FROM tenants WHERE id = ?1"#, id)
            .fetch_optional(conn)
            .await?;
        found.map(|_| ()).ok_or_else(|| IdentityError::UnknownTenant(tenant.clone()))
    }
}
