use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::id::TraceId;

static X_TRACE_ID: HeaderName = HeaderName::from_static("x-trace-id");

/// The trace id of the `traceparent` header, or a new one.
#[must_use]
pub fn trace_of(headers: &HeaderMap) -> TraceId {
    headers
        .get("traceparent")
        .and_then(|value| value.to_str().ok())
        .and_then(|value| TraceId::from_traceparent(value).ok())
        .unwrap_or_else(TraceId::generate)
}

/// Gives every request of `router` a [`TraceId`] extension and every answer an `x-trace-id` header.
///
/// A trace id that an outer layer has set already is kept.
pub fn with_trace<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    router.layer(from_fn(carry))
}

async fn carry(mut request: Request, next: Next) -> Response {
    let trace = match request.extensions().get::<TraceId>() {
        Some(trace) => *trace,
        None => {
            let trace = trace_of(request.headers());
            request.extensions_mut().insert(trace);
            trace
        }
    };
    let mut response = next.run(request).await;
    if let Ok(value) = HeaderValue::try_from(trace.to_string()) {
        response.headers_mut().insert(X_TRACE_ID.clone(), value);
    }
    response
}
