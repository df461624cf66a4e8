use std::time::Duration;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use systemprompt_core::api::Problem;
use systemprompt_core::call::Digest;
use systemprompt_core::contract::SettleError;
use systemprompt_core::decision::{Outcome, OutcomeStatus};
use systemprompt_core::id::{PermitId, TraceId};

use super::{admit, bad_body};
use crate::http::fields::{FieldFault, Fields, Unknown};
use crate::http::{Doors, Incoming, answer};

const NAMES: [&str; 5] = ["status", "duration_ms", "result_bytes", "result", "error"];

/// Longest duration that is believed: a year, in milliseconds.
const MAX_DURATION_MS: f64 = 365.0 * 86_400_000.0;

/// Most bytes a result may be said to have; what a signed 64-bit column holds.
const MAX_RESULT_BYTES: u64 = i64::MAX as u64;

/// `POST /api/v1/permits/{id}/outcome`.
pub(in crate::http) async fn report_outcome(
    State(doors): State<Doors>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let (incoming, body) = Incoming::of(request);
    let id = id.ok().and_then(|Path(text)| text.parse().ok());
    match settle(&doors, &incoming, id, body).await {
        Ok(settled) => answer::json(&settled, incoming.trace_id()),
        Err(problem) => incoming.refuse(problem),
    }
}

#[derive(Serialize)]
struct Settled {
    permit_id: PermitId,
    status: OutcomeStatus,
}

async fn settle(
    doors: &Doors,
    incoming: &Incoming,
    permit: Option<PermitId>,
    body: Body,
) -> Result<Settled, Problem> {
    let trace_id = incoming.trace_id();
    let (principal, body) = admit(doors, incoming, body).await?;
    let outcome = read_outcome(&body, doors).map_err(|fault| bad_body(doors, &fault, trace_id))?;
    let status = outcome.status;
    let permit_id = permit.ok_or_else(|| refusal(&SettleError::Unknown, trace_id))?;
    match doors.ledger.settle(permit_id, &principal, outcome).await {
        Ok(()) => Ok(Settled { permit_id, status }),
        Err(error) => Err(refusal(&error, trace_id)),
    }
}

fn read_outcome(body: &[u8], doors: &Doors) -> Result<Outcome, FieldFault> {
    let fields = Fields::read(body, &NAMES, Unknown::Refuse)?;
    let status = match &*fields.required_text(0)? {
        "success" => OutcomeStatus::Success,
        "failed" => OutcomeStatus::Failed,
        "timeout" => OutcomeStatus::Timeout,
        _ => return Err(fields.mistyped(0, "one of `success`, `failed` and `timeout`")),
    };
    let duration = duration_of_ms(fields.raw(1).ok_or(FieldFault::Missing("duration_ms"))?)
        .ok_or(fields.mistyped(1, "a number of milliseconds, from 0 to a year"))?;
    let stated = fields.raw(2).map(|raw| result_bytes(raw).ok_or(fields.mistyped(2, "a size")));
    let result = fields.any(3).map(str::as_bytes);
    Ok(Outcome {
        status,
        duration,
        result_bytes: stated.transpose()?.or(result.map(|result| result.len() as u64)),
        result_digest: result.map(Digest::of),
        error: fields.text(4)?.map(|text| doors.safe_message(&text)),
    })
}

/// A duration written in milliseconds.
pub(in crate::http) fn duration_of_ms(raw: &str) -> Option<Duration> {
    let ms: f64 = serde_json::from_str(raw).ok()?;
    (0.0..=MAX_DURATION_MS).contains(&ms).then(|| Duration::from_secs_f64(ms / 1000.0))
}

fn result_bytes(raw: &str) -> Option<u64> {
    raw.parse().ok().filter(|bytes| *bytes <= MAX_RESULT_BYTES)
}

fn refusal(error: &SettleError, trace_id: TraceId) -> Problem {
    let (status, code, detail) = match error {
        SettleError::Unknown => {
            (StatusCode::NOT_FOUND, "unknown_permit", "you hold no such permit")
        }
        SettleError::Expired => (StatusCode::GONE, "permit_expired", "the permit has expired"),
        SettleError::AlreadySettled => (
            StatusCode::CONFLICT,
            "permit_settled",
            "the outcome of this permit was recorded before",
        ),
        _ => (
            StatusCode::SERVICE_UNAVAILABLE,
            "audit_unavailable",
            "the outcome could not be recorded; try again later",
        ),
    };
    Problem::new(status, code, detail, trace_id)
}
