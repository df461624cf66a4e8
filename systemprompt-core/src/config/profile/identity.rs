use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::id::{Audience, TenantId, ValidatedUrl};

/// Who may come in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IdentitySection {
    /// Failed authentications one address may make per minute (1 to 100,000). A valid credential is
    /// never slowed.
    pub failed_logins_per_minute: u32,
    /// How often revocations made by other processes are looked for, in milliseconds (10 to 500).
    pub revocation_poll_ms: u64,
    /// Most verified credentials kept in memory (0 to 10,000,000).
    pub token_cache_entries: usize,
    /// Issuers whose tokens (JWT) are accepted.
    pub issuers: Vec<IssuerConfig>,
}

impl Default for IdentitySection {
    fn default() -> Self {
        Self {
            failed_logins_per_minute: 60,
            revocation_poll_ms: 500,
            token_cache_entries: 10_000,
            issuers: Vec::new(),
        }
    }
}

/// An issuer of tokens. What a token may be is pinned here, never read from the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IssuerConfig {
    /// The exact `iss` of its tokens.
    pub issuer: String,
    /// The signature algorithms it uses; any other is refused.
    pub algorithms: Vec<SigningAlgorithm>,
    /// Its public keys (JWKS, RFC 7517).
    pub jwks: JwksSource,
    /// The `aud` values accepted at each surface.
    pub audiences: IssuerAudiences,
    /// Whether an `aud` list that names others besides us is accepted.
    #[serde(default)]
    pub allow_aud_array: bool,
    /// The tenant its users belong to.
    pub tenant: TenantId,
    /// The claim that names the user.
    #[serde(default = "user_claim")]
    pub user_claim: String,
    /// The claim that lists roles; without it its users have none.
    #[serde(default)]
    pub roles_claim: Option<String>,
    /// The claim that holds scopes, as a list or separated by blanks.
    #[serde(default = "scopes_claim")]
    pub scopes_claim: String,
    /// The claim that names the department.
    #[serde(default)]
    pub department_claim: Option<String>,
    /// The claim that holds the chain of actors (RFC 8693).
    #[serde(default = "actor_claim")]
    pub actor_claim: String,
    /// Whether the header's `typ` must be `at+jwt` (RFC 9068).
    #[serde(default)]
    pub require_typ_at_jwt: bool,
    /// Longest lifetime (`exp` - `iat`) of a token, in seconds (60 to 31,536,000).
    #[serde(default = "max_lifetime_s")]
    pub max_lifetime_s: u64,
}

fn user_claim() -> String {
    "sub".to_owned()
}

fn scopes_claim() -> String {
    "scope".to_owned()
}

fn actor_claim() -> String {
    "act".to_owned()
}

fn max_lifetime_s() -> u64 {
    86_400
}

/// A signature algorithm of JSON Web Tokens (RFC 7518, RFC 8037).
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
pub enum SigningAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// EdDSA on Curve25519.
    EdDSA,
}

/// Where an issuer's public keys come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum JwksSource {
    /// A file.
    File(PathBuf),
    /// An `https` URL (`http` for a loopback address), fetched at start and refreshed.
    Url(ValidatedUrl),
}

/// The `aud` values accepted at each surface. A surface without any accepts no token of the issuer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IssuerAudiences {
    /// For `/api/v1`.
    pub api: Vec<Audience>,
    /// For the hooks.
    pub hook: Vec<Audience>,
}
