use std::collections::BTreeSet;
use std::str::FromStr;

use serde_json::{Map, Value};
use systemprompt_core::contract::TokenError;
use systemprompt_core::id::{Audience, DepartmentId, RoleId, Scope, TokenId, UserId};
use systemprompt_core::principal::{MAX_ACTORS, Principal, PrincipalClaims};

use super::IssuerSettings;
use super::header::Announced;

/// Most scopes, roles or audiences of a token.
const MAX_LISTED: usize = 256;
/// Claims that only ID tokens carry (OpenID Connect Core, sections 2 and 3.3.2.11).
const ID_TOKEN_CLAIMS: [&str; 4] = ["nonce", "at_hash", "c_hash", "s_hash"];

/// The claims of a token whose signature was found good, or is about to be.
pub(super) struct Claims(Map<String, Value>);

impl Claims {
    pub(super) fn read(json: &[u8]) -> Result<Self, TokenError> {
        serde_json::from_slice(json).map(Self).map_err(|_| TokenError::Malformed)
    }

    pub(super) fn all(&self) -> &Map<String, Value> {
        &self.0
    }

    pub(super) fn issuer(&self) -> Result<&str, TokenError> {
        self.text("iss")?.ok_or(TokenError::Malformed)
    }

    /// The `jti`, if there is one that can serve as an id.
    pub(super) fn id(&self) -> Result<Option<TokenId>, TokenError> {
        Ok(self.text("jti")?.and_then(|jti| TokenId::parse(jti).ok()))
    }

    /// Refuses what is no access token: an ID token must not open a door.
    pub(super) fn check_kind(
        &self,
        announced: Announced,
        settings: &IssuerSettings,
    ) -> Result<(), TokenError> {
        if announced == Announced::AccessToken {
            return Ok(());
        }
        let other_kind = self.0.get("typ").and_then(Value::as_str).is_some_and(|typ| {
            ["id", "refresh", "offline", "logout"].iter().any(|kind| typ.eq_ignore_ascii_case(kind))
        });
        let id_token = ID_TOKEN_CLAIMS.iter().any(|claim| self.0.contains_key(*claim));
        if other_kind || id_token || self.scopes(settings)?.is_empty() {
            return Err(TokenError::Invalid);
        }
        Ok(())
    }

    /// Checks that the token is meant for `surface`.
    pub(super) fn check_audience(
        &self,
        surface: &Audience,
        settings: &IssuerSettings,
    ) -> Result<(), TokenError> {
        let accepted = settings.audiences.get(surface).ok_or(TokenError::Audience)?;
        let fits = match self.0.get("aud") {
            Some(Value::String(aud)) => accepted.contains(aud),
            Some(Value::Array(all)) => match all.as_slice() {
                // RFC 7519 section 4.1.3: one audience may be written either way.
                [Value::String(aud)] => accepted.contains(aud),
                _ => {
                    settings.audience_arrays
                        && all.len() <= MAX_LISTED
                        && all.iter().all(Value::is_string)
                        && all.iter().filter_map(Value::as_str).any(|aud| accepted.contains(aud))
                }
            },
            _ => false,
        };
        fits.then_some(()).ok_or(TokenError::Audience)
    }

    /// Who the token says is calling.
    pub(super) fn principal(
        &self,
        surface: &Audience,
        credential: TokenId,
        settings: &IssuerSettings,
    ) -> Result<Principal, TokenError> {
        let names = &settings.claims;
        let user = self.text(&names.user)?.ok_or(TokenError::Malformed)?;
        let user = UserId::parse(user).map_err(|_| TokenError::Malformed)?;
        let department = match &names.department {
            Some(name) => self.text(name)?.map(DepartmentId::parse).transpose(),
            None => Ok(None),
        };
        let actors = actors(self.0.get(&names.actor))?;
        if actors.contains(&user) {
            return Err(TokenError::Invalid);
        }
        Principal::assert_authenticated(PrincipalClaims {
            tenant: settings.tenant.clone(),
            user,
            roles: self.roles(settings)?,
            scopes: self.scopes(settings)?,
            department: department.map_err(|_| TokenError::Malformed)?,
            audience: surface.clone(),
            credential,
            actors,
        })
        .map_err(|_| TokenError::Invalid)
    }

    fn scopes(&self, settings: &IssuerSettings) -> Result<BTreeSet<Scope>, TokenError> {
        match self.0.get(&settings.claims.scopes) {
            Some(Value::String(text)) => named(text.split(' ').filter(|scope| !scope.is_empty())),
            other => listed(other),
        }
    }

    fn roles(&self, settings: &IssuerSettings) -> Result<BTreeSet<RoleId>, TokenError> {
        let Some(name) = &settings.claims.roles else {
            return Ok(BTreeSet::new());
        };
        match self.0.get(name) {
            Some(Value::String(role)) => named([role.as_str()].into_iter()),
            other => listed(other),
        }
    }

    /// A claim that is a string when it is there at all.
    fn text(&self, name: &str) -> Result<Option<&str>, TokenError> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(TokenError::Malformed),
        }
    }
}

/// The identifiers in an array of strings.
fn listed<T: FromStr + Ord>(value: Option<&Value>) -> Result<BTreeSet<T>, TokenError> {
    match value {
        None => Ok(BTreeSet::new()),
        Some(Value::Array(all)) if all.iter().all(Value::is_string) => {
            named(all.iter().filter_map(Value::as_str))
        }
        Some(_) => Err(TokenError::Malformed),
    }
}

/// The identifiers among `names`. What cannot be one here grants nothing here and is left out.
fn named<'n, T: FromStr + Ord>(
    names: impl Iterator<Item = &'n str>,
) -> Result<BTreeSet<T>, TokenError> {
    let names: Vec<_> = names.take(MAX_LISTED + 1).collect();
    if names.len() > MAX_LISTED {
        return Err(TokenError::Invalid);
    }
    Ok(names.into_iter().filter_map(|name| name.parse().ok()).collect())
}

/// The chain of actors (RFC 8693, section 4.1), outermost first.
fn actors(mut act: Option<&Value>) -> Result<Vec<UserId>, TokenError> {
    let mut actors = Vec::new();
    while let Some(value) = act {
        let sub = value.get("sub").and_then(Value::as_str).ok_or(TokenError::Malformed)?;
        if actors.len() == MAX_ACTORS {
            return Err(TokenError::Invalid);
        }
        actors.push(UserId::parse(sub).map_err(|_| TokenError::Malformed)?);
        act = value.get("act");
    }
    Ok(actors)
}
