use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::join_all;
use sha2::{Digest as _, Sha256};
use systemprompt_core::clock::{Clock, Timestamp};
use systemprompt_core::contract::TokenError;
use systemprompt_core::id::{Audience, TokenId};

use super::claims::Claims;
use super::header::Header;
use super::when::When;
use super::{IssuerSettings, KeySource};
use crate::directory::LiveDirectory;
use crate::error::IdentityError;
use crate::jwks::{self, IssuerKeys, keep_current};
use crate::verify::{Background, IssuerStats, Verified};

/// The configured issuers with their keys.
pub(crate) struct Issuers {
    by_name: HashMap<String, Issuer>,
}

struct Issuer {
    settings: Arc<IssuerSettings>,
    keys: Arc<IssuerKeys>,
}

impl Issuers {
    /// Checks the settings and fetches the keys of all issuers once; what cannot be fetched is tried
    /// again by the returned tasks, which keep all of them current.
    pub(crate) async fn start(
        settings: Vec<IssuerSettings>,
        clock: &Arc<dyn Clock>,
    ) -> Result<(Self, Vec<Background>), IdentityError> {
        let mut by_name = HashMap::new();
        for settings in settings {
            settings.check()?;
            let fault = |detail: &str| IdentityError::Issuer {
                issuer: settings.issuer.clone(),
                detail: detail.to_owned(),
            };
            let client = match settings.keys {
                KeySource::Url(_) => {
                    Some(jwks::client().map_err(|_| fault("no HTTP client can be built"))?)
                }
                KeySource::File(_) => None,
            };
            if by_name.contains_key(&settings.issuer) {
                return Err(fault("it is configured twice"));
            }
            let settings = Arc::new(settings);
            let keys = Arc::new(IssuerKeys::new(settings.clone(), client, clock.clone()));
            by_name.insert(settings.issuer.clone(), Issuer { settings, keys });
        }
        let ages = join_all(by_name.values().map(|issuer| issuer.keys.refresh())).await;
        let background = by_name
            .values()
            .zip(ages)
            .map(|(issuer, age)| Background::spawn(keep_current(Arc::downgrade(&issuer.keys), age)))
            .collect();
        Ok((Self { by_name }, background))
    }

    /// Verifies a token of one of the issuers.
    pub(crate) async fn verify(
        &self,
        directory: &LiveDirectory,
        token: &str,
        surface: &Audience,
        now: Timestamp,
    ) -> Result<Verified, TokenError> {
        let parts = Parts::of(token)?;
        let header = Header::read(&parts.header)?;
        let claims = Claims::read(&parts.claims)?;
        let issuer = self.by_name.get(claims.issuer()?).ok_or(TokenError::Issuer)?;
        let settings = &*issuer.settings;
        let algorithm = header.algorithm(|alg| settings.algorithms.contains(&alg))?;
        let announced = header.announced(settings.token_types)?;
        let key = issuer.keys.key(header.kid(), algorithm).await?;
        if !key.verifies(parts.signed.as_bytes(), &parts.signature) {
            return Err(TokenError::Invalid);
        }
        let when = When::read(claims.all(), settings, now)?;
        claims.check_kind(announced, settings)?;
        claims.check_audience(surface, settings)?;
        let credential = match claims.id()? {
            Some(id) => id,
            None => digest_id(token)?,
        };
        let principal = claims.principal(surface, credential.clone(), settings)?;
        // Read before the rows: a change in between makes the result void rather than stale.
        let generation = directory.generation();
        let user = directory.user(principal.tenant(), principal.user());
        if user.is_some_and(|user| user.disabled)
            || directory.is_revoked(&settings.issuer, credential.as_str())
        {
            return Err(TokenError::Revoked);
        }
        let When { not_before, expires_at } = when;
        Ok(Verified { principal, not_before, expires_at, generation, key: None })
    }

    pub(crate) fn stats(&self) -> Vec<IssuerStats> {
        let mut stats: Vec<_> = self.by_name.values().map(|issuer| issuer.keys.stats()).collect();
        stats.sort_by(|a, b| a.issuer.cmp(&b.issuer));
        stats
    }
}

/// The parts of a compact JWS (RFC 7515, section 7.1).
struct Parts<'t> {
    signed: &'t str,
    header: Vec<u8>,
    claims: Vec<u8>,
    signature: Vec<u8>,
}

impl<'t> Parts<'t> {
    fn of(token: &'t str) -> Result<Self, TokenError> {
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(TokenError::Malformed)?;
        // The decoder takes one spelling of every value alone, so no byte can be changed unnoticed.
        let bytes = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed);
        Ok(Self {
            signed,
            header: bytes(header)?,
            claims: bytes(claims)?,
            signature: bytes(signature)?,
        })
    }
}

/// An id for a token without one; it does not reveal the token.
fn digest_id(token: &str) -> Result<TokenId, TokenError> {
    let digest = hex::encode(Sha256::digest(token.as_bytes()));
    TokenId::parse(&format!("sha256-{digest}")).map_err(|_| TokenError::Malformed)
}
