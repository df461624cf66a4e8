use std::sync::Arc;

use systemprompt_core::clock::Timestamp;
use systemprompt_core::contract::TokenError;
use systemprompt_core::id::Audience;
use systemprompt_core::principal::{Principal, PrincipalClaims};

use super::cache::Verified;
use crate::directory::{KeyRecord, LiveDirectory};
use crate::key::PresentedKey;

/// Compared with when there is no such key, so that both refusals cost the same.
const NO_SECRET: [u8; 32] = [0; 32];

/// Verifies an API key against the directory.
pub(super) async fn verify(
    directory: &LiveDirectory,
    token: &str,
    audience: &Audience,
    now: Timestamp,
) -> Result<Verified, TokenError> {
    let presented = PresentedKey::parse(token).ok_or(TokenError::Malformed)?;
    let known = match directory.key(presented.id) {
        Some(key) => Some(key),
        None => {
            if !directory.look_again().await {
                return Err(TokenError::Unavailable);
            }
            directory.key(presented.id)
        }
    };
    // Read before the rows: a change in between makes the result void rather than stale.
    let generation = directory.generation();
    let known = known.and_then(|key| directory.key(key.id.as_str()));
    let secret = known.as_ref().map_or(&NO_SECRET, |key| &key.secret_sha256);
    let matches = presented.matches(secret);
    let key = known.filter(|_| matches).ok_or(TokenError::Invalid)?;
    check(&key, audience, now)?;
    let user = directory.user(&key.tenant, &key.user).ok_or(TokenError::Invalid)?;
    if user.disabled {
        return Err(TokenError::Revoked);
    }
    let principal = Principal::assert_authenticated(PrincipalClaims {
        tenant: key.tenant.clone(),
        user: key.user.clone(),
        roles: user.roles.clone(),
        scopes: key.scopes.clone(),
        department: user.department.clone(),
        audience: audience.clone(),
        credential: key.id.clone(),
        actors: Vec::new(),
    })
    .map_err(|_| TokenError::Invalid)?;
    Ok(Verified {
        principal,
        not_before: Timestamp::from_micros(i64::MIN),
        expires_at: key.expires_at.unwrap_or(Timestamp::from_micros(i64::MAX)),
        generation,
        key: Some(key),
    })
}

fn check(key: &Arc<KeyRecord>, audience: &Audience, now: Timestamp) -> Result<(), TokenError> {
    if key.revoked {
        return Err(TokenError::Revoked);
    }
    if key.expires_at.is_some_and(|at| at <= now) {
        return Err(TokenError::Expired);
    }
    if key.audiences.as_ref().is_some_and(|audiences| !audiences.contains(audience)) {
        return Err(TokenError::Audience);
    }
    Ok(())
}
