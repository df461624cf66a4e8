use axum::Json;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use systemprompt_core::api::Problem;

use super::parameters::Parameters;
use super::{Door, access};
use crate::analytics::{Analytics, Dimension, Subject, UsageQuery};
use crate::{INSTANT, parse_instant};

/// How far back sums go unless something else is asked for.
const USUAL: &str = "30d";

/// Most rows of an answer.
const MOST_ROWS: usize = 10_000;

/// `GET /api/v1/analytics/{subject}`
pub(super) async fn show(
    State(door): State<Door>,
    Path(subject): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let trace_id = access::trace(&parts);
    let scope = access::enter(&door, &parts).await?;
    let parameters = Parameters::of(&parts, trace_id)?;
    let subject = subject.parse().map_err(|_| {
        Problem::new(StatusCode::NOT_FOUND, "not_found", "no such subject", trace_id)
    })?;
    let (query, csv) = wanted(subject, &parameters, &door)?;
    let report = Analytics::new(door.reader.clone())
        .usage(&scope, &query)
        .await
        .map_err(|error| access::unreadable(&error, trace_id))?;
    if csv {
        let kind = (header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present");
        return Ok(([kind], report.to_csv()).into_response());
    }
    Ok(Json(report).into_response())
}

/// The query, and whether its answer is to be CSV.
fn wanted(
    subject: Subject,
    parameters: &Parameters,
    door: &Door,
) -> Result<(UsageQuery, bool), Problem> {
    let now = door.clock.now();
    let mut query = UsageQuery::new(subject);
    query.from = parse_instant(USUAL, now).ok();
    let mut csv = false;
    for (name, value) in parameters.pairs() {
        match name {
            "from" | "to" => {
                let at = parse_instant(value, now).map_err(|_| parameters.bad(name, INSTANT))?;
                *(if name == "from" { &mut query.from } else { &mut query.to }) = Some(at);
            }
            "by" => {
                let names = Dimension::list(value);
                query.by = names.map_err(|_| parameters.bad(name, &dimensions()))?;
            }
            "limit" => {
                let limit = value.parse().ok().filter(|limit| (1..=MOST_ROWS).contains(limit));
                query.limit =
                    limit.ok_or_else(|| parameters.bad(name, "a number from 1 to 10000"))?;
            }
            "format" => {
                csv = match value {
                    "json" => false,
                    "csv" => true,
                    _ => return Err(parameters.bad(name, "`json` or `csv`")),
                };
            }
            _ => return Err(parameters.unknown(name, &*door.redact)),
        }
    }
    Ok((query, csv))
}

fn dimensions() -> String {
    let names = Dimension::ALL.map(Dimension::as_str).join(", ");
    format!("a list of {names} with commas between them")
}
