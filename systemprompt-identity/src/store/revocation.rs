use systemprompt_core::clock::Timestamp;
use systemprompt_core::database::DbTransaction;
use systemprompt_core::id::TokenId;

use super::row::NewRevocationRow;
use super::{IdentityStore, on};
use crate::error::IdentityError;

/// A token to be revoked by its `jti` (RFC 7519, section 4.1.7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRevocation {
    /// The exact `iss` of the token; `None` for every issuer.
    pub issuer: Option<String>,
    /// The token's `jti`.
    pub jti: TokenId,
    /// Until when the revocation must be remembered: the token's expiry or later.
    pub until: Timestamp,
}

impl IdentityStore {
    /// Revokes a token by its `jti`; revoking it again keeps the later `until`.
    ///
    /// # Errors
    /// [`IdentityError::ExpiryPassed`] when there is nothing to remember, or a failing database.
    pub async fn revoke_token(
        &self,
        conn: &mut DbTransaction<'_>,
        revocation: &TokenRevocation,
    ) -> Result<(), IdentityError> {
        let now = self.now_micros();
        let until = revocation.until.as_micros();
        if until <= now {
            return Err(IdentityError::ExpiryPassed);
        }
        let mut tx = conn.begin().await?;
        let generation = on!(tx.driver(), next_generation());
        let row = NewRevocationRow {
            issuer: revocation.issuer.as_deref().unwrap_or_default(),
            jti: revocation.jti.as_str(),
            now,
            until,
            generation,
        };
        on!(tx.driver(), revoke_token(&row));
        Ok(tx.commit().await?)
    }

    /// Forgets revocations of tokens that have expired since; returns how many.
    ///
    /// # Errors
    /// A failing database.
    pub async fn forget_expired_revocations(
        &self,
        conn: &mut DbTransaction<'_>,
    ) -> Result<u64, IdentityError> {
        // A day of grace covers leeway and clocks that disagree.
        let before = self.now_micros().saturating_sub(86_400_000_000);
        Ok(on!(conn.driver(), forget_revocations(before)))
    }
}
