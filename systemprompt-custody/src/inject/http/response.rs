use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::HttpError;
use super::client::describe;
use crate::inject::{EchoFilter, EchoStream};

/// An answer without the secrets of its request.
pub struct UpstreamResponse {
    status: StatusCode,
    headers: HeaderMap,
    response: reqwest::Response,
    stream: EchoStream,
    /// Bytes that may still come.
    left: usize,
    max: usize,
    finished: bool,
}

impl UpstreamResponse {
    pub(super) fn new(
        response: reqwest::Response,
        filter: &EchoFilter,
        returned: &[HeaderName],
        max: usize,
    ) -> Result<Self, HttpError> {
        let coding = response.headers().get_all(header::CONTENT_ENCODING);
        if coding.iter().any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
            return Err(HttpError::Compressed);
        }
        if response.content_length().is_some_and(|length| length > max as u64) {
            return Err(HttpError::TooLarge { max });
        }
        let mut headers = HeaderMap::new();
        for name in returned {
            for value in response.headers().get_all(name) {
                let kept = HeaderValue::from_bytes(&filter.redact(value.as_bytes()));
                headers.extend(kept.ok().map(|value| (name.clone(), value)));
            }
        }
        let (status, stream) = (response.status(), filter.stream());
        Ok(Self { status, headers, response, stream, left: max, max, finished: false })
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers that are given back.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The next piece of the body; `None` at its end.
    ///
    /// # Errors
    /// [`HttpError`] when the body is too large, late, or breaks off.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, HttpError> {
        while !self.finished {
            let kept = match self.response.chunk().await.map_err(|error| describe(&error))? {
                Some(piece) => {
                    let left = self.left.checked_sub(piece.len());
                    self.left = left.ok_or(HttpError::TooLarge { max: self.max })?;
                    self.stream.push(&piece)
                }
                None => {
                    self.finished = true;
                    self.stream.finish()
                }
            };
            if !kept.is_empty() {
                return Ok(Some(kept.into()));
            }
        }
        Ok(None)
    }

    /// The whole body.
    ///
    /// # Errors
    /// As [`chunk`](Self::chunk).
    pub async fn bytes(mut self) -> Result<Bytes, HttpError> {
        let mut whole = Vec::new();
        while let Some(piece) = self.chunk().await? {
            whole.extend_from_slice(&piece);
        }
        Ok(whole.into())
    }
}

impl std::fmt::Debug for UpstreamResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UpstreamResponse").field("status", &self.status).finish_non_exhaustive()
    }
}
