//! Answers, each with the trace it belongs to.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use systemprompt_core::api::Problem;
use systemprompt_core::id::TraceId;

static X_TRACE_ID: HeaderName = HeaderName::from_static("x-trace-id");

/// Room for an allowing decision with four checks and a few limits.
const USUAL_BYTES: usize = 1024;

/// 200 with `value` as JSON.
pub(super) fn json(value: &impl Serialize, trace_id: TraceId) -> Response {
    let mut text = Vec::with_capacity(USUAL_BYTES);
    match serde_json::to_writer(&mut text, value) {
        Ok(()) => json_text(text, trace_id),
        Err(error) => {
            tracing::error!(%error, %trace_id, "an answer could not be written");
            let detail = "the answer could not be written";
            problem(
                Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail, trace_id),
                trace_id,
            )
        }
    }
}

/// 200 with a JSON text.
pub(super) fn json_text(text: impl Into<Body>, trace_id: TraceId) -> Response {
    let mut response = Response::new(text.into());
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    with_trace_id(response, trace_id)
}

/// A problem document.
pub(super) fn problem(problem: Problem, trace_id: TraceId) -> Response {
    with_trace_id(problem.into_response(), trace_id)
}

fn with_trace_id(mut response: Response, trace_id: TraceId) -> Response {
    if let Ok(value) = HeaderValue::try_from(trace_id.to_string()) {
        response.headers_mut().insert(X_TRACE_ID.clone(), value);
    }
    response
}
