use serde::Deserialize;
use serde::de::IgnoredAny;
use systemprompt_core::contract::TokenError;

use super::{SigningAlgorithm, TokenTypes};

/// Longest `kid` that is looked up, in bytes.
const MAX_KID: usize = 255;

/// The members of a token's header that are looked at. `jwk`, `jku`, `x5u` and `x5c` are not among
/// them: keys come from the issuer's settings alone.
#[derive(Deserialize)]
pub(super) struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<IgnoredAny>,
}

/// What kind of token a header announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Announced {
    /// An access token (RFC 9068).
    AccessToken,
    /// Some JWT.
    Plain,
}

impl Header {
    pub(super) fn read(json: &[u8]) -> Result<Self, TokenError> {
        let header: Self = serde_json::from_slice(json).map_err(|_| TokenError::Malformed)?;
        // Extensions that must be understood (RFC 7515, section 4.1.11) are not: there are none.
        if header.crit.is_some() || header.kid.as_ref().is_some_and(|kid| kid.len() > MAX_KID) {
            return Err(TokenError::Invalid);
        }
        Ok(header)
    }

    pub(super) fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The algorithm, if it is one of those the issuer signs with.
    pub(super) fn algorithm(
        &self,
        allowed: impl Fn(SigningAlgorithm) -> bool,
    ) -> Result<SigningAlgorithm, TokenError> {
        let algorithm = self.alg.parse::<SigningAlgorithm>().ok();
        algorithm.filter(|algorithm| allowed(*algorithm)).ok_or(TokenError::Invalid)
    }

    /// What the `typ` announces, if that is acceptable.
    pub(super) fn announced(&self, accepted: TokenTypes) -> Result<Announced, TokenError> {
        let typ = self.typ.as_deref().map(str::to_ascii_lowercase);
        let typ = typ.as_deref().map(|typ| typ.strip_prefix("application/").unwrap_or(typ));
        match (typ, accepted) {
            (Some("at+jwt"), _) => Ok(Announced::AccessToken),
            (None | Some("jwt"), TokenTypes::AtJwtOrScoped) => Ok(Announced::Plain),
            _ => Err(TokenError::Invalid),
        }
    }
}
