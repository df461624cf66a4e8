use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use systemprompt_core::api::{Problem, trace_of};
use systemprompt_core::id::TraceId;

/// 404 for a path that nothing is at. The path is not repeated: it may hold anything.
pub(crate) async fn not_found(request: Request) -> Response {
    let trace = trace(&request);
    Problem::new(StatusCode::NOT_FOUND, "not_found", "there is nothing at this path", trace)
        .into_response()
}

/// 405 for a method that a path does not take.
pub(crate) async fn wrong_method(request: Request) -> Response {
    let trace = trace(&request);
    let status = StatusCode::METHOD_NOT_ALLOWED;
    Problem::new(status, "method_not_allowed", "this path does not take this method", trace)
        .into_response()
}

fn trace(request: &Request) -> TraceId {
    let known = request.extensions().get::<TraceId>().copied();
    known.unwrap_or_else(|| trace_of(request.headers()))
}
