use std::collections::BTreeSet;

use sqlx::{Connection as _, SqliteConnection};
use systemprompt_core::clock::Timestamp;
use systemprompt_core::id::{Audience, Scope, TenantId, TokenId, UserId};
use systemprompt_core::secret::Secret;

use super::{IdentityStore, check_name, generation, json};
use crate::error::IdentityError;
use crate::key::mint;

/// An API key to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKey {
    /// The tenant of the user.
    pub tenant: TenantId,
    /// On whose behalf the key acts.
    pub user: UserId,
    /// What the key is for, in words.
    pub name: String,
    /// What the key may do.
    pub scopes: BTreeSet<Scope>,
    /// On which surfaces it is good; `None` for all.
    pub audiences: Option<BTreeSet<Audience>>,
    /// Until when it is good; `None` for ever.
    pub expires_at: Option<Timestamp>,
}

/// A key that was just created. Its text is shown once and kept nowhere.
pub struct IssuedKey {
    /// The key's id.
    pub id: TokenId,
    /// The key itself.
    pub token: Secret<String>,
}

impl std::fmt::Debug for IssuedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IssuedKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A key as it is listed; the secret is not known to anybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyInfo {
    /// The key's id.
    pub id: TokenId,
    /// The tenant.
    pub tenant: TenantId,
    /// The user.
    pub user: UserId,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub scopes: BTreeSet<Scope>,
    /// On which surfaces; `None` for all.
    pub audiences: Option<BTreeSet<Audience>>,
    /// When it was created.
    pub created_at: Timestamp,
    /// Until when it is good.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl IdentityStore {
    /// Creates a key. Only a SHA-256 of its secret is kept.
    ///
    /// # Errors
    /// [`IdentityError`]: unknown user, bad name, expiry in the past, failing database.
    pub async fn create_key(
        &self,
        conn: &mut SqliteConnection,
        new: &NewKey,
    ) -> Result<IssuedKey, IdentityError> {
        check_name(&new.name)?;
        let now = self.now_micros();
        if new.expires_at.is_some_and(|at| at.as_micros() <= now) {
            return Err(IdentityError::ExpiryPassed);
        }
        let minted = mint()?;
        let mut tx = conn.begin().await?;
        let generation = generation::next(&mut tx).await?;
        require_user(&mut tx, &new.tenant, &new.user).await?;
        let (id, secret) = (minted.id.as_str(), minted.secret_sha256.as_slice());
        let (tenant, user) = (new.tenant.as_str(), new.user.as_str());
        let (scopes, audiences) = (json(&new.scopes), new.audiences.as_ref().map(json));
        let expires_at = new.expires_at.map(Timestamp::as_micros);
        sqlx::query!(
            "INSERT INTO api_keys (id, tenant_id, user_id, name, secret_sha256, scopes, audiences,
                                   created_at, expires_at, generation)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            id,
            tenant,
            user,
            new.name,
            secret,
            scopes,
            audiences,
            now,
            expires_at,
            generation
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(IssuedKey { id: minted.id, token: minted.token })
    }

    /// Revokes a key.
    ///
    /// Other processes notice within their polling interval; a verifier in this process notices at
    /// once when [`crate::CredentialVerifier::refresh`] is called after the commit.
    ///
    /// # Errors
    /// [`IdentityError::UnknownKey`], [`IdentityError::AlreadyRevoked`] or a failing database.
    pub async fn revoke_key(
        &self,
        conn: &mut SqliteConnection,
        key: &TokenId,
    ) -> Result<(), IdentityError> {
        let mut tx = conn.begin().await?;
        let generation = generation::next(&mut tx).await?;
        let id = key.as_str();
        let row = sqlx::query!("SELECT revoked_at FROM api_keys WHERE id = ?1", id)
            .fetch_optional(&mut *tx)
            .await?
            .ok_or_else(|| IdentityError::UnknownKey(key.clone()))?;
        if row.revoked_at.is_some() {
            return Err(IdentityError::AlreadyRevoked(key.clone()));
        }
        let now = self.now_micros();
        sqlx::query!(
            "UPDATE api_keys SET revoked_at = ?2, generation = ?3 WHERE id = ?1",
            id,
            now,
            generation
        )
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }
}

async fn require_user(
    conn: &mut SqliteConnection,
    tenant: &TenantId,
    user: &UserId,
) -> Result<(), IdentityError> {
    let (tenant_id, id) = (tenant.as_str(), user.as_str());
    let found = sqlx::query!(
        r#"SELECT 1 AS "found!: i64" FROM users WHERE tenant_id = ?1 AND id = ?2"#,
        tenant_id,
        id
    )
    .fetch_optional(conn)
    .await?;
    let unknown = || IdentityError::UnknownUser { tenant: tenant.clone(), user: user.clone() };
    found.map(|_| ()).ok_or_else(unknown)
}
