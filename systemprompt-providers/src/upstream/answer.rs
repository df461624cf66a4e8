use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_ENCODING;
use http::{HeaderMap, StatusCode};

use super::{Attempt, UpstreamBody, UpstreamError};

/// What a provider answered, with any status: what failed is in the body, in the provider's words.
#[derive(Debug)]
pub struct UpstreamAnswer {
    /// The status. Redirects are not followed; theirs is one as well.
    pub status: StatusCode,
    /// The headers, without those of the connection, and without those of the encoding when the body is
    /// decoded.
    pub headers: HeaderMap,
    /// The body as it arrives.
    pub body: UpstreamBody,
    /// The attempts that were made, the one with this answer last.
    pub attempts: Vec<Attempt>,
    /// When the provider wants to be asked again, from `retry-after-ms` or `retry-after`.
    pub retry_after: Option<Duration>,
}

impl UpstreamAnswer {
    /// The whole body, if it has at most `limit` bytes.
    ///
    /// # Errors
    /// [`UpstreamError`] when the body breaks off, is late, is too large, or cannot be decoded.
    pub async fn collect(self, limit: usize) -> Result<Bytes, UpstreamError> {
        let attempts = self.attempts;
        self.body.collect(limit).await.map_err(|kind| UpstreamError { kind, attempts })
    }
}

/// How a body is encoded.
pub(super) enum Encoding {
    Identity,
    Gzip,
    Unknown,
}

impl Encoding {
    /// What `content-encoding` says (RFC 9110, section 8.4).
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut found = Self::Identity;
        for value in headers.get_all(CONTENT_ENCODING) {
            let Ok(text) = value.to_str() else { return Self::Unknown };
            for name in text.split(',').map(|name| name.trim().to_ascii_lowercase()) {
                found = match (name.as_str(), found) {
                    ("" | "identity", found) => found,
                    ("gzip" | "x-gzip", Self::Identity) => Self::Gzip,
                    _ => return Self::Unknown,
                };
            }
        }
        found
    }
}
