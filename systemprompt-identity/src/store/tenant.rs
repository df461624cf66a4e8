use systemprompt_core::clock::Timestamp;
use systemprompt_core::database::DbTransaction;
use systemprompt_core::id::{DepartmentId, RoleId, TenantId};

use super::{IdentityStore, check_name, on};
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
        conn: &mut DbTransaction<'_>,
        tenant: &TenantId,
        name: &str,
    ) -> Result<(), IdentityError> {
        check_name(name)?;
        let mut tx = conn.begin().await?;
        on!(tx.driver(), next_generation());
        let now = self.now_micros();
        let inserted: u64 = on!(tx.driver(), insert_tenant(tenant.as_str(), name, now));
        if inserted == 0 {
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
        conn: &mut DbTransaction<'_>,
        role: &RoleId,
    ) -> Result<(), IdentityError> {
        on!(conn.driver(), ensure_role(role.as_str(), self.now_micros()));
        Ok(())
    }

    /// Makes a department of a tenant known; nothing happens when it is known already.
    ///
    /// # Errors
    /// [`IdentityError::UnknownTenant`] or a failing database.
    pub async fn ensure_department(
        &self,
        conn: &mut DbTransaction<'_>,
        tenant: &TenantId,
        department: &DepartmentId,
    ) -> Result<(), IdentityError> {
        self.require_tenant(conn, tenant).await?;
        let now = self.now_micros();
        on!(conn.driver(), ensure_department(tenant.as_str(), department.as_str(), now));
        Ok(())
    }

    pub(super) async fn require_tenant(
        &self,
        conn: &mut DbTransaction<'_>,
        tenant: &TenantId,
    ) -> Result<(), IdentityError> {
        if on!(conn.driver(), has_tenant(tenant.as_str())) {
            return Ok(());
        }
        Err(IdentityError::UnknownTenant(tenant.clone()))
    }
}
