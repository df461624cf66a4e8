use ::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use systemprompt_core::llm::{Dialect, LossReport, ModelError};

use crate::dialect;
use crate::gateway::answer::{Answered, Whole};
use crate::gateway::ask::Failure;
use crate::gateway::kept::CacheUse;
use crate::gateway::stream::Streaming;

const LOSS: HeaderName = HeaderName::from_static("x-systemprompt-loss");
const CACHE: HeaderName = HeaderName::from_static("x-systemprompt-cache");
const PROVIDER: HeaderName = HeaderName::from_static("x-systemprompt-provider");
const USAGE: HeaderName = HeaderName::from_static("x-systemprompt-usage");

/// Longest value of `x-systemprompt-loss`, in bytes; the record has all of it.
const LOSS_BYTES: usize = 2048;

pub(super) fn answered(dialect: Dialect, answered: Answered) -> Response {
    match answered {
        Answered::Whole(whole) => {
            let Whole { request_id, upstream, losses, provider, body, usage_estimated, cache } =
                whole;
            let mut response = json(StatusCode::OK, body);
            let headers = response.headers_mut();
            common(headers, dialect, &request_id, provider.as_deref());
            notes(headers, &losses, usage_estimated, cache);
            pass(&upstream, headers);
            response
        }
        Answered::Stream(streaming) => {
            let Streaming {
                request_id,
                upstream,
                losses,
                provider,
                usage_estimated,
                cache,
                pieces,
            } = streaming;
            let pieces = stream::unfold(pieces, |mut pieces| async move {
                let piece = pieces.recv().await?;
                Some((Ok::<_, std::convert::Infallible>(piece), pieces))
            });
            let mut response = Response::new(Body::from_stream(pieces));
            let headers = response.headers_mut();
            let sse = HeaderValue::from_static("text/event-stream; charset=utf-8");
            headers.insert(header::CONTENT_TYPE, sse);
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
            common(headers, dialect, &request_id, provider.as_deref());
            notes(headers, &losses, usage_estimated, cache);
            pass(&upstream, headers);
            response
        }
    }
}

/// A failure, in the provider's own words where the caller speaks its dialect.
pub(super) fn failed(dialect: Dialect, failure: Failure, request_id: &str) -> Response {
    match failure.raw {
        Some((status, upstream, body)) => {
            let mut response = json(status, body);
            pass(&upstream, response.headers_mut());
            response
        }
        None => error(dialect, &failure.error, request_id),
    }
}

/// An error in the caller's dialect.
pub(super) fn error(dialect: Dialect, error: &ModelError, request_id: &str) -> Response {
    let (status, body) = match dialect::front(dialect) {
        Some(front) => front.encode_error(error, request_id),
        None => (error.kind.status(), Bytes::new()),
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = json(status, body);
    let headers = response.headers_mut();
    common(headers, dialect, request_id, None);
    if let Some(delay) = error.retry_after {
        let seconds = delay.as_millis().div_ceil(1000).max(1).to_string();
        if let Ok(value) = HeaderValue::from_str(&seconds) {
            headers.insert(header::RETRY_AFTER, value);
        }
    }
    response
}

pub(super) fn json(status: StatusCode, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

fn common(headers: &mut HeaderMap, dialect: Dialect, request_id: &str, provider: Option<&str>) {
    let name = match dialect {
        Dialect::Anthropic => HeaderName::from_static("request-id"),
        _ => HeaderName::from_static("x-request-id"),
    };
    if let Ok(value) = HeaderValue::from_str(request_id) {
        headers.insert(name, value);
    }
    if let Some(value) = provider.and_then(|provider| HeaderValue::from_str(provider).ok()) {
        headers.insert(PROVIDER, value);
    }
}

fn notes(
    headers: &mut HeaderMap,
    losses: &LossReport,
    usage_estimated: bool,
    cache: Option<CacheUse>,
) {
    if let Some(cache) = cache {
        headers.insert(CACHE, HeaderValue::from_static(cache.as_str()));
    }
    if !losses.is_empty() {
        let mut text = losses.to_string();
        text.retain(|c| c.is_ascii_graphic());
        text.truncate(LOSS_BYTES);
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(LOSS, value);
        }
    }
    if usage_estimated {
        headers.insert(USAGE, HeaderValue::from_static("estimated"));
    }
}

/// The headers of a provider that mean something to its clients.
fn pass(from: &HeaderMap, to: &mut HeaderMap) {
    let wanted = |name: &str| {
        name.starts_with("anthropic-ratelimit-")
            || name.starts_with("x-ratelimit-")
            || name.starts_with("retry-after")
            || [
                "request-id",
                "x-request-id",
                "x-should-retry",
                "openai-processing-ms",
                "openai-version",
                "content-type",
            ]
            .contains(&name)
    };
    for (name, value) in from {
        if wanted(name.as_str()) {
            to.insert(name.clone(), value.clone());
        }
    }
}
