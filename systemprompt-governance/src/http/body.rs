//! Reading request bodies, within bounds.

use std::error::Error;
use std::io;

use axum::body::{Body, HttpBody as _};
use axum::http::{HeaderMap, StatusCode, header};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use systemprompt_core::api::Problem;
use systemprompt_core::id::TraceId;

/// Most bytes of a refused body that are read and dropped, so that the client gets to see the answer
/// instead of a connection reset.
const MAX_DRAINED_BYTES: usize = 8 * 1024 * 1024;

/// Why a body was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum BodyRefusal {
    #[error("the body is compressed; send it as it is")]
    Encoding,
    #[error("the body is not declared as `application/json`")]
    MediaType,
    #[error("the body is longer than {limit} bytes")]
    TooLong { limit: usize },
    #[error("the body did not arrive in time")]
    Late,
    #[error("the body ended early")]
    Incomplete,
}

impl BodyRefusal {
    pub(super) fn problem(self, trace_id: TraceId) -> Problem {
        let (status, code) = match self {
            Self::Encoding | Self::MediaType => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type")
            }
            Self::TooLong { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "body_too_long"),
            Self::Late => (StatusCode::REQUEST_TIMEOUT, "body_timeout"),
            Self::Incomplete => (StatusCode::BAD_REQUEST, "incomplete_body"),
        };
        Problem::new(status, code, self.to_string(), trace_id)
    }
}

/// Refuses compressed bodies: what was measured must be what is read.
pub(super) fn check_encoding(headers: &HeaderMap) -> Result<(), BodyRefusal> {
    let plain = headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .all(|value| value.as_bytes().eq_ignore_ascii_case(b"identity"));
    if plain { Ok(()) } else { Err(BodyRefusal::Encoding) }
}

/// Refuses bodies declared as something else than JSON.
pub(super) fn check_media_type(headers: &HeaderMap) -> Result<(), BodyRefusal> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let essence = value.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
    let json = essence.trim_ascii().eq_ignore_ascii_case(b"application/json");
    if json { Ok(()) } else { Err(BodyRefusal::MediaType) }
}

/// Reads the whole body, at most `limit` bytes; a body in one piece is not copied.
pub(super) async fn read(body: &mut Body, limit: usize) -> Result<Bytes, BodyRefusal> {
    let too_long = BodyRefusal::TooLong { limit };
    if body.size_hint().lower() > limit as u64 {
        return Err(too_long);
    }
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| broken(&error, too_long))?;
        let Ok(data) = frame.into_data() else { continue };
        if data.len() > limit - first.len() - rest.len() {
            return Err(too_long);
        }
        if first.is_empty() {
            first = data;
        } else {
            rest.extend_from_slice(&data);
        }
    }
    if rest.is_empty() {
        return Ok(first);
    }
    let mut whole = BytesMut::with_capacity(first.len() + rest.len());
    whole.extend_from_slice(&first);
    whole.extend_from_slice(&rest);
    Ok(whole.freeze())
}

/// Why the server stopped handing the body over: it says so with the kind of an [`io::Error`].
fn broken(error: &(dyn Error + 'static), too_long: BodyRefusal) -> BodyRefusal {
    let mut cause = Some(error);
    while let Some(error) = cause {
        match error.downcast_ref().map(io::Error::kind) {
            Some(io::ErrorKind::FileTooLarge) => return too_long,
            Some(io::ErrorKind::TimedOut) => return BodyRefusal::Late,
            _ => cause = error.source(),
        }
    }
    BodyRefusal::Incomplete
}

/// Reads and drops what is left of a body nobody wants, up to a bound.
pub(super) async fn drain(mut body: Body) {
    if body.size_hint().lower() > MAX_DRAINED_BYTES as u64 {
        return;
    }
    let mut left = MAX_DRAINED_BYTES;
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, Bytes::len);
        match left.checked_sub(length) {
            Some(less) => left = less,
            None => return,
        }
    }
}
