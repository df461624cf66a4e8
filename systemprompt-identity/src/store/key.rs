use std::collections::BTreeSet;

use systemprompt_core::clock::Timestamp;
use systemprompt_core::database::DbTransaction;
use systemprompt_core::id::{Audience, Scope, TenantId, TokenId, UserId};
use systemprompt_core::secret::Secret;

use super::row::NewKeyRow;
use super::{IdentityStore, check_name, json, on};
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
        conn: &mut DbTransaction<'_>,
        new: &NewKey,
    ) -> Result<IssuedKey, IdentityError> {
        check_name(&new.name)?;
        let now = self.now_micros();
        if new.expires_at.is_some_and(|at| at.as_micros() <= now) {
            return Err(IdentityError::ExpiryPassed);
        }
        let minted = mint()?;
        let mut tx = conn.begin().await?;
        let generation = on!(tx.driver(), next_generation());
        require_user(&mut tx, &new.tenant, &new.user).await?;
        let row = NewKeyRow {
            id: minted.id.as_str(),
            tenant: new.tenant.as_str(),
            user: new.user.as_str(),
            name: &new.name,
            secret_sha256: minted.secret_sha256.as_slice(),
            scopes: json(&new.scopes),
            audiences: new.audiences.as_ref().map(json),
            now,
            expires_at: new.expires_at.map(Timestamp::as_micros),
            generation,
        };
        on!(tx.driver(), insert_key(&row));
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
        conn: &mut DbTransaction<'_>,
        key: &TokenId,
    ) -> Result<(), IdentityError> {
        let mut tx = conn.begin().await?;
        let generation = on!(tx.driver(), next_generation());
        let found: Option<Option<i64>> = on!(tx.driver(), key_revoked_at(key.as_str()));
        let revoked_at = found.ok_or_else(|| IdentityError::UnknownKey(key.clone()))?;
        if revoked_at.is_some() {
            return Err(IdentityError::AlreadyRevoked(key.clone()));
        }
        on!(tx.driver(), revoke_key(key.as_str(), self.now_micros(), generation));
        Ok(tx.commit().await?)
    }
}

async fn require_user(
    conn: &mut DbTransaction<'_>,
    tenant: &TenantId,
    user: &UserId,
) -> Result<(), IdentityError> {
    if on!(conn.driver(), has_user(tenant.as_str(), user.as_str())) {
        return Ok(());
    }
    Err(IdentityError::UnknownUser { tenant: tenant.clone(), user: user.clone() })
}
