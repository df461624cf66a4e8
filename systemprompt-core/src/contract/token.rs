use async_trait::async_trait;

use crate::id::Audience;
use crate::principal::Principal;

/// Turns a credential into a [`Principal`]. Object-safe.
#[async_trait]
pub trait TokenVerifier: Send + Sync + 'static {
    /// Verifies a bearer token or API key for use on the surface `audience`.
    ///
    /// # Errors
    /// [`TokenError`] when the token is not good for that surface.
    async fn verify(&self, token: &str, audience: &Audience) -> Result<Principal, TokenError>;
}

/// Why a token was not accepted. Never repeats any of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Not a token of any known form.
    #[error("the token is malformed")]
    Malformed,
    /// Unknown key, wrong secret or bad signature.
    #[error("the token is not valid")]
    Invalid,
    /// Past its expiry, or not yet valid.
    #[error("the token has expired or is not valid yet")]
    Expired,
    /// Revoked.
    #[error("the token was revoked")]
    Revoked,
    /// Good, but for another surface.
    #[error("the token was issued for another audience")]
    Audience,
    /// The issuer is not configured.
    #[error("the token's issuer is not known")]
    Issuer,
    /// The identity store or the issuer's keys cannot be read.
    #[error("tokens cannot be verified at the moment")]
    Unavailable,
}
