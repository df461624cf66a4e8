use std::collections::BTreeSet;

use sqlx::{Connection as _, SqliteConnection};
use systemprompt_core::clock::Timestamp;
use systemprompt_core::id::{DepartmentId, Email, RoleId, TenantId, UserId};

use super::{IdentityStore, generation, json};
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
        conn: &mut SqliteConnection,
        new: &NewUser,
    ) -> Result<(), IdentityError> {
        let mut tx = conn.begin().await?;
        let generation = generation::next(&mut tx).await?;
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
        let (tenant, user, now) = (new.tenant.as_str(), new.user.as_str(), self.now_micros());
        let (email, roles) = (new.email.as_ref().map(Email::as_str), json(&new.roles));
        let department = new.department.as_ref().map(DepartmentId::as_str);
        let inserted = sqlx::query!(
            "INSERT INTO users (tenant_id, id, email, roles, department_id, created_at, generation)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (tenant_id, id) DO NOTHING",
            tenant,
            user,
            email,
            roles,
            department,
            now,
            generation
        )
        .execute(&mut *tx)
        .await?;
        if inserted.rows_affected() == 0 {
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
        conn: &mut SqliteConnection,
        tenant: &TenantId,
        user: &UserId,
        disabled: bool,
    ) -> Result<(), IdentityError> {
        let mut tx = conn.begin().await?;
        let generation = generation::next(&mut tx).await?;
        let (tenant_id, id) = (tenant.as_str(), user.as_str());
        let disabled_at = disabled.then(|| self.now_micros());
        let updated = sqlx::query!(
            "UPDATE users SET disabled_at = ?3, generation = ?4 WHERE tenant_id = ?1 AND id = ?2",
            tenant_id,
            id,
            disabled_at,
            generation
        )
        .execute(&mut *tx)
        .await?;
        if updated.rows_affected() == 0 {
            let (tenant, user) = (tenant.clone(), user.clone());
            return Err(IdentityError::UnknownUser { tenant, user });
        }
        Ok(tx.commit().await?)
    }
}

async fn require_role(conn: &mut SqliteConnection, role: &RoleId) -> Result<(), IdentityError> {
    let id = role.as_str();
    let found = sqlx::query!(r#"SELECT 1 AS "found!: i64" FROM roles WHERE id = ?1"#, id)
        .fetch_optional(conn)
        .await?;
    found.map(|_| ()).ok_or_else(|| IdentityError::UnknownRole(role.clone()))
}

async fn require_department(
    conn: &mut SqliteConnection,
    tenant: &TenantId,
    department: &DepartmentId,
) -> Result<(), IdentityError> {
    let (tenant_id, id) = (tenant.as_str(), department.as_str());
    let found = sqlx::query!(
        r#"SELECT 1 AS "found!: i64" FROM departments WHERE tenant_id = ?1 AND id = ?2"#,
        tenant_id,
        id
    )
    .fetch_optional(conn)
    .await?;
    found.map(|_| ()).ok_or_else(|| IdentityError::UnknownDepartment {
        tenant: tenant.clone(),
        department: department.clone(),
    })
}

async fn require_free_email(
    conn: &mut SqliteConnection,
    tenant: &TenantId,
    email: &Email,
) -> Result<(), IdentityError> {
    let (tenant_id, address) = (tenant.as_str(), email.as_str());
    let found = sqlx::query!(
        r#"SELECT 1 AS "found!: i64" FROM users WHERE tenant_id = ?1 AND email = ?2"#,
        tenant_id,
        address
    )
    .fetch_optional(conn)
    .await?;
    match found {
        Some(_) => Err(IdentityError::DuplicateEmail(email.clone())),
        None => Ok(()),
    }
}
