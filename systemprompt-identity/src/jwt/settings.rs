use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use systemprompt_core::id::{Audience, TenantId, ValidatedUrl};

use crate::error::IdentityError;

/// An issuer whose tokens are accepted, and on which terms. Nothing in a token's header changes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerSettings {
    /// The exact `iss`.
    pub issuer: String,
    /// The tenant that the issuer's users belong to.
    pub tenant: TenantId,
    /// Where the public keys are.
    pub keys: KeySource,
    /// The algorithms the issuer signs with.
    pub algorithms: BTreeSet<SigningAlgorithm>,
    /// For each surface the `aud` values that are good there. A surface that is not listed takes no
    /// token of this issuer.
    pub audiences: BTreeMap<Audience, BTreeSet<String>>,
    /// Whether `aud` may name others besides us; a list of one is the same as a string.
    pub audience_arrays: bool,
    /// Which tokens are access tokens.
    pub token_types: TokenTypes,
    /// The claims that say who somebody is.
    pub claims: ClaimNames,
    /// Longest time between issue and expiry.
    pub max_lifetime: Duration,
    /// How far clocks may disagree, at most 30 s.
    pub leeway: Duration,
    /// How long keys stay good after the time at which they should have been refreshed.
    pub max_stale: Duration,
}

/// Where an issuer's JWKS (RFC 7517) comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// An `https` URL, or an `http` URL of this machine.
    Url(ValidatedUrl),
    /// A file.
    File(PathBuf),
}

/// A signature algorithm (RFC 7518, RFC 8037). There are no symmetric ones and no `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SigningAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256, keys of 2048 to 8192 bits.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

impl SigningAlgorithm {
    /// The name in a header's `alg`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }
}

impl std::str::FromStr for SigningAlgorithm {
    type Err = UnknownAlgorithm;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Rs256, Self::Es256, Self::EdDsa]
            .into_iter()
            .find(|algorithm| algorithm.as_str() == text)
            .ok_or(UnknownAlgorithm)
    }
}

/// An algorithm that is not offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the algorithm is none of `RS256`, `ES256`, `EdDSA`")]
pub struct UnknownAlgorithm;

/// How access tokens are told from ID tokens and others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TokenTypes {
    /// The header says `typ: at+jwt` (RFC 9068).
    AtJwt,
    /// `at+jwt`, or a plain JWT that carries a scope and nothing that only ID tokens carry.
    #[default]
    AtJwtOrScoped,
}

/// The names of the claims that say who somebody is. Users of an issuer get nothing from a user of
/// the same id in the store, but are locked out when that one is disabled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimNames {
    /// The user, a string.
    pub user: String,
    /// Scopes: a string separated by blanks (RFC 8693, section 4.2) or an array of strings.
    pub scopes: String,
    /// Roles: a string or an array of strings. Without it there are none.
    pub roles: Option<String>,
    /// The department, a string.
    pub department: Option<String>,
    /// The chain of actors (RFC 8693, section 4.1).
    pub actor: String,
}

impl Default for ClaimNames {
    fn default() -> Self {
        Self {
            user: "sub".to_owned(),
            scopes: "scope".to_owned(),
            roles: None,
            department: None,
            actor: "act".to_owned(),
        }
    }
}

impl IssuerSettings {
    /// Settings with a leeway of 30 s, a lifetime of at most 24 h and keys that stay good for 24 h.
    #[must_use]
    pub fn new(issuer: impl Into<String>, tenant: TenantId, keys: KeySource) -> Self {
        Self {
            issuer: issuer.into(),
            tenant,
            keys,
            algorithms: BTreeSet::new(),
            audiences: BTreeMap::new(),
            audience_arrays: false,
            token_types: TokenTypes::default(),
            claims: ClaimNames::default(),
            max_lifetime: Duration::from_secs(86_400),
            leeway: Duration::from_secs(30),
            max_stale: Duration::from_secs(86_400),
        }
    }

    /// Adds an algorithm.
    #[must_use]
    pub fn algorithm(mut self, algorithm: SigningAlgorithm) -> Self {
        self.algorithms.insert(algorithm);
        self
    }

    /// Accepts tokens with this `aud` on `surface`.
    #[must_use]
    pub fn audience(mut self, surface: Audience, aud: impl Into<String>) -> Self {
        self.audiences.entry(surface).or_default().insert(aud.into());
        self
    }

    /// Checks that the settings make sense.
    ///
    /// # Errors
    /// [`IdentityError::Issuer`] naming what does not.
    pub fn check(&self) -> Result<(), IdentityError> {
        let fault = if self.issuer.is_empty() || self.issuer.len() > 2048 {
            Some("the issuer holds 1 to 2048 bytes")
        } else if self.algorithms.is_empty() {
            Some("no algorithm is named")
        } else if self.audiences.values().all(BTreeSet::is_empty) {
            Some("no audience is named, so no token would be accepted")
        } else if self.leeway > Duration::from_secs(30) {
            Some("the leeway is longer than 30 s")
        } else if self.max_lifetime.is_zero() {
            Some("the longest lifetime is zero")
        } else if !self.source_is_safe() {
            Some("the keys are not fetched over https")
        } else {
            None
        };
        match fault {
            Some(detail) => Err(IdentityError::Issuer {
                issuer: self.issuer.clone(),
                detail: detail.to_owned(),
            }),
            None => Ok(()),
        }
    }

    fn source_is_safe(&self) -> bool {
        let KeySource::Url(url) = &self.keys else {
            return true;
        };
        url::Url::parse(url.as_str()).is_ok_and(|url| {
            url.scheme() == "https"
                || match url.host() {
                    Some(url::Host::Ipv4(address)) => address.is_loopback(),
                    Some(url::Host::Ipv6(address)) => address.is_loopback(),
                    Some(url::Host::Domain(name)) => name == "localhost",
                    None => false,
                }
        })
    }
}
