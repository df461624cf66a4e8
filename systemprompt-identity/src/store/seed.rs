use std::collections::BTreeSet;

use systemprompt_core::database::DbTransaction;
use systemprompt_core::id::{IdError, RoleId, Scope, TenantId, UserId};

use super::{IdentityStore, IssuedKey, NewKey, NewUser};
use crate::error::IdentityError;

/// What the first start of a host creates.
#[derive(Debug)]
pub struct Seeded {
    /// The tenant `default`.
    pub tenant: TenantId,
    /// The user `admin` with the role `admin`.
    pub admin: SeedUser,
    /// The user `user` with the role `user`.
    pub user: SeedUser,
}

/// A user of the first start.
#[derive(Debug)]
pub struct SeedUser {
    /// The user.
    pub user: UserId,
    /// The role held.
    pub role: RoleId,
    /// The scopes of the key.
    pub scopes: BTreeSet<Scope>,
    /// The key.
    pub key: IssuedKey,
}

impl IdentityStore {
    /// Creates the tenant `default` with an `admin` (scopes `admin`, `tools:use`, `audit:read`) and a
    /// plain `user` (scope `tools:use`), each with a key that does not expire. All or nothing.
    ///
    /// # Errors
    /// [`IdentityError::DuplicateTenant`] when it was done before, or a failing database.
    pub async fn seed(&self, conn: &mut DbTransaction<'_>) -> Result<Seeded, IdentityError> {
        let mut tx = conn.begin().await?;
        let tenant = constant(TenantId::parse("default"))?;
        self.create_tenant(&mut tx, &tenant, "default").await?;
        let admin = self
            .seed_user(&mut tx, &tenant, "admin", &["admin", "tools:use", "audit:read"])
            .await?;
        let user = self.seed_user(&mut tx, &tenant, "user", &["tools:use"]).await?;
        tx.commit().await?;
        Ok(Seeded { tenant, admin, user })
    }

    async fn seed_user(
        &self,
        conn: &mut DbTransaction<'_>,
        tenant: &TenantId,
        name: &str,
        scopes: &[&str],
    ) -> Result<SeedUser, IdentityError> {
        let (user, role) = (constant(UserId::parse(name))?, constant(RoleId::parse(name))?);
        let scopes =
            constant(scopes.iter().map(|scope| Scope::parse(scope)).collect::<Result<_, _>>())?;
        self.ensure_role(conn, &role).await?;
        let new = NewUser {
            tenant: tenant.clone(),
            user: user.clone(),
            email: None,
            roles: [role.clone()].into(),
            department: None,
        };
        self.create_user(conn, &new).await?;
        let new = NewKey {
            tenant: tenant.clone(),
            user: user.clone(),
            name: "first start".to_owned(),
            scopes,
            audiences: None,
            expires_at: None,
        };
        let key = self.create_key(conn, &new).await?;
        Ok(SeedUser { user, role, scopes: new.scopes, key })
    }
}

/// The identifiers of the first start are constants of the right form.
fn constant<T>(parsed: Result<T, IdError>) -> Result<T, IdentityError> {
    parsed.map_err(|_| IdentityError::Corrupt { table: "users" })
}
