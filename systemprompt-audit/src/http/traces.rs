use axum::Json;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use systemprompt_core::api::Problem;

use super::parameters::Parameters;
use super::{Door, access};

/// `GET /api/v1/audit/traces/{trace_id}`
pub(super) async fn show(
    State(door): State<Door>,
    Path(wanted): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let trace_id = access::trace(&parts);
    let scope = access::enter(&door, &parts).await?;
    let parameters = Parameters::of(&parts, trace_id)?;
    if let Some(name) = parameters.names().next() {
        return Err(parameters.unknown(name, &*door.redact));
    }
    let wanted = wanted.parse().map_err(|_| {
        Problem::bad_request("`trace_id` is not 32 lower-case hex digits", trace_id)
            .with("parameter", "trace_id")
    })?;
    let trace = door
        .reader
        .trace(&scope, wanted)
        .await
        .map_err(|error| access::unreadable(&error, trace_id))?;
    trace
        .map(|trace| Json(trace).into_response())
        .ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "not_found", "no such trace", trace_id))
}
