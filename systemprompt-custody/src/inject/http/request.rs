use bytes::Bytes;
use http::{HeaderMap, Method};
use url::Url;

use crate::inject::InjectedArguments;

/// A request as a tool makes it, without secrets in its headers.
///
/// Of its headers only those are sent that [`HttpSettings`](crate::inject::HttpSettings) let pass: what the
/// caller was authenticated with never is.
#[derive(Debug)]
pub struct UpstreamRequest {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
}

#[derive(Debug)]
pub(super) enum Body {
    None,
    Plain(Bytes),
    Arguments(InjectedArguments),
}

impl UpstreamRequest {
    /// A request without headers and body.
    #[must_use]
    pub fn new(method: Method, url: Url) -> Self {
        Self { method, url, headers: HeaderMap::new(), body: Body::None }
    }

    /// With the headers of a caller.
    #[must_use]
    pub fn headers(mut self, headers: HeaderMap) -> Self {
        self.headers = headers;
        self
    }

    /// With a body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Body::Plain(body.into());
        self
    }

    /// With the arguments of the call as its body.
    #[must_use]
    pub fn arguments(mut self, arguments: InjectedArguments) -> Self {
        self.body = Body::Arguments(arguments);
        self
    }
}

impl Body {
    pub(super) fn holds_secrets(&self) -> bool {
        matches!(self, Self::Arguments(arguments) if arguments.holds_secrets())
    }

    pub(super) fn bytes(&self) -> Option<Bytes> {
        match self {
            Self::None => None,
            Self::Plain(bytes) => Some(bytes.clone()),
            Self::Arguments(arguments) => Some(Bytes::copy_from_slice(arguments.expose())),
        }
    }
}
