use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use systemprompt_core::api::Problem;

use super::parameters::Parameters;
use super::{Door, access};
use crate::{Cursor, EventFilter, FilterError, PageSize};

/// `GET /api/v1/audit/decisions`
pub(super) async fn decisions(
    State(door): State<Door>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let trace_id = access::trace(&parts);
    let scope = access::enter(&door, &parts).await?;
    let parameters = Parameters::of(&parts, trace_id)?;
    if parameters.names().any(|name| name == "kind") {
        return Err(parameters.unknown("kind", &*door.redact));
    }
    let wanted = Wanted::of(&parameters, &door)?;
    let page = door
        .reader
        .decisions(&scope, &wanted.filter, wanted.cursor.as_ref(), wanted.size)
        .await
        .map_err(|error| access::unreadable(&error, trace_id))?;
    let body = json!({
        "decisions": page.items,
        "next_cursor": page.next_cursor,
        "scanned_to": page.scanned_to,
    });
    Ok(Json(body).into_response())
}

/// `GET /api/v1/audit/events`
pub(super) async fn events(
    State(door): State<Door>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let trace_id = access::trace(&parts);
    let scope = access::enter(&door, &parts).await?;
    let wanted = Wanted::of(&Parameters::of(&parts, trace_id)?, &door)?;
    let page = door
        .reader
        .events(&scope, &wanted.filter, wanted.cursor.as_ref(), wanted.size)
        .await
        .map_err(|error| access::unreadable(&error, trace_id))?;
    let body = json!({
        "events": page.items,
        "next_cursor": page.next_cursor,
        "scanned_to": page.scanned_to,
    });
    Ok(Json(body).into_response())
}

#[derive(Default)]
struct Wanted {
    filter: EventFilter,
    cursor: Option<Cursor>,
    size: PageSize,
}

impl Wanted {
    fn of(parameters: &Parameters, door: &Door) -> Result<Self, Problem> {
        let mut wanted = Self::default();
        let now = door.clock.now();
        for (name, value) in parameters.pairs() {
            let bad = |expected: &str| parameters.bad(name, expected);
            match name {
                "limit" => {
                    let size = value.parse().ok().and_then(PageSize::new);
                    wanted.size = size.ok_or_else(|| bad("a number from 1 to 1000"))?;
                }
                "cursor" => {
                    let cursor = value.parse().map_err(|_| bad("the `next_cursor` of a page"))?;
                    wanted.cursor = Some(cursor);
                }
                // The credential says which tenant it is.
                "tenant_id" => return Err(parameters.unknown(name, &*door.redact)),
                _ => wanted.filter.set(name, value, now).map_err(|error| match error {
                    FilterError::Unknown => parameters.unknown(name, &*door.redact),
                    FilterError::Value { expected } => bad(expected),
                })?,
            }
        }
        wanted.filter.split_tool();
        Ok(wanted)
    }
}
