use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method};
use systemprompt_core::secret::Secret;
use tokio::time::Instant;
use url::Url;

use super::UpstreamErrorKind;
use crate::dialect::UpstreamRequest;

/// Headers that belong to one connection (RFC 9110, section 7.6.1).
const OF_A_CONNECTION: [HeaderName; 9] = [
    header::CONNECTION,
    header::TRANSFER_ENCODING,
    header::TE,
    header::TRAILER,
    header::UPGRADE,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

/// Headers that the client says itself, and those that the credentials of callers are in, which are none of
/// the provider's business.
const OF_THE_CLIENT: [HeaderName; 10] = [
    header::HOST,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::ACCEPT_ENCODING,
    header::USER_AGENT,
    header::AUTHORIZATION,
    header::COOKIE,
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("x-goog-api-key"),
    HeaderName::from_static("api-key"),
];

/// A request to a provider.
#[derive(Clone)]
pub struct UpstreamCall {
    /// The method, `POST` mostly.
    pub method: Method,
    /// The path after the provider's base URL, with its query: `/v1/messages`. It begins with `/`.
    pub path: String,
    /// The headers. Those of one connection are not sent, nor `user-agent` and `accept-encoding`, which
    /// the client says itself, nor the headers that credentials are in: see [`credential`](Self::credential).
    /// They are the same in each attempt, an `idempotency-key` among them.
    pub headers: HeaderMap,
    /// The body; a clone of it is no copy.
    pub body: Bytes,
    /// The provider's credential.
    pub credential: Option<Credential>,
    /// When the call is over in any case, if that is before its total time is.
    pub deadline: Option<Instant>,
}

/// A header that lets in. Its value is never shown; a clone is a reference count.
#[derive(Clone)]
pub struct Credential {
    name: HeaderName,
    value: Arc<Secret<String>>,
}

impl Credential {
    /// The header `name` with `value`, such as `x-api-key`.
    #[must_use]
    pub fn header(name: HeaderName, value: Secret<String>) -> Self {
        Self { name, value: Arc::new(value) }
    }

    /// `authorization: Bearer <token>` (RFC 6750).
    #[must_use]
    pub fn bearer(token: &Secret<String>) -> Self {
        let mut value = String::with_capacity("Bearer ".len() + token.expose().len());
        value.push_str("Bearer ");
        value.push_str(token.expose());
        Self::header(header::AUTHORIZATION, Secret::new(value))
    }

    /// The name of the header.
    #[must_use]
    pub const fn name(&self) -> &HeaderName {
        &self.name
    }

    fn value(&self) -> Option<HeaderValue> {
        let mut value = HeaderValue::from_str(self.value.expose()).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl fmt::Debug for UpstreamCall {
    /// Without the body, the query and the values of headers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpstreamCall")
            .field("method", &self.method)
            .field("path", &self.path.split('?').next().unwrap_or_default())
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("body_bytes", &self.body.len())
            .field("credential", &self.credential)
            .field("deadline", &self.deadline)
            .finish()
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Credential").field(&self.name).finish_non_exhaustive()
    }
}

impl UpstreamCall {
    /// A `POST` of `body` to `path`, without headers and credential.
    #[must_use]
    pub fn post(path: impl Into<String>, body: impl Into<Bytes>) -> Self {
        Self {
            method: Method::POST,
            path: path.into(),
            headers: HeaderMap::new(),
            body: body.into(),
            credential: None,
            deadline: None,
        }
    }

    /// A `GET` of `path`, without headers and credential.
    #[must_use]
    pub fn get(path: impl Into<String>) -> Self {
        Self { method: Method::GET, ..Self::post(path, Bytes::new()) }
    }

    /// What a dialect wrote, as JSON.
    ///
    /// # Errors
    /// [`UpstreamErrorKind::Unsendable`] when a header of it cannot be one.
    pub fn of(request: &UpstreamRequest) -> Result<Self, UpstreamErrorKind> {
        let mut call = Self::post(request.path.clone(), request.body.clone());
        let json = HeaderValue::from_static("application/json");
        call.headers.insert(header::CONTENT_TYPE, json);
        for (name, value) in &request.headers {
            let unsendable = |_| unsendable_header(name);
            let value = HeaderValue::from_str(value).map_err(|_| unsendable_header(name))?;
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(unsendable)?;
            call.headers.insert(name, value);
        }
        Ok(call)
    }

    /// The same with a credential.
    #[must_use]
    pub fn with_credential(mut self, credential: Credential) -> Self {
        self.credential = Some(credential);
        self
    }

    /// The same with a deadline.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Instant) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// The headers as they are sent.
    pub(super) fn sent_headers(&self) -> Result<HeaderMap, UpstreamErrorKind> {
        let mut headers = self.headers.clone();
        leave_connection(&mut headers);
        for name in &OF_THE_CLIENT {
            headers.remove(name);
        }
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if let Some(credential) = &self.credential {
            let value =
                credential.value().ok_or_else(|| unsendable_header(credential.name.as_str()))?;
            headers.insert(credential.name.clone(), value);
        }
        Ok(headers)
    }

    /// The URL below `base`. A path cannot leave it: neither its host nor its own path.
    pub(super) fn url(&self, base: &Url) -> Result<Url, UpstreamErrorKind> {
        let unsendable = || UpstreamErrorKind::Unsendable { field: "the path".to_owned() };
        let (path, query) = match self.path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (self.path.as_str(), None),
        };
        let odd = |c: char| c.is_ascii_control() || matches!(c, '\\' | '#' | ' ');
        if !path.starts_with('/') || self.path.contains(odd) || path.split('/').any(is_dots) {
            return Err(unsendable());
        }
        let mut url = base.clone();
        url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
        url.set_query(query);
        Ok(url)
    }
}

/// Takes out what belongs to the connection that `headers` came over, and what that names as its own.
pub(super) fn leave_connection(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| HeaderName::from_bytes(name.trim().as_bytes()).ok())
        .collect();
    for name in named.iter().chain(&OF_A_CONNECTION) {
        headers.remove(name);
    }
}

/// Whether a segment means "here" or "one up", also percent-encoded (URL Standard, section 4.4).
fn is_dots(segment: &str) -> bool {
    let plain = segment.to_ascii_lowercase().replace("%2e", ".");
    matches!(plain.as_str(), "." | "..")
}

fn unsendable_header(name: &str) -> UpstreamErrorKind {
    UpstreamErrorKind::Unsendable { field: format!("the header `{name}`") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(base: &str, path: &str) -> Result<String, UpstreamErrorKind> {
        let base = Url::parse(base).unwrap();
        UpstreamCall::get(path).url(&base).map(|url| url.to_string())
    }

    #[test]
    fn paths_are_appended_to_that_of_the_base() {
        let plain = url("https://a.example", "/v1/messages").unwrap();
        assert_eq!(plain, "https://a.example/v1/messages");
        let below = url("https://a.example:8443/apps/anthropic/", "/v1/messages?beta=true");
        assert_eq!(below.unwrap(), "https://a.example:8443/apps/anthropic/v1/messages?beta=true");
        let gemini = url("https://a.example", "/v1beta/models/g-2:streamGenerateContent?alt=sse");
        assert!(gemini.unwrap().ends_with("/g-2:streamGenerateContent?alt=sse"));
        let odd = url("https://a.example/x", "//evil.example/v1").unwrap();
        assert_eq!(odd, "https://a.example/x//evil.example/v1");
        let at = url("https://a.example", "/@evil.example/").unwrap();
        assert_eq!(at, "https://a.example/@evil.example/");
    }

    #[test]
    fn paths_cannot_leave_the_base() {
        for path in [
            "",
            "v1",
            "@evil.example/",
            "https://evil.example/",
            "/v1/../admin",
            "/v1/%2e%2E/admin",
            "/v1/.%2e",
            "/./v1",
            "/v1\\..\\admin",
            "/v1#x",
            "/v1\r\nx: y",
            "/v1?a b",
        ] {
            let refused = url("https://a.example/base", path);
            assert!(matches!(refused, Err(UpstreamErrorKind::Unsendable { .. })), "{path:?}");
        }
        assert!(url("https://a.example", "/v1/models/a..b").is_ok());
    }

    #[test]
    fn headers_of_connections_and_callers_stay_behind() {
        let mut call = UpstreamCall::post("/", "{}");
        for (name, value) in [
            ("connection", "keep-alive, x-hop"),
            ("x-hop", "1"),
            ("authorization", "Bearer of-the-caller"),
            ("x-api-key", "of-the-caller"),
            ("cookie", "a=b"),
            ("host", "gateway"),
            ("content-length", "7"),
            ("accept-encoding", "gzip, br"),
            ("anthropic-version", "2026-10-21"),
            ("anthropic-beta", "a"),
        ] {
            call.headers.insert(name, value.parse().unwrap());
        }
        let sent = call.sent_headers().unwrap();
        let names: Vec<_> = sent.iter().map(|(name, value)| (name.as_str(), value)).collect();
        assert_eq!(sent.len(), 3, "{names:?}");
        assert_eq!(sent["accept-encoding"], "identity");
        let own = call.with_credential(Credential::bearer(&Secret::new("own".to_owned())));
        let sent = own.sent_headers().unwrap();
        assert_eq!(sent["authorization"], "Bearer own");
        assert!(sent["authorization"].is_sensitive());
        assert!(!sent.contains_key("x-api-key"));
    }

    #[test]
    fn a_credential_is_not_shown_even_where_it_cannot_be_sent() {
        let wrong = Secret::new("hunter2\nx".to_owned());
        let call = UpstreamCall::get("/").with_credential(Credential::bearer(&wrong));
        let error = call.sent_headers().unwrap_err();
        let shown = format!("{error} {error:?} {call:?} {:?}", error.model_error());
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("`authorization`"), "{shown}");
    }
}
