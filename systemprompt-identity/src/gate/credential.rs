//! Where the credential is: `Authorization: Bearer` or `x-api-key`, and nowhere else.

use http::header::{AUTHORIZATION, USER_AGENT};
use http::{HeaderMap, HeaderName};
use systemprompt_core::api::AuthRefusal;
use systemprompt_core::contract::TokenError;

static X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The one credential of a request.
pub(super) fn find(headers: &HeaderMap) -> Result<&str, AuthRefusal> {
    let authorization = single(headers, &AUTHORIZATION)?;
    let api_key = single(headers, &X_API_KEY)?;
    match (authorization, api_key) {
        (None, None) => Err(AuthRefusal::Missing),
        (None, Some(key)) => token(key),
        (Some(value), None) => bearer(value).ok_or(AuthRefusal::Token(TokenError::Malformed)),
        (Some(value), Some(key)) => match bearer(value) {
            Some(bearer) if bearer == key => token(key),
            _ => Err(AuthRefusal::Ambiguous),
        },
    }
}

/// The user agent, unless it repeats the credential.
pub(super) fn user_agent(headers: &HeaderMap, token: &str) -> Option<String> {
    let value = headers.get(USER_AGENT)?.to_str().ok()?;
    // A part of a credential is as bad as all of it; compare with its beginning.
    let start = token.get(..12).unwrap_or(token);
    (!value.is_empty() && !value.contains(start)).then(|| value.to_owned())
}

/// The value of a header, which may be repeated but not differ; `Ambiguous` when it does or is no text.
fn single<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, AuthRefusal> {
    let mut values = headers.get_all(name).iter();
    let Some(first) = values.next() else { return Ok(None) };
    if values.any(|value| value != first) {
        return Err(AuthRefusal::Ambiguous);
    }
    first.to_str().map(Some).map_err(|_| AuthRefusal::Ambiguous)
}

/// The token of a `Bearer` value (RFC 6750, section 2.1).
fn bearer(value: &str) -> Option<&str> {
    let (scheme, rest) = value.split_once(' ')?;
    let token = rest.trim_start_matches(' ');
    (scheme.eq_ignore_ascii_case("bearer") && is_token(token)).then_some(token)
}

fn token(text: &str) -> Result<&str, AuthRefusal> {
    is_token(text).then_some(text).ok_or(AuthRefusal::Token(TokenError::Malformed))
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &[u8])]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap())
            })
            .collect()
    }

    #[test]
    fn one_credential_is_found_wherever_it_is() {
        for pairs in [
            vec![("authorization", b"Bearer abc".as_slice())],
            vec![("authorization", b"bearer  abc".as_slice())],
            vec![("x-api-key", b"abc".as_slice())],
            vec![("authorization", b"Bearer abc".as_slice()), ("x-api-key", b"abc")],
            vec![("authorization", b"Bearer abc".as_slice()), ("authorization", b"Bearer abc")],
            vec![("x-api-key", b"abc".as_slice()), ("x-api-key", b"abc")],
        ] {
            assert_eq!(find(&headers(&pairs)).unwrap(), "abc");
        }
    }

    #[test]
    fn several_or_unreadable_credentials_are_refused() {
        for pairs in [
            vec![("authorization", b"Bearer abc".as_slice()), ("authorization", b"Bearer abd")],
            vec![("authorization", b"Bearer abc".as_slice()), ("x-api-key", b"abd")],
            vec![("authorization", b"Basic abc".as_slice()), ("x-api-key", b"abc")],
            vec![("x-api-key", b"abc".as_slice()), ("x-api-key", b"abd")],
            vec![("authorization", b"Bearer \xff\xfe".as_slice())],
        ] {
            assert_eq!(find(&headers(&pairs)), Err(AuthRefusal::Ambiguous), "{pairs:?}");
        }
    }

    #[test]
    fn what_is_no_token_is_malformed() {
        assert_eq!(find(&HeaderMap::new()), Err(AuthRefusal::Missing));
        for value in ["' OR 1=1--", "Bearer", "Bearer ", "Bearer a b", "Basic abc", "Bearer a\tb"] {
            assert_eq!(
                find(&headers(&[("authorization", value.as_bytes())])),
                Err(AuthRefusal::Token(TokenError::Malformed)),
                "{value}"
            );
        }
    }

    #[test]
    fn a_user_agent_that_repeats_the_credential_is_dropped() {
        let token = "sp_live_abcdefghijklmnop_0123";
        let agent = |value: &str| user_agent(&headers(&[("user-agent", value.as_bytes())]), token);
        assert_eq!(agent("curl/8.5.0").as_deref(), Some("curl/8.5.0"));
        assert_eq!(agent(&format!("x {token}")), None);
        assert_eq!(agent(&format!("x {}", &token[..20])), None);
    }
}
