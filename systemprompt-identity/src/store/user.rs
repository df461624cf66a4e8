use std::collections::BTreeSet;

use systemprompt_core::clock::Timestamp;
use systemprompt_core::database::DbTransaction;
use systemprompt_core::id::{DepartmentId, Email, RoleId, TenantId, UserId};

use super::row::NewUserRow;
use super::{IdentityStore, json, on};
use crate::error::IdentityError;

/// A user to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUser {
    /// The tenant the user belongs to.
    pub tenant: TenantId,
    /// The user, unique in the tenant.
    pub user: UserId,
    /// An address, unique in the tenant.
    pub email: Option<Email>,
    /// Roles held; each must be known.
    pub roles: BTreeSet<RoleId>,
    /// The department; it must be known.
    pub department: Option<DepartmentId>,
}

/// A user as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserInfo {
    /// The tenant.
    pub tenant: TenantId,
    /// The user.
    pub user: UserId,
    /// The address.
    pub email: Option<Email>,
    /// Roles held.
    pub roles: BTreeSet<RoleId>,
    /// The department.
    pub department: Option<DepartmentId>,
    /// When the user was created.
    pub created_at: Timestamp,
    /// Since when the user is locked out.
    pub disabled_at: Option<Timestamp>,
}

impl IdentityStore {
    /// Creates a user.
    ///
    /// # Errors
    /// [`IdentityError`]: unknown tenant, role or department; user or address taken; failing database.
    pub async fn create_user(
        &self,
        conn: &mut DbTransaction<'_>,
        new: &NewUser,
    ) -> Result<(), IdentityError> {
        let mut tx = conn.begin().await?;
        let generation = on!(tx.driver(), next_generation());
        self.require_tenant(&mut tx, &new.tenant).await?;
        for role in &new.roles {
            require_role(&mut tx, role).await?;
        }
        if let Some(department) = &new.department {
            require_department(&mut tx, &new.tenant, department).await?;
        }
        if let Some(email) = &new.email {
            require_free_email(&mut tx, &new.tenant, email).await?;
        }
        let row = NewUserRow {
            tenant: new.tenant.as_str(),
            user: new.user.as_str(),
            email: new.email.as_ref().map(Email::as_str),
            roles: json(&new.roles),
            department: new.department.as_ref().map(DepartmentId::as_str),
            now: self.now_micros(),
            generation,
        };
        let inserted: u64 = on!(tx.driver(), insert_user(&row));
        if inserted == 0 {
            let (tenant, user) = (new.tenant.clone(), new.user.clone());
            return Err(IdentityError::DuplicateUser { tenant, user });
        }
        Ok(tx.commit().await?)
    }

    /// Locks a user out, or lets them in again; takes effect like the revocation of a key.
    ///
    /// # Errors
    /// [`IdentityError::UnknownUser`] or a failing database.
    pub async fn set_user_disabled(
        &self,
        conn: &mut DbTransaction<'_>,
        tenant: &TenantId,
        user: &UserId,
        disabled: bool,
    ) -> Result<(), IdentityError> {
        let mut tx = conn.begin().await?;
        let generation = on!(tx.driver(), next_generation());
        let disabled_at = disabled.then(|| self.now_micros());
        let (tenant_id, id) = (tenant.as_str(), user.as_str());
        let updated: u64 =
            on!(tx.driver(), set_user_disabled(tenant_id, id, disabled_at, generation));
        if updated == 0 {
            let (tenant, user) = (tenant.clone(), user.clone());
            return Err(IdentityError::UnknownUser { tenant, user });
        }
        Ok(tx.commit().await?)
    }
}

async fn require_role(conn: &mut DbTransaction<'_>, role: &RoleId) -> Result<(), IdentityError> {
    if on!(conn.driver(), has_role(role.as_str())) {
        return Ok(());
    }
    Err(IdentityError::UnknownRole(role.clone()))
}

async fn require_department(
    conn: &mut DbTransaction<'_>,
    tenant: &TenantId,
    department: &DepartmentId,
) -> Result<(), IdentityError> {
    if on!(conn.driver(), has_department(tenant.as_str(), department.as_str())) {
        return Ok(());
    }
    let (tenant, department) = (tenant.clone(), department.clone());
    Err(IdentityError::UnknownDepartment { tenant, department })
}

async fn require_free_email(
    conn: &mut DbTransaction<'_>,
    tenant: &TenantId,
    email: &Email,
) -> Result<(), IdentityError> {
    if on!(conn.driver(), has_email(tenant.as_str(), email.as_str())) {
        return Err(IdentityError::DuplicateEmail(email.clone()));
    }
    Ok(())
}
