use axum::extract::Request;
use axum::response::Response;

use super::{Incoming, answer};

/// The OpenAPI 3.1 document of all routes of the family.
pub const DOCUMENT: &str = include_str!("openapi.json");

pub(super) async fn serve(request: Request) -> Response {
    let (incoming, _) = Incoming::of(request);
    answer::json_text(DOCUMENT, incoming.trace_id())
}
