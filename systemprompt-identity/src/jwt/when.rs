use std::time::Duration;

use serde_json::{Map, Value};
use systemprompt_core::clock::Timestamp;
use systemprompt_core::contract::TokenError;

use super::IssuerSettings;

/// Latest instant that a claim may name: the end of the year 9999, in seconds.
const LATEST: f64 = 253_402_300_799.0;

/// When a token is good, leeway included.
#[derive(Debug, Clone, Copy)]
pub(super) struct When {
    pub(super) not_before: Timestamp,
    /// First instant at which it is not good any more.
    pub(super) expires_at: Timestamp,
}

impl When {
    /// Reads `exp`, `nbf` and `iat`; `exp` is required, all must be sensible numbers.
    pub(super) fn read(
        claims: &Map<String, Value>,
        settings: &IssuerSettings,
        now: Timestamp,
    ) -> Result<Self, TokenError> {
        let expires_at = instant(claims, "exp")?.ok_or(TokenError::Malformed)?;
        let not_before = instant(claims, "nbf")?;
        let issued_at = instant(claims, "iat")?;
        let begins_at = issued_at.or(not_before).unwrap_or(now);
        let lifetime = expires_at.as_micros().saturating_sub(begins_at.as_micros());
        let longest = i64::try_from(settings.max_lifetime.as_micros()).unwrap_or(i64::MAX);
        if lifetime > longest {
            return Err(TokenError::Invalid);
        }
        let leeway = settings.leeway.min(Duration::from_secs(30));
        let first = [not_before, issued_at].into_iter().flatten().max();
        Ok(Self {
            not_before: first.map_or(Timestamp::from_micros(i64::MIN), |at| at.before(leeway)),
            expires_at: expires_at.after(leeway),
        })
    }
}

/// A `NumericDate` (RFC 7519, section 2): a non-negative number of seconds.
fn instant(claims: &Map<String, Value>, name: &str) -> Result<Option<Timestamp>, TokenError> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    let seconds = match value {
        Value::Number(number) => number.as_f64().ok_or(TokenError::Malformed)?,
        _ => return Err(TokenError::Malformed),
    };
    if !(0.0..=LATEST).contains(&seconds) {
        return Err(TokenError::Malformed);
    }
    let at = Duration::try_from_secs_f64(seconds).map_err(|_| TokenError::Malformed)?;
    Ok(Some(Timestamp::from_micros(0).after(at)))
}
